// The tree of runs: a row for each branch, its replicates as lanes along the axis of steps.
//
// Branch points stand in falling order, so that no line from the trunk crosses a branch.

import { STATES, draw, make, percent, say, thousands } from "./words.js";

/** How much of the width the steps before the first branch get at most, in percent. */
const KNEE = 25;

export class Tree {
  /** `choose` is told the name of a run. */
  constructor(place, choose) {
    this.place = place;
    this.choose = choose;
    this.buttons = new Map();
    this.lanes = new Map();
    this.rows = [];
  }

  /** Draws the tree anew; states come later. */
  plant(tree) {
    this.buttons.clear();
    this.lanes.clear();
    this.rows = [];
    const lists = tree.trunks.map((trunk) => {
      const groups = tree.groups.filter((group) => group.trunk === trunk.run);
      const points = [...trunk.points].sort((a, b) => b - a);
      const list = make("ul", { class: "rows" });
      const x = scale(tree.steps, points);
      list.append(this.trunk(trunk, x, points));
      for (const point of points) {
        const own = groups.filter((group) => group.from === point && !group.after);
        const name = `from step ${thousands(point)} (${Math.round(percent(point, tree.steps))} %)`;
        list.append(make("li", { class: "point" }, make("span", {}, name), this.stems(x, points, point)));
        const passing = points.filter((other) => other < point);
        own.forEach((group, i) => this.grow(list, group, groups, x, passing, i === own.length - 1));
      }
      return list;
    });
    this.place.replaceChildren(...lists);
  }

  trunk(trunk, x, points) {
    const lane = draw("svg", { "aria-hidden": "true" });
    for (const point of points) lane.append(stem(x(point), 50, 100));
    lane.append(...this.track(trunk.run, trunk.from, trunk.to, x, 0, 6));
    for (const point of points) {
      lane.append(draw("circle", { class: "knot", cx: at(x(point)), cy: "50%", r: 4 }));
    }
    const row = make("li", { class: "row trunk" },
      make("span", { class: "label" }, make("b", {}, trunk.run)), make("div", { class: "lane" }, lane),
      make("span", { class: "runs" }, this.button(trunk.run, trunk.run, "")));
    this.rows.push({ row, runs: [trunk.run] });
    return row;
  }

  /** A branch, then what goes on from it. `passing`: where lines lead further down. */
  grow(list, group, groups, x, passing, last) {
    const next = groups.filter((other) => group.runs.includes(other.after));
    list.append(this.group(group, x, passing, last, next.length > 0));
    const through = last ? passing : [...passing, group.from];
    next.forEach((other, i) => this.grow(list, other, groups, x, through, i === next.length - 1));
  }

  group(group, x, passing, last, grows) {
    const lane = draw("svg", { "aria-hidden": "true" });
    for (const point of passing) lane.append(stem(x(point), 0, 100));
    lane.append(stem(x(group.from), 0, last ? 50 : 100));
    if (grows) lane.append(stem(x(group.to), 50, 100));
    const thick = Math.max(2, Math.min(5, 20 / group.runs.length - 2));
    group.runs.forEach((run, i) => {
      const y = (i - (group.runs.length - 1) / 2) * (thick + 2);
      lane.append(...this.track(run, group.from, group.to, x, y, thick));
    });
    const label = make("span", { class: "label" }, make("b", {}, group.label), ` ${group.window}`);
    if (group.control) label.append(make("span", { class: "tag" }, "control"));
    const buttons = group.runs.map((run, i) =>
      this.button(run, `${group.label} ${group.window}, replicate ${i}${group.control ? ", control" : ""}`, `r${i}`));
    const row = make("li", { class: "row" }, label, make("div", { class: "lane" }, lane), make("span", { class: "runs" }, ...buttons));
    this.rows.push({ row, runs: group.runs });
    return row;
  }

  /** Lines that pass by on their way down. */
  stems(x, points, upTo) {
    const lane = draw("svg", { "aria-hidden": "true" });
    for (const point of points.filter((point) => point <= upTo)) lane.append(stem(x(point), 0, 100));
    return make("div", { class: "lane" }, lane);
  }

  /** `y`: pixels below the middle of the row. */
  track(run, from, to, x, y, thick) {
    const transform = `translate(0 ${y - thick / 2})`;
    const shape = (kind, width) => draw("rect", {
      class: kind, x: at(x(from)), y: "50%", transform, height: thick, rx: 1, width: at(width),
    });
    const [track, filled] = [shape("track", x(to) - x(from)), shape("filled", 0)];
    this.lanes.set(run, { filled, width: (step) => at(x(step) - x(from)) });
    return [track, filled];
  }

  button(run, words, short) {
    const mark = make("span", { class: "mark", "aria-hidden": "true" });
    const seen = make("span", { "aria-hidden": "true" }, short);
    const button = make("button", { type: "button", class: "run", "aria-pressed": "false" }, mark, seen);
    button.addEventListener("click", () => this.choose(run));
    this.buttons.set(run, { button, mark, words });
    return button;
  }

  /** The state of one run. */
  show(run, picture) {
    const [button, lane] = [this.buttons.get(run), this.lanes.get(run)];
    if (!button || !lane) return;
    const { mark, word } = STATES[picture.state];
    say(button.mark, mark);
    button.button.dataset.state = picture.state;
    const far = `step ${thousands(picture.step)} of ${thousands(picture.to)}`;
    const words = `${button.words}: ${word}, ${far}`;
    button.button.setAttribute("aria-label", words);
    button.button.title = words;
    lane.filled.setAttribute("class", `filled ${picture.state}`);
    lane.filled.setAttribute("width", lane.width(picture.step));
  }

  /** Marks the chosen run. */
  press(chosen) {
    if (chosen !== this.pressed) this.reveal(chosen);
    this.pressed = chosen;
    for (const [run, { button }] of this.buttons) {
      const pressed = String(run === chosen);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    }
  }

  /** Scrolls the tree, not the page, to a run. */
  reveal(run) {
    const row = this.rows.find(({ runs }) => runs.includes(run))?.row;
    if (!row) return;
    const [box, place] = [row.getBoundingClientRect(), this.place.getBoundingClientRect()];
    if (box.top < place.top || box.bottom > place.bottom) {
      this.place.scrollTop += box.top - place.top - place.height / 2;
    }
  }

  /** Shows rows with a run for which `keep` holds. */
  filter(keep) {
    for (const { row, runs } of this.rows) row.hidden = !runs.some(keep);
    for (const point of this.place.querySelectorAll(".point")) {
      let row = point.nextElementSibling;
      let any = false;
      for (; row && !row.classList.contains("point"); row = row.nextElementSibling) any ||= !row.hidden;
      point.hidden = !any;
    }
  }
}

/** Where steps stand: branches begin late, so what comes before the first of them is drawn short. */
function scale(steps, points) {
  const first = Math.min(...points, steps);
  const knee = Math.min(percent(first, steps), KNEE);
  return (step) => step <= first
    ? (first ? (knee * step) / first : 0)
    : knee + ((100 - knee) * (step - first)) / Math.max(1, steps - first);
}

const at = (x) => `${x.toFixed(3)}%`;

const stem = (x, from, to) => draw("line", { class: "stem", x1: at(x), x2: at(x), y1: at(from), y2: at(to) });
