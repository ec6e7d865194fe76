// Parts 2 and 6: the vector of each position, how alike positions are, and what becomes of the translation without them.

import { button, h, icon, note, saved } from "../dom.js";
import { t } from "../words.js";
import { set, state, switchedOff, toggle } from "../state.js";
import { heatmap, name, numbers } from "../heatmap.js";
import { comparison } from "../switches.js";
import { Inspection, unpack } from "../inspection.js";
import { strip, vectorTable } from "./strip.js";

const MOST_STRIPS = 16; // places whose vectors are shown

export function drawPositions(seen, part, again) {
  const side = part === 2 ? seen.src : seen.tgt.read;
  const queries = side.ids.slice(0, MOST_STRIPS).map((_, token) => ({ part, token }));
  const known = queries.map((query) => seen.known("vectors", query));
  return [experiment(seen, part), known.every(Boolean) ? pictures(known, side) : seen.wait("vectors", queries, again)];
}

function pictures(known, side) {
  if (!known[0].similarity) return h("p", {}, t("position.none"));
  const units = side.ids.map((_, n) => ({ text: String(n + 1), tokens: [n, n + 1], special: null }));
  const most = Math.max(...known.flatMap(({ vector }) => (vector ?? []).map(Math.abs)));
  const wordAt = (token) => name(side.subwords[Inspection.unitOf(side.subwords, token)]);
  return [
    known[0].vector && [
      h("h3", {}, t("position.strips")),
      h(
        "ol",
        { class: "strips" },
        known.map(({ vector }, n) =>
          h(
            "li",
            {},
            h("span", { class: "numbers" }, n + 1),
            h("span", { class: "dim" }, wordAt(n)),
            strip(vector, most, t("position.place", { n: n + 1 })),
          ),
        ),
      ),
      note(t("vector.legend")),
      numbers(
        () =>
          h(
            "div",
            {},
            known.map(({ vector }, n) => [h("p", {}, t("position.place", { n: n + 1 })), vectorTable(vector)]),
          ),
        t("numbers.show"),
      ),
    ],
    h("h3", {}, t("position.cosine")),
    note(t("position.read")),
    heatmap({
      label: t("position.cosine"),
      rows: units,
      columns: units,
      table: unpack(known[0].similarity),
      row: Math.max(0, Math.min(state.row, units.length - 1)),
      choose: (row) => set({ row }),
    }),
  ];
}

/** Switch the positions off; of the source, turn the words round as well, and see that nothing changes any more. */
function experiment(seen, part) {
  const key = part === 2 ? "src_pos" : "tgt_pos";
  const off = switchedOff().includes(key);
  const reverse = () => set({ text: state.text.trim().split(/\s+/).reverse().join(" "), step: 0, prefix: "" });
  return h(
    "div",
    { class: "experiment" },
    h(
      "div",
      { class: "row" },
      button(t(off ? "position.on" : "position.off"), () => toggle(key), {
        "aria-pressed": String(off),
        disabled: saved,
        "data-key": key,
      }),
      part === 2 && button([icon("swap"), t("position.reverse")], reverse, { disabled: saved, "data-key": "reverse" }),
    ),
    part === 2 && note(t("position.bag")),
    comparison(seen),
  );
}
