/** Writes numbers as people read them: three digits that count, and a unit. */

/** What stands where a number is not known. */
export const NONE = "–";

const NARROW = "\u202f";
const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Returns nanoseconds as `842 ns`, `12.4 µs`, `1.25 ms`, `3.1 s`, `4 min 5 s`. */
export function duration(ns) {
  if (!known(ns)) return NONE;
  if (ns < 999.5) return `${Math.round(ns)}${NARROW}ns`;
  // The bounds lie below the next unit by what rounding to three digits would add.
  if (ns < 999.5e3) return `${digits(ns / 1e3)}${NARROW}µs`;
  if (ns < 999.5e6) return `${digits(ns / 1e6)}${NARROW}ms`;
  if (ns < 99.95e9) return `${digits(ns / 1e9)}${NARROW}s`;
  const seconds = Math.round(ns / 1e9);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 2880) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** Returns bytes as `512 B`, `1.5 KiB`, `20 MiB`. */
export function bytes(count) {
  if (!known(count)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (Math.abs(count) >= 1023.5 && unit < units.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(count) : digits(count)}${NARROW}${units[unit]}`;
}

/** Returns a whole number with every digit: `1,234,567`. */
export function whole(count) {
  return known(count) ? grouped.format(count) : NONE;
}

/** Returns a rate or an average: `0.35`, `12.4`, `20`, `1,234`, `56.7 k`, `1.2 M`. */
export function amount(value) {
  if (!known(value)) return NONE;
  if (value < 9999.5) return Number.isInteger(value) || value >= 999.5 ? grouped.format(value) : digits(value);
  if (value < 999.5e3) return `${digits(value / 1e3)}${NARROW}k`;
  if (value < 999.5e6) return `${digits(value / 1e6)}${NARROW}M`;
  return `${digits(value / 1e9)}${NARROW}G`;
}

/** Returns a share of one as `99.2 %`; what is not all or nothing is not written so. */
export function percent(share) {
  if (!known(share)) return NONE;
  const tenths = share > 0 && share < 1 ? Math.min(999, Math.max(1, Math.round(share * 1000))) : share * 1000;
  return `${tenths === 0 || tenths === 1000 ? tenths / 10 : (tenths / 10).toFixed(1)}${NARROW}%`;
}

/** Returns how long before `now_ms` something was: `just now`, `12 s ago`, `3 min ago`. */
export function ago(then_ms, now_ms) {
  const seconds = Math.max(0, Math.round((now_ms - then_ms) / 1000));
  if (seconds < 2) return "just now";
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** Returns the time of day, as the reader's clock shows it. */
export function clock(ms) {
  return new Date(ms).toLocaleTimeString("en-GB");
}

/** Returns `1 call`, `2 calls`. */
export function plural(count, word, words = `${word}s`) {
  return `${whole(count)} ${count === 1 ? word : words}`;
}

function known(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** Three significant digits without an exponent. */
function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}
