// Curved lines between two rows of words: thicker is more.

import { s } from "./dom.js";

/**
 * Draw lines from one element to several above it.
 * @param {SVGElement} sheet lies over the container that holds them all
 * @param {HTMLElement|undefined} from
 * @param {[HTMLElement, number][]} to elements with shares from 0 to 1
 */
export function drawLines(sheet, from, to) {
  const frame = sheet.getBoundingClientRect();
  sheet.setAttribute("viewBox", `0 0 ${Math.max(1, frame.width)} ${Math.max(1, frame.height)}`);
  if (!from || !frame.width) return sheet.replaceChildren();
  const start = from.getBoundingClientRect();
  const [x, y] = [start.left + start.width / 2 - frame.left, start.top - frame.top];
  sheet.replaceChildren(
    ...to.map(([element, share]) => {
      const end = element.getBoundingClientRect();
      const [u, v] = [end.left + end.width / 2 - frame.left, end.bottom - frame.top];
      const bend = (y - v) / 2;
      return s("path", {
        class: "line",
        d: `M${x},${y} C${x},${y - bend} ${u},${v + bend} ${u},${v}`,
        "stroke-width": (1 + 11 * share).toFixed(1),
        "stroke-opacity": (0.25 + 0.6 * share).toFixed(2),
      });
    }),
  );
}
