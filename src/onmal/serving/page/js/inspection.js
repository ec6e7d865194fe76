// One sentence on its way through the network, as the server's /v1/inspect tells it: tables unpacked, pieces joined to
// words. Layers, heads, words and tokens are counted from 0 here, and from 1 in everything that a person reads.

import { h } from "./dom.js";
import { ask } from "./server.js";
import { t } from "./words.js";

/**
 * @typedef {object} Unit a word or a subword
 * @property {string} text
 * @property {[number, number]} tokens the numbers [from, to) of its tokens
 * @property {number} number among the words, or the subwords, of its side
 * @property {string|null} special the name of a sign that is no word: "end", "start", "to en"
 *
 * @typedef {"enc"|"dec"|"cross"} Kind
 */

/** A table of numbers, [rows, columns]. */
export class Table {
  constructor(rows, columns, values = new Float32Array(rows * columns)) {
    Object.assign(this, { rows, columns, values });
  }

  at(row, column) {
    return this.values[row * this.columns + column];
  }

  row(row) {
    return [...this.values.subarray(row * this.columns, (row + 1) * this.columns)];
  }

  /** The cell-by-cell mean of tables of one size. */
  static mean(tables) {
    const mean = new Table(tables[0].rows, tables[0].columns);
    for (const { values } of tables) values.forEach((value, n) => (mean.values[n] += value / tables.length));
    return mean;
  }

  /** Tokens to units: the sum over what is looked at (columns), the mean over what looks (rows). */
  joined(rowUnits, columnUnits) {
    const joined = new Table(rowUnits.length, columnUnits.length);
    rowUnits.forEach(({ tokens: [top, bottom] }, r) =>
      columnUnits.forEach(({ tokens: [left, right] }, c) => {
        let sum = 0;
        for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) sum += this.at(i, j);
        joined.values[r * joined.columns + c] = sum / (bottom - top);
      }),
    );
    return joined;
  }
}

/** Unpack `{shape, dtype, scale, b64}` to Tables: one, or a list of them where the shape has three numbers. */
export function unpack({ shape, dtype, scale, b64 }) {
  const bytes = Uint8Array.from(atob(b64), (letter) => letter.charCodeAt(0));
  const numbers = Float32Array.from(dtype === "i8" ? new Int8Array(bytes.buffer) : bytes, (byte) => byte * scale);
  const [rows, columns] = shape.slice(-2);
  if (shape.length === 2) return new Table(rows, columns, numbers);
  return Array.from(
    { length: shape[0] },
    (_, n) => new Table(rows, columns, numbers.subarray(n * rows * columns, (n + 1) * rows * columns)),
  );
}

const LONGEST_TABLE = 64; // tokens of the longer side, as the server has it

const address = (what, query) => `${what}?${new URLSearchParams(query)}`;

/** The example's answers to the calls that look closer, each under its address. */
function recorded({ rows, vectors }) {
  const found = {};
  for (const [place, each] of Object.entries(rows)) {
    const [kind, layer, head] = place.split(".");
    each.forEach((row, t) => (found[address("row", { kind, layer, head, t })] = row));
  }
  for (const [part, each] of Object.entries(vectors))
    each.forEach((vector, token) => (found[address("vectors", { part, token })] = vector));
  return found;
}

export class Inspection {
  /** @param {object} answer of POST /v1/inspect; the example's also has the calls that look closer, in `close_up` */
  constructor(answer) {
    Object.assign(this, answer);
    this.recorded = answer.close_up ? recorded(answer.close_up) : {};
    this.tables = new Map(Object.entries(answer.attn.tensors ?? {}).map(([name, packed]) => [name, unpack(packed)]));
    this.summaries = new Map(Object.entries(answer.attn.summary ?? {}).map(([kind, packed]) => [kind, unpack(packed)]));
    for (const side of [this.src, this.tgt, this.tgt.read]) {
      for (const units of [side.words, side.subwords]) units.forEach((unit, n) => (unit.number = n));
    }
    this.effectTable = answer.effect ? unpack(answer.effect) : null;
  }

  layerCount = (kind) => this.model.parts[kind]?.layers ?? 0;
  headCount = (kind) => this.model.parts[kind]?.heads ?? 0;

  /**
   * The rows and columns of an attention: who looks, and what is looked at; with the signs that are no words, or without.
   * @returns {[Unit[], Unit[]]}
   */
  units(kind, pieces, signs = true) {
    const of = (side) => (pieces ? side.subwords : side.words).filter(({ special }) => signs || !special);
    if (kind === "enc") return [of(this.src), of(this.src)];
    return [of(this.tgt), kind === "cross" ? of(this.src) : of(this.tgt.read)];
  }

  /**
   * Attention weights in tokens; layer or head -1 is the mean over all. Null where the answer has not got them.
   * @param {Kind} kind
   * @returns {Table|null}
   */
  weights(kind, layer, head) {
    if (layer < 0) {
      const each = Array.from({ length: this.layerCount(kind) }, (_, n) => this.weights(kind, n, head));
      return each.length && each.every(Boolean) ? Table.mean(each) : null;
    }
    const tables = this.tables.get(`${kind}.${layer}`);
    if (head >= 0) return tables?.[head] ?? null;
    return this.summaries.get(kind)?.[layer] ?? (tables ? Table.mean(tables) : null);
  }

  /** Ask the server for the tables of a layer, or of all (-1), that the answer has not got. */
  async fetchLayers(kind, layer) {
    const layers = layer < 0 ? Array.from({ length: this.layerCount(kind) }, (_, n) => n) : [layer];
    const missing = layers.filter((n) => !this.tables.has(`${kind}.${n}`));
    const found = await Promise.all(missing.map((n) => this.closer("tensor", { kind, layer: n })));
    missing.forEach((n, at) => this.tables.set(`${kind}.${n}`, unpack(found[at])));
  }

  /** Whether the sentence is too long for whole tables, so that single rows are shown. */
  get byRow() {
    return Math.max(this.src.ids.length, this.tgt.ids.length) > LONGEST_TABLE;
  }

  /** A call that looks closer at this answer: "row", "tensor" or "vectors", and which. */
  async closer(what, query) {
    const call = address(what, query);
    const fetched = () => ask(`v1/inspect/${this.key}/${call}`);
    this.recorded[call] ??= await fetched().catch(async (error) => {
      if (error.status !== 404) throw error;
      await ask("v1/inspect", this.question); // the server keeps few answers; now it has this one again
      return fetched();
    });
    return this.recorded[call];
  }

  /** What such a call has brought already, or undefined. */
  known = (what, query) => this.recorded[address(what, query)];

  /** Make some calls, then draw again; the node that comes back stands there until then. */
  wait = (what, queries, again) => waiting(Promise.all(queries.map((query) => this.closer(what, query))), again);

  /** The number of the unit that holds a token. */
  static unitOf(units, token) {
    return units.findIndex(({ tokens: [from, to] }) => from <= token && token < to);
  }
}

/** Ask the server about a sentence. `signal` may call it off. */
export async function inspect(question, signal) {
  return new Inspection({ ...(await ask("v1/inspect", question, signal)), question });
}

/** Call `again` when a promise is kept; until then, and if it is not, the node that comes back says so. */
export function waiting(promise, again) {
  const place = h("p", { class: "note", role: "status" }, t("part.loading"));
  promise.then(again, (error) => (place.textContent = error.message));
  return place;
}
