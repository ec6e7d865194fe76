// Part 3: every head of the encoder's self-attention as a small picture, one of them large, one row of it as arithmetic.

import { h, note } from "../dom.js";
import { t } from "../words.js";
import { set, state, switchedOff } from "../state.js";
import { chosenRow, heatmap, rowMenu, thumbnail } from "../heatmap.js";
import { choice, choose as chooseHead, honest, inWords, menus } from "../choice.js";
import { waiting } from "../inspection.js";
import { sumOf } from "./sum.js";

export function drawEncoder(seen, part, again) {
  return attention(
    seen,
    "enc",
    chosenRow(seen.units("enc", state.pieces, state.signs)[0]),
    (row) => set({ row }),
    again,
  );
}

/**
 * The heads of a layer as small pictures, the chosen one large, and the sum of a chosen row.
 * @param {import("../inspection.js").Kind} kind
 * @param {number} chosen row, by its unit's number
 * @param {(row: number) => void} choose
 */
export function attention(seen, kind, chosen, choose, again, masked) {
  if (!seen.layerCount(kind)) return note(t("part.without", { network: seen.model.network }));
  const { layer, head } = choice(seen, kind);
  const [rows, columns] = seen.units(kind, state.pieces || masked, state.signs || masked);
  const at = Math.min(chosen, rows.length - 1);
  const weights = seen.weights(kind, layer, head);
  if (seen.byRow) return oneRow(seen, kind, rows, at, choose, again);
  if (!weights) return [h("div", { class: "tools" }, menus(seen, kind)), waiting(seen.fetchLayers(kind, layer), again)];
  const language = {
    enc: [seen.src.lang, seen.src.lang],
    dec: [seen.tgt.lang, seen.tgt.lang],
    cross: [seen.tgt.lang, seen.src.lang],
  }[kind];
  const label = `${t(`kind.${kind}`)}, ${inWords(seen, kind)}`;
  return h(
    "section",
    { "data-kind": kind },
    h("div", { class: "tools" }, menus(seen, kind)),
    layer >= 0 && thumbnails(seen, kind, layer, head),
    h("h3", {}, label),
    note(t(`kind.${kind}.read`)),
    heatmap({
      label,
      key: kind,
      rows,
      columns,
      table: weights.joined(rows, columns),
      masked,
      row: at,
      choose,
      rowLanguage: language[0],
      columnLanguage: language[1],
    }),
    honest(),
    sumOf(seen, kind, rows[at], again),
  );
}

/** Of a sentence too long for tables, the row that is asked for. */
function oneRow(seen, kind, rows, at, choose, again) {
  return h(
    "section",
    { "data-kind": kind },
    h("h3", {}, t(`kind.${kind}`)),
    h("div", { class: "tools" }, menus(seen, kind), rowMenu(rows, at, choose, `row-${kind}`)),
    note(t("part.by-row")),
    sumOf(seen, kind, rows[at], again),
  );
}

function thumbnails(seen, kind, layer, head) {
  const off = switchedOff();
  const all = Array.from({ length: seen.headCount(kind) }, (_, n) => [n, seen.weights(kind, layer, n)]).filter(
    ([, table]) => table,
  );
  return h(
    "div",
    { class: "thumbnails", role: "group", "aria-label": t("head") },
    all.map(([n, table]) =>
      thumbnail({
        table,
        label: t("head.one", { n: n + 1 }),
        pressed: n === head,
        off: off.includes(`${kind}.${layer}.${n}`),
        onclick: () => chooseHead(seen, kind, { head: n === head ? -1 : n }),
        key: `thumb-${kind}-${n}`,
      }),
    ),
  );
}
