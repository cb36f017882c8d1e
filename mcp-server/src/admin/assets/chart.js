/** Charts over time by uPlot, each with a legend that shows values and a table for those who do not see it. */

import { h, patch } from "./dom.js";
import { NONE, clock, duration, whole } from "./format.js";
import { OUTCOMES } from "./model.js";
import { decades, hatch, reader } from "./paint.js";
import { swatch } from "./parts.js";

const HEIGHT = 190;

/** Percentiles of each step: lines told apart by their dashes, a band from p50 to p99, gaps where too few calls were. */
export const latencyChart = () =>
  new TimeChart({
    label: "Latency over time",
    format: duration,
    series: (data) => [
      { name: "p99", values: data.p99_ns, dash: [2, 3], colour: "--c4" },
      { name: "p95", values: data.p95_ns, dash: [8, 4], colour: "--c2" },
      { name: "p50", values: data.p50_ns, dash: [], colour: "--c0" },
    ],
    scales: () => ({ y: { distr: 3, range: (_, from, to) => (from === null ? [1e3, 1e9] : [from * 0.8, to * 1.25]) } }),
    splits: (_, __, from, to) => decades(from, to),
    bands: (colour) => [{ series: [1, 3], fill: colour("--band") }],
  });

/** Calls of each step, stacked by how they ended; what is not ok is hatched. */
export const outcomesChart = () =>
  new TimeChart({
    label: "Calls and how they ended",
    format: whole,
    stacked: true,
    series: (data) =>
      OUTCOMES.filter((outcome) => data.outcomes[outcome]).map((outcome) => ({
        name: outcome,
        values: data.outcomes[outcome],
        hatched: outcome !== "ok",
        colour: `--${outcome}`,
      })),
    // Half a step more on either side: the first and the last bar are whole.
    scales: ({ step_s }) => ({ x: { range: (_, from, to) => [from - step_s / 2, to + step_s / 2] } }),
  });

/** A widget (see `dom.js`) whose data is a `Series` of the server. */
class TimeChart {
  constructor(look) {
    this.look = look;
    this.element = document.createElement("figure");
    this.element.setAttribute("role", "figure");
    this.element.setAttribute("aria-label", look.label);
    [this.legend, this.canvas, this.table] = ["figcaption", "div", "div"].map((tag) => document.createElement(tag));
    this.canvas.className = "plot";
    this.table.className = "unseen";
    this.element.append(this.legend, this.canvas, this.table);
    this.lines = [];
    this.build = this.build.bind(this);
    document.addEventListener("themechange", this.build);
    this.resized = new ResizeObserver(() => this.plot?.setSize({ width: this.canvas.clientWidth, height: HEIGHT }));
    this.resized.observe(this.canvas);
  }

  update(data) {
    if (data === this.data) return;
    const drawn = this.lines.map((line) => line.name).join();
    this.data = data;
    this.times = data.calls.map((_, index) => data.end_ms / 1000 - (data.calls.length - 1 - index) * data.step_s);
    this.lines = this.look.series(data);
    if (this.plot && drawn === this.lines.map((line) => line.name).join()) this.plot.setData(this.columns());
    else this.build();
    this.write();
    patch(this.table, dataTable(this));
  }

  remove() {
    document.removeEventListener("themechange", this.build);
    this.resized.disconnect();
    this.plot.destroy();
  }

  /** Draws anew, in the colours of the theme. */
  build() {
    const { scales, bands } = this.look;
    const colour = reader(this.element);
    this.plot?.destroy();
    const options = {
      width: this.canvas.clientWidth || 600,
      height: HEIGHT,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: scales(this.data),
      series: [{}, ...this.lines.map((line) => this.stroke(line, colour(line.colour)))],
      bands: bands?.(colour),
      axes: this.axes(colour("--dim"), colour("--rule")),
      hooks: { setCursor: [() => this.write()] },
    };
    this.plot = new uPlot(options, this.columns(), this.canvas);
  }

  stroke({ dash, hatched }, stroke) {
    if (!this.look.stacked) return { stroke, dash, width: 1.75, points: { size: 4, fill: stroke } };
    const fill = hatched ? hatch(stroke) : stroke;
    return {
      stroke,
      width: 0,
      fill: () => fill,
      paths: uPlot.paths.bars({ size: [0.82, 40] }),
      points: { show: false },
    };
  }

  /** The columns as uPlot takes them: those of a stack add up, the whole first, so that the parts are drawn over it. */
  columns() {
    const all = this.lines.map((line) => line.values);
    if (!this.look.stacked) return [this.times, ...all];
    const above = (first, at) => all.slice(first).reduce((calls, values) => calls + values[at], 0);
    return [this.times, ...all.map((_, first) => this.times.map((_, at) => above(first, at)))];
  }

  axes(stroke, rule) {
    const { format, splits } = this.look;
    const axis = {
      stroke,
      grid: { stroke: rule, width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    const time = (_, all, __, ___, step_s) => all.map((at) => clock(at * 1000).slice(0, step_s < 60 ? 8 : 5));
    const value = (_, all) => all.map((at) => format(at).replace(/\.0+(?!\d)/, ""));
    return [
      { ...axis, size: 26, space: 56, values: time },
      { ...axis, size: 58, space: 28, values: value, splits, filter: (_, all) => all },
    ];
  }

  /** Writes the legend, with the values of where the pointer is, else of the last step. */
  write() {
    const at = this.plot.cursor.idx ?? this.times.length - 1;
    const values = this.lines.map((line) =>
      h(
        "span",
        { key: line.name },
        sample(line),
        " ",
        line.name.replaceAll("_", " "),
        " ",
        h("b", null, this.word(line, at)),
      ),
    );
    const when = `${this.data.step_s} s up to ${clock(this.times[at] * 1000)}`;
    patch(this.legend, values, h("span", { key: "when", class: "at" }, when));
  }

  word({ values }, at) {
    return values[at] === null ? NONE : this.look.format(values[at]);
  }
}

function dataTable(chart) {
  const head = (scope, text) => h("th", { scope }, text);
  const names = chart.lines.map((line) => head("col", line.name));
  const rows = chart.times.map((time, at) => {
    const cells = chart.lines.map((line) => h("td", null, chart.word(line, at)));
    return h("tr", null, head("row", clock(time * 1000)), cells);
  });
  const caption = h("caption", null, chart.look.label);
  return h("table", null, caption, h("thead", null, h("tr", null, head("col", "time"), names)), h("tbody", null, rows));
}

/** The sample of a line or of a part, in the legend. */
function sample({ colour, dash }) {
  const look = colour.slice(2);
  if (!dash) return swatch(look);
  const line = h("path", { class: look, d: "M0,5H26", "stroke-dasharray": dash.join(" ") || null });
  return h("svg", { class: "dash", viewBox: "0 0 26 10", "aria-hidden": "true" }, line);
}
