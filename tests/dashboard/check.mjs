/**
 * Looks at the dashboard of a running server with Chromium and says what is wrong with it.
 *
 *     node check.mjs http://127.0.0.1:8080 [--minutes N] [--screenshots DIR] [--skip-numbers]
 *
 * CHROMIUM is the path of the browser (else the first of chromium, chromium-browser, google-chrome on PATH),
 * MCP_ADMIN_TOKEN the token where the server wants one. The numbers are compared when no call runs any more:
 * stop the load before, or skip them. Status 0: nothing is wrong; 1: something is; 2: it could not be looked at.
 */

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer-core";
import { chromium } from "./chromium.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "0" },
    screenshots: { type: "string" },
    "skip-numbers": { type: "boolean", default: false },
  },
});
const server = positionals[0]?.replace(/\/$/, "");
if (!server) stop("give the address of a server: `node check.mjs http://127.0.0.1:8080`");

const LOOKS = [
  { name: "light", width: 1360, scheme: "light" },
  { name: "dark", width: 1360, scheme: "dark" },
  { name: "narrow", width: 360, scheme: "light" },
  { name: "narrow-dark", width: 360, scheme: "dark" },
];
/** How much the heap may grow while one looks on: the noise of the collector and of the JIT. */
const HEAP_GROWTH = 1.2;
const HEAP_SLACK = 1024 * 1024;
/** Chromium holds on to one or two pages that were left, about 1,300 nodes each; a page that leaks adds one each time. */
const NODE_SLACK = 5_000;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const headers = process.env.MCP_ADMIN_TOKEN ? { authorization: `Bearer ${process.env.MCP_ADMIN_TOKEN}` } : {};
const wrong = [];
const complain = (where, what) => wrong.push(`${where}: ${what}`);

const browser = await puppeteer
  .launch({
    executablePath: chromium() ?? stop("no Chromium on PATH: give its path in CHROMIUM"),
    args: ["--headless=new", "--no-sandbox", "--js-flags=--expose-gc"],
  })
  .catch((error) => stop(error.message));
try {
  const pages = pagesOf(await report());
  for (const look of LOOKS) await visit(look, pages);
  if (!options["skip-numbers"]) await numbers();
  if (Number(options.minutes) > 0) await watch(Number(options.minutes), pages);
} finally {
  await browser.close();
}
for (const line of wrong) console.error(line);
console.log(wrong.length === 0 ? "nothing is wrong" : `${wrong.length} things are wrong`);
process.exitCode = wrong.length === 0 ? 0 : 1;

/**
 * The pages to visit: one of each kind, and one for each reason for which a call was kept.
 *
 * A page is what finds its address in the report of the moment: calls that were kept make room for newer ones.
 */
