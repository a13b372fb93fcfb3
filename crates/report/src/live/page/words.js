// Numbers and spans of time as people read them.

export const thousands = (n) => Math.round(n).toLocaleString("en-US");

/** 38.2K, 1.5M, 2B: tokens and the like, in powers of a thousand. */
export function quantity(n) {
  for (const [size, unit] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]]) {
    if (n >= size) return `${Number((n / size).toPrecision(3))}${unit}`;
  }
  return thousands(n);
}

/** The largest two units: `2 h 5 min`. */
export function duration(seconds) {
  if (seconds < 1) return "under a second";
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let left = Math.round(seconds);
  const first = units.findIndex(([size]) => left >= size);
  const parts = [];
  for (const [size, unit] of units.slice(first, first + 2)) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(`${count} ${unit}`);
  }
  return parts.join(" ");
}

export const percent = (part, whole) => (whole > 0 ? Math.min(100, (100 * part) / whole) : 0);

/** Digits that matter for a number of this size. */
export function digits(n) {
  if (n === null || n === undefined || !Number.isFinite(n)) return "–";
  const size = Math.abs(n);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return n.toExponential(2).replace("e+", "e").replace("-", "−");
  return n.toFixed(size < 10 ? 3 : size < 100 ? 2 : 1);
}

/** A state's mark and word: colour never carries it alone. */
export const STATES = {
  running: { mark: "▶", word: "running" },
  done: { mark: "✓", word: "done" },
  failed: { mark: "✕", word: "failed" },
  stopped: { mark: "‖", word: "stopped" },
  missing: { mark: "○", word: "not begun" },
};

/** An element with text, attributes and children; whatever comes from a file is text. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** The same for drawings. */
export function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Sets text only where it differs, so that screen readers and selections are left alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
