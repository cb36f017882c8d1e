/** Calls by a word, such as their outcome: a bar, and a table that says the same in numbers. */

import { NONE, percent, whole } from "./format.js";
import { bar, empty, number, swatch } from "./parts.js";
import { table } from "./table.js";

/** `words` gives the order, `counted` the calls of each; `name` is what the words are. */
export function counts(id, name, words, counted) {
  const rows = words.filter((word) => counted[word]);
  const all = rows.reduce((total, word) => total + counted[word], 0);
  if (rows.length === 0) return empty(NONE);
  return [
    bar(
      rows.map((word) => [word, counted[word], word]),
      `Share by ${name}`,
    ),
    table({
      id,
      caption: `Calls by ${name}`,
      rows,
      key: (word) => word,
      columns: [
        { name, text: true, cell: (word) => [swatch(word), " ", word.replaceAll("_", " ")] },
        { name: "calls", cell: (word) => whole(counted[word]) },
        { name: "share", cell: (word) => number(percent(counted[word] / all)) },
      ],
    }),
  ];
}
