// A vector as a strip: one column for each number, upwards where it is positive, downwards where it is negative.

import { h, tableOf } from "../dom.js";
import { number } from "../words.js";

const TALL = 36; // pixels
const ACROSS = 16; // numbers in a row of the table

/** @param {number[]} vector @param {number} [most] the value that is drawn darkest; the vector's own largest if left away */
export function strip(vector, most = Math.max(...vector.map(Math.abs)), label = "") {
  const sheet = h("canvas", {
    class: "strip",
    width: vector.length * 2,
    height: TALL,
    role: label ? "img" : null,
    "aria-label": label || null,
    "aria-hidden": label ? null : "true",
  });
  requestAnimationFrame(() => {
    const pen = sheet.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    pen.clearRect(0, 0, sheet.width, TALL);
    vector.forEach((value, n) => {
      const share = Math.min(1, Math.abs(value) / most);
      pen.fillStyle = style.getPropertyValue(value < 0 ? "--soft" : "--accent");
      pen.globalAlpha = 0.15 + 0.85 * share;
      pen.fillRect(n * 2, value < 0 ? TALL / 2 : (TALL / 2) * (1 - share), 2, (TALL / 2) * share);
    });
  });
  return sheet;
}

/** The numbers themselves. */
export function vectorTable(vector) {
  const firsts = Array.from({ length: Math.ceil(vector.length / ACROSS) }, (_, n) => n * ACROSS);
  const row = (first) => vector.slice(first, first + ACROSS).map((value) => number(value, 2));
  return tableOf(firsts.map((first) => [first + 1, ...row(first)]));
}
