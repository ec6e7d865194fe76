// Elements in one line. Style comes from classes and, for measures, from CSS properties set by script: the page's
// content security policy allows neither inline scripts nor style attributes.

const SVG = "http://www.w3.org/2000/svg";

/** The element with this id; the page's fixed parts are all in index.html. */
export const $ = (id) => document.getElementById(id);

/** Whether this page was saved as one file, and has no server. */
export const saved = "saved" in document.documentElement.dataset;

/** One of the page's own JSON files; a saved page has it in itself. */
export const own = async (path) => (saved ? JSON.parse($(path).textContent) : (await fetch(`page/${path}`)).json());

/**
 * Make an HTML element.
 * @param {string} tag
 * @param {Object<string, any>} [properties] attributes; `onclick` and the like are listeners, `vars` CSS properties.
 *   What is null or false is left out.
 * @param {...(Node|string|number|null|Array)} children
 */
export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);

/** Make an SVG element; arguments as `h`. */
export const s = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "vars") for (const [key, v] of Object.entries(value)) element.style.setProperty(`--${key}`, v);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(5).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** One of the drawings in icons.svg; decoration, so the button around it needs a label of its own. */
export const icon = (name) => s("svg", { "aria-hidden": "true" }, s("use", { href: `page/icons.svg#${name}` }));

/** A button with text, or with an icon and a label. */
export function button(label, onclick, properties = {}) {
  const { icon: drawing, ...rest } = properties;
  const shown = drawing ? { "aria-label": label, title: label, ...rest } : rest;
  return h("button", { type: "button", onclick, ...shown }, drawing ? icon(drawing) : label);
}

/** A native select with its label. `choices` are [value, text] pairs. */
export function select(label, choices, value, onchange, properties = {}) {
  const options = choices.map(([key, text]) =>
    h("option", { value: key, selected: String(key) === String(value) }, text),
  );
  const element = h("select", { onchange: () => onchange(element.value), ...properties }, options);
  return h("label", { class: "choice" }, h("span", {}, label), element);
}

/** A paragraph of small print. */
export const note = (...children) => h("p", { class: "note" }, ...children);

/** A frame for what may be wider than the page; it scrolls by keyboard, too. */
export const scroller = (label, ...children) =>
  h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, ...children);

/** A table; each row begins with its title, and so does `head` with that of the titles, "" if they have none. */
export function tableOf(rows, { caption, head } = {}) {
  const row = ([title, ...cells]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, title),
      cells.map((cell) => h("td", {}, cell)),
    );
  const titles = head?.map((title) => (title ? h("th", { scope: "col" }, title) : h("td")));
  return h(
    "table",
    {},
    caption && h("caption", {}, caption),
    titles && h("thead", {}, h("tr", {}, titles)),
    h("tbody", {}, rows.map(row)),
  );
}

/** Say something to those who listen instead of looking. */
export function say(text) {
  $("live").textContent = text;
}

/** Fill a container anew; what had the focus and a `data-key` has it again afterwards. */
export function redraw(container, build) {
  const key = container.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  container.replaceChildren(...[build()].flat(5).filter(Boolean));
  if (key) container.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}
