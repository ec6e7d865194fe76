// Part 7: the decoder, one word at a time: what it may look at, what it looks at in the source, which words it thinks
// likely, and the tree of everything that the search has tried.

import { button, h, note, saved } from "../dom.js";
import { percent, t } from "../words.js";
import { set, state } from "../state.js";
import { Inspection } from "../inspection.js";
import { name, piece } from "../heatmap.js";
import { attention } from "./encoder.js";
import { comparison } from "../switches.js";
import { beamTree } from "./beam.js";
import { mask } from "./mask.js";

export function drawDecoder(seen, part, again) {
  const pieces = seen.tgt.subwords;
  const at = Math.max(0, Inspection.unitOf(pieces, state.step));
  const go = (n) => set({ step: pieces[n].tokens[0] });
  const query = (chosen) => go(Math.min(chosen, pieces.length - 1));
  const future = (r, c) => seen.tgt.read.subwords[c].tokens[0] > pieces[r].tokens[0];
  return [
    stepper(seen, pieces, at, go),
    seen.steps && candidates(seen, state.step),
    attention(seen, "dec", at, query, again, future),
    seen.layerCount("dec") > 0 && mask(seen, again),
    crossAttention(seen, again),
    seen.beam && beamTree(seen),
  ];
}

function crossAttention(seen, again) {
  const rows = seen.units("cross", state.pieces, state.signs)[0];
  const row = Math.max(0, Inspection.unitOf(rows, state.step));
  return attention(seen, "cross", row, (chosen) => set({ step: rows[chosen].tokens[0] }), again);
}

/** Time goes to the right: what has been written, what is being written, what is not there yet. */
function stepper(seen, pieces, at, go) {
  const gap = (n) => (pieces[n].span && pieces[n + 1]?.span?.[0] === pieces[n].span[1] ? "" : " ");
  return h(
    "div",
    { class: "stepper" },
    button(t("step.back"), () => go(at - 1), {
      icon: "back",
      class: "icon",
      disabled: at === 0,
      "data-key": "step-back",
    }),
    h(
      "p",
      { lang: seen.tgt.lang },
      h("span", { class: "note" }, `${t("step.at", { n: at + 1, of: pieces.length })} `),
      h("span", { class: "unseen" }, ": "),
      pieces.slice(0, at).map((unit, n) => name(unit) + gap(n)),
      h("strong", {}, name(pieces[at])),
      pieces.slice(at + 1).map(() => h("span", { class: "later", "aria-hidden": "true" }, "·")),
    ),
    button(t("step.on"), () => go(at + 1), {
      icon: "on",
      class: "icon",
      disabled: at === pieces.length - 1,
      "data-key": "step-on",
    }),
  );
}

/** The five likeliest next words; another one than was taken can be chosen, and the network goes on from there. */
function candidates(seen, step) {
  const taken = seen.tgt.ids[step];
  const before = seen.tgt.ids.slice(0, step);
  const signs = new Map([
    [seen.tgt.read.ids[0], t("sign.start")],
    [seen.src.ids.at(-1), t("sign.end")],
  ]); // nothing is written after these
  const list = h(
    "ol",
    { class: "bars" },
    seen.steps[step].top.map(({ token, p, ...found }) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button",
            class: token === taken ? "taken" : null,
            "aria-pressed": String(token === taken),
            disabled: saved || token === taken || signs.has(token),
            "data-key": `candidate-${token}`,
            vars: { share: p },
            onclick: () => set({ prefix: [...before, token].join(".") }),
          },
          h("span", { lang: seen.tgt.lang }, signs.get(token) ?? piece(found)),
          h("span", { class: "measure" }),
          h("span", { class: "numbers" }, percent(p)),
        ),
      ),
    ),
  );
  return h("section", {}, h("h3", {}, t("candidates.title")), !saved && note(t("candidates.note")), list, comparison(seen));
}
