// Keys that work anywhere in the view: PageUp and PageDown change the layer, Shift and an arrow the head, Escape closes the
// part. No letters: they belong to those who talk to their computer.

import { set, state } from "./state.js";
import { shownKind } from "./stage.js";

/** The listener; `seen()` is the inspection that is shown. */
export function viewKeys(seen) {
  return (event) => {
    const inspection = seen();
    if (!inspection || event.target.matches("input, select, textarea")) return;
    const { key, shiftKey } = event;
    const by = { PageUp: -1, PageDown: 1, ArrowLeft: -1, ArrowRight: 1 }[key];
    const kind = shownKind();
    if (key === "Escape" && state.part) set({ part: 0 });
    else if (key.startsWith("Page")) set({ layer: within(state.layer + by, inspection.layerCount(kind)) });
    else if (shiftKey && by) set({ head: within(state.head + by, inspection.headCount(kind)) });
    else return;
    event.preventDefault();
  };
}

/** From -1, the mean of all, to the last. */
const within = (number, count) => Math.max(-1, Math.min(count - 1, number));
