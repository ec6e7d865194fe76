// The translation, word by word: a clicked word offers what else could stand from there on.

import { $, button, h, note } from "./dom.js";
import { t } from "./words.js";
import { latest } from "./server.js";
import { alternatives } from "./translating.js";
import { roving } from "./roving.js";
import { warningLine } from "./warnings.js";

const MOST = 6; // alternatives that are offered

/** @type {import("./translating.js").Translation|null} */
let shown = null;
const newest = latest();
let menu = null;

/** @param {import("./translating.js").Translation|null} translation */
export function showTranslation(translation) {
  shown = translation;
  closeMenu();
  const output = $("output");
  output.lang = translation?.to ?? "";
  output.classList.remove("stale");
  const sentences = translation?.sentences ?? [];
  output.replaceChildren(...sentences.flatMap(sentenceWords));
  $("warnings").replaceChildren(...sentences.flatMap(({ warnings }) => warnings.map((each) => warningLine(each))));
}

/** A sentence as clickable words; what lies between them stays as it is, so that a copy is the translation. */
function sentenceWords(sentence) {
  let at = 0;
  return sentence.text.split(/(\s+)/).map((part) => {
    const start = at;
    at += part.length;
    if (!part.trim()) return part;
    return h(
      "span",
      { class: "word", role: "button", tabindex: -1, onclick: (event) => open(event.currentTarget, sentence, start) },
      part,
    );
  });
}

roving($("output"), ".word", { press: (word) => word.click() });

async function open(word, sentence, start) {
  closeMenu();
  word.classList.add("chosen");
  word.setAttribute("aria-expanded", "true");
  menu = h(
    "div",
    { class: "alternatives", role: "group", "aria-label": t("alternatives.title") },
    note(t("translate.working")),
  );
  const place = $("result").getBoundingClientRect();
  const below = word.getBoundingClientRect();
  menu.style.setProperty("--top", `${below.bottom - place.top + 6}px`);
  $("result").append(menu);
  try {
    const found = await newest((signal) =>
      alternatives(
        { sentence, before: sentence.text.slice(0, start), word: word.textContent, from: shown.from, to: shown.to },
        signal,
      ),
    );
    if (found && menu) fillMenu(found, sentence, start);
  } catch (error) {
    menu?.replaceChildren(note(error.message));
  }
}

function fillMenu(found, sentence, start) {
  const others = [...new Map(found)].filter(([text]) => text !== sentence.text && text.trim()).slice(0, MOST);
  const choices = others.map(([text, warnings]) => {
    const same = start && text.startsWith(sentence.text.slice(0, start)) ? start : 0;
    const inner = [h("span", { class: "dim" }, same ? `… ` : ""), text.slice(same)];
    return h("button", { type: "button", lang: shown.to, onclick: () => choose(sentence, { text, warnings }) }, inner);
  });
  const title = note(t(others.length ? "alternatives.title" : "alternatives.none"));
  const close = button(t("page.close"), closeMenu, { icon: "close", class: "quiet icon" });
  menu.replaceChildren(h("div", { class: "row" }, title, h("span", { class: "spring" }), close), ...choices);
  (menu.querySelector("[lang]") ?? close).focus();
}

function choose(sentence, changes) {
  const sentences = shown.sentences.map((other) => (other === sentence ? { ...other, ...changes } : other));
  showTranslation({ ...shown, sentences, text: sentences.map((each) => each.text).join("") });
  $("output").querySelector(".word")?.focus();
}

function closeMenu() {
  menu?.remove();
  menu = null;
  for (const word of $("output").querySelectorAll(".chosen")) {
    word.classList.remove("chosen");
    word.removeAttribute("aria-expanded");
  }
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu) return;
  const word = $("output").querySelector(".chosen");
  closeMenu();
  word?.focus();
});

addEventListener("pointerdown", (event) => {
  if (menu && !menu.contains(event.target) && !event.target.closest?.(".word")) closeMenu();
});
