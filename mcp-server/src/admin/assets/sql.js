/** The statements of all calls, by the time that they took. */

import { h } from "./dom.js";
import { duration, percent, plural, whole } from "./format.js";
import { named, sum } from "./model.js";
import { component, empty, facts, findings, heading, measured, number, prose, section, time } from "./parts.js";
import { table } from "./table.js";

const FINDINGS = new Set(["repeated_sql", "slow_sql", "many_queries"]);

const STATES = { off: "SQL capture is off", blocked: "SQL capture is blocked" };

export function view({ report, again }) {
  const { statements, pool, sql, dropped } = report;
  const found = report.findings.filter((finding) => FINDINGS.has(finding.kind));
  return [
    heading("SQL"),
    sql.state !== "on" &&
      h(
        "p",
        { class: "notice", role: "note" },
        h("strong", null, STATES[sql.state] ?? sql.state),
        sql.note && [": ", prose(sql.note)],
        ".",
      ),
    facts(
      ["statements", whole(statements.length)],
      ["calls", whole(sum(statements.map(({ calls }) => calls)))],
      ["total", duration(sum(statements.map(({ total_ns }) => total_ns)))],
      ["pool waits", whole(pool.waits), "waits for a connection of the pool"],
      ["mean wait", duration(pool.waits > 0 ? pool.total_ns / pool.waits : null)],
      ["longest wait", duration(pool.waits > 0 ? pool.max_ns : null)],
      dropped.statements > 0 && ["dropped", whole(dropped.statements)],
      sql.unattributed > 0 && ["of no call", whole(sql.unattributed), "statements that no call was found for"],
    ),
    found.length > 0 && section("What was found", findings(found, report.at_ms)),
    statements.length > 0
      ? section(["Statements", "since the start"], statementsTable("statements", statements, again))
      : sql.state === "on" && empty("No statement so far. They appear here with the first call that runs one."),
    measured("sql"),
  ];
}

export function statementsTable(id, statements, again) {
  const all = sum(statements.map(({ total_ns }) => total_ns));
  return table({
    id,
    caption: "Statements",
    rows: statements,
    key: (statement) => statement.fingerprint,
    sort: "down total",
    again,
    columns: [
      {
        name: "statement",
        text: true,
        wide: true,
        up: true,
        value: ({ fingerprint }) => fingerprint,
        cell: ({ fingerprint }) => h("code", { class: "sql" }, fingerprint),
      },
      { name: "total", value: ({ total_ns }) => total_ns, cell: ({ total_ns }) => time(total_ns) },
      {
        name: "share",
        title: "of the time of all statements",
        value: ({ total_ns }) => total_ns,
        cell: ({ total_ns }) => number(percent(total_ns / all)),
      },
      { name: "calls", value: ({ calls }) => calls, cell: ({ calls }) => whole(calls) },
      { name: "mean", value: mean, cell: (statement) => time(mean(statement)) },
      { name: "max", value: ({ max_ns }) => max_ns, cell: ({ max_ns }) => time(max_ns) },
      { name: "rows", value: ({ rows }) => rows, cell: ({ rows }) => whole(rows) },
      { name: "slow", value: ({ slow }) => slow, cell: ({ slow }) => flagged(slow, "over the threshold") },
      {
        name: "repeated in",
        title: "calls that repeated it",
        value: ({ repeated }) => repeated,
        cell: ({ repeated }) => flagged(repeated, plural(repeated, "call")),
      },
      {
        name: "in",
        text: true,
        wide: true,
        cell: ({ components }) =>
          h(
            "span",
            { class: "components" },
            components.map((words) => component(named(words))),
          ),
      },
    ],
  });
}

const mean = ({ total_ns, calls }) => (calls > 0 ? total_ns / calls : null);

const flagged = (count, title) => (count > 0 ? h("strong", { class: "bad", title }, whole(count)) : "0");
