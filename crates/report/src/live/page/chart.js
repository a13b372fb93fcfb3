// A line chart in SVG: axes, lines, a band, and a cursor for pointer and keyboard.

import { digits, draw, make, thousands } from "./words.js";

const LEFT = 52, RIGHT = 10, TOP = 8, BOTTOM = 22;

/** Round numbers between two others: about `count` of them. */
export function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * size).find((n) => n >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(at);
  return found;
}

/** An axis' words: as many digits as tell its ticks apart. */
function labels(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0]) || 1;
  const largest = Math.max(...values.map(Math.abs));
  if (largest > 0 && (largest < 1e-3 || largest >= 1e6)) {
    return values.map((n) => (n === 0 ? "0" : n.toExponential(1).replace("-", "−").replace("+", "")));
  }
  const places = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  return values.map((n) => n.toFixed(places));
}

/** Points that a calm line is the mean of, for so many points shown. */
export const calmOver = (count) => (count < 80 ? 1 : 2 * Math.round(count / 80) + 1);

/** The mean of each point and its neighbours. */
function smoothed(points) {
  const half = (calmOver(points.length) - 1) / 2;
  if (!half) return points;
  const sums = [0];
  for (const point of points) sums.push(sums.at(-1) + point[1]);
  return points.map((point, i) => {
    // As many on either side, so that the ends do not lean.
    const reach = Math.min(half, i, points.length - 1 - i);
    return [point[0], (sums[i + reach + 1] - sums[i - reach]) / (2 * reach + 1)];
  });
}

const short = (n) => (n >= 1e4 ? `${Number((n / 1000).toPrecision(4))}K` : thousands(n));

