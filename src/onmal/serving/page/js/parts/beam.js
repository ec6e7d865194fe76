// The tree of everything that beam search tried, a column for each step: kept and dropped words, and the path that was chosen.

import { h, note, s, scroller, tableOf } from "../dom.js";
import { number, t } from "../words.js";
import { numbers, piece } from "../heatmap.js";

const [ACROSS, DOWN, WIDE] = [118, 34, 88]; // pixels

/** @param {import("../inspection.js").Inspection} seen */
export function beamTree(seen) {
  const { nodes, best, size, length_penalty: penalty } = seen.beam;
  const placed = layout(nodes);
  const chosen = new Set(best);
  const byId = new Map(placed.map((node) => [node.id, node]));
  const width = Math.max(...placed.map(({ depth }) => depth), 0) * ACROSS + WIDE + 8;
  const height = Math.max(...placed.map(({ row }) => row), 0) * DOWN + 40;
  const kind = (node) => (chosen.has(node.id) ? "best" : node.kept ? "kept" : "dropped");
  const label = t("beam.label", { size, count: nodes.length });
  const edge = (node) => {
    const parent = byId.get(node.parent);
    if (!parent) return null;
    const [x, y, u, v] = [
      parent.depth * ACROSS + WIDE,
      parent.row * DOWN + 20,
      node.depth * ACROSS + 4,
      node.row * DOWN + 20,
    ];
    return s("path", {
      class: `edge ${kind(node)}`,
      d: `M${x},${y} C${(x + u) / 2},${y} ${(x + u) / 2},${v} ${u},${v}`,
    });
  };
  const leaf = (node) =>
    s(
      "g",
      { class: `node ${kind(node)}`, transform: `translate(${node.depth * ACROSS + 4},${node.row * DOWN + 7})` },
      s("title", {}, `${says(node)}: ${number(node.score, 2)}`),
      s("rect", { width: WIDE - 4, height: 26, rx: 5 }),
      s("text", { x: 7, y: 17 }, shorten(says(node))),
      s("text", { x: WIDE - 10, y: 17, "text-anchor": "end", class: "score" }, number(node.score, 1)),
    );
  const head = ["beam.word", "beam.after", "beam.logp", "beam.score", "beam.fate"].map((key) => t(key));
  const row = (node) => [
    says(node),
    path(byId, node),
    number(node.logp, 2),
    number(node.score, 2),
    t(`beam.${kind(node)}`),
  ];
  return h(
    "section",
    { class: "beam" },
    h("h3", {}, t("beam.title")),
    note(t("beam.note", { size, penalty: number(penalty, 1) })),
    scroller(
      label,
      s(
        "svg",
        { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
        placed.map(edge).filter(Boolean),
        placed.map(leaf),
      ),
    ),
    numbers(() => tableOf(placed.map(row), { caption: label, head }), t("table.show")),
  );
}

const says = (node) => (node.finished ? t("sign.end") : piece(node));
const shorten = (text) => (text.length > 6 ? `${text.slice(0, 5)}…` : text);
const path = (byId, node) => {
  const words = [];
  for (let at = byId.get(node.parent); at; at = byId.get(at.parent)) words.unshift(says(at));
  return words.join(" ");
};

/** A column for each step, the best on top. */
function layout(nodes) {
  const depths = new Map();
  const columns = [];
  for (const node of nodes) {
    const depth = node.parent === null ? 0 : depths.get(node.parent) + 1;
    depths.set(node.id, depth);
    (columns[depth] ??= []).push(node);
  }
  return columns.flatMap((column, depth) =>
    column.sort((a, b) => b.score - a.score).map((node, row) => ({ ...node, depth, row })),
  );
}
