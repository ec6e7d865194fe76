// Switch a part off and see the translation change: positions, words of the source, heads.

import { button, h, icon, note, redraw, saved } from "./dom.js";
import { number, t } from "./words.js";
import { set, state, switchedOff, toggle } from "./state.js";
import { name } from "./heatmap.js";

const KINDS = ["cross", "enc", "dec"];
let opened = false;

/** @param {HTMLElement} container @param {import("./inspection.js").Inspection} seen */
export function drawSwitches(container, seen) {
  const off = switchedOff();
  redraw(container, () =>
    h(
      "details",
      { class: "switches", open: opened || off.length > 0, ontoggle: (event) => (opened = event.target.open) },
      h("summary", {}, t("switches.title"), h("span", { class: "note" }, ` ${t("switches.lead")}`)),
      positions(seen, off),
      sourceWords(seen, off),
      heads(seen, off),
    ),
  );
}

/** The translation as it is now beside what it was, and the way back; nothing where nothing is off. */
export function drawComparison(container, seen) {
  redraw(container, () => comparison(seen));
}

/** The same as an element, for parts that change something far below the sentence. */
export function comparison(seen) {
  if (!state.off && !state.prefix) return null;
  const { tgt, baseline } = seen;
  return h(
    "div",
    { class: "comparison" },
    sideBySide(tgt.lang, [t("compare.after"), tgt.text], [t("compare.before"), baseline.text]),
    h(
      "div",
      { class: "row" },
      note(tgt.text === baseline.text ? t("compare.same") : t("compare.changed"), " ", state.off && cost(seen)),
      h("span", { class: "spring" }),
      !saved &&
        button([icon("undo"), t("compare.undo")], () => set({ off: "", prefix: "" }), { "data-key": "undo" }),
    ),
  );
}

/** Two translations with their titles; the first stands out where it is another than the second. */
export const sideBySide = (language, after, before) =>
  [after, before].map(([title, text]) =>
    h(
      "div",
      {},
      h("h3", {}, title),
      h("p", { lang: language, class: text === before[1] ? null : "changed" }, text || t("compare.nothing")),
    ),
  );

/** How much less likely the first translation has become. */
function cost({ baseline }) {
  const { total, under_switches: now } = baseline;
  return typeof now === "number" ? t("compare.cost", { change: number(now - total, 2) }) : "";
}

const chip = (label, key, off, properties = {}) =>
  button(label, () => toggle(key), {
    class: `chip${off.includes(key) ? " off" : ""}`,
    disabled: saved,
    "aria-pressed": String(off.includes(key)),
    "data-key": key,
    ...properties,
  });

const positions = (seen, off) =>
  h(
    "fieldset",
    {},
    h("legend", {}, t("switches.positions")),
    chip(t("switches.src_pos"), "src_pos", off),
    chip(t("switches.tgt_pos"), "tgt_pos", off),
  );

const sourceWords = (seen, off) =>
  h(
    "fieldset",
    {},
    h("legend", {}, t("switches.words")),
    seen.src.words.map((unit, n) => !unit.special && chip(name(unit), `word.${n}`, off, { lang: seen.src.lang })),
  );

/** Each head with the change of the translation's log-probability when it alone is off. */
function heads(seen, off) {
  return KINDS.filter((kind) => seen.layerCount(kind)).map((kind) =>
    h(
      "fieldset",
      {},
      h("legend", {}, t(`kind.${kind}`)),
      (seen.heads?.[kind] ?? []).map(({ l, h: n, delta }) => {
        const change = typeof delta === "number" ? number(delta, 2) : "?";
        const place = { kind: t(`kind.${kind}`), layer: l + 1, head: n + 1, change };
        return chip([`${l + 1}.${n + 1}`, h("small", { class: "numbers" }, change)], `${kind}.${l}.${n}`, off, {
          title: t("switches.head", place),
        });
      }),
    ),
  );
}
