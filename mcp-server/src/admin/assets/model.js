/** What follows from a report: shares, averages, names and addresses. */

/** The windows of a component: key in the report, word on the page. */
export const WINDOWS = {
  "1m": "the last minute",
  "5m": "the last 5 minutes",
  "1h": "the last hour",
  start: "since the start",
};

/** The outcomes of a call, the good one first. */
export const OUTCOMES = ["ok", "input_required", "tool_error", "error", "cancelled", "dropped", "panic"];

/** The answers of the cache, nearest first. */
export const CACHE = ["memory", "shared", "database", "coalesced", "stale", "negative", "computed", "bypass"];

/** The phases of a call, in their order. */
export const PHASES = ["decode", "lookup", "wait", "queue", "function", "encode"];

export const sum = (values) => values.reduce((total, value) => total + value, 0);

export const share = (part, whole) => (whole > 0 ? Math.min(1, part / whole) : null);

/** Finds a component by what its address holds. */
export function find(report, kind, name) {
  return report.components.find((component) => component.kind === kind && component.name === name);
}

export const label = ({ kind, name }) => `${kind} ${name}`;

export const componentHref = ({ kind, name }) => `#/component/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`;

export const callHref = (id) => `#/slow/${encodeURIComponent(id)}`;

/** The component that a `tool search` in a finding or a statement speaks of. */
export function named(words) {
  const space = words.indexOf(" ");
  return { kind: words.slice(0, space), name: words.slice(space + 1) };
}

/** The share of calls that ended well; asking the user for input is no failure. */
export function okShare({ outcomes, calls }) {
  return share((outcomes.ok ?? 0) + (outcomes.input_required ?? 0), calls);
}

/** The share of cacheable calls that were answered without a run of their own. */
export function hitShare(cache) {
  const asked = sum(Object.values(cache)) - (cache.bypass ?? 0);
  return share(asked - (cache.computed ?? 0), asked);
}

/** `memory 75.0 %, computed 25.0 %`: what the hit ratio is made of. */
export function cacheSplit(cache, percent) {
  const all = sum(Object.values(cache));
  return CACHE.filter((outcome) => cache[outcome])
    .map((outcome) => `${outcome} ${percent(cache[outcome] / all)}`)
    .join(", ");
}

/** The time of all calls together, however they ended. */
export function wallTotal({ wall, failed }) {
  return sum([wall, failed].map((latency) => (latency ? latency.mean_ns * latency.calls : 0)));
}

/** What a row of the table of components shows. */
export function figures(window) {
  const { calls, seconds, wall } = window;
  return {
    calls,
    rate: seconds > 0 ? (calls * 60) / seconds : null,
    ok: okShare(window),
    hit: hitShare(window.cache),
    p50: wall?.p50_ns ?? null,
    p95: wall?.p95_ns ?? null,
    p99: wall?.p99_ns ?? null,
    busy: share(window.busy_ns, wallTotal(window)),
    bytes: calls > 0 && window.allocated_bytes !== null ? window.allocated_bytes / calls : null,
    queries: calls > 0 ? window.queries / calls : null,
  };
}

/** One window that holds what all of them count; percentiles cannot be added and stay unknown. */
export function total(windows) {
  const added = (pick) => sum(windows.map(pick));
  const merged = (pick) => {
    const counts = {};
    for (const window of windows)
      for (const [word, count] of Object.entries(pick(window))) counts[word] = (counts[word] ?? 0) + count;
    return counts;
  };
  const wall_ns = added(wallTotal);
  const known = windows.filter((window) => window.allocated_bytes !== null);
  return {
    calls: added((window) => window.calls),
    seconds: Math.max(0, ...windows.map((window) => window.seconds)),
    outcomes: merged((window) => window.outcomes),
    cache: merged((window) => window.cache),
    wall: { calls: 1, mean_ns: wall_ns },
    busy_ns: added((window) => window.busy_ns),
    allocated_bytes: known.length > 0 ? sum(known.map((window) => window.allocated_bytes)) : null,
    queries: added((window) => window.queries),
  };
}
