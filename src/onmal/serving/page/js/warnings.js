// What could not be kept of a text, in the language of the page.

import { h, icon } from "./dom.js";
import { knows, t } from "./words.js";

/** "numbers: 3 is missing" as a line of a list, with what the server said about it; before it the place, if one is known. */
export function warningLine(warning, place = "") {
  const [, name, said] = warning.match(/^([\w ]+): ?(.*)$/) ?? [null, "", warning];
  const key = name.replaceAll(" ", "_");
  const words = knows(`warning.${key}`)
    ? [t(`warning.${key}`), " ", h("small", { lang: "en" }, said)]
    : said || warning;
  return h("li", {}, icon("warning"), h("span", {}, place && h("b", {}, `${inWords(place)}: `), words));
}

/** "header1.xml, paragraph 3": the name stays, the rest is translated. */
const inWords = (place) => place.replace(/\b(line|paragraph) ([\d,]+)$/, (_, kind, n) => t(`place.${kind}`, { n }));
