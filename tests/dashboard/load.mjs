// Calls the tools of the example `profiled`: `load URL SECONDS [CLIENTS]`.

const [url, seconds = "10", clients = "4"] = process.argv.slice(2);
const end = Date.now() + Number(seconds) * 1000;
const tools = [
  ["add", (n) => ({ a: n, b: 1 })], ["add", (n) => ({ a: n, b: 2 })], ["add", (n) => ({ a: n, b: 3 })],
  ["books", (n) => ({ author: `author ${n % 12}` })], ["books", (n) => ({ author: `author ${n % 5}` })],
  ["authors", () => ({})], ["blocks", () => ({})], ["burns", () => ({})], ["waits", () => ({})],
  ["fails", (n) => ({ number: n })],
];

async function call(n) {
  const [name, args] = tools[n % tools.length];
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "load", version: "1" },
  };
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": name,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: n, method: "tools/call", params: { name, arguments: args(n), _meta: meta } }),
  });
  const text = await response.text();
  if (!response.ok || text.includes('"error":{')) throw new Error(`${name}: ${response.status} ${text}`);
}

let n = 0;
await Promise.all(
  Array.from({ length: Number(clients) }, async () => {
    while (Date.now() < end) await call(n++);
  }),
);
console.log(`${n} calls`);
