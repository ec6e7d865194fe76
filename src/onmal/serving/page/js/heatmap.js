// A table of weights as shades of one colour, with numbers where they fit; always also as a real table.

import { button, h, scroller, select, tableOf } from "./dom.js";
import { languageName, number, percent, t } from "./words.js";
import { roving } from "./roving.js";
import { state } from "./state.js";

const LARGEST_GRID = 32; // rows or columns of a grid whose every cell can be reached by keyboard
const MOST_WITH_NUMBERS = 12; // columns
const MOST_BARS = 16; // of a row

/** How dark a cell is, for the colour of its number: bounds at which either colour can be read. */
const depth = (share) => (share > 0.94 ? " strong" : share > 0.56 ? " mid" : "");
const shown = (value) => (Math.abs(value) >= 0.005 ? number(100 * value, 0) : "");

/**
 * @typedef {object} Heat
 * @property {string} label what this is a table of
 * @property {string} [key] the same name for all layers and heads
 * @property {import("./inspection.js").Unit[]} rows
 * @property {import("./inspection.js").Unit[]} columns
 * @property {import("./inspection.js").Table} table
 * @property {(row: number, column: number) => boolean} [masked] cells that may not be seen
 * @property {number} [row] the chosen one
 * @property {(row: number) => void} [choose]
 * @property {string} [rowLanguage]
 * @property {string} [columnLanguage]
 */

/** A heat map with its table behind a button; on a narrow screen, bars for the chosen row instead. @param {Heat} heat */
export function heatmap(heat) {
  const small = Math.max(heat.rows.length, heat.columns.length) <= LARGEST_GRID;
  const picture = small ? grid(heat) : canvas(heat);
  return h(
    "div",
    { class: "heat" },
    h("div", { class: "wide" }, picture),
    ranked(heat, small),
    numbers(() => asTable(heat), t("table.show"), heat.key ?? heat.label),
  );
}

/** The chosen row as bars, the largest first; also where the map is a picture, whose rows no keyboard can reach. */
function ranked({ rows, columns, table, masked, row: chosen = 0, choose, columnLanguage }, onlyIfNarrow) {
  const pairs = columns.map((unit, c) => [unit, masked?.(chosen, c) ? -Infinity : table.at(chosen, c)]);
  const bar = ([unit, value]) =>
    h(
      "li",
      { vars: { share: Math.max(0, value) } },
      h("span", { lang: columnLanguage }, name(unit)),
      h("span", { class: `measure${value === -Infinity ? " masked" : ""}` }),
      h("span", { class: "numbers" }, value === -Infinity ? "−∞" : percent(value)),
    );
  return h(
    "div",
    { class: onlyIfNarrow ? "narrow" : null },
    choose && rowMenu(rows, chosen, choose, "ranked-row"),
    h(
      "ol",
      { class: "bars" },
      pairs
        .sort((a, b) => b[1] - a[1])
        .slice(0, MOST_BARS)
        .map(bar),
    ),
  );
}

/** The menu of rows. */
export function rowMenu(rows, chosen, choose, key) {
  const choices = rows.map((unit, r) => [r, `${r + 1}. ${name(unit)}`]);
  return select(t("heat.row"), choices, chosen, (value) => choose(Number(value)), { "data-key": key });
}

const opened = new Set();

/** A native disclosure that makes its content when it is first opened, and stays open when all around it is drawn anew. */
export function numbers(make, label, key = label) {
  const inside = scroller(label);
  const toggled = ({ target: { open } }) => {
    if (open && !inside.childElementCount) inside.append(make());
    if (open) opened.add(key);
    else opened.delete(key);
  };
  return h(
    "details",
    { class: "numbers-of", open: opened.has(key), ontoggle: toggled },
    h("summary", { "data-key": `${key} numbers` }, label),
    inside,
  );
}

