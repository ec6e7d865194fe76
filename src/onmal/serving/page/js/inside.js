// Looking inside: the person's own sentence on its way through the seven parts. This file holds the view together: which
// inspection is shown, and who draws what of it.

import { $, button, h, own, redraw, saved } from "./dom.js";
import { languageName, t } from "./words.js";
import { onChange, set, state, switchedOff } from "./state.js";
import { latest } from "./server.js";
import { Inspection, inspect } from "./inspection.js";
import { chosenModel, learnServed, modelMenu, served } from "./served.js";
import { drawMap } from "./map.js";
import { Stage } from "./stage.js";
import { drawComparison, drawSwitches } from "./switches.js";
import { drawPart } from "./parts/part.js";
import { startSaving } from "./saving.js";
import { viewKeys } from "./keys.js";

const WANTED = ["topk", "beam", "effect", "heads"];
const ASKING = ["text", "from", "to", "model", "off", "prefix"]; // what the server must be asked anew for
const newest = latest();

let example = null;
/** @type {Inspection|null} */
let seen = null;
let stage = null;

export async function startInside() {
  $("own").addEventListener("submit", askOwn);
  $("example").addEventListener("click", () => set({ text: "", model: "", off: "", prefix: "", step: 0 }));
  stage = new Stage($("stage"));
  startSaving(() => seen, showTrouble);
  onChange(changed);
  $("inside").addEventListener(
    "keydown",
    viewKeys(() => seen),
  );
  drawOwn();
  if (state.view === "inside") await look();
  await offer();
}

/** What the server has that the example does without; whatever goes wrong, the translator says it. */
async function offer() {
  await learnServed().catch(() => {});
  drawOwn();
  if (seen) drawPart($("part"), seen);
}

function changed(before) {
  if (state.view !== "inside") return stage.pause();
  if (before.view !== state.view || ASKING.some((name) => before[name] !== state[name])) {
    look();
    drawOwn();
    if (!served.models.length) offer();
  } else if (seen) draw();
}

/** The question that the state asks. */
async function question() {
  if (state.model) await learnServed(); // to know whether it is here
  const off = switchedOff();
  return {
    text: state.text.trim(),
    to: state.to,
    model: chosenModel(),
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
    example ??= await own("example.json");
    if (saved) Object.assign(state, example.state);
    else if (!state.text.trim()) Object.assign(state, { text: example.question.text, to: example.tgt.lang });
    const known = isExample() ? new Inspection(example) : null;
    const found = await newest(async (signal) => known ?? inspect(await question(), signal));
    if (!found) return; // overtaken by a newer question
    const fresh = !seen || seen.src.text !== found.src.text;
    seen = found;
    $("inside-trouble").hidden = true;
    $("looking").hidden = false;
    if (state.step >= seen.tgt.ids.length) state.step = 0;
    draw();
    drawModels();
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
const isExample = () =>
  saved ||
  (state.text.trim() === example.question.text &&
    [example.tgt.lang, ""].includes(state.to) &&
    !(state.model || state.off || state.prefix));

function draw() {
  drawMap($("map"));
  stage.draw(seen);
  drawComparison($("comparison"), seen);
  drawSwitches($("switches"), seen);
  drawPart($("part"), seen);
}

/** The form in which a person gives a sentence of their own. */
function drawOwn() {
  if (document.activeElement !== $("own-text")) $("own-text").value = state.text; // else somebody writes there
  const option = ({ source, target }) => {
    const selected = target === state.to && [source, "auto"].includes(state.from);
    const name = `${languageName(source)} → ${languageName(target)}`;
    return h("option", { value: `${source} ${target}`, selected }, name);
  };
  $("own-way").hidden = served.directions.length < 2;
  $("own-way").replaceChildren(...served.directions.map(option));
  drawModels();
}

/** The models to choose from, as soon as it is known which language the sentence is in. */
function drawModels() {
  const from = state.from === "auto" ? seen?.src.lang : state.from;
  const change = (changes) => set({ ...changes, text: $("own-text").value });
  redraw($("own-model"), () => modelMenu(from, state.to, change));
}

function askOwn(event) {
  event.preventDefault();
  const [from, to] = ($("own-way").value || `${state.from} ${state.to}`).split(" ");
  set({ text: $("own-text").value, from, to, off: "", prefix: "", step: 0 });
}
