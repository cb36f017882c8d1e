/** The timeline of a call: phases, and below the function what ran in it, each as a row with a bar. */

import { h } from "./dom.js";
import { duration, plural } from "./format.js";
import { badge, time } from "./parts.js";
import { table } from "./table.js";

const WIDTH = 1000;
const HEIGHT = 16;

export function timeline(call) {
  const rows = spans(call);
  const length = Math.max(call.wall_ns, ...rows.map(end), 1);
  return table({
    id: "timeline",
    caption: `Timeline of ${duration(length)}`,
    rows: rows.map((row, index) => ({ ...row, index })),
    key: ({ index }) => index,
    columns: [
      { name: "what", text: true, wide: true, cell: (row) => h("span", { class: `depth-${row.depth}` }, row.what) },
      {
        name: "course",
        text: true,
        wide: true,
        head: axis(length),
        cell: (row) =>
          h(
            "svg",
            { class: "course", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
            marks(call, length),
            bars(row, length),
          ),
      },
      { name: "start", cell: (row) => time(row.start_ns) },
      { name: "took", cell: (row) => (row.kind === "marks" ? "" : time(row.took_ns)) },
    ],
  });
}

/** The rows: what lies within a step or a child stands below it, one step further in. */
function spans(call) {
  const inner = [
    ...call.steps.map((step) => ({ ...step, kind: "step", what: step.label })),
    ...call.children.map((child) => ({ ...child, kind: "child", what: [badge(child.kind), " ", child.name] })),
    ...statements(call.queries),
  ].sort((a, b) => a.start_ns - b.start_ns || b.took_ns - a.took_ns);
  const holders = inner.filter(({ kind }) => kind !== "query");
  const placed = inner.map((row) => ({
    ...row,
    depth: 1 + Math.min(2, holders.filter((holder) => holder !== row && holds(holder, row)).length),
  }));
  const what = plural(call.checkpoints.length, "checkpoint");
  const points = call.checkpoints
    .slice(0, 1)
    .map(({ at_ns }) => ({ kind: "marks", what, start_ns: at_ns, took_ns: 0, depth: 1 }));
  const phases = call.phases.map((phase) => ({ ...phase, kind: `phase ${phase.name}`, what: phase.name, depth: 0 }));
  const at = phases.findIndex(({ name }) => name === "function");
  return at < 0
    ? [...phases, ...points, ...placed]
    : [...phases.slice(0, at + 1), ...points, ...placed, ...phases.slice(at + 1)];
}

/** One row for all statements of one shape: many of them look like a picket fence. */
function statements(queries) {
  const shapes = new Map();
  for (const query of queries) shapes.set(query.fingerprint, [...(shapes.get(query.fingerprint) ?? []), query]);
  return [...shapes].map(([fingerprint, pieces]) => ({
    kind: "query",
    what: h(
      "code",
      { class: "sql short", title: fingerprint },
      pieces.length > 1 ? `${pieces.length} × ${fingerprint}` : fingerprint,
    ),
    start_ns: pieces[0].start_ns,
    took_ns: pieces.reduce((total, piece) => total + piece.took_ns, 0),
    until_ns: Math.max(...pieces.map(end)),
    pieces,
  }));
}

const end = (span) => span.until_ns ?? span.start_ns + span.took_ns;

const holds = (outer, inner) =>
  outer.start_ns <= inner.start_ns &&
  end(outer) >= end(inner) &&
  end(outer) - outer.start_ns > end(inner) - inner.start_ns;

function bars(row, length) {
  if (row.kind === "marks") return null;
  return (row.pieces ?? [row]).map((piece) => {
    const width = Math.max(2.5, (WIDTH * piece.took_ns) / length);
    const x = Math.min((WIDTH * piece.start_ns) / length, WIDTH - width);
    return h("rect", {
      class: row.kind,
      x: x.toFixed(2),
      y: "3",
      width: (row.pieces?.length > 1 ? Math.max(1.5, width - 1.5) : width).toFixed(2),
      height: String(HEIGHT - 6),
    });
  });
}

/** Checkpoints run through all rows. */
function marks(call, length) {
  return call.checkpoints.map((point) => {
    const x = ((WIDTH * point.at_ns) / length).toFixed(2);
    return h("line", { class: "mark", x1: x, x2: x, y1: "0", y2: String(HEIGHT) });
  });
}

const axis = (length) =>
  h(
    "span",
    { class: "axis" },
    h("span", null, "0"),
    h("span", null, duration(length / 2)),
    h("span", null, duration(length)),
  );
