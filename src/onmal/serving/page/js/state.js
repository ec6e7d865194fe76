// Everything that a link restores. It lives in the address after "#", which browsers never send to a server: a sentence
// in a link is seen by those who have the link.

import { saved } from "./dom.js";

const DEFAULTS = {
  view: saved ? "inside" : "translate",
  text: "",
  from: "auto",
  to: "",
  model: "", // "" is the one that the server prefers
  part: 0, // which of the seven is open; 0 is none
  row: -1, // which word of the open part is chosen; -1 is the first one
  step: 0, // which target token is being made
  cross: "", // layer and head that are shown of an attention, such as "1.0"; "-1" is the mean of all
  enc: "",
  dec: "",
  pieces: 0, // 1: subwords instead of words
  signs: 1, // 0: without the signs that are no words, such as the end
  show: "attention", // or "effect"
  off: "", // what is switched off: "src_pos", "tgt_pos", heads such as "cross.2.1", left-out words "word.3"
  prefix: "", // target token ids to decode on from
  mask: 1, // 0: beside a network that learned without the mask, where one is served
};

export const state = { ...DEFAULTS, ...read() };

const listeners = [];
const LONGEST = 2000; // characters of text that a link carries

function read() {
  const found = {};
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (!(name in DEFAULTS)) continue;
    const isNumber = typeof DEFAULTS[name] === "number";
    found[name] = isNumber ? Number.parseInt(value, 10) || 0 : value;
  }
  return found;
}

/** The address that restores the page as it is. */
export function link() {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (value !== DEFAULTS[name] && !(name === "text" && value.length > LONGEST)) parameters.set(name, value);
  }
  return `${location.pathname}${location.search}#${parameters}`;
}

/** Change the state and tell everyone who listens what it was before. The browser's "back" leads to the view before. */
export function set(changes) {
  const before = { ...state };
  Object.assign(state, changes);
  if (before.view === state.view) history.replaceState(null, "", link());
  else history.pushState(null, "", link());
  for (const listener of listeners) listener(before);
}

/** Be called after every change with the state before it. */
export const onChange = (listener) => listeners.push(listener);

addEventListener("hashchange", () => {
  const before = { ...state };
  Object.assign(state, DEFAULTS, { text: before.text.length > LONGEST ? before.text : "" }, read());
  for (const listener of listeners) listener(before);
});

/** What is switched off, as a list. */
export const switchedOff = () => state.off.split(",").filter(Boolean);

/** Switch one thing off, or on again. */
export function toggle(name) {
  const off = switchedOff();
  set({ off: (off.includes(name) ? off.filter((other) => other !== name) : [...off, name]).join(",") });
}
