/** The first page: what was found, and a table of all components. */

import { h } from "./dom.js";
import { amount, bytes, percent, whole } from "./format.js";
import { WINDOWS, cacheSplit, figures, label, total } from "./model.js";
import { callsSpark, component, empty, findings, heading, measured, number, section, time } from "./parts.js";
import { recall, remember } from "./store.js";
import { table } from "./table.js";

let filter = recall("filter", "");

const COLUMNS = [
  {
    name: "component",
    text: true,
    up: true,
    wide: true,
    value: (row) => row.label,
    cell: (row) => (row.it ? component(row.it) : row.label),
  },
  { name: "calls/min", title: "calls a minute", value: (row) => row.rate, cell: (row) => number(amount(row.rate)) },
  { name: "ok", title: "calls that ended well", up: true, value: (row) => row.ok, cell: good },
  {
    name: "hits",
    title: "answered by the cache",
    value: (row) => row.hit,
    cell: (row) => h("span", { title: row.split || null }, number(percent(row.hit))),
  },
  { name: "p50", title: "half of the calls were faster", value: (row) => row.p50, cell: (row) => time(row.p50) },
  { name: "p95", title: "95 of 100 calls were faster", value: (row) => row.p95, cell: (row) => time(row.p95) },
  { name: "p99", title: "99 of 100 calls were faster", value: (row) => row.p99, cell: (row) => time(row.p99) },
  {
    name: "busy",
    title: "share of the time in which a call kept a worker",
    value: (row) => row.busy,
    cell: (row) => number(percent(row.busy)),
  },
  {
    name: "alloc/call",
    title: "bytes allocated per call",
    value: (row) => row.bytes,
    cell: (row) => number(bytes(row.bytes)),
  },
  {
    name: "SQL/call",
    title: "statements per call",
    value: (row) => row.queries,
    cell: (row) => number(amount(row.queries)),
  },
  { name: "last 5 min", text: true, wide: true, cell: (row) => callsSpark(row.spark) },
];

/** A share below 99 % is marked by more than its colour. */
function good(row) {
  const text = number(percent(row.ok));
  return row.ok !== null && row.ok < 0.99 ? h("strong", { class: "bad", title: "fewer than 99 of 100" }, text) : text;
}

export function view({ report, window, again }) {
  const found = report.findings;
  const rows = report.components.map((it) => row(it, window));
  const shown = rows.filter((row) => row.label.toLowerCase().includes(filter.trim().toLowerCase()));
  return [
    heading("Components"),
    found.length > 0 && section(["What was found", `(${found.length})`], findings(found, report.at_ms)),
    !report.profiling && h("p", { class: "notice" }, "The profiler is switched off: no numbers are added."),
    rows.length === 0
      ? empty(
          "No component is registered. Mark a function with ",
          h("code", null, "#[tool]"),
          ", ",
          h("code", null, "#[resource]"),
          " or ",
          h("code", null, "#[prompt]"),
          ", and it appears here.",
        )
      : h(
          "section",
          { key: "components" },
          h(
            "div",
            { class: "bar-above" },
            h("p", null, summary(shown.length, rows.length), " ", WINDOWS[window]),
            filterField(again),
          ),
          shown.length === 0
            ? empty("No component has “", filter, "” in its name.")
            : table({
                id: "components",
                caption: `Components, ${WINDOWS[window]}`,
                columns: COLUMNS,
                rows: shown,
                key: (row) => row.label,
                sort: "down calls/min",
                foot: totals(report, shown, window),
                again,
              }),
        ),
    measured("overview"),
  ];
}

function row(it, window) {
  const chosen = it.windows[window];
  return { it, label: label(it), spark: it.spark, split: cacheSplit(chosen.cache, percent), ...figures(chosen) };
}

function totals(report, shown, window) {
  const all = total(shown.map((row) => row.it.windows[window]));
  const spark = Array.from({ length: 60 }, (_, slot) =>
    shown.reduce((calls, row) => calls + (row.spark[slot] ?? 0), 0),
  );
  const name = shown.length === report.components.length ? "all components" : "those shown";
  return {
    label: name,
    spark,
    split: cacheSplit(all.cache, percent),
    ...figures(all),
    p50: null,
    p95: null,
    p99: null,
  };
}

const summary = (shown, all) =>
  shown === all ? `${whole(all)} components,` : `${whole(shown)} of ${whole(all)} components,`;

function filterField(again) {
  const change = (event) => {
    filter = event.target.value;
    remember("filter", filter);
    again();
  };
  return h(
    "label",
    { class: "filter" },
    "Filter ",
    h("input", {
      id: "filter",
      type: "search",
      value: filter,
      autocomplete: "off",
      spellcheck: "false",
      oninput: change,
      "aria-keyshortcuts": "/",
      placeholder: "press /",
    }),
  );
}
