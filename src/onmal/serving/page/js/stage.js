// The sentence and its translation, with lines from the chosen word to the words that it looked at.

import { button, h, redraw, s, say } from "./dom.js";
import { number, percent, t } from "./words.js";
import { set, state, switchedOff } from "./state.js";
import { choice, honest, inWords, menus } from "./choice.js";
import { Inspection } from "./inspection.js";
import { drawLines } from "./lines.js";
import { name } from "./heatmap.js";
import { wordList } from "./tokens.js";

const PACE = 750; // milliseconds for a word
const FEW = 24; // tokens up to which every line is drawn
const LEAST = 0.05; // share below which a longer sentence draws no line
const MOST_LINES = 3; // in a longer sentence
const LEAST_TOLD = 0.005; // share below which a word shows no number

export class Stage {
  #container;
  #seen = null;
  #made = Infinity; // how many words of the translation are there already
  #timer = 0;
  #values = []; // of the source words, for the chosen word

  constructor(container) {
    this.#container = container;
    container.addEventListener("keydown", (event) => {
      if (event.key !== " " || event.target.matches("button, select")) return;
      event.preventDefault();
      this.#toggle();
    });
    new ResizeObserver(() => this.#lines()).observe(container);
  }

  /** @param {Inspection} seen */
  draw(seen) {
    this.#seen = seen;
    this.#values = this.#valuesNow();
    redraw(this.#container, () => [this.#tools(), this.#sentences(), this.#caption(), honest(state.show)]);
    this.#lines();
  }

  /** Let the words appear one after the other, once, and only for those who like things to move. */
  playOnce() {
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches && !state.step) this.#play();
  }

  pause() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  get #units() {
    return this.#seen.units("cross", state.show === "attention" && state.pieces, state.signs);
  }