function pagesOf({ components, slow }) {
  const named = [...components].sort((a, b) => b.windows.start.calls - a.windows.start.calls);
  const odd = components.find(({ name }) => /[<&"{]/.test(name));
  const call = (why) => (now) => `#/slow/${encodeURIComponent(now.slow.find((one) => one.why === why)?.id ?? "")}`;
  const whys = new Set(slow.map(({ why }) => why));
  return {
    components: () => "#/",
    ...(named[0] && { busiest: () => address(named[0]) }),
    ...(named.length > 1 && { idlest: () => address(named.at(-1)) }),
    ...(odd && { odd: () => address(odd) }),
    slow: () => "#/slow",
    ...Object.fromEntries([...whys].map((why) => [`call-${why}`, call(why)])),
    sql: () => "#/sql",
    cache: () => "#/cache",
    runtime: () => "#/runtime",
  };
}

function address({ kind, name }) {
  return `#/component/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`;
}

/** Visits each page in one look: console, policy, width, accessibility. */
async function visit(look, pages) {
  const tab = await open(look);
  for (const [name, page] of Object.entries(pages)) {
    tab.where = `${name} (${look.name})`;
    await show(tab, page(await report()));
    const wider = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wider > 0) complain(tab.where, `scrolls sideways by ${wider} px at ${look.width} px`);
    if (name === "components") await complete(tab);
    if (options.screenshots) {
      mkdirSync(options.screenshots, { recursive: true });
      await tab.screenshot({ path: join(options.screenshots, `${name}-${look.name}.png`), fullPage: true });
    }
    await judge(tab);
  }
  await tab.close();
}

async function open({ width, scheme }) {
  const tab = await browser.newPage();
  await tab.setExtraHTTPHeaders(headers);
  await tab.setViewport({ width, height: 800 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  // A violation of the policy is written to the console as an error too.
  tab.on(
    "console",
    (message) =>
      ["error", "warn"].includes(message.type()) &&
      // Chromium writes each 404 there; a call that was kept may have made room for a newer one, and the page says so.
      !message.location().url?.includes("/dashboard/slow.json") &&
      complain(tab.where, `console: ${message.text()}`),
  );
  tab.on("pageerror", (error) => complain(tab.where, `script: ${error.message}`));
  tab.on(
    "requestfailed",
    (request) =>
      request.failure()?.errorText !== "net::ERR_ABORTED" &&
      complain(tab.where, `request: ${request.url()} ${request.failure()?.errorText}`),
  );
  tab.on(
    "request",
    (request) =>
      !request.url().startsWith(server) &&
      !request.url().startsWith("data:") &&
      complain(tab.where, `asks a foreign host: ${request.url()}`),
  );
  return tab;
}

/** Opens a page and waits until it shows numbers. */
async function show(tab, hash) {
  await tab.goto("about:blank");
  await tab.goto(`${server}/dashboard${hash}`, { waitUntil: "domcontentloaded" });
  await tab
    .waitForSelector("#state.live", { timeout: 20_000 })
    .catch(() => complain(tab.where, "is not live after 20 s"));
  if (hash.startsWith("#/component/"))
    await tab
      .waitForSelector("figure canvas, .empty", { timeout: 20_000 })
      .catch(() => complain(tab.where, "has no chart after 20 s"));
  await sleep(300);
}

/** Asks axe about all of the page, what is folded too. */
async function judge(tab) {
  await tab.$$eval("details", (folded) => folded.forEach((one) => (one.open = true)));
  // `evaluate` is not bound by the policy of the page, a script element would be.
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, help, nodes } of violations) {
    if (impact === "serious" || impact === "critical")
      complain(
        tab.where,
        `axe ${impact} ${id}: ${help}: ${nodes
          .map(({ target }) => target.join(" "))
          .slice(0, 3)
          .join(", ")}`,
      );
  }
}

/** The table of components holds every component, each under its own address. */
async function complete(tab) {
  const shown = new Set(
    await tab.$$eval("#components tbody th a", (links) => links.map((link) => link.getAttribute("href"))),
  );
  for (const component of (await report()).components) {
    if (!shown.has(address(component))) complain(tab.where, `lacks ${component.kind} ${component.name}`);
  }
}

/** The calls since the start that each page of a component shows are those of /metrics. */
async function numbers() {
  const tab = await open(LOOKS[0]);
  tab.where = "numbers";
  await show(tab, "#/");
  await tab.evaluate(() => document.querySelector("input[name=window][value=start]").click());
  const { components } = await report();
  const moving = await metrics();
  await sleep(1_200);
  const before = await metrics();
  for (const [component, calls] of before)
    if (moving.get(component) !== calls)
      return complain("numbers", `${component} is being called: stop the load, or give --skip-numbers`);
  for (const { kind, name } of components) {
    tab.where = `numbers of ${kind} ${name}`;
    await show(tab, address({ kind, name }));
    const shown = Number(await tab.$eval("[data-calls]", (element) => element.dataset.calls).catch(() => NaN));
    const written = Number(
      (await tab.$eval("[data-calls]", (element) => element.textContent).catch(() => "")).replaceAll(",", ""),
    );
    const counted = before.get(`${kind} ${name}`) ?? 0;
    if (shown !== counted) complain(tab.where, `the page has ${shown} calls, /metrics has ${counted}`);
    if (written !== shown) complain(tab.where, `the page writes ${written} calls for ${shown}`);
  }
  await tab.close();
}

/** Calls by component, summed over their outcomes. */
async function metrics() {
  const calls = new Map();
  for (const line of (await ask("/metrics")).split("\n")) {
    const [, labels, value] = /^mcp_component_calls_total\{(.*)\} (\S+)/.exec(line) ?? [];
    if (!labels) continue;
    const label = Object.fromEntries(
      [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, text]) => [
        name,
        text.replace(/\\(.)/g, (_, it) => (it === "n" ? "\n" : it)),
      ]),
    );
    const component = `${label.kind} ${label.component}`;
    calls.set(component, (calls.get(component) ?? 0) + Number(value));
  }
  if (calls.size === 0) complain("/metrics", "has no mcp_component_calls_total");
  return calls;
}

/** Goes from page to page in one tab for so long: its heap and its document must not grow. */
async function watch(minutes, pages) {
  const tab = await open(LOOKS[0]);
  tab.where = `watching for ${minutes} min`;
  await show(tab, "#/");
  const round = async (seconds) => {
    for (const page of [...Object.values(pages), pages.components]) {
      await tab.evaluate((to) => (location.hash = to), page(await report()));
      await sleep(seconds * 1_000);
    }
  };
  await round(2);
  const first = await size(tab);
  const until = Date.now() + minutes * 60_000;
  while (Date.now() < until) await round(5);
  const last = await size(tab);
  const said = ({ heap, nodes }) => `${(heap / 1e6).toFixed(2)} MB and ${nodes} nodes`;
  console.log(`${tab.where}: ${said(first)} at first, ${said(last)} at last`);
  if (last.heap > first.heap * HEAP_GROWTH + HEAP_SLACK)
    complain(tab.where, `the heap grew from ${first.heap} to ${last.heap} bytes`);
  if (last.nodes > first.nodes + NODE_SLACK)
    complain(tab.where, `the document grew from ${first.nodes} to ${last.nodes} nodes`);
  await tab.close();
}

async function size(tab) {
  for (let pass = 0; pass < 3; pass += 1) {
    await tab.evaluate(() => globalThis.gc());
    await sleep(100);
  }
  const { JSHeapUsedSize: heap, Nodes: nodes } = await tab.metrics();
  return { heap, nodes };
}

async function report() {
  return JSON.parse(await ask("/dashboard/report.json"));
}

async function ask(path) {
  const answer = await fetch(server + path, { headers }).catch((error) =>
    stop(`${server}${path}: ${error.cause?.message ?? error.message}`),
  );
  if (!answer.ok) stop(`${server}${path} answered ${answer.status}`);
  return answer.text();
}

function stop(message) {
  console.error(message);
  process.exit(2);
}
