/** The process: workers, queue, memory, processor, connections, and what the profiler lost. */

import { h } from "./dom.js";
import { bytes, clock, duration, percent, whole } from "./format.js";
import { facts, heading, measured, narrow, number, section, spark } from "./parts.js";
import { table } from "./table.js";

export function view({ report, history }) {
  const { runtime, dropped } = report;
  return [
    heading("Runtime"),
    facts(
      ["server", report.server],
      ["version", report.version],
      ["process", h("span", null, report.pid)],
      ["instance", h("code", null, report.instance)],
      ["since", clock(report.started_ms)],
      ["up", duration((report.at_ms - report.started_ms) * 1e6)],
      ["workers", whole(runtime.workers)],
      ["detail", percent(report.sample_rate), "calls of which the processor time is read"],
      ["allocations", report.counts_allocations ? "counted" : "not counted"],
    ),
    narrow(["The process", "now, and in the last minute"], gauges(report, history)),
    section(
      "What the profiler dropped",
      facts(
        ["slow calls", whole(dropped.slow_calls)],
        ["statements", whole(dropped.statements)],
        ["alerts", whole(dropped.alerts)],
        ["running calls", whole(dropped.active)],
        ["hours of the history", whole(dropped.history)],
      ),
    ),
    measured("runtime"),
  ];
}

function gauges({ started_ms, at_ms, runtime }, history) {
  const rate = (pick) => steps(history, pick).at(-1) ?? pick(runtime) / ((at_ms - started_ms) * 1e6);
  const busy = (reading) => reading.busy_ns / Math.max(1, runtime.workers);
  const cpu = (reading) => reading.cpu_ns;
  const gauge = (name, pick, write) => ({ name, text: write(pick(runtime)), values: history.map(pick), write });
  const share = (name, pick) => ({ name, text: percent(rate(pick)), values: steps(history, pick), write: percent });
  const rows = [
    share("busy workers", busy),
    share("processor", cpu),
    gauge("resident memory", (reading) => reading.rss_bytes, bytes),
    gauge("calls that run", (reading) => reading.active_calls, whole),
    gauge("tasks", (reading) => reading.tasks, whole),
    gauge("queue", (reading) => reading.queue, whole),
    gauge("connections", (reading) => reading.connections, whole),
    gauge("sessions", (reading) => reading.sessions, whole),
  ];
  return table({
    id: "gauges",
    caption: "The process",
    rows,
    key: ({ name }) => name,
    columns: [
      { name: "gauge", text: true, cell: ({ name }) => name },
      { name: "now", cell: ({ text }) => number(text) },
      { name: "least", cell: ({ values, write }) => number(write(values.length ? Math.min(...values) : null)) },
      { name: "most", cell: ({ values, write }) => number(write(values.length ? Math.max(...values) : null)) },
      {
        name: "course",
        text: true,
        cell: ({ name, values, write }) =>
          values.length > 1 && spark(values, `${name}, at most ${write(Math.max(...values))}`),
      },
    ],
  });
}

/** How much a counter grew between readings, over the time between them. */
function steps(history, pick) {
  return history.slice(1).map((reading, index) => {
    const elapsed_ns = (reading.at_ms - history[index].at_ms) * 1e6;
    return elapsed_ns > 0 ? Math.max(0, pick(reading) - pick(history[index])) / elapsed_ns : 0;
  });
}
