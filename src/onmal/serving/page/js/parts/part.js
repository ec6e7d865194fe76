// The frame around each of the seven parts: what comes in, what goes out, of which shape, and one picture.

import { button, h, redraw } from "../dom.js";
import { t } from "../words.js";
import { set, state } from "../state.js";
import { PARTS } from "../map.js";
import { drawEmbedding } from "./embedding.js";
import { drawPositions } from "./positions.js";
import { drawEncoder } from "./encoder.js";
import { drawHandover } from "./handover.js";
import { drawDecoder } from "./decoder.js";

/** Which picture each part has. A drawer gives nodes, and may call `again` when the server has sent more. */
const DRAWERS = {
  1: drawEmbedding,
  2: drawPositions,
  3: drawEncoder,
  4: drawHandover,
  5: drawEmbedding,
  6: drawPositions,
  7: drawDecoder,
};

let open = 0;
let shown = null;

/** Draw the open part; none is open at 0. @param {import("../inspection.js").Inspection} seen */
export function drawPart(container, seen) {
  const part = PARTS.includes(state.part) ? state.part : 0;
  const justOpened = part && part !== open;
  open = part;
  shown = seen;
  container.hidden = !part;
  if (!part) return container.replaceChildren();
  container.setAttribute("aria-labelledby", "part-title");
  const again = () => state.part === part && shown === seen && drawPart(container, seen);
  redraw(container, () => [heading(part, seen), facts(part, seen), DRAWERS[part](seen, part, again), neighbours(part)]);
  if (justOpened) container.scrollIntoView({ block: "nearest" });
}

const heading = (part, seen) =>
  h(
    "header",
    {},
    h("h2", { id: "part-title" }, h("span", { class: "nth" }, part), t(`part.${part}.name`)),
    button(t("page.close"), () => set({ part: 0, row: -1 }), {
      icon: "close",
      class: "quiet icon",
      "data-key": "close-part",
    }),
    h("p", {}, t(`part.${part}.what`, { H: seen.headCount("enc") })),
  );

/** What comes in, what goes out, and its shape in the letters of the code and in this sentence's numbers. */
function facts(part, seen) {
  const { d, vocabulary, parts } = seen.model;
  const kind = part === 7 ? "dec" : "enc";
  const { layers = 0, heads: H = 0 } = parts[part === 4 ? "cross" : kind] ?? {};
  const values = {
    S: seen.src.ids.length,
    T: seen.tgt.ids.length,
    D: d,
    V: vocabulary,
    L: layers,
    H,
    E: H ? d / H : d,
  };
  return h(
    "dl",
    { class: "facts" },
    ["in", "out", "shape"].map((fact) =>
      h("div", {}, h("dt", {}, t(`fact.${fact}`)), h("dd", {}, t(`part.${part}.${fact}`, values))),
    ),
  );
}

function neighbours(part) {
  const to = (other, key) =>
    PARTS.includes(other) &&
    button(`${other} ${t(`part.${other}.short`)}`, () => set({ part: other, row: -1 }), {
      class: "quiet",
      "data-key": key,
    });
  return h(
    "nav",
    { class: "row neighbours", "aria-label": t("part.neighbours") },
    to(part - 1, "previous"),
    h("span", { class: "spring" }),
    to(part + 1, "next"),
  );
}
