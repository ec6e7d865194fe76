// Which layer and head of an attention is shown: what was chosen, else the head that has most to tell.

import { select, h } from "./dom.js";
import { t } from "./words.js";
import { set, state } from "./state.js";

/** @typedef {{layer: number, head: number}} Choice -1 is the mean over all */

/**
 * What is shown of an attention.
 * @param {import("./inspection.js").Inspection} seen
 * @param {import("./inspection.js").Kind} kind
 * @returns {Choice}
 */
export function choice(seen, kind) {
  return within(seen, kind, state[kind] ? state[kind].split(".") : firstChoice(seen, kind));
}

/** Of the decoder's look at the source, the head that agrees best with the measured effect; else the one that is missed most. */
function firstChoice(seen, kind) {
  const { default: first } = seen;
  if (first?.kind === kind) return [first.layer ?? -1, first.head ?? -1];
  const missed = [...(seen.heads?.[kind] ?? [])].sort((a, b) => (a.delta ?? 0) - (b.delta ?? 0))[0];
  return missed ? [missed.l, missed.h] : [0, -1];
}

/** Choose another layer or head. @param {Partial<Choice>} changes */
export function choose(seen, kind, changes) {
  const { layer, head } = within(seen, kind, Object.values({ ...choice(seen, kind), ...changes }));
  set({ [kind]: `${layer}.${head}` });
}

/** What there is; of a long sentence no means: a row is one head's. */
function within(seen, kind, [layer, head]) {
  const one = (n, count) => Math.max(seen.byRow ? 0 : -1, Math.min(count - 1, Math.trunc(n) || 0));
  return { layer: one(layer, seen.layerCount(kind)), head: one(head, seen.headCount(kind)) };
}

/** The menus for layer and head; a mean says what it is the mean of. */
export function menus(seen, kind) {
  const { layer, head } = choice(seen, kind);
  const menu = (name, label, count, chosen) => {
    const choices = Array.from({ length: count + 1 }, (_, n) => [n - 1, called(name, count, n - 1)]);
    if (seen.byRow) choices.shift();
    const change = (value) => choose(seen, kind, { [name]: Number(value) });
    return select(label, choices, chosen, change, { "data-key": `${name}-${kind}` });
  };
  return [menu("layer", t("layer"), seen.layerCount(kind), layer), menu("head", t("head"), seen.headCount(kind), head)];
}

/** What is shown, in words: "layer 3, mean of 4 heads". */
export function inWords(seen, kind) {
  const { layer, head } = choice(seen, kind);
  return `${called("layer", seen.layerCount(kind), layer)}, ${called("head", seen.headCount(kind), head)}`;
}

const called = (name, count, n) => (n < 0 ? t(`${name}.all`, { count }) : t(`${name}.one`, { n: n + 1 }));

/** What stands under every picture of attention. */
export const honest = (show = "attention") => h("p", { class: "honest note" }, t(`honest.${show}`));
