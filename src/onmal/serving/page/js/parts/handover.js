// Part 4: what the encoder hands over, drawn once for every layer of the decoder that reads it.

import { h, s } from "../dom.js";
import { t } from "../words.js";

const [ROW, WIDE] = [58, 560];

export function drawHandover(seen) {
  const layers = seen.layerCount("cross");
  const steps = seen.tgt.ids.length;
  const height = Math.max(2, layers) * ROW + 30;
  const middle = height / 2;
  const text = (x, y, words, properties = {}) => s("text", { x, y, "text-anchor": "middle", ...properties }, words);
  const box = (x, y, width, words, name) => s("g", { class: name }, s("rect", { x, y, width, height: 36, rx: 6 }), text(x + width / 2, y + 23, words));
  const arrow = (x, y, u, v) => s("path", { class: "wire", d: `M${x},${y} C${(x + u) / 2},${y} ${(x + u) / 2},${v} ${u},${v}` });
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
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("handover.picture") }, s("svg", { viewBox: `0 0 ${WIDE} ${height}`, role: "img", "aria-label": label }, box(10, middle - 18, 140, t("handover.memory"), "memory"), each.flat())),
    h("figcaption", { class: "note" }, label),
  );
}
