/** Remembers what the reader chose; where the browser forbids that, for this visit only. */

const visit = new Map();

export function recall(name, otherwise) {
  try {
    return localStorage.getItem(`mcp.${name}`) ?? otherwise;
  } catch {
    return visit.get(name) ?? otherwise;
  }
}

export function remember(name, value) {
  visit.set(name, value);
  try {
    localStorage.setItem(`mcp.${name}`, value);
  } catch {
    // Forbidden or full: the map above has it.
  }
}
