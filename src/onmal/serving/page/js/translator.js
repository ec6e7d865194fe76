// The translator: what is typed on one side appears in the other language on the other.

import { $, h, icon, say } from "./dom.js";
import { languageName, t } from "./words.js";
import { link, onChange, set, state } from "./state.js";
import { latest, useKey } from "./server.js";
import { languages, translate } from "./translating.js";
import { showTranslation } from "./output.js";
import { startDocuments } from "./documents.js";

const PAUSE = 350; // milliseconds without a keystroke before the text is translated

/** @type {import("./translating.js").Languages} */
let known = { directions: [], limit: 0 };
let timer = 0;
const newest = latest();

export async function startTranslator() {
  state.text ||= sessionStorage.getItem("text") ?? "";
  $("text").value = state.text;
  $("text").addEventListener("input", typed);
  $("from").addEventListener("change", () =>
    set({ from: $("from").value, to: possibleTarget($("from").value, state.to) }),
  );
  $("to").addEventListener("change", () => set({ to: $("to").value }));
  $("swap").addEventListener("click", swap);
  $("clear").addEventListener("click", () => (set({ text: "" }), $("text").focus()));
  $("copy").addEventListener("click", () => copy($("output").textContent, "translate.copied"));
  $("link").addEventListener("click", () => copy(new URL(link(), location.href).href, "translate.linked"));
  $("look").addEventListener("click", () =>
    set({ view: "inside", text: $("text").value, prefix: "", off: "", step: 0 }),
  );
  $("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    useKey($("key").value.trim());
    start();
  });
  onChange(changed);
  startDocuments(showTrouble);
  await start();
}

async function start() {
  count();
  try {
    known = await languages();
  } catch (error) {
    return showTrouble(error);
  }
  clearTrouble();
  if (!state.to) state.to = possibleTarget(state.from, "");
  fillMenus();
  count();
  if (state.view === "translate") run();
}

/** The target languages from a source, best known first; from "auto" all of them. */
const targets = (from) => [
  ...new Set(known.directions.filter(([origin]) => from === "auto" || origin === from).map(([, goal]) => goal)),
];

function possibleTarget(from, wanted) {
  const possible = targets(from);
  if (possible.includes(wanted)) return wanted;
  return possible.find((tag) => tag !== from && tag === document.documentElement.lang) ?? possible[0] ?? "";
}

function fillMenus() {
  const sources = ["auto", ...new Set(known.directions.map(([origin]) => origin))];
  const option = (tag, chosen) =>
    h("option", { value: tag, selected: tag === chosen }, tag === "auto" ? t("translate.detect") : languageName(tag));
  $("from").replaceChildren(...sources.map((tag) => option(tag, state.from)));
  $("to").replaceChildren(...targets(state.from).map((tag) => option(tag, state.to)));
  $("text").lang = state.from === "auto" ? "" : state.from;
}

function typed() {
  const text = $("text").value;
  clearTimeout(timer);
  timer = setTimeout(() => set({ text, prefix: "", off: "", step: 0 }), PAUSE);
  count(text);
}

function count(text = state.text) {
  const length = [...text].length;
  $("count").textContent = length
    ? t(known.limit ? "translate.count" : "translate.count.free", {
        length: length.toLocaleString(),
        limit: known.limit.toLocaleString(),
      })
    : "";
  $("count").classList.toggle("over", known.limit > 0 && length > known.limit);
  $("clear").hidden = !length;
  $("look").firstElementChild.textContent = t(length ? "inside.look" : "inside.look-example");
}

function changed(before) {
  if (state.text !== before.text && state.text !== $("text").value) $("text").value = state.text; // never while someone types
  sessionStorage.setItem("text", state.text);
  count();
  if (before.from !== state.from || before.to !== state.to) fillMenus();
  const opened = before.view !== state.view && $("output").dataset.of !== state.text;
  if (state.view === "translate" && (opened || ["text", "from", "to"].some((name) => before[name] !== state[name])))
    run();
}

async function run() {
  const text = state.text;
  if (!text.trim()) return newest(async () => null).then(() => show(null));
  $("working").hidden = false;
  $("output").classList.add("stale");
  try {
    const translation = await newest((signal) => translate({ text, from: state.from, to: state.to }, signal));
    if (!translation) return; // overtaken by a newer text
    const other = possibleTarget(translation.from, "");
    if (translation.from === translation.to && other)
      set({ to: other }); // it was written in the target language
    else show(translation);
  } catch (error) {
    showTrouble(error);
  }
}

/** @param {import("./translating.js").Translation|null} translation */
function show(translation) {
  clearTrouble();
  $("output").dataset.of = state.text;
  $("detected").textContent =
    translation && state.from === "auto" ? t("translate.detected", { language: languageName(translation.from) }) : "";
  if (translation) $("text").lang = translation.from;
  showTranslation(translation);
  for (const id of ["copy", "link", "hint"]) $(id).hidden = !translation;
  showWarnings(translation?.warnings ?? []);
  if (translation) say(t("translate.said", { text: translation.text }));
}

function showWarnings(warnings) {
  $("warnings").hidden = !warnings.length;
  $("warnings").replaceChildren(...warnings.map((warning) => h("li", {}, icon("warning"), inWords(warning))));
}

/** "numbers: 3 is missing" in the language of the page, with what the server said about it. */
function inWords(warning) {
  const [, name, said] = warning.match(/^(\w+): ?(.*)$/) ?? [null, "", warning];
  const words = t(`warning.${name}`);
  return words === `warning.${name}` ? said || warning : h("span", {}, words, " ", h("small", { lang: "en" }, said));
}

function swap() {
  const from = state.from === "auto" ? $("text").lang || possibleTarget("auto", "") : state.from;
  const text = $("output").textContent || state.text;
  const back = known.directions.some(([origin, goal]) => origin === state.to && goal === from);
  if (back) set({ from: state.to, to: from, text, prefix: "", off: "", step: 0 });
  else showTrouble(new Error(t("translate.no-way-back", { from: languageName(state.to), to: languageName(from) })));
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    say(t(done));
    flash(t(done));
  } catch {
    showTrouble(new Error(t("translate.no-copy"))); // plain HTTP from another machine has no clipboard
  }
}

function flash(text) {
  $("hint").hidden = false;
  $("hint").textContent = text;
  setTimeout(() => ($("hint").textContent = t("translate.hint")), 2500);
}

function showTrouble(error) {
  $("working").hidden = true;
  $("trouble").hidden = false;
  $("trouble").replaceChildren(
    icon("warning"),
    h("span", {}, error.message),
    error.detail ? h("small", { lang: "en" }, error.detail) : "",
  );
  $("key-form").hidden = ![401, 403].includes(error.status);
}

function clearTrouble() {
  $("working").hidden = true;
  $("trouble").hidden = $("key-form").hidden = true;
}