  get #looks() {
    return this.#seen.layerCount("cross") > 0;
  }

  get #chosen() {
    return Math.max(0, Inspection.unitOf(this.#units[0], state.step));
  }

  /** How much the chosen word has to do with each source word: shares from 0 to 1, and how to say them. */
  #valuesNow() {
    const [rows, columns] = this.#units;
    if (state.show === "effect" && this.#seen.effectTable) {
      const row = rows[this.#chosen].number;
      const values = columns.map(({ number: column }) => this.#seen.effectTable.at(row, column));
      const most = Math.max(1e-6, ...values);
      return values.map((value) => ({ value, share: Math.max(0, value / most), says: number(value, 2) }));
    }
    const { layer, head } = choice(this.#seen, "cross");
    const row = this.#seen.byRow && this.#looks
      ? this.#oneRow(layer, head)
      : this.#seen.weights("cross", layer, head)?.joined(rows, columns).row(this.#chosen);
    if (!row && this.#looks) this.#fetch(layer, head);
    return (row ?? columns.map(() => 0)).map((value) => ({ value, share: value, says: percent(value) }));
  }

  /** Of a long sentence, the row of the chosen unit's first token; undefined until it has come. */
  #oneRow(layer, head) {
    const known = this.#seen.known("row", this.#rowOf(layer, head));
    const share = ({ tokens }) => known.weights.slice(...tokens).reduce((sum, each) => sum + each, 0);
    return known && this.#units[1].map(share);
  }

  #rowOf = (layer, head) => ({ kind: "cross", layer, head, t: this.#units[0][this.#chosen].tokens[0] });

  async #fetch(layer, head) {
    const seen = this.#seen;
    try {
      if (seen.byRow) await seen.closer("row", this.#rowOf(layer, head));
      else await seen.fetchLayers("cross", layer);
      if (seen === this.#seen) this.draw(seen);
    } catch (error) {
      this.#container.querySelector(".caption").textContent = error.message;
    }
  }

  #tools() {
    const playing = Boolean(this.#timer);
    const segment = (group, choices) =>
      h(
        "div",
        { class: "segment", role: "group", "aria-label": t(group) },
        choices.map(([label, pressed, change]) =>
          button(t(label), () => set(change), { "aria-pressed": String(Boolean(pressed)), "data-key": label }),
        ),
      );
    return h(
      "div",
      { class: "tools" },
      button(t(playing ? "play.pause" : "play.play"), () => this.#toggle(), {
        icon: playing ? "pause" : "play",
        class: "icon",
        "data-key": "play",
      }),
      segment("show.label", [
        ["show.attention", state.show === "attention", { show: "attention" }],
        ["show.effect", state.show === "effect", { show: "effect" }],
      ]),
      state.show === "attention" &&
        segment("units.label", [
          ["units.words", !state.pieces, { pieces: 0 }],
          ["units.pieces", state.pieces, { pieces: 1 }],
        ]),
      state.show === "attention" && this.#looks && menus(this.#seen, "cross"),
      button(t("units.signs"), () => set({ signs: 1 - state.signs }), {
        class: "quiet",
        "aria-pressed": String(Boolean(state.signs)),
        "data-key": "signs",
      }),
    );
  }

  #sentences() {
    const { src, tgt } = this.#seen;
    const [rows, columns] = this.#units;
    const values = this.#values;
    const off = switchedOff();
    const source = columns.map((unit, n) =>
      h(
        "li",
        {
          class: `token${unit.special ? " special" : ""}${!state.pieces && off.includes(`word.${unit.number}`) ? " struck" : ""}`,
          lang: unit.special ? null : src.lang,
          vars: { share: values[n].share },
        },
        h("span", {}, name(unit)),
        h("small", { class: "numbers" }, values[n].share >= LEAST_TOLD ? values[n].says : ""),
      ),
    );
    const target = wordList(t("stage.target"), rows, {
      key: "target",
      chosen: this.#chosen,
      choose: (n) => this.#choose(rows[n].tokens[0]),
      lang: tgt.lang,
      made: this.#made,
    });
    return h(
      "div",
      { class: "flow" },
      s("svg", { class: "lines", "aria-hidden": "true" }),
      h("ol", { class: "tokens source", "aria-label": t("stage.source") }, source),
      target,
    );
  }

  #caption() {
    if (state.show === "attention" && !this.#looks)
      return h("p", { class: "caption" }, t("part.without", { network: this.#seen.model.network }));
    const [rows, columns] = this.#units;
    const all = this.#values.map((value, n) => ({ ...value, word: name(columns[n]), special: columns[n].special }));
    const ranked = all
      .filter(({ special }) => state.show === "attention" || !special)
      .sort((a, b) => b.value - a.value);
    const told = ranked.slice(0, 2).map(({ word, says }) => `${word} ${says}`);
    if (state.show === "attention" && ranked.length > 2)
      told.push(t("stage.rest", { share: percent(ranked.slice(2).reduce((sum, { value }) => sum + value, 0)) }));
    const text = t("stage.caption", { n: this.#chosen + 1, word: name(rows[this.#chosen]), list: told.join(", ") });
    const joined = state.pieces ? "" : t(this.#seen.byRow ? "stage.row" : "stage.joined");
    if (!this.#timer) say(text); // not while the words run by
    return h(
      "p",
      { class: "caption" },
      text,
      state.show === "attention" && h("span", { class: "note" }, ` ${inWords(this.#seen, "cross")}${joined}`),
    );
  }

  #lines() {
    const sheet = this.#container.querySelector(".lines");
    if (!sheet || !this.#seen) return;
    const sources = [...this.#container.querySelectorAll(".source .token")];
    let pairs = this.#values.map(({ share }, n) => [sources[n], share]).filter(([, share]) => share > 0.01);
    if (this.#seen.src.ids.length > FEW)
      pairs = pairs
        .filter(([, share]) => share >= LEAST)
        .sort((a, b) => b[1] - a[1])
        .slice(0, MOST_LINES);
    drawLines(sheet, this.#container.querySelector(".target [aria-selected=true]"), pairs);
  }

  #choose(token) {
    this.pause();
    this.#made = Infinity;
    set({ step: token });
  }

  #toggle() {
    if (this.#timer) {
      this.pause();
      this.draw(this.#seen);
    } else this.#play();
  }

  #play() {
    const words = this.#units[0].filter((unit) => !unit.special);
    if (this.#made >= words.length) this.#made = 0;
    const next = () => {
      if (this.#made >= words.length) {
        this.pause();
        this.#made = Infinity;
        return this.draw(this.#seen);
      }
      this.#made += 1;
      set({ step: words[this.#made - 1].tokens[0] });
    };
    this.#timer = setInterval(next, PACE);
    next();
  }
}
