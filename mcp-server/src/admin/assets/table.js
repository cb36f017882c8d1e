/** A table that sorts by its headers and keeps its order while one reads in it; a large one becomes cards on a narrow page. */

import { h } from "./dom.js";
import { recall, remember } from "./store.js";

/** The order of the rows that a reader sees: by the id of the table. */
const orders = new Map();

/**
 * Describes a table.
 *
 * A column is `{ name, head, title, cell, value, up, text, wide }`: `cell(row)` is what it shows, `value(row)` what it
 * sorts by (none: it does not sort), `up` that it sorts upwards at first, `head` what its header shows instead of `name`,
 * `text` aligns it to the left, `wide` gives it a line of its own on a card. The first column is the header of its row.
 *
 * `sort` is the order at first, such as `down total`; `again` is called when the reader chose another.
 */
export function table({ id, caption, columns, rows, key, sort, foot, again }) {
  const order = sort && choice(id, sort);
  const shown = order ? sorted(id, columns, rows, key, order) : rows;
  // The roles say what `display: grid` would take from the elements in some browsers.
  return h(
    "table",
    { id, role: "table", class: columns.length > 5 || columns.some(({ wide }) => wide) ? "cards" : null },
    h("caption", { class: "unseen" }, caption),
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        columns.map((column) => header(id, column, order, again)),
      ),
    ),
    h(
      "tbody",
      { role: "rowgroup" },
      shown.map((row) => line(columns, row, key(row))),
    ),
    foot && h("tfoot", { role: "rowgroup" }, line(columns, foot, "total")),
  );
}

function header(id, column, order, again) {
  const { name, head, title, value, text } = column;
  const aligned = text ? "text" : "number";
  if (!value || !order) return h("th", { scope: "col", role: "columnheader", class: aligned, title }, head ?? name);
  const active = order.name === name;
  const turn = () => {
    const up = active ? !order.up : Boolean(column.up);
    remember(`sort.${id}`, `${up ? "up" : "down"} ${name}`);
    again();
  };
  return h(
    "th",
    {
      scope: "col",
      role: "columnheader",
      class: aligned,
      "aria-sort": active ? (order.up ? "ascending" : "descending") : null,
    },
    h(
      "button",
      { type: "button", class: "sort", title, onclick: turn },
      text ? [name, arrow(active, order)] : [arrow(active, order), name],
    ),
  );
}

const arrow = (active, { up }) => h("span", { class: "arrow", "aria-hidden": "true" }, active && (up ? "▲" : "▼"));

function line(columns, row, key) {
  const cells = columns.map((column, index) => {
    const classes = [column.text ? "text" : "number", column.wide && "wide", column.name === "" && "bare"];
    const props = { class: classes.filter(Boolean).join(" "), "data-label": column.name };
    if (index === 0) return h("th", { ...props, scope: "row", role: "rowheader" }, column.cell(row));
    return h("td", { ...props, role: "cell" }, column.cell(row));
  });
  return h("tr", { key, role: "row" }, cells);
}

function choice(id, otherwise) {
  const [direction, ...name] = recall(`sort.${id}`, otherwise).split(" ");
  return { up: direction === "up", name: name.join(" ") };
}

function sorted(id, columns, rows, key, order) {
  const column = columns.find(({ name, value }) => value && name === order.name) ?? columns.find(({ value }) => value);
  const before = orders.get(id);
  const held = before?.name === order.name && before.up === order.up && read(id);
  const place = held ? new Map(before.keys.map((known, index) => [known, index])) : null;
  const result = [...rows].sort(
    held
      ? (a, b) => (place.get(key(a)) ?? Infinity) - (place.get(key(b)) ?? Infinity) || 0
      : (a, b) => compare(column.value(a), column.value(b), order.up) || (key(a) < key(b) ? -1 : 1),
  );
  orders.set(id, { ...order, keys: result.map(key) });
  return result;
}

/** Whether someone points into the rows, has the focus there, or has marked text. */
function read(id) {
  const body = document.getElementById(id)?.tBodies[0];
  if (!body) return false;
  const marked = document.getSelection();
  return body.matches(":hover, :focus-within") || (marked.type === "Range" && body.contains(marked.anchorNode));
}

/** What is not known comes last either way. */
function compare(a, b, up) {
  if (a === null || b === null) return (a === null) - (b === null);
  const difference = a < b ? -1 : a > b ? 1 : 0;
  return up ? difference : -difference;
}
