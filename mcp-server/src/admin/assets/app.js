/** The dashboard: which page is shown, the switches above it, and what is said aloud. */

import { h, patch } from "./dom.js";
import { clock } from "./format.js";
import { live, pause, resume, start } from "./live.js";
import { WINDOWS } from "./model.js";
import { empty, findingKey, findingWord, heading } from "./parts.js";
import { recall, remember } from "./store.js";
import * as cache from "./cache.js";
import * as call from "./call.js";
import * as component from "./component.js";
import * as overview from "./overview.js";
import * as runtime from "./runtime.js";
import * as slow from "./slow.js";
import * as sql from "./sql.js";

/** The pages by the first word of their address. */
const PAGES = { "": overview, component, slow, call, sql, cache, runtime };
/** The address in the navigation, for pages below another. */
const PARTS = { component: "", call: "slow" };
const SAY_MS = 10_000;

const by = (id) => document.getElementById(id);
let chosen = recall("window", "5m");
if (!Object.hasOwn(WINDOWS, chosen)) chosen = "5m";

/** What the address after `#/` asks for. */
function route() {
  const [word, ...params] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
  if (word === "slow" && params.length > 0) return { word: "call", params };
  return { word: Object.hasOwn(PAGES, word) ? word : "", params };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function render() {
  if (document.hidden) return;
  const { word, params } = route();
  const { report, history } = live;
  head(word, params);
  if (!report) {
    patch(
      by("main"),
      heading("Dashboard"),
      empty(live.state === "starting" ? "Asking the server." : "The server does not answer yet."),
    );
    return;
  }
  patch(by("main"), PAGES[word].view({ report, history, window: chosen, params, again: render }));
  if (live.state !== "paused") say(report.findings);
}

function head(word, params) {
  const { report, state } = live;
  const part = PARTS[word] ?? word;
  for (const link of by("parts").querySelectorAll("a")) {
    const current = link.getAttribute("href") === `#/${part}`;
    if (current) link.setAttribute("aria-current", word === part ? "page" : "true");
    else link.removeAttribute("aria-current");
  }
  if (report) {
    patch(by("server"), report.server);
    patch(by("version"), report.version);
  }
  const page = [...by("parts").querySelectorAll("a")].find((link) => link.hasAttribute("aria-current"))?.textContent;
  const title = [word === "component" ? params[1] : page, report?.server ?? "Dashboard"].join(" · ");
  if (document.title !== title) document.title = title;
  by("state").className = state;
  patch(by("state"), words(state));
  patch(by("pause"), state === "paused" ? "Resume" : "Pause");
}

function words(state) {
  const last = live.heard_ms ? clock(live.heard_ms) : "none";
  if (state === "paused") return `paused; last data ${last}`;
  if (state === "lost") return `lost, reconnecting; last data ${last}`;
  if (state === "locked") return ["locked: ", h("a", { href: "/dashboard" }, "log in again")];
  if (state === "starting") return "connecting";
  return state === "polling" ? "live, by polling" : "live";
}

/** Findings that were said, and when the last was; those of the first report are on the page already. */
let said = null;
let said_ms = 0;

/** Tells a screen reader of new findings, at most once in ten seconds. */
function say(findings) {
  const keys = findings.map(findingKey);
  said ??= new Set(keys);
  const news = findings.filter((finding) => !said.has(findingKey(finding)));
  if (news.length === 0 || Date.now() - said_ms < SAY_MS) return;
  said = new Set(keys);
  said_ms = Date.now();
  const words = news.slice(0, 3).map((finding) => `${finding.component} ${findingWord(finding.kind)}`);
  by("said").textContent = `New: ${words.join("; ")}${news.length > 3 ? ` and ${news.length - 3} more` : ""}`;
}

/** Begins a page anew: at its top, with the focus on its heading. */
function turn() {
  render();
  scrollTo(0, 0);
  by("heading")?.focus({ preventScroll: true });
}

function keys(event) {
  const typing = event.target.closest("input, select, textarea");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = by("filter");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

function themes() {
  const choice = by("theme");
  choice.value = recall("theme", "auto");
  choice.onchange = () => {
    remember("theme", choice.value);
    if (choice.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice.value;
    document.dispatchEvent(new Event("themechange"));
  };
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    matchMedia(query).onchange = () => document.dispatchEvent(new Event("themechange"));
  }
}

function windows() {
  for (const input of document.querySelectorAll("input[name=window]")) {
    input.checked = input.value === chosen;
    input.onchange = () => {
      chosen = input.value;
      remember("window", chosen);
      render();
    };
  }
}

document.querySelector(".skip").onclick = (event) => {
  // Its address would be taken for that of a page.
  event.preventDefault();
  by("main").focus();
};
by("pause").onclick = () => (live.state === "paused" ? resume() : pause());
addEventListener("hashchange", turn);
addEventListener("keydown", keys);
document.addEventListener("visibilitychange", render);
themes();
windows();
start(render);
render();
