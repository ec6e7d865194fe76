// Parts 1 and 5: a token becomes a vector, and its neighbours say what the vector has learned.

import { h, note } from "../dom.js";
import { number, t } from "../words.js";
import { chosenRow, name, numbers, piece } from "../heatmap.js";
import { set } from "../state.js";
import { wordList } from "../tokens.js";
import { strip, vectorTable } from "./strip.js";

export function drawEmbedding(seen, part, again) {
  const side = part === 1 ? seen.src : seen.tgt.read;
  const language = part === 1 ? seen.src.lang : seen.tgt.lang;
  const at = chosenRow(side.subwords);
  const unit = side.subwords[at];
  return [
    wordList(t("vector.choose"), side.subwords, {
      key: "pieces",
      chosen: at,
      choose: (row) => set({ row }),
      lang: language,
    }),
    vector(seen, part, unit, again),
  ];
}

function vector(seen, part, unit, again) {
  const query = { part, token: unit.tokens[0] };
  const known = seen.known("vectors", query);
  if (!known) return seen.wait("vectors", [query], again);
  return [
    h(
      "figure",
      {},
      h("figcaption", {}, t("vector.strip", { word: name(unit), count: known.vector.length })),
      strip(known.vector),
      note(t("vector.legend")),
    ),
    h("h3", {}, t("vector.near")),
    h(
      "ol",
      { class: "bars" },
      known.neighbours.map(({ cosine, ...neighbour }) =>
        h(
          "li",
          { vars: { share: Math.max(0, cosine) } },
          h("span", {}, piece(neighbour)),
          h("span", { class: "measure" }),
          h("span", { class: "numbers" }, number(cosine, 2)),
        ),
      ),
    ),
    numbers(() => vectorTable(known.vector), t("numbers.show")),
  ];
}
