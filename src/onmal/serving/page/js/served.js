// What this server has: directions, models, limits. It is asked once for both views, and again where that failed.

import { select } from "./dom.js";
import { t } from "./words.js";
import { set, state } from "./state.js";
import { ask } from "./server.js";

/**
 * @typedef {object} Served
 * @property {{source: string, target: string}[]} directions
 * @property {{name: string, directions: [string, string][]}[]} models the earlier are preferred
 * @property {{characters: number, beam_size: number}} limits 0 characters is no limit
 */

/** @type {Served} */
export let served = { directions: [], models: [], limits: { characters: 0, beam_size: 1 } };
let asking = null;

/** Fill `served`. Raises Trouble. */
export function learnServed() {
  asking ??= Promise.all([ask("v1/languages"), ask("v1/models")]).then(
    ([languages, models]) => (served = { ...languages, models }),
    (error) => {
      asking = null;
      throw error;
    },
  );
  return asking;
}

/** The names of the models that know a direction; the first is used where none is named. */
export const modelsFor = (from, to) =>
  served.models
    .filter(({ directions }) => directions.some(([origin, goal]) => origin === from && goal === to))
    .map(({ name }) => name);

/** The chosen model; "" where it does not know the chosen direction, or the language is yet to be detected. */
export const chosenModel = () => (modelsFor(state.from, state.to).includes(state.model) ? state.model : "");

/** The menu of the models for a direction; nothing where there is no choice. A model is chosen for the direction that it is offered for. */
export function modelMenu(from, to, change = set) {
  const names = modelsFor(from, to);
  if (names.length < 2) return null;
  const choose = (name) => change({ model: name === names[0] ? "" : name, from, to, prefix: "", off: "", step: 0 });
  const choices = names.map((name) => [name, name]);
  return select(t("model"), choices, chosenModel() || names[0], choose, { "data-key": "model" });
}
