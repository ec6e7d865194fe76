// The translator: what is typed on one side appears in the other language on the other.

import { $, h, icon, redraw, say } from "./dom.js";
import { languageName, t } from "./words.js";
import { link, onChange, set, state } from "./state.js";
import { latest, useKey } from "./server.js";
import { learnServed, modelMenu, served } from "./served.js";
import { translate } from "./translating.js";
import { showTranslation } from "./output.js";
import { startDocuments } from "./documents.js";

const PAUSE = 350; // milliseconds without a keystroke before the text is translated
const WAY = ["from", "to", "model"]; // of the state: how a text is translated

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
  $("clear").addEventListener("click", () => (put(""), $("text").focus()));
  $("copy").addEventListener("click", () => copy($("output").textContent, "translate.copied"));
  $("link").addEventListener("click", () => copy(new URL(link(), location.href).href, "translate.linked"));
  $("look").addEventListener("click", () => put($("text").value, { view: "inside" }));
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
    await learnServed();
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
  ...new Set(served.directions.filter((way) => ["auto", way.source].includes(from)).map(({ target }) => target)),
];

function possibleTarget(from, wanted) {
  const possible = targets(from);
  if (possible.includes(wanted)) return wanted;
  return possible.find((tag) => tag !== from && tag === document.documentElement.lang) ?? possible[0] ?? "";
}

function fillMenus() {
  const sources = ["auto", ...new Set(served.directions.map(({ source }) => source))];
  const option = (tag, chosen) =>
    h("option", { value: tag, selected: tag === chosen }, tag === "auto" ? t("translate.detect") : languageName(tag));
  $("from").replaceChildren(...sources.map((tag) => option(tag, state.from)));
  $("to").replaceChildren(...targets(state.from).map((tag) => option(tag, state.to)));
  tellSource();
}

/** What language the text is in, as far as it is known, and thereby which models there are to choose from. */
function tellSource(detected = "") {
  $("text").lang = state.from === "auto" ? detected : state.from;
  redraw($("model"), () => modelMenu($("text").lang, state.to));
}

function typed() {
  const text = $("text").value;
  clearTimeout(timer);
  timer = setTimeout(() => put(text), PAUSE);
  count(text);
}

/** Go on with a text. */
function put(text, changes = {}) {
  write(text);
  set({ text, prefix: "", off: "", step: 0, ...changes });
}

/** Let the field have this text, and nothing that was being typed follow. */
function write(text) {
  clearTimeout(timer);
  if ($("text").value !== text) $("text").value = text; // a syllable that is being composed would end
}

function count(text = state.text) {
  const length = [...text].length;
  const most = served.limits.characters;
  const said = { length: length.toLocaleString(), limit: most.toLocaleString() };
  $("count").textContent = length ? t(most ? "translate.count" : "translate.count.free", said) : "";
  $("count").classList.toggle("over", most > 0 && length > most);
  $("clear").hidden = !length;
  $("look").firstElementChild.textContent = t(length ? "inside.look" : "inside.look-example");
}

function changed(before) {
  const differs = (names) => names.some((name) => before[name] !== state[name]);
  if (differs(["text"])) write(state.text);
  sessionStorage.setItem("text", state.text);
  count();
  if (differs(WAY)) fillMenus();
  const opened = differs(["view"]) && $("output").dataset.of !== state.text;
  if (state.view === "translate" && (opened || differs(["text", ...WAY]))) run();
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
  tellSource(translation?.from);
  showTranslation(translation);
  for (const id of ["copy", "link", "hint"]) $(id).hidden = !translation;
  if (translation) say(t("translate.said", { text: translation.text }));
}

function swap() {
  const from = state.from === "auto" ? $("text").lang || possibleTarget("auto", "") : state.from;
  const text = $("text").value;
  const translated = $("output").dataset.of === text && $("output").textContent; // else something newer is not translated yet
  const back = served.directions.some(({ source, target }) => source === state.to && target === from);
  if (back) put(translated || text, { from: state.to, to: from });
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
