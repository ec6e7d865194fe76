// One tab stop for many things: the arrow keys move between them (WAI-ARIA's "roving tabindex").

const NEXT = { ArrowRight: 1, ArrowLeft: -1 };

/**
 * Let the arrow keys move between the elements of a container; they may be replaced at any time.
 * @param {HTMLElement} container
 * @param {string} selector of the elements
 * @param {object} [does]
 * @param {(element: HTMLElement) => void} [does.press] on Enter or Space
 * @param {(element: HTMLElement) => void} [does.arrive] when the focus comes to an element by an arrow
 * @param {(element: HTMLElement) => number} [does.columns] how many elements a row of a grid has
 */
export function roving(container, selector, { press, arrive, columns } = {}) {
  const all = () => [...container.querySelectorAll(selector)];

  function enter(element) {
    for (const other of all()) other.tabIndex = other === element ? 0 : -1;
  }

  const first = () => {
    const elements = all();
    if (elements.length && !elements.some((element) => element.tabIndex === 0)) elements[0].tabIndex = 0;
  };
  new MutationObserver(first).observe(container, { childList: true, subtree: true });
  first();

  container.addEventListener("focusin", (event) => {
    const element = event.target.closest?.(selector);
    if (element) enter(element);
  });
  container.addEventListener("keydown", (event) => {
    const element = event.target.closest?.(selector);
    if (!element || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    if (press && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      return press(element);
    }
    const to = goal(event.key, all(), element, columns?.(element) ?? 0);
    if (!to) return;
    event.preventDefault();
    to.focus();
    arrive?.(to);
  });
}

function goal(key, elements, element, columns) {
  const at = elements.indexOf(element);
  if (key === "Home") return elements[columns ? at - (at % columns) : 0];
  if (key === "End") return columns ? elements[at - (at % columns) + columns - 1] : elements.at(-1);
  if (columns && key === "ArrowDown") return elements[at + columns];
  if (columns && key === "ArrowUp") return elements[at - columns];
  return NEXT[key] && elements[at + NEXT[key]];
}
