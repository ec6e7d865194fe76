// Part 3: every head of the encoder's self-attention as a small picture, one of them large, one row of it as arithmetic.

import { h } from "../dom.js";
import { t } from "../words.js";
import { set, state, switchedOff } from "../state.js";
import { heatmap, thumbnail } from "../heatmap.js";
import { aggregation, honest, layerAndHead } from "../stage.js";
import { sumOf } from "./sum.js";

let row = 0;

export function drawEncoder(seen, part, again) {
  return attention(seen, "enc", Math.min(row, seen.src.ids.length - 1), (chosen) => ((row = chosen), again()), again);
}

/**
 * The heads of a layer as small pictures, the chosen one large, and the sum of a chosen row.
 * @param {import("../inspection.js").Kind} kind
 * @param {number} chosen row, by its unit's number
 * @param {(row: number) => void} choose
 */
export function attention(seen, kind, chosen, choose, again, masked) {
  const layer = Math.min(state.layer, seen.layerCount(kind) - 1);
  const head = Math.min(state.head, seen.headCount(kind) - 1);
  const [rows, columns] = seen.units(kind, state.pieces || masked);
  const at = Math.min(chosen, rows.length - 1);
  const weights = seen.weights(kind, layer, head);
  if (!weights) return wait(seen, kind, layer, again);
  const language = { enc: [seen.src.lang, seen.src.lang], dec: [seen.tgt.lang, seen.tgt.lang], cross: [seen.tgt.lang, seen.src.lang] }[kind];
  const label = `${t(`kind.${kind}`)}, ${aggregation(seen, kind)}`;
  return [
    h("div", { class: "tools" }, layerAndHead(seen, kind)),
    layer >= 0 && thumbnails(seen, kind, layer, head),
    h("h3", {}, label),
    h("p", { class: "note" }, t(`kind.${kind}.read`)),
    heatmap({ label, rows, columns, table: weights.joined(rows, columns), masked, row: at, choose, rowLanguage: language[0], columnLanguage: language[1] }),
    honest(),
    sumOf(seen, kind, Math.max(0, layer), Math.max(0, head), rows[at], again),
  ];
}

function thumbnails(seen, kind, layer, head) {
  const off = switchedOff();
  const all = Array.from({ length: seen.headCount(kind) }, (_, n) => [n, seen.weights(kind, layer, n)]).filter(([, table]) => table);
  return h(
    "div",
    { class: "thumbnails", role: "group", "aria-label": t("head") },
    all.map(([n, table]) => thumbnail({ table, label: t("head.one", { n: n + 1 }), pressed: n === head, off: off.includes(`${kind}.${layer}.${n}`), onclick: () => set({ head: n === head ? -1 : n }), key: `thumb-${kind}-${n}` })),
  );
}

/** Until the server has sent the layer, words instead of a picture. */
function wait(seen, kind, layer, again) {
  const layers = layer < 0 ? Array.from({ length: seen.layerCount(kind) }, (_, n) => n) : [layer];
  const place = h("p", { class: "note", role: "status" }, t("part.loading"));
  Promise.all(layers.map((n) => seen.fetchLayer(kind, n))).then(again, (error) => (place.textContent = error.message));
  return [h("div", { class: "tools" }, layerAndHead(seen, kind)), place];
}
