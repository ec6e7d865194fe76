// Where the page starts: words, the two views, and the switches in the head.

import { $, saved } from "./dom.js";
import { LANGUAGES, language, loadWords, t } from "./words.js";
import { onChange, set, state } from "./state.js";
import { startTranslator } from "./translator.js";
import { startInside } from "./inside.js";

const VIEWS = ["translate", "inside"];

function showView() {
  for (const view of VIEWS) {
    $(view).hidden = state.view !== view;
    $(`view-${view}`).setAttribute("aria-current", state.view === view ? "page" : "false");
  }
  document.title = `${t(`view.${state.view}`)} · onmal`;
}

function startTheme() {
  const root = document.documentElement;
  root.dataset.theme = localStorage.getItem("theme") ?? "system";
  $("theme").addEventListener("click", () => {
    const dark =
      root.dataset.theme === "dark" ||
      (root.dataset.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    set({}); // pictures take their colours when they are drawn
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => set({}));
}

function startLanguage() {
  const other = LANGUAGES.find((tag) => tag !== language);
  const switcher = $("language");
  switcher.textContent = { ko: "한국어", en: "English" }[other];
  switcher.lang = other;
  switcher.addEventListener("click", () => {
    sessionStorage.setItem("text", state.text); // a long text is not in the link
    const parameters = new URLSearchParams(location.search);
    parameters.set("lang", other);
    location.search = parameters;
  });
}

await loadWords();
startTheme();
startLanguage();
for (const view of VIEWS) $(`view-${view}`).addEventListener("click", () => set({ view }));
onChange(showView);
showView();
await Promise.all([startInside(), saved || startTranslator()]);