export class Chart {
  /** `small`: no axis of steps and few ticks. */
  constructor(place, { small = false, name = "", smooth = true } = {}) {
    this.smooth = smooth;
    this.place = place;
    this.small = small;
    this.name = name;
    this.lines = [];
    this.cursor = null;
    this.svg = draw("svg", { role: "img", tabindex: small ? "-1" : "0" });
    this.readout = make("p", { class: "readout", "aria-hidden": "true" });
    place.replaceChildren(this.svg, this.readout);
    new ResizeObserver(() => this.render()).observe(place);
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerdown", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.move(null));
    this.svg.addEventListener("blur", () => this.move(null));
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  /** lines: [{ label, kind, points: [[step, value, low?, high?]] }], the first one leads. */
  show(lines, from, to) {
    Object.assign(this, { lines, from, to });
    this.render();
  }

  render() {
    const width = this.place.clientWidth;
    const height = this.svg.clientHeight || 120;
    if (width < 60 || !this.lines.length) return;
    const values = this.lines.flatMap((line) => line.points.map((point) => point[1])).filter((v) => v !== null);
    if (!values.length) {
      this.svg.replaceChildren();
      return;
    }
    let low = Math.min(...values), high = Math.max(...values);
    const margin = (high - low || Math.abs(high) * 0.1 || 1) * 0.06;
    low = low >= 0 && low - margin < 0 ? 0 : low - margin;
    high += margin;
    const bottom = this.small ? 6 : BOTTOM;
    const span = Math.max(1, this.to - this.from);
    this.x = (step) => LEFT + ((step - this.from) / span) * (width - LEFT - RIGHT);
    this.y = (value) => TOP + ((high - value) / (high - low)) * (height - TOP - bottom);
    const parts = [];
    const heights = ticks(low, high, this.small ? 2 : Math.max(2, height / 45));
    labels(heights).forEach((label, i) => {
      const y = this.y(heights[i]).toFixed(1);
      parts.push(draw("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y, y2: y }));
      parts.push(draw("text", { class: "tick", x: LEFT - 6, y: Number(y) + 4, "text-anchor": "end" }, label));
    });
    if (!this.small) {
      for (const step of ticks(this.from, this.to, Math.max(2, width / 90))) {
        if (!Number.isInteger(step)) continue;
        const anchor = this.x(step) > width - 30 ? "end" : "middle";
        const x = Math.min(this.x(step), width - 2);
        parts.push(draw("text", { class: "tick", x, y: height - 5, "text-anchor": anchor }, short(step)));
      }
    }
    for (const line of [...this.lines].reverse()) {
      if (line.points.some((point) => point[2] !== undefined && point[2] < point[3])) {
        const clip = (v) => Math.min(height - bottom, Math.max(TOP, this.y(v))).toFixed(1);
        const above = line.points.map((p) => `${this.x(p[0]).toFixed(1)},${clip(p[3])}`);
        const below = line.points.map((p) => `${this.x(p[0]).toFixed(1)},${clip(p[2])}`).reverse();
        parts.push(draw("polygon", { class: `band ${line.kind}`, points: [...above, ...below].join(" ") }));
      }
      const known = line.points.filter((point) => point[1] !== null);
      const path = (points) => points.map((p) => `${this.x(p[0]).toFixed(1)},${this.y(p[1]).toFixed(1)}`).join(" ");
      const calm = this.smooth ? smoothed(known) : known;
      if (calm !== known) parts.push(draw("polyline", { class: `line raw ${line.kind}`, points: path(known) }));
      parts.push(draw("polyline", { class: `line ${line.kind}`, points: path(calm) }));
      const last = known.at(-1);
      if (last) parts.push(draw("circle", { class: `end ${line.kind}`, cx: this.x(last[0]), cy: this.y(last[1]), r: 2.5 }));
    }
    this.hair = draw("line", { class: "hair", y1: TOP, y2: height - bottom, visibility: "hidden" });
    parts.push(this.hair);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("aria-label", this.words());
    this.svg.replaceChildren(...parts);
    this.move(this.cursor);
  }

  /** What a screen reader says of it; the numbers are in a table. */
  words() {
    return this.lines.map((line) => {
      const known = line.points.filter((point) => point[1] !== null);
      if (!known.length) return `${line.label}: no values`;
      const [first, last] = [known[0], known.at(-1)];
      return `${this.name} of ${line.label}: ${digits(first[1])} at step ${thousands(first[0])}, ` +
        `${digits(last[1])} at step ${thousands(last[0])}`;
    }).join("; ");
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    const width = box.width - LEFT - RIGHT;
    const part = Math.min(1, Math.max(0, (event.clientX - box.left - LEFT) / width));
    this.move(this.from + part * (this.to - this.from));
  }

  key(event) {
    const points = this.lines[0]?.points ?? [];
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
    if (event.key === "Escape") return this.move(null);
    if (!points.length || (!step && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    const now = this.cursor === null ? points.length - 1 : nearest(points, this.cursor);
    const next = event.key === "Home" ? 0 : event.key === "End" ? points.length - 1 : now + step;
    this.move(points[Math.min(points.length - 1, Math.max(0, next))][0]);
  }

  move(step) {
    this.cursor = step;
    const lead = this.lines[0]?.points ?? [];
    if (step === null || !lead.length || !this.hair) {
      this.hair?.setAttribute("visibility", "hidden");
      this.readout.textContent = "";
      return;
    }
    const at = lead[nearest(lead, step)][0];
    const x = this.x(at).toFixed(1);
    this.hair.setAttribute("x1", x);
    this.hair.setAttribute("x2", x);
    this.hair.setAttribute("visibility", "visible");
    const said = this.lines.map((line) => {
      const point = line.points[nearest(line.points, at)];
      const value = point ? digits(point[1]) : "–";
      return this.lines.length > 1 ? `${line.label} ${value}` : value;
    });
    this.readout.textContent = `step ${thousands(at)}: ${said.join(", ")}`;
  }
}

function nearest(points, step) {
  let low = 0, high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < step) low = middle;
    else high = middle;
  }
  return Math.abs((points[low]?.[0] ?? 0) - step) <= Math.abs((points[high]?.[0] ?? 0) - step) ? low : high;
}
