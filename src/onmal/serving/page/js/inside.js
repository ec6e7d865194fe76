// Looking inside: the person's own sentence on its way through the seven parts. This file holds the view together: which
// inspection is shown, and who draws what of it.

import { $, button, h, redraw } from "./dom.js";
import { languageName, t } from "./words.js";
import { onChange, set, state, switchedOff } from "./state.js";
import { latest } from "./server.js";
import { Inspection, inspect } from "./inspection.js";
import { languages } from "./translating.js";
import { drawMap } from "./map.js";
import { Stage } from "./stage.js";
import { drawComparison, drawSwitches } from "./switches.js";
import { drawPart } from "./parts/part.js";
import { viewKeys } from "./keys.js";

const WANTED = ["topk", "beam", "effect", "heads"];
const ASKING = ["text", "from", "to", "off", "prefix"]; // what the server must be asked anew for
const newest = latest();

let example = null;
let directions = [];
/** @type {Inspection|null} */
let seen = null;
let stage = null;

export async function startInside() {
  $("inside").append(
    h("div", { class: "opening" }, h("h2", {}, t("inside.title")), h("p", {}, t("inside.lead"))),
    h("form", { id: "own", class: "own", onsubmit: askOwn }),
    h("p", { id: "inside-trouble", class: "trouble", role: "alert", hidden: true }),
    h(
      "div",
      { id: "looking", class: "looking", hidden: true },
      h("div", { id: "stage", class: "stage" }),
      h("div", { id: "comparison", role: "status" }),
      h("div", { id: "switches" }),
      h("nav", { id: "map", class: "map-of-parts", "aria-label": t("map.label") }),
      h("section", { id: "part", class: "part-panel", hidden: true }),
    ),
  );
  stage = new Stage($("stage"));
  onChange(changed);
  $("inside").addEventListener(
    "keydown",
    viewKeys(() => seen),
  );
  drawOwn();
  if (state.view === "inside") await look();
  await askDirections();
}

async function askDirections() {
  try {
    ({ directions } = await languages());
    drawOwn();
  } catch {
    directions = []; // the example is there without a server, too; the translator says what is wrong
  }
}

function changed(before) {
  if (state.view !== "inside") return stage.pause();
  if (before.view !== state.view || ASKING.some((name) => before[name] !== state[name])) {
    look();
    drawOwn();
    if (!directions.length) askDirections();
  } else if (seen) draw();
}

/** The question that the state asks. */
function question() {
  const off = switchedOff();
  return {
    text: state.text.trim(),
    to: state.to,
    prefix: state.prefix ? state.prefix.split(".").map(Number) : [],
    ablate: {
      src_pos: off.includes("src_pos"),
      tgt_pos: off.includes("tgt_pos"),
      words: off.filter((name) => name.startsWith("word.")).map((name) => Number(name.slice(5))),
      heads: off.filter((name) => /^(enc|dec|cross)\./.test(name)),
    },
    include: WANTED,
  };
}

async function look() {
  $("stage").setAttribute("aria-busy", "true");
  try {
    example ??= await (await fetch("page/example.json")).json();
    if (!state.text.trim()) Object.assign(state, { text: example.question.text, to: example.tgt.lang });
    const asked = question();
    const known = isExample(asked) ? new Inspection(example) : null;
    const found = await newest(async (signal) => known ?? inspect(asked, signal));
    if (!found) return; // overtaken by a newer question
    const fresh = !seen || seen.src.text !== found.src.text;
    seen = found;
    $("inside-trouble").hidden = true;
    $("looking").hidden = false;
    if (state.step >= seen.tgt.ids.length) state.step = 0;
    draw();
    if (fresh) stage.playOnce();
  } catch (error) {
    showTrouble(error);
  } finally {
    $("stage").setAttribute("aria-busy", "false");
  }
}

function showTrouble(error) {
  const [first] = state.text.trim().split(/(?<=[.!?。？！])\s+|\n+/);
  const shorter = first && first !== state.text.trim() && button(t("inside.first"), () => set({ text: first }));
  const undo = (state.off || state.prefix) && button(t("compare.undo"), () => set({ off: "", prefix: "" }));
  $("looking").hidden = seen?.src.text !== state.text.trim(); // another sentence's picture would mislead
  $("inside-trouble").hidden = false;
  $("inside-trouble").replaceChildren(
    ...[h("span", {}, error.message), h("small", { lang: "en" }, error.detail ?? ""), shorter, undo].filter(Boolean),
  );
}

/** Whether the shipped answer is the answer: the same sentence, nothing switched, nothing chosen. */
function isExample(asked) {
  return (
    asked.text === example.question.text && [example.tgt.lang, ""].includes(asked.to) && !state.off && !state.prefix
  );
}

function draw() {
  drawMap($("map"));
  stage.draw(seen);
  drawComparison($("comparison"), seen);
  drawSwitches($("switches"), seen);
  drawPart($("part"), seen);
}

/** The form in which a person gives a sentence of their own. */
function drawOwn() {
  const ways = directions.map(([from, to]) => ({ from, to, label: `${languageName(from)} → ${languageName(to)}` }));
  const isChosen = ({ from, to }) => to === state.to && [from, "auto"].includes(state.from);
  redraw($("own"), () => [
    h("label", { class: "unseen", for: "own-text" }, t("inside.own")),
    h("input", {
      id: "own-text",
      name: "text",
      value: state.text,
      placeholder: t("inside.own"),
      autocomplete: "off",
      "data-key": "own-text",
    }),
    ways.length > 1 &&
      h(
        "select",
        { name: "way", "aria-label": t("inside.way"), "data-key": "own-way" },
        ways.map((way) => h("option", { value: `${way.from} ${way.to}`, selected: isChosen(way) }, way.label)),
      ),
    h("button", { type: "submit", class: "main" }, t("inside.go")),
    button(t("inside.example"), () => set({ text: "", off: "", prefix: "", step: 0 }), { class: "quiet" }),
  ]);
}

function askOwn(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const [from, to] = String(form.get("way") ?? `${state.from} ${state.to}`).split(" ");
  set({ text: String(form.get("text")), from, to, off: "", prefix: "", step: 0 });
}
