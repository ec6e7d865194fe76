// What the translator asks of the server, in the page's own words.

import { ask } from "./server.js";

/**
 * @typedef {object} Languages
 * @property {[string, string][]} directions source and target, as the served models have them
 * @property {number} limit the most characters in one text; 0 is no limit
 *
 * @typedef {object} Sentence
 * @property {string} source
 * @property {string} text its translation, with the space that follows it
 *
 * @typedef {object} Translation
 * @property {string} text
 * @property {string} from
 * @property {string} to
 * @property {Sentence[]} sentences
 * @property {string[]} warnings such as "numbers: 3 is missing"
 */

/** @returns {Promise<Languages>} */
export async function languages() {
  const { directions, limits } = await ask("v1/languages");
  return { directions: directions.map(({ source, target }) => [source, target]), limit: limits?.characters ?? 0 };
}

/** @returns {Promise<Translation>} */
export async function translate({ text, from, to }, signal) {
  const answer = await ask("v1/translate", { text, source: from, target: to }, signal);
  return { text: answer.text, from: answer.source, to: answer.target, sentences: [{ source: text, text: answer.text }], warnings: answer.warnings };
}

/** The best translations of a sentence that begin with `before`. */
export async function alternatives({ sentence, before, from, to }, signal) {
  const answer = await ask("v1/translate", { text: sentence.source, source: from, target: to, alternatives: 5, prefix: before.trim() }, signal);
  return answer.alternatives.map((each) => each.text);
}
