// The picture of the Transformer as a small map: seven numbered parts, and the one that is open lit up.

import { h, redraw } from "./dom.js";
import { t } from "./words.js";
import { set, state } from "./state.js";

const PLACES = { 1: "source", 2: "source", 3: "source", 4: "between", 5: "target", 6: "target", 7: "target" };

export const PARTS = Object.keys(PLACES).map(Number);

/** Draw the map into a container; a part is opened by its button, and closed by the same. */
export function drawMap(container) {
  redraw(container, () => [
    h("p", { class: "end source" }, t("map.source")),
    h("p", { class: "end target" }, t("map.target")),
    PARTS.map((part) =>
      h(
        "button",
        {
          type: "button",
          class: `part part-${part} ${PLACES[part]}`,
          "aria-expanded": String(state.part === part),
          "aria-controls": "part",
          "data-key": `part-${part}`,
          onclick: () => set({ part: state.part === part ? 0 : part, row: -1 }),
        },
        h("span", { class: "nth" }, part),
        h("span", {}, t(`part.${part}.short`)),
      ),
    ),
    h("p", { class: "end next" }, t("map.next")),
  ]);
}
