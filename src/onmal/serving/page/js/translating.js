// What the translator asks of the server, in the page's own words.

import { ask } from "./server.js";
import { chosenModel, served } from "./served.js";

/**
 * @typedef {object} Sentence
 * @property {string} source
 * @property {string} text its translation, with the space that follows it
 * @property {string[]} warnings such as "numbers: 3 is missing"
 *
 * @typedef {object} Translation
 * @property {string} text
 * @property {string} from
 * @property {string} to
 * @property {Sentence[]} sentences
 */

const MANY = 5; // alternatives
const WIDE = 8; // hypotheses kept to find them

/** @returns {Promise<Translation>} */
export async function translate({ text, from, to }, signal) {
  const { source, target, ...answer } = await ask(
    "v1/translate",
    { text, source: from, target: to, model: chosenModel(), sentences: true },
    signal,
  );
  return { ...answer, from: source, to: target };
}

/**
 * The best translations of a sentence that begin with `before`, each with the space after the sentence, and its
 * warnings: first those that say something else than `word`.
 */
export async function alternatives({ sentence, before, word, from, to }, signal) {
  const beams = Math.min(WIDE, served.limits.beam_size);
  const wanted = { n_best: Math.min(MANY, beams), search: { beam_size: beams }, prefix: before.trim() };
  const asked = { text: sentence.source.trim(), source: from, target: to, model: chosenModel(), ...wanted };
  const search = (never) => ask("v1/translate", { ...asked, never }, signal);
  const plain = word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
  const [gap] = sentence.text.match(/\s*$/);
  const canAvoid = plain && !before.toLowerCase().includes(plain.toLowerCase()); // else nothing could begin with `before`
  const answers = await Promise.all([...(canAvoid ? [search([plain])] : []), search([])]);
  return answers.flatMap((answer) => [answer, ...answer.alternatives].map((each) => [each.text + gap, each.warnings]));
}
