/** Where the browser is. */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Returns the path in CHROMIUM, else that of the first browser on PATH, else `undefined`. */
export function chromium() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return process.env.CHROMIUM ?? NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(runs);
}

function runs(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
