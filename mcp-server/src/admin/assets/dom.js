/**
 * Describes the page as plain values and writes only what differs into the document.
 *
 * Nothing here parses HTML: text stays text, so no name, statement or message can become markup.
 */

const SVG = "http://www.w3.org/2000/svg";

/** Describes an element; nested lists are flattened, `null` and `false` are left out. */
export function h(tag, props, ...children) {
  return { tag, key: props?.key, props: props ?? {}, children: described(children) };
}

/**
 * Describes a thing that keeps its own element, such as a chart.
 *
 * `create()` gives `{ element, update(data), remove() }`.
 */
export function widget(key, create, data) {
  return { key, create, data };
}

/** Makes the children of `parent` what `wanted` describes; unchanged nodes are not touched. */
export function patch(parent, ...wanted) {
  const focused = document.activeElement;
  patchChildren(parent, described(wanted));
  // Moving a node takes the focus from what is in it.
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

function described(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (typeof child === "object" ? child : String(child)));
}

function patchChildren(parent, wanted) {
  const keys = new Set(wanted.map((want) => want.key));
  const kept = new Map();
  for (const node of [...parent.childNodes]) {
    const key = node.wanted?.key;
    if (key === undefined) continue;
    if (keys.has(key)) kept.set(key, node);
    else discard(node);
  }
  let at = parent.firstChild;
  for (const want of wanted) {
    let node = want.key === undefined ? at : kept.get(want.key);
    if (!node || !fits(node, want)) node = create(want, parent.namespaceURI);
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
    update(node, want);
  }
  while (at) {
    const next = at.nextSibling;
    discard(at);
    at = next;
  }
}

/** Whether `node` can be rewritten into `want`. */
function fits(node, want) {
  if (typeof want === "string") return node.nodeType === Node.TEXT_NODE;
  if (node.wanted?.key !== want.key) return false;
  return want.create ? node.wanted.create === want.create : node.wanted?.tag === want.tag;
}

function create(want, namespace) {
  if (typeof want === "string") return document.createTextNode(want);
  if (want.create) {
    const made = want.create();
    made.element.made = made;
    return made.element;
  }
  return document.createElementNS(want.tag === "svg" ? SVG : namespace, want.tag);
}

function update(node, want) {
  if (typeof want === "string") {
    if (node.data !== want) node.data = want;
    return;
  }
  const before = node.wanted?.props ?? {};
  node.wanted = want;
  if (want.create) {
    node.made.update(want.data);
    return;
  }
  for (const name of Object.keys(before)) if (!(name in want.props)) set(node, name, null);
  for (const [name, value] of Object.entries(want.props)) if (before[name] !== value) set(node, name, value);
  patchChildren(node, want.children);
}

function set(node, name, value) {
  if (name === "key") return;
  if (name.startsWith("on")) node[name] = value;
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : value);
}

function discard(node) {
  forget(node);
  node.remove();
}

/** Lets go of the widgets within. */
function forget(node) {
  if (node.made) node.made.remove();
  else node.childNodes.forEach(forget);
}
