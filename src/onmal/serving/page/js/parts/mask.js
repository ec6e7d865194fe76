// The mask, and a network that learned without it, where one is served beside the one that is shown.

import { button, h, note } from "../dom.js";
import { t } from "../words.js";
import { set, state } from "../state.js";
import { ask } from "../server.js";
import { chosenModel, modelsFor } from "../served.js";
import { waiting } from "../inspection.js";
import { sideBySide } from "../switches.js";

const WITHOUT = "without-mask"; // how the name of such a network ends

/** What is said of the mask, and the other network's translation beside the usual one. */
export function mask(seen, again) {
  const names = modelsFor(seen.src.lang, seen.tgt.lang);
  const usual = chosenModel() || names[0];
  const other = names.find((name) => name.endsWith(WITHOUT));
  if (!other || usual.endsWith(WITHOUT)) return note(t("mask.note"), " ", t("mask.none"));
  const off = { "aria-pressed": String(!state.mask), "data-key": "mask" };
  return [
    note(t("mask.note"), " ", t("mask.other", { name: other })),
    h(
      "div",
      { class: "row" },
      button(t("mask.off"), () => set({ mask: 1 - state.mask }), off),
    ),
    !state.mask && translations(seen, [other, usual], again),
  ];
}

const known = new Map();

/** What both networks say, nothing switched off. */
function translations(seen, names, again) {
  const { text } = seen.src;
  const to = seen.tgt.lang;
  const key = JSON.stringify([text, to, names]);
  if (!known.has(key)) {
    const asked = names.map((model) => ask("v1/inspect", { text, to, model, include: [] }));
    const told = Promise.all(asked).then((answers) =>
      known.set(
        key,
        answers.map(({ tgt }) => tgt.text),
      ),
    );
    return waiting(told, again);
  }
  const [without, usual] = known.get(key);
  const compared = sideBySide(to, [t("mask.without"), without], [t("mask.with"), usual]);
  return h("div", { class: "comparison", role: "status" }, compared);
}
