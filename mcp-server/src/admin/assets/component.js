/** One component: how it did over time, and where its time went. */

import { latencyChart, outcomesChart } from "./chart.js";
import { h, widget } from "./dom.js";
import { NONE, amount, bytes, duration, percent, whole } from "./format.js";
import { CACHE, OUTCOMES, PHASES, WINDOWS, figures, find, label, share, sum, wallTotal } from "./model.js";
import {
  badge,
  bar,
  empty,
  facts,
  findings,
  heading,
  measured,
  narrow,
  number,
  section,
  swatch,
  time,
} from "./parts.js";
import { counts } from "./counts.js";
import { callsTable } from "./slow.js";
import { statementsTable } from "./sql.js";
import { fetched } from "./live.js";
import { table } from "./table.js";

export function view({ report, window, again, params: [kind, name] }) {
  const it = find(report, kind, name);
  if (!it)
    return [
      heading("No such component"),
      empty("This server has no ", kind, " “", name, "”. ", h("a", { href: "#/" }, "All components")),
    ];
  const now = it.windows[window];
  const address = `/dashboard/component.json?${new URLSearchParams({ kind, name })}`;
  const { data, error } = fetched("component", address, 5_000);
  const found = report.findings.filter((finding) => finding.component === label(it));
  const statements = report.statements.filter((statement) => statement.components.includes(label(it)));
  return [
    heading(badge(kind), " ", it.name),
    h("p", { class: "place" }, h("code", null, it.place), ` · slow over ${duration(it.slow_ns)} · ${WINDOWS[window]}`),
    found.length > 0 && section("What was found", findings(found, report.at_ms)),
    overall(it, now),
    !data && error && h("p", { class: "notice" }, "No course over time: ", error, "."),
    charts(window, data),
    h("div", { key: "times", class: "pair" }, phases(now), h("div", null, busy(now), endings(now))),
    latencies(now),
    answers(now),
    data?.slow.length > 0 && section("Slow calls", callsTable("component-slow", data.slow, report.at_ms, again)),
    statements.length > 0 && section("Statements", statementsTable("component-sql", statements, again)),
    measured("component"),
  ];
}

function overall(it, now) {
  const { rate, ok, hit, busy, bytes: allocated, queries } = figures(now);
  return facts(
    ["calls", h("span", { "data-calls": now.calls }, whole(now.calls))],
    ["calls/min", amount(rate)],
    ["running", whole(it.active)],
    ["ok", percent(ok)],
    ["hits", percent(hit)],
    ["p50", duration(now.wall?.p50_ns)],
    ["p95", duration(now.wall?.p95_ns)],
    ["p99", duration(now.wall?.p99_ns)],
    ["busy", percent(busy)],
    ["longest poll", duration(now.calls > 0 ? now.longest_poll_ns : null)],
    ["alloc/call", bytes(allocated)],
    ["SQL/call", amount(queries)],
    ["slow calls", whole(now.slow_calls)],
  );
}

/** Short windows are drawn in steps of 5 s, long ones in steps of a minute. */
function charts(window, data) {
  if (!data) return null;
  const series = window === "1m" || window === "5m" ? data.fine : data.coarse;
  const span = series === data.fine ? "the last 5 minutes in steps of 5 s" : "the last hour in steps of a minute";
  const [known, called] = [series.p50_ns.some((ns) => ns !== null), series.calls.some((calls) => calls > 0)];
  return h(
    "div",
    { key: "charts", class: "pair" },
    section(
      ["Latency", span],
      known
        ? widget("latency", latencyChart, series)
        : empty(called ? "Too few calls in this time." : "No calls in this time."),
    ),
    section(["Calls", span], called ? widget("outcomes", outcomesChart, series) : empty("No calls in this time.")),
  );
}

const COLOURS = ["c5", "c1", "c7", "c3", "c0", "c6"];

function phases(now) {
  const took = (phase) => now.phases_ns[phase] ?? 0;
  const all = sum(PHASES.map(took));
  if (all === 0) return null;
  const parts = PHASES.map((phase, index) => [phase, took(phase), COLOURS[index]]);
  return section(
    "Where the time goes",
    bar(parts, "Share of the phases in the wall time"),
    table({
      id: "phases",
      caption: "Phases",
      rows: parts,
      key: ([phase]) => phase,
      columns: [
        { name: "phase", text: true, cell: ([phase, , colour]) => [swatch(colour), " ", phase] },
        { name: "share", cell: ([, ns]) => number(percent(ns / all)) },
        { name: "per call", cell: ([, ns]) => time(ns / now.calls) },
        { name: "in all", cell: ([, ns]) => time(ns) },
      ],
    }),
  );
}

function busy(now) {
  const wall = wallTotal(now);
  if (wall === 0) return null;
  const waiting = Math.max(0, wall - now.busy_ns);
  const cpu = now.cpu_busy_ns > 0 ? share(now.cpu_ns, now.cpu_busy_ns) : null;
  return section(
    "Busy or waiting",
    bar(
      [
        ["busy", now.busy_ns, "c0"],
        ["waiting", waiting, "c5"],
      ],
      "Share of the wall time in which calls kept a worker",
    ),
    h(
      "p",
      { class: "legend" },
      swatch("c0"),
      " busy ",
      number(percent(share(now.busy_ns, wall))),
      ", in ",
      amount(now.polls / now.calls),
      " polls a call",
      h("span", null, swatch("c5"), " waiting ", number(percent(waiting / wall))),
    ),
    h(
      "p",
      null,
      cpu === null
        ? "No call was sampled in this window: how much of the busy time the processor worked is not known."
        : [
            "While busy, the processor worked ",
            h("b", null, number(percent(cpu))),
            " of the time (sampled calls)",
            cpu < 0.5 ? ": the rest was blocked in a poll or had to share its core." : ".",
          ],
    ),
  );
}

function latencies(now) {
  const rows = [
    ["all ok", now.wall],
    ["ok, from the cache", now.hits],
    ["ok, from a run", now.runs],
    ["not ok", now.failed],
  ].filter(([, latency]) => latency);
  if (rows.length === 0) return null;
  const column = (name, pick) => ({ name, cell: ([, latency]) => time(pick(latency)) });
  return section(
    ["Latency", "hits against runs"],
    table({
      id: "latencies",
      caption: "Latency by answer",
      rows,
      key: ([name]) => name,
      columns: [
        { name: "answer", text: true, wide: true, cell: ([name]) => name },
        { name: "calls", cell: ([, latency]) => whole(latency.calls) },
        column("mean", (latency) => latency.mean_ns),
        column("p50", (latency) => latency.p50_ns),
        column("p90", (latency) => latency.p90_ns),
        column("p95", (latency) => latency.p95_ns),
        column("p99", (latency) => latency.p99_ns),
        column("max", (latency) => latency.max_ns),
      ],
    }),
  );
}

const endings = (now) =>
  now.calls > 0 && section("How calls ended", counts("outcomes", "outcome", OUTCOMES, now.outcomes));

const answers = (now) =>
  now.calls > 0 && narrow("What the cache answered", counts("answers", "answer", CACHE, now.cache));
