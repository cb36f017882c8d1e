/** The calls that were kept: slow, failed, blocking, still running. */

import { h } from "./dom.js";
import { ago, clock, duration, plural, whole } from "./format.js";
import { callHref, label } from "./model.js";
import { component, empty, heading, measured, section, time, whyWord } from "./parts.js";
import { table } from "./table.js";

export function view({ report, again }) {
  const { slow, dropped } = report;
  return [
    heading("Slow calls"),
    slow.length === 0
      ? empty(
          "No call was slow, failed, blocked or repeated its SQL so far. A component is slow over its threshold: ",
          h("code", null, '#[tool(slow = "250ms")]'),
          ".",
        )
      : section(
          [
            "Kept",
            plural(slow.length, "call") + (dropped.slow_calls > 0 ? `, ${whole(dropped.slow_calls)} dropped` : ""),
          ],
          callsTable("slow", slow, report.at_ms, again),
        ),
    measured("slow"),
  ];
}

/** A table of kept calls; newest first until the reader says otherwise. */
export function callsTable(id, calls, now_ms, again) {
  return table({
    id,
    caption: "Kept calls",
    rows: calls,
    key: (call) => call.id,
    sort: "down ended",
    again,
    columns: [
      { name: "call", text: true, wide: true, up: true, value: label, cell: component },
      {
        name: "why",
        text: true,
        up: true,
        value: (call) => call.why,
        cell: (call) => h("span", { class: `why ${call.why}` }, whyWord(call.why)),
      },
      {
        name: "ended",
        value: (call) => call.at_ms,
        cell: (call) =>
          h("span", { title: clock(call.at_ms) }, call.outcome === null ? "runs" : ago(call.at_ms, now_ms)),
      },
      {
        name: "outcome",
        text: true,
        up: true,
        value: (call) => call.outcome ?? "",
        cell: (call) => (call.outcome ?? "still running").replaceAll("_", " "),
      },
      { name: "cache", text: true, up: true, value: (call) => call.cache, cell: (call) => call.cache },
      { name: "wall", value: (call) => call.wall_ns, cell: (call) => time(call.wall_ns) },
      { name: "busy", value: (call) => call.busy_ns, cell: (call) => time(call.busy_ns) },
      { name: "longest poll", value: (call) => call.longest_poll_ns, cell: (call) => time(call.longest_poll_ns) },
      { name: "queries", value: queries, cell: (call) => whole(queries(call)) },
      {
        name: "",
        text: true,
        cell: (call) =>
          h(
            "a",
            {
              href: callHref(call.id),
              "aria-label": `Timeline of ${label(call)}, ${duration(call.wall_ns)}, ${clock(call.at_ms)}`,
            },
            "timeline",
          ),
      },
    ],
  });
}

const queries = (call) => call.queries.length + call.dropped.queries;
