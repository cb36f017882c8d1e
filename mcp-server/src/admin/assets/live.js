/**
 * The report as it stands: one stream of events, polling where the stream fails.
 *
 * Holds the last report and a short history of the runtime, and nothing else that grows.
 */

const SILENT_MS = 4_000;
const POLL_MS = 2_000;
const STREAM_AGAIN_MS = 30_000;
const HISTORY = 60;

export const live = {
  /** The last report, whole; `null` before the first. */
  report: null,
  /** `starting`, `live`, `polling`, `paused`, `lost` or `locked`. */
  state: "starting",
  /** When data last came, on the clock of the reader. */
  heard_ms: 0,
  /** The runtime at the last reports, oldest first, at most 60. */
  history: [],
};

let changed = () => {};
let source = null;
let streamed_ms = 0;
let polled_ms = 0;

/** Begins; `listener` is called after each change. */
export function start(listener) {
  changed = listener;
  stream();
  setInterval(watch, 1_000);
}

export function pause() {
  source?.close();
  source = null;
  become("paused");
}

export function resume() {
  live.state = "starting";
  stream();
  changed();
}

function stream() {
  source?.close();
  const opened = new EventSource("/dashboard/events");
  source = opened;
  streamed_ms = Date.now();
  let whole = true;
  opened.onopen = () => (whole = true);
  opened.addEventListener("report", (event) => {
    if (opened !== source) return;
    take(JSON.parse(event.data), whole);
    whole = false;
    become("live");
  });
  opened.onerror = () => {
    if (opened !== source) return;
    if (opened.readyState === EventSource.CLOSED) poll();
    else become("lost");
  };
}

/** Notices silence, and tries the other way. */
function watch() {
  // Who is not let in asks no more: each time would be one more wrong token.
  if (live.state === "paused" || live.state === "locked") return;
  const now = Date.now();
  const silent = now - Math.max(live.heard_ms, streamed_ms) > SILENT_MS;
  if (silent && live.state === "live") become("lost");
  const streaming = source?.readyState === EventSource.OPEN && !silent;
  if (streaming) return;
  if (now - streamed_ms > STREAM_AGAIN_MS) stream();
  if ((silent || live.state === "polling") && now - polled_ms > POLL_MS) poll();
}

async function poll() {
  polled_ms = Date.now();
  try {
    const answer = await fetch("/dashboard/report.json", { signal: AbortSignal.timeout(5_000) });
    if (live.state === "paused") return;
    if (answer.status === 401 || answer.status === 429) return become("locked");
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    take(await answer.json(), true);
    become("polling");
  } catch {
    if (live.state !== "paused") become("lost");
  }
}

/** Takes a report; one that is not whole holds only the components that changed. */
function take(report, whole) {
  if (!whole && live.report?.instance === report.instance) {
    const news = new Map(report.components.map((component) => [`${component.kind} ${component.name}`, component]));
    const known = live.report.components.map((component) => {
      const key = `${component.kind} ${component.name}`;
      const now = news.get(key) ?? component;
      news.delete(key);
      return now;
    });
    report.components = [...known, ...news.values()];
  }
  if (live.report?.instance !== report.instance) live.history = [];
  live.history.push({ at_ms: report.at_ms, ...report.runtime });
  if (live.history.length > HISTORY) live.history.shift();
  live.report = report;
  live.heard_ms = Date.now();
}

function become(state) {
  live.state = state;
  changed();
}

/** The last answer of each place on the page that asks for more than the report holds. */
const answers = new Map();

/**
 * Returns `{ data, error }` of an address, asks for it when it is unknown or older than `every_ms`,
 * and calls the listener when the answer has come. Each `place` keeps one answer.
 */
export function fetched(place, url, every_ms = Infinity) {
  let answer = answers.get(place);
  if (answer?.url !== url) {
    answer = { url, data: null, error: null, asked_ms: -Infinity };
    answers.set(place, answer);
  }
  const unknown = answer.asked_ms === -Infinity;
  if (unknown || (live.state !== "paused" && Date.now() - answer.asked_ms > every_ms)) {
    answer.asked_ms = Date.now();
    ask(answer);
  }
  return answer;
}

async function ask(answer) {
  try {
    const response = await fetch(answer.url, { signal: AbortSignal.timeout(5_000) });
    if (!response.ok)
      throw new Error(
        response.status === 404 ? "the server does not know it (any more)" : `the server answered ${response.status}`,
      );
    answer.data = await response.json();
    answer.error = null;
  } catch (error) {
    answer.error = error instanceof TypeError ? "the server does not answer" : error.message;
  }
  changed();
}