function grid({ label, rows, columns, table, masked, row: chosen, choose, rowLanguage, columnLanguage }) {
  const withNumbers = columns.length <= MOST_WITH_NUMBERS;
  const head = (unit, role, lang) =>
    h("div", { role, lang, class: unit.special ? "dim" : null }, h("span", {}, name(unit)));
  const cell = (r, c) => {
    const hidden = masked?.(r, c) ?? false;
    const value = hidden ? 0 : table.at(r, c);
    const says = `${name(rows[r])} → ${name(columns[c])}: ${hidden ? t("mask.cell") : percent(value)}`;
    return h(
      "div",
      {
        role: "gridcell",
        class: `cell${hidden ? " masked" : ""}${depth(value)}`,
        tabindex: -1,
        title: says,
        "aria-label": says,
        "data-row": r,
        "data-key": `${label} ${r} ${c}`,
        vars: { share: Math.max(0, value) },
      },
      withNumbers && !hidden ? shown(value) : "",
    );
  };
  const element = h(
    "div",
    { class: "grid", role: "grid", "aria-label": label, "data-grid": true, vars: { columns: columns.length } },
    h(
      "div",
      { role: "row" },
      h("div", { role: "columnheader" }, h("span", { class: "unseen" }, label)),
      columns.map((unit) => head(unit, "columnheader", columnLanguage)),
    ),
    rows.map((unit, r) =>
      h(
        "div",
        { role: "row", class: r === chosen ? "chosen" : null, onclick: () => choose?.(r) },
        head(unit, "rowheader", rowLanguage),
        columns.map((_, c) => cell(r, c)),
      ),
    ),
  );
  roving(element, ".cell", { columns: () => columns.length, press: (at) => choose?.(Number(at.dataset.row)) });
  return h("div", { class: "scroll" }, element);
}

/** Too large for a cell to be an element: one picture, a row at a time by number in the bars beside it. */
function canvas({ label, rows, columns, table, masked, choose }) {
  const size = Math.max(3, Math.min(8, Math.floor(560 / columns.length)));
  const sheet = h("canvas", {
    width: columns.length * size,
    height: rows.length * size,
    role: "img",
    "aria-label": label,
    class: "map",
  });
  requestAnimationFrame(() => shade(sheet, table, size, masked));
  sheet.addEventListener("click", ({ offsetY }) =>
    choose?.(Math.min(rows.length - 1, Math.floor((offsetY / sheet.clientHeight) * rows.length))),
  );
  return h("div", { class: "scroll" }, sheet);
}

/** Paint a table on a canvas, `size` pixels for a cell. */
function shade(sheet, table, size, masked) {
  const pen = sheet.getContext("2d");
  pen.clearRect(0, 0, sheet.width, sheet.height);
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  for (let r = 0; r < table.rows; r++) {
    for (let c = 0; c < table.columns; c++) {
      pen.globalAlpha = masked?.(r, c) ? 0 : Math.min(1, Math.abs(table.at(r, c)));
      pen.fillRect(c * size, r * size, size, size);
    }
  }
}

/** A small picture of one head, in a button. */
export function thumbnail({ table, label, pressed, off, onclick, key }) {
  const size = Math.max(1, Math.floor(72 / Math.max(table.rows, table.columns)));
  const sheet = h("canvas", { width: table.columns * size, height: table.rows * size, "aria-hidden": "true" });
  requestAnimationFrame(() => shade(sheet, table, size));
  const element = button("", onclick, {
    class: `thumbnail${off ? " off" : ""}`,
    "aria-pressed": String(pressed),
    "data-key": key,
  });
  element.append(sheet, h("span", {}, label));
  return element;
}

function asTable({ label, rows, columns, table, masked, rowLanguage, columnLanguage }) {
  const value = (r, c) => (masked?.(r, c) ? "−∞ → 0" : number(table.at(r, c)));
  const title = (lang) => (unit) => h("span", { lang }, name(unit));
  return tableOf(
    rows.map((unit, r) => [title(rowLanguage)(unit), ...columns.map((_, c) => value(r, c))]),
    { caption: label, head: ["", ...columns.map(title(columnLanguage))] },
  );
}

/** The number of the unit that is chosen in the open part; at first the first word, not the sign before it. */
export const chosenRow = (units) =>
  state.row in units
    ? state.row
    : Math.max(
        0,
        units.findIndex(({ special }) => !special),
      );

/** How a piece is written that may continue the word before it. */
export const piece = ({ text, opens }) => (opens === false ? `‑${text}` : text);

/** What a unit is called: its text, or the name of a sign that is no word. */
export function name(unit) {
  if (!unit.special) return unit.text;
  const [sign, language] = unit.special.split(" ");
  return t(`sign.${sign}`, { language: language && languageName(language) });
}
