/** The pieces that several pages are made of. */

import { h } from "./dom.js";
import { ago, amount, duration, percent, plural } from "./format.js";
import { callHref, componentHref, named, sum } from "./model.js";
import { NOTES } from "./notes.js";

/** The heading of a page; it takes the focus when one comes to the page. */
export const heading = (...children) => h("h1", { id: "heading", tabindex: "-1" }, children);

/** A number with its unit set apart: the digits of a column stand under each other. */
export function number(text) {
  const [digits, unit] = text.split("\u202f");
  return unit ? [digits, h("span", { class: unit === "%" ? "unit" : "unit even" }, `\u202f${unit}`)] : digits;
}

export const badge = (kind) => h("span", { class: "badge" }, kind);

/** A component by kind and name, as a link to its page. */
export const component = (it) =>
  h("a", { class: "component", href: componentHref(it) }, badge(it.kind), " ", h("span", { class: "name" }, it.name));

/** Text in which backticks mark code. */
export const prose = (text) => text.split("`").map((piece, index) => (index % 2 ? h("code", null, piece) : piece));

/** Names and values side by side: `[name, value, title]`. */
export function facts(...rows) {
  return h(
    "dl",
    { class: "facts" },
    rows
      .filter(Boolean)
      .map(([name, value, title]) =>
        h("div", { title }, h("dt", null, name), h("dd", null, typeof value === "string" ? number(value) : value)),
      ),
  );
}

/** A part of a page under a heading: a title, which the part is known by, or `[title, note]`. */
export const section = (heading, ...children) => part(null, heading, children);

/** A part whose columns stay close together. */
export const narrow = (heading, ...children) => part("narrow", heading, children);

function part(look, heading, children) {
  const [title, note] = [heading].flat();
  return h(
    "section",
    { key: title, class: look },
    h("h2", null, title, note && h("span", { class: "note" }, ` ${note}`)),
    children,
  );
}

export const empty = (...words) => h("p", { class: "empty" }, words);

/** How each number of a page is measured. */
export const measured = (page) =>
  h(
    "details",
    { key: "measured", class: "measured" },
    h("summary", null, "How this is measured"),
    h(
      "dl",
      null,
      Object.entries(NOTES[page]).map(([term, text]) => [h("dt", null, term), h("dd", null, prose(text))]),
    ),
  );

/** The words for the kinds of findings. */
const FINDINGS = {
  blocks_the_runtime: "blocks the runtime",
  burns_the_processor: "burns the processor",
  waits: "waits",
  repeated_sql: "repeated SQL",
  slow_sql: "slow SQL",
  many_queries: "many queries",
  hangs: "hangs",
  fails: "fails",
};
const GRAVE = new Set(["blocks_the_runtime", "hangs", "fails"]);
const IN_SIGHT = 4;

/** Why a call was kept, in words. */
export const whyWord = (why) => (why === "repeated_sql" ? "repeated SQL" : why);

export const findingWord = (kind) => FINDINGS[kind] ?? kind.replaceAll("_", " ");

export const findingKey = (finding) => `${finding.kind} ${finding.component} ${finding.after ?? ""}`;

/** What the profiler found: what, where, when, what to do; the first few in sight, the others folded. */
export function findings(found, now_ms) {
  const list = (part) =>
    h(
      "ul",
      { class: "findings" },
      part.map((one) => finding(one, now_ms)),
    );
  if (found.length <= IN_SIGHT + 1) return list(found);
  const rest = found.slice(IN_SIGHT);
  return [
    list(found.slice(0, IN_SIGHT)),
    h("details", { key: "rest" }, h("summary", null, `${rest.length} more`), list(rest)),
  ];
}

function finding(one, now_ms) {
  const { kind, place, after, says, fix, times, last_ms, call } = one;
  return h(
    "li",
    { key: findingKey(one), class: GRAVE.has(kind) ? "grave" : null },
    h(
      "p",
      null,
      h("strong", null, findingWord(kind)),
      " ",
      component(named(one.component)),
      h("span", { class: "where" }, h("code", null, place), after && [" after ", h("q", null, after)]),
    ),
    h("p", null, prose(says), ".", fix && [" To mend it: ", prose(fix), "."]),
    h(
      "p",
      { class: "when" },
      plural(times, "time"),
      ", last ",
      ago(last_ms, now_ms),
      call && [" · ", h("a", { href: callHref(call) }, "look at such a call")],
    ),
  );
}

/** A bar of parts, `[name, value, class]`, that fill it; the table beside it says the same in numbers. */
export function bar(parts, title) {
  const all = sum(parts.map(([, value]) => value));
  let x = 0;
  const pieces = parts
    .filter(([, value]) => value > 0)
    .map(([name, value, colour]) => {
      const width = (1000 * value) / all;
      const piece = h(
        "rect",
        { key: name, class: colour, x: x.toFixed(2), y: "0", width: Math.max(width - 2, 1).toFixed(2), height: "20" },
        h("title", null, `${name} ${percent(value / all)}`),
      );
      x += width;
      return piece;
    });
  return h(
    "svg",
    { class: "bar", viewBox: "0 0 1000 20", preserveAspectRatio: "none", role: "img", "aria-label": title },
    pieces,
  );
}

/** The sample of a colour, in a legend. */
export const swatch = (colour) =>
  h(
    "svg",
    { class: "swatch", viewBox: "0 0 10 10", "aria-hidden": "true" },
    h("rect", { class: colour, width: "10", height: "10" }),
  );

/** A line of small size without axes: how a number went. */
export function spark(values, title) {
  const top = Math.max(1e-9, ...values);
  const points = values.map((value, index) => `${index},${(19 - (18 * value) / top).toFixed(1)}`);
  const last = values.length - 1;
  return h(
    "svg",
    {
      class: "spark",
      viewBox: `0 0 ${Math.max(last, 1)} 20`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": title,
    },
    h("title", null, title),
    h("path", { class: "area", d: `M0,20L${points.join("L")}L${last},20Z` }),
    h("path", { class: "line", d: `M${points.join("L")}` }),
  );
}

/** The calls of a component over the last five minutes. */
export const callsSpark = (values) =>
  spark(values, `calls in the last 5 minutes, at most ${amount(Math.max(...values))} in 5 s`);

export const time = (ns) => number(duration(ns));
