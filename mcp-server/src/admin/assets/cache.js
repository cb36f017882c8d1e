/** What the cache answered, and how its levels are. */

import { counts } from "./counts.js";
import { h } from "./dom.js";
import { amount, bytes, percent, whole } from "./format.js";
import { CACHE, hitShare, share, sum } from "./model.js";
import { empty, facts, heading, measured, narrow, number } from "./parts.js";
import { table } from "./table.js";

export function view({ report: { cache } }) {
  const calls = sum(Object.values(cache.outcomes));
  return [
    heading("Cache"),
    facts(
      ["hits", percent(hitShare(cache.outcomes)), "calls answered without a run of their own"],
      ["calls", whole(calls)],
      ["entries", whole(cache.entries)],
      ["size", bytes(cache.bytes)],
      ["capacity", bytes(cache.capacity)],
      ["filled", percent(share(cache.bytes, cache.capacity))],
    ),
    narrow(
      ["What it answered", "since the start"],
      calls > 0 ? counts("outcomes", "answer", CACHE, cache.outcomes) : empty("No call so far."),
    ),
    narrow(
      "Levels beyond memory",
      cache.levels.length > 0 ? levels(cache.levels) : empty("None: each process keeps its own cache in memory."),
    ),
    measured("cache"),
  ];
}

/** The words for the breaker of a level. */
const STATES = { closed: "in use", open: "left out: it failed", half_open: "being tried again" };

const levels = (rows) =>
  table({
    id: "levels",
    caption: "Levels of the cache",
    rows,
    key: ({ name }) => name,
    columns: [
      { name: "level", text: true, cell: ({ name }) => name },
      { name: "tier", text: true, cell: ({ tier }) => tier },
      {
        name: "state",
        text: true,
        cell: ({ state }) =>
          h(
            state === "closed" ? "span" : "strong",
            { class: state === "closed" ? null : "bad" },
            STATES[state] ?? state,
          ),
      },
      { name: "hit ratio", cell: ({ hits, misses }) => number(percent(share(hits, hits + misses))) },
      { name: "hits", cell: ({ hits }) => whole(hits) },
      { name: "misses", cell: ({ misses }) => whole(misses) },
      { name: "errors", cell: ({ errors }) => (errors > 0 ? h("strong", { class: "bad" }, whole(errors)) : "0") },
      { name: "pending", cell: ({ pending }) => amount(pending) },
    ],
  });
