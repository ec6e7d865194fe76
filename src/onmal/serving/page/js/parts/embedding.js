// Parts 1 and 5: a token becomes a vector, and its neighbours say what the vector has learned.

import { h } from "../dom.js";
import { number, t } from "../words.js";
import { chosenRow, name, numbers, piece } from "../heatmap.js";
import { roving } from "../roving.js";
import { set } from "../state.js";
import { strip, vectorTable } from "./strip.js";

export function drawEmbedding(seen, part, again) {
  const side = part === 1 ? seen.src : seen.tgt.read;
  const language = part === 1 ? seen.src.lang : seen.tgt.lang;
  const at = chosenRow(side.subwords);
  const unit = side.subwords[at];
  const choose = (row) => set({ row });
  return [tokens(side.subwords, at, choose, language), vector(seen, part, unit, language, again)];
}

/** The subwords of a side as a row to choose from. */
function tokens(units, at, choose, language) {
  const options = units.map((unit, n) =>
    h(
      "div",
      {
        role: "option",
        class: `token${unit.special ? " special" : ""}`,
        "aria-selected": String(n === at),
        tabindex: n === at ? 0 : -1,
        lang: unit.special ? null : language,
        "data-key": `token-${n}`,
        "data-n": n,
        onclick: () => choose(n),
      },
      h("span", {}, name(unit)),
    ),
  );
  const list = h(
    "div",
    { class: "tokens", role: "listbox", "aria-label": t("vector.choose"), "aria-orientation": "horizontal" },
    options,
  );
  roving(list, ".token", { arrive: (option) => choose(Number(option.dataset.n)) });
  return list;
}

function vector(seen, part, unit, language, again) {
  const query = { part, token: unit.tokens[0] };
  const known = seen.known("vectors", query);
  if (!known) return seen.wait("vectors", [query], again);
  return [
    h(
      "figure",
      {},
      h("figcaption", {}, t("vector.strip", { word: name(unit), count: known.vector.length })),
      strip(known.vector),
      h("p", { class: "note" }, t("vector.legend")),
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
