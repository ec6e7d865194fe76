// What the page says, in the reader's language: one dictionary for each, with the same keys.

import { own } from "./dom.js";

export const LANGUAGES = ["ko", "en"];

/** The language of the page: `?lang=`, then what the browser asks for, then English. */
export const language = choose();

let dictionary = {};

function choose() {
  const wanted = [new URLSearchParams(location.search).get("lang"), ...navigator.languages];
  for (const tag of wanted) {
    const found = LANGUAGES.find((known) => tag?.toLowerCase().split("-")[0] === known);
    if (found) return found;
  }
  return "en";
}

/** Load the dictionary and fill in every element that names a word in `data-word`, `data-label`, `data-placeholder`. */
export async function loadWords() {
  dictionary = await own(`words/${language}.json`);
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = t(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", t(element.dataset.label));
    if (element.matches("button")) element.title = t(element.dataset.label);
  }
  for (const element of document.querySelectorAll("[data-placeholder]"))
    element.placeholder = t(element.dataset.placeholder);
}

/** The words for a key; `{name}` in them is replaced by `values.name`. */
export function t(key, values = {}) {
  return (dictionary[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Whether the dictionary has this key. */
export const knows = (key) => key in dictionary;

const names = new Intl.DisplayNames([language], { type: "language" });

/** A language's name in the language of the page. */
export function languageName(tag) {
  try {
    return names.of(tag);
  } catch {
    return tag; // a code that is no BCP 47 tag
  }
}

/** A number between 0 and 1 as whole percent. */
export const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${number(100 * share, 0)} %`);

/** A number with so many digits, and a true minus sign. */
export const number = (value, digits = 3) => value.toFixed(digits).replace("-", "−");
