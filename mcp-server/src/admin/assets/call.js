/** One kept call: what it was, its timeline, and the tables behind it. */

import { h } from "./dom.js";
import { NONE, bytes, clock, duration, percent, plural, whole } from "./format.js";
import { label } from "./model.js";
import { component, empty, facts, findings, heading, measured, number, section, time, whyWord } from "./parts.js";
import { fetched } from "./live.js";
import { table } from "./table.js";
import { timeline } from "./timeline.js";

export function view({ report, params: [id] }) {
  const kept = report.slow.find((call) => call.id === id);
  const answer = kept ? null : fetched("call", `/dashboard/slow.json?${new URLSearchParams({ id })}`);
  const call = kept ?? answer.data;
  if (!call)
    return [
      heading("Slow call"),
      empty(
        answer.error ? `Call ${id}: ${answer.error}. ` : "Asking for it.",
        h("a", { href: "#/slow" }, "All slow calls"),
      ),
    ];
  const found = report.findings.filter((finding) => finding.call === id).map((finding) => ({ ...finding, call: null }));
  const lost = call.dropped.checkpoints + call.dropped.queries;
  return [
    heading("Call of ", component(call)),
    h(
      "p",
      { class: "place" },
      h("code", null, call.place),
      ` · ${call.outcome === null ? "still running at" : "ended"} ${clock(call.at_ms)} · kept because: ${whyWord(call.why)}`,
      call.trace_id && [" · trace ", h("code", null, call.trace_id)],
    ),
    h("p", { class: "verdict" }, verdict(call)),
    found.length > 0 && findings(found, report.at_ms),
    figures(call),
    section("Timeline", timeline(call)),
    call.checkpoints.length > 0 && section("Checkpoints", checkpoints(call)),
    call.repeated.length > 0 && section("Repeated statements", repeated(call)),
    call.queries.length > 0 && section("Statements", queries(call)),
    lost > 0 &&
      h(
        "p",
        { class: "notice" },
        `Not kept: ${plural(call.dropped.checkpoints, "checkpoint")}, ${plural(call.dropped.queries, "statement")}.`,
      ),
    measured("call"),
  ];
}

/** One sentence on what the call did with its time. */
export function verdict(call) {
  const { wall_ns: wall, busy_ns: busy, cpu_ns: cpu, longest_poll_ns: longest } = call;
  const poll = `one poll kept a worker for ${duration(longest)}`;
  const worked = cpu === null || busy === 0 ? null : cpu / busy;
  if (call.outcome === null)
    return [h("b", null, "Still runs"), `: it began ${duration(wall)} ago and was busy for ${duration(busy)} of that.`];
  if (longest >= 10e6 && worked !== null && worked < 0.2) {
    return [
      h("b", null, "Blocks the runtime"),
      `: ${poll} with ${duration(cpu)} of processor time, so it waited where it must not.`,
    ];
  }
  if (busy > wall / 2 && worked !== null && worked > 0.5) {
    return [
      h("b", null, "Burns the processor"),
      `: busy for ${duration(busy)} of ${duration(wall)}, with ${duration(cpu)} of processor time.`,
    ];
  }
  if (longest >= 10e6 && busy > wall / 2) {
    return [
      h("b", null, "Keeps a worker"),
      `: ${poll}; `,
      cpu === null
        ? "its processor time was not sampled, so whether it blocked or computed is not known."
        : `the processor worked ${percent(worked)} of that.`,
    ];
  }
  const asked = call.queries.reduce((total, query) => total + query.took_ns, 0);
  const same = Math.max(0, ...call.repeated.map(({ times }) => times));
  const most = longestPhase(call);
  return [
    h("b", null, "Waits"),
    `: busy for ${duration(busy)} of ${duration(wall)}; `,
    asked > wall / 2
      ? `${duration(asked)} went into ${plural(call.queries.length, "statement")}${same > 1 ? `, ${same} of them the same` : ""}.`
      : most
        ? `most of it, ${duration(most.took_ns)}, in the phase ${most.name}.`
        : "the rest it waited.",
  ];
}

const longestPhase = ({ phases }) =>
  phases.reduce((most, phase) => (most && most.took_ns >= phase.took_ns ? most : phase), null);

function figures(call) {
  return facts(
    ["outcome", (call.outcome ?? "still running").replaceAll("_", " ")],
    ["cache", call.cache],
    ["wall", duration(call.wall_ns)],
    ["busy", duration(call.busy_ns)],
    ["processor", duration(call.cpu_ns)],
    ["polls", whole(call.polls)],
    ["longest poll", duration(call.longest_poll_ns)],
    ["allocated", bytes(call.allocated_bytes)],
    ["allocations", whole(call.allocations)],
    ["statements", whole(call.queries.length + call.dropped.queries)],
  );
}

function checkpoints(call) {
  const start = { at_ns: 0, busy_ns: 0, allocated_bytes: 0, queries: 0 };
  const end = {
    label: call.outcome === null ? "now" : "end",
    at_ns: call.wall_ns,
    busy_ns: call.busy_ns,
    allocated_bytes: call.allocated_bytes,
    queries: call.queries.length + call.dropped.queries,
    value: null,
  };
  const rows = [...call.checkpoints, end].map((point, index) => ({
    index,
    point,
    before: call.checkpoints[index - 1] ?? start,
  }));
  const grew =
    (pick, write) =>
    ({ point, before }) =>
      number(pick(point) === null || pick(before) === null ? NONE : write(Math.max(0, pick(point) - pick(before))));
  return table({
    id: "checkpoints",
    caption: "Checkpoints, each with what came since the one before",
    rows,
    key: ({ index }) => index,
    columns: [
      { name: "checkpoint", text: true, wide: true, cell: ({ point }) => point.label },
      { name: "at", cell: ({ point }) => time(point.at_ns) },
      { name: "+ wall", cell: grew((point) => point.at_ns, duration) },
      { name: "+ busy", cell: grew((point) => point.busy_ns, duration) },
      { name: "+ bytes", cell: grew((point) => point.allocated_bytes, bytes) },
      { name: "+ queries", cell: grew((point) => point.queries, whole) },
      { name: "value", cell: ({ point }) => (point.value === null ? NONE : whole(point.value)) },
    ],
  });
}

function repeated(call) {
  return table({
    id: "repeated",
    caption: "Statements that ran again and again",
    rows: call.repeated,
    key: ({ fingerprint }) => fingerprint,
    columns: [
      {
        name: "statement",
        text: true,
        wide: true,
        cell: ({ fingerprint }) => h("code", { class: "sql" }, fingerprint),
      },
      {
        name: "times",
        cell: ({ times }) => h("strong", { class: "bad", title: `${label(call)} repeated it` }, whole(times)),
      },
      { name: "total", cell: ({ total_ns }) => time(total_ns) },
      { name: "after", text: true, cell: ({ after }) => after ?? "the start" },
    ],
  });
}

function queries(call) {
  return table({
    id: "queries",
    caption: "Statements of the call",
    rows: call.queries.map((query, index) => ({ ...query, index })),
    key: ({ index }) => index,
    columns: [
      {
        name: "statement",
        text: true,
        wide: true,
        cell: ({ fingerprint }) => h("code", { class: "sql" }, fingerprint),
      },
      { name: "start", cell: ({ start_ns }) => time(start_ns) },
      { name: "took", cell: ({ took_ns }) => time(took_ns) },
      { name: "rows", cell: ({ rows }) => whole(rows) },
      { name: "after", text: true, cell: ({ after }) => after ?? "the start" },
    ],
  });
}
