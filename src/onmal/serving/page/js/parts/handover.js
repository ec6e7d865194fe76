// Part 4: what the encoder hands over, drawn once for every layer of the decoder that reads it.

import { h, s, scroller, tableOf } from "../dom.js";
import { number, t } from "../words.js";
import { name, numbers } from "../heatmap.js";

const [ROW, WIDE] = [58, 560];

export function drawHandover(seen, part, again) {
  const layers = seen.layerCount("cross");
  const steps = seen.tgt.ids.length;
  const height = Math.max(2, layers) * ROW + 30;
  const middle = height / 2;
  const text = (x, y, words, properties = {}) => s("text", { x, y, "text-anchor": "middle", ...properties }, words);
  const box = (x, y, width, words, name) =>
    s("g", { class: name }, s("rect", { x, y, width, height: 36, rx: 6 }), text(x + width / 2, y + 23, words));
  const arrow = (x, y, u, v) =>
    s("path", { class: "wire", d: `M${x},${y} C${(x + u) / 2},${y} ${(x + u) / 2},${v} ${u},${v}` });
  const each = Array.from({ length: layers }, (_, n) => {
    const y = 15 + n * ROW;
    return [
      arrow(150, middle, 210, y + 18),
      box(210, y, 70, "K", "made"),
      box(288, y, 70, "V", "made"),
      arrow(358, y + 18, 410, y + 18),
      box(410, y, 140, t("layer.one", { n: n + 1 }), "reads"),
    ];
  });
  const label = t("handover.label", { layers, steps });
  return h(
    "figure",
    { class: "handover" },
    scroller(
      t("handover.picture"),
      s(
        "svg",
        { viewBox: `0 0 ${WIDE} ${height}`, role: "img", "aria-label": label },
        box(10, middle - 18, 140, t("handover.memory"), "memory"),
        each.flat(),
      ),
    ),
    h("figcaption", { class: "note" }, label),
    lengths(seen, again),
  );
}

/** How long the value of each source word is in the first head of each layer: a word counts by its weight times this. */
function lengths(seen, again) {
  const queries = Array.from({ length: seen.layerCount("cross") }, (_, layer) => ({
    kind: "cross",
    layer,
    head: 0,
    t: 0,
  }));
  const rows = queries.map((query) => seen.known("row", query));
  if (!rows.every(Boolean)) return seen.wait("row", queries, again);
  const line = (unit) => [name(unit), ...rows.map(({ value_norm: norm }) => number(norm[unit.tokens[0]], 2))];
  const head = ["", ...queries.map(({ layer }) => t("layer.one", { n: layer + 1 }))];
  const table = () => tableOf(seen.src.subwords.map(line), { caption: t("handover.lengths"), head });
  return numbers(table, t("numbers.show"));
}
