// One row of attention as the arithmetic that makes it: scores, mask, exp, divided by their sum, which is 1.

import { h, note, scroller } from "../dom.js";
import { number, t } from "../words.js";
import { choice } from "../choice.js";
import { Inspection } from "../inspection.js";
import { name } from "../heatmap.js";

const MOST_LINES = 24; // of a sum

/**
 * The sum of one row of one head, with the network's own numbers.
 * @param {import("../inspection.js").Unit} unit whose first token is the row
 */
export function sumOf(seen, kind, unit, again) {
  const shown = choice(seen, kind);
  const [layer, head] = [Math.max(0, shown.layer), Math.max(0, shown.head)];
  const query = { kind, layer, head, t: unit.tokens[0] };
  const known = seen.known("row", query);
  return h(
    "div",
    { class: "sum" },
    h("h3", {}, t("sum.title", { layer: layer + 1, head: head + 1, word: name(unit) })),
    (shown.layer < 0 || shown.head < 0) && note(t("sum.mean")),
    known ? arithmetic(known, seen.units(kind, 1)[1]) : seen.wait("row", [query], again),
  );
}

/** The numbers of the largest weights in their order, and of the others, where there are too many to show. */
function largest(weights) {
  const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a]);
  const byNumber = (a, b) => a - b;
  return [order.slice(0, MOST_LINES).sort(byNumber), order.slice(MOST_LINES).sort(byNumber)];
}

/** Pieces of a word stand apart here: the network knows no words. */
function arithmetic({ scores, masked, exp, exp_sum: sum, weights, sum: whole }, units) {
  if (!whole) return h("p", {}, t("sum.off"));
  const looked = (n) => name(units[Inspection.unitOf(units, n)]);
  const line = (n) =>
    h(
      "tr",
      { class: masked[n] ? "masked" : null },
      h("th", { scope: "row" }, looked(n)),
      h("td", {}, masked[n] ? "−∞" : number(scores[n], 2)),
      h("td", {}, number(exp[n])),
      h("td", {}, number(weights[n])),
      h("td", { class: "bar" }, h("span", { vars: { share: weights[n] } })),
    );
  const titles = ["sum.word", "sum.score", "sum.exp", "sum.weight"].map((key) => h("th", { scope: "col" }, t(key)));
  const most = Math.max(...scores.filter((_, n) => !masked[n]));
  const [shown, rest] = largest(weights);
  const others = h(
    "tr",
    {},
    h("th", { scope: "row" }, t("sum.rest", { count: rest.length })),
    h("td", {}),
    ...[exp, weights].map((each) => h("td", {}, number(rest.reduce((total, n) => total + each[n], 0)))),
    h("td", {}),
  );
  return [
    scroller(
      t("sum.label"),
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, titles, h("td", {}))),
        h("tbody", {}, shown.map(line), rest.length > 0 && others),
        h(
          "tfoot",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "row" }, t("sum.sum")),
            h("td", {}),
            h("td", {}, number(sum)),
            h("td", {}, h("strong", {}, number(whole))),
            h("td", {}),
          ),
        ),
      ),
    ),
    note(t("sum.note", { most: number(most, 2) })),
  ];
}
