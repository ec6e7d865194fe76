// Keys that work anywhere in the view: PageUp and PageDown change the layer, Shift and an arrow the head, Escape closes the
// part. No letters: they belong to those who talk to their computer.

import { set, state } from "./state.js";
import { choice, choose } from "./choice.js";

/** The listener; `seen()` is the inspection that is shown. */
export const viewKeys = (seen) => (event) => {
  const inspection = seen();
  if (!inspection || event.target.matches("input, select, textarea")) return;
  const { key, shiftKey } = event;
  const by = { PageUp: -1, PageDown: 1, ArrowLeft: -1, ArrowRight: 1 }[key];
  const kind = event.target.closest("[data-kind]")?.dataset.kind ?? (state.part === 3 ? "enc" : "cross");
  const { layer, head } = choice(inspection, kind);
  if (key === "Escape" && state.part) set({ part: 0 });
  else if (key.startsWith("Page")) choose(inspection, kind, { layer: layer + by });
  else if (shiftKey && by) choose(inspection, kind, { head: head + by });
  else return;
  event.preventDefault();
};
