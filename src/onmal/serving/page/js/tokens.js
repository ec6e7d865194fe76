// Words in a row, of which one is chosen, by pointer or by arrow keys.

import { h } from "./dom.js";
import { name } from "./heatmap.js";
import { roving } from "./roving.js";

/**
 * @param {string} label
 * @param {import("./inspection.js").Unit[]} units
 * @param {object} how
 * @param {string} how.key of its own among all such rows
 * @param {number} how.chosen
 * @param {(n: number) => void} how.choose
 * @param {string} how.lang of the words
 * @param {number} [how.made] so many of the words are there yet
 */
export function wordList(label, units, { key, chosen, choose, lang, made = Infinity }) {
  const options = units.map((unit, n) =>
    h(
      "div",
      {
        role: "option",
        class: `token${unit.special ? " special" : ""}${n >= made ? " unmade" : ""}`,
        "aria-selected": String(n === chosen),
        tabindex: n === chosen ? 0 : -1,
        lang: unit.special ? null : lang,
        "data-key": `${key}-${n}`,
        onclick: () => choose(n),
      },
      h("span", {}, name(unit)),
    ),
  );
  const list = h(
    "div",
    { class: `tokens ${key}`, role: "listbox", "aria-label": label, "aria-orientation": "horizontal" },
    options,
  );
  roving(list, ".token", { arrive: (option) => choose(options.indexOf(option)) });
  return list;
}
