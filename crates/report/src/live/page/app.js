// Keeps what the server has said and shows it. Nothing is asked but which curves to send.

import { Chart, calmOver } from "./chart.js";
import { Tree } from "./tree.js";
import { STATES, digits, duration, make, percent, quantity, say, thousands } from "./words.js";

const by = (id) => document.getElementById(id);
const parts = new Map();
const curves = new Map();
const RANGES = [["All steps", 1], ["Last half", 0.5], ["Last tenth", 0.1]];

let runs = [];          // names in the order of the tree
let chosen = null;      // none: whatever runs
let other = "";
let range = 1;
let source = null;      // of events
let asked = "";

// ---- what is chosen --------------------------------------------------------------------------

const current = () => {
  if (chosen && runs.includes(chosen)) return chosen;
  const doing = parts.get("doing") ?? [];
  const training = doing.find((one) => one.what === "training") ?? doing[0];
  return training?.run ?? runs[0] ?? null;
};

function choose(run) {
  chosen = run;
  const hash = run ? `#${encodeURIComponent(run)}` : "";
  history.replaceState(null, "", location.pathname + hash);
  connect();
  render();
}

// ---- events ----------------------------------------------------------------------------------

function connect() {
  const wanted = [current(), other].filter((run) => run && runs.includes(run));
  const numbers = wanted.map((run) => runs.indexOf(run)).map((n) => `run=${n}`).join("&");
  if (source && source.readyState !== EventSource.CLOSED && numbers === asked) return;
  source?.close();
  asked = numbers;
  source = new EventSource(`/events${numbers ? `?${numbers}` : ""}`);
  source.addEventListener("parts", (event) => take(JSON.parse(event.data)));
  source.addEventListener("curve", (event) => extend(JSON.parse(event.data)));
  source.onopen = () => linked("open", "live");
  source.onerror = () => linked("lost", "connection lost, trying again");
}

function linked(state, words) {
  const link = by("link");
  if (link.dataset.state === state) return;
  link.dataset.state = state;
  say(link, words);
  if (state === "lost") announce("The connection to sparkjoy serve is lost.");
}

let first = true;

function take(changed) {
  const before = new Map(parts);
  if (first || changed.file) parts.clear();
  for (const [name, part] of Object.entries(changed)) {
    if (part === null) parts.delete(name);
    else parts.set(name, part);
  }
  if (changed.tree) plant(changed.tree);
  tell(before);
  first = false;
  connect();
  render();
}

/** A curve whole, or what was added to it. */
function extend({ run, from, points, ...rest }) {
  const before = from > 0 ? curves.get(run)?.points ?? [] : [];
  curves.set(run, { ...rest, points: [...before.slice(0, from), ...points] });
  schedule(renderCurves);
}

// ---- what is said aloud: rarely, and only what matters ------------------------------------------

function tell(before) {
  if (first) return;
  const failed = (map) => new Set((map.get("failing") ?? []).map((one) => one.job));
  const [old, now] = [failed(before), failed(parts)];
  for (const job of now) if (!old.has(job)) return announce(`${job} has failed.`);
  const done = (map) => map.get("progress")?.runs.every(([state, count]) => state === "done" || count === 0);
  if (!done(before) && done(parts)) announce("All runs are done.");
}

function announce(text) {
  by("news").textContent = text;
}

// ---- rendering ---------------------------------------------------------------------------------

const waiting = new Set();

/** At most once a frame. */
function schedule(task) {
  if (!waiting.size) {
    requestAnimationFrame(() => {
      const tasks = [...waiting];
      waiting.clear();
      for (const task of tasks) task();
    });
  }
  waiting.add(task);
}

const render = () => {
  schedule(renderPage);
  schedule(renderCurves);
};

const tree = new Tree(by("tree"), choose);

function plant(layout) {
  runs = [];
  for (const trunk of layout.trunks) runs.push(trunk.run);
  runs = parts.get("runs") ?? runs;
  curves.clear();
  tree.plant(layout);
  const options = () => runs.map((run) => make("option", { value: run }, run));
  by("run").replaceChildren(...options());
  by("other").replaceChildren(make("option", { value: "" }, "nothing"), ...options());
  if (!runs.includes(other)) other = "";
}

function renderPage() {
  const [about, trouble, progress] = ["about", "trouble", "progress"].map((name) => parts.get(name));
  by("trouble").hidden = !trouble;
  by("study").hidden = !about;
  if (trouble) {
    say(by("trouble-error"), trouble.error);
    say(by("trouble-hint"), trouble.hint ?? "");
    say(by("about"), parts.get("file") ?? "");
  }
  if (!about) return;
  say(by("name"), about.name);
  say(by("about"), `plan ${about.plan} · ${thousands(about.branches)} branches · ${quantity(about.parameters)} parameters · ${about.sources} sources`);
  if (progress) renderProgress(progress, about);
  renderNow(parts.get("doing") ?? []);
  renderFailing(parts.get("failing") ?? []);
  for (const run of runs) {
    const picture = parts.get(`run/${run}`);
    if (picture) tree.show(run, picture);
  }
  const state = by("filter").value;
  tree.filter((run) => !state || parts.get(`run/${run}`)?.state === state);
  renderRun();
}

function renderProgress(progress, about) {
  const [done, all] = progress.steps;
  const part = percent(done, all);
  const count = (state) => progress.runs.find(([name]) => name === state)?.[1] ?? 0;
  const finished = count("done") === runs.length;
  const left = progress.seconds_left;
  const time = finished ? "done" : left === null ? "–" : duration(left);
  const how = finished ? "nothing is missing"
    : left === null ? "known once something has run"
    : (progress.at_present_speed ? "left, at the speed of now" : "of work left, at the speed so far") +
      (progress.without_tasks ? ", tasks not counted" : "");
  const figures = [
    [`${part < 100 && part > 99 ? 99 : Math.round(part)} %`, `${thousands(done)} of ${thousands(all)} steps`],
    [time, how],
    [progress.tokens_per_second ? `${quantity(progress.tokens_per_second)} tok/s` : "–", progress.tokens_per_second ? "now" : "nothing trains now"],
    [`${quantity(progress.tokens[0])}`, `of ${quantity(progress.tokens[1])} tokens`],
    [`${progress.scores[0]} of ${progress.scores[1]}`, "branches scored"],
  ];
  if (progress.tasks[1]) figures.push([`${progress.tasks[0]} of ${progress.tasks[1]}`, "models scored on tasks"]);
  by("figures").replaceChildren(...figures.map(([number, words]) =>
    make("p", {}, make("b", {}, number), make("span", {}, words))));
  by("gauge-done").style.width = `${part}%`;
  by("gauge").setAttribute("aria-valuenow", String(Math.floor(part)));
  by("legend").replaceChildren(...progress.runs.filter(([, n]) => n).map(([state, n]) =>
    make("li", { "data-state": state }, make("span", { class: "mark", "aria-hidden": "true" }, STATES[state].mark), ` ${thousands(n)} ${STATES[state].word}`)));
  document.title = `${finished ? "✓" : `${Math.floor(part)} %`} ${about.name} · sparkjoy`;
}

function renderNow(doing) {
  const nothing = () => {
    const progress = parts.get("progress");
    const begun = progress && progress.runs.some(([state, n]) => state !== "missing" && n);
    const finished = progress && progress.runs.every(([state, n]) => state === "done" || !n);
    if (finished) return "Everything is done.";
    const command = make("code", {}, `sparkjoy run ${parts.get("file") ?? "STUDY"}`);
    return make("span", {}, begun ? "Nothing is running. " : "Nothing has run yet. ", command,
      begun ? " continues, and tries again what failed." : " starts it; this page follows.");
  };
  if (!doing.length) return by("now").replaceChildren(make("li", {}, nothing()));
  by("now").replaceChildren(...doing.map((one) => {
    const [done, all] = one.part ?? [0, 0];
    const words = [one.what];
    if (all) words.push(`${thousands(done)} of ${thousands(all)}${one.what === "training" ? " steps" : " items"}`);
    if (one.tokens_per_second) words.push(`${quantity(one.tokens_per_second)} tok/s`);
    const button = make("button", { type: "button", class: "text" }, one.job);
    button.addEventListener("click", () => choose(one.run));
    return make("li", {}, make("span", { class: "mark", "aria-hidden": "true", "data-state": "running" }, "▶"), " ", button, ` ${words.join(" · ")} `, make("span", { class: "quiet" }, `process ${one.process}`));
  }));
}

let failures = "";

function renderFailing(failing) {
  by("failing").hidden = !failing.length;
  const now = JSON.stringify(failing);
  if (now === failures) return;
  failures = now;
  by("failures").replaceChildren(...failing.map((one) => {
    const button = make("button", { type: "button", class: "text" }, one.job);
    button.addEventListener("click", () => choose(one.run));
    const item = make("li", {}, button, make("p", { class: "error" }, one.error));
    if (one.rows?.length) {
      item.append(make("p", { class: "quiet" }, "The batch that broke it, worst rows first:"),
        make("ul", { class: "batch" }, ...one.rows.map((row) => make("li", {}, row))));
    }
    if (one.hint) item.append(make("p", { class: "hint" }, one.hint));
    return item;
  }));
}

function renderRun() {
  const run = current();
  const picture = parts.get(`run/${run}`);
  tree.press(run);
  by("follow").setAttribute("aria-pressed", String(!chosen));
  if (!run || !picture) return;
  say(by("run-title"), run);
  by("run").value = run;
  by("other").value = other;
  const { mark, word } = STATES[picture.state];
  const [scored, all] = picture.scores;
  const doing = picture.doing ? `, ${picture.doing.what}` : "";
  by("run-state").dataset.state = picture.state;
  by("run-state").replaceChildren(make("span", { class: "mark", "aria-hidden": "true" }, mark), ` ${word}${doing}`);
  say(by("run-remark"), picture.remark ?? "");
  const last = curves.get(run)?.last;
  const facts = [["step", `${thousands(picture.step)} of ${thousands(picture.to)}`]];
  if (picture.from) facts.push(["starts at", thousands(picture.from)]);
  if (picture.doing?.tokens_per_second) facts.push(["speed", `${quantity(picture.doing.tokens_per_second)} tok/s`]);
  if (last) facts.push(["loss", digits(last.loss)], ["|g|", digits(last.grad_norm)], ["rate", last.lr.toExponential(2).replace("-", "−")]);
  if (all) facts.push(["scores", `${scored} of ${all}`]);
  by("facts").replaceChildren(...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

// ---- curves ------------------------------------------------------------------------------------

const charts = {
  loss: new Chart(by("loss"), { name: "loss" }),
  rate: new Chart(by("rate"), { name: "learning rate", smooth: false }),
  norm: new Chart(by("norm"), { name: "gradient norm" }),
};
const small = new Map();

function renderCurves() {
  const run = current();
  const curve = curves.get(run);
  renderRun();
  const empty = !curve?.points.length;
  by("charts").hidden = empty;
  const state = parts.get(`run/${run}`)?.state;
  say(by("no-curve"), !empty ? "" : state === "missing" ? "No step has been taken yet." : "No metrics have been read yet.");
  if (empty) return;
  const beside = other && other !== run ? curves.get(other) : null;
  const end = curve.points.at(-1)[0];
  const start = curve.points[0][0] - (curve.width === 1 ? 0 : curve.width - 1);
  const from = end - (end - start) * range;
  const within = (points) => points.filter((point) => point[0] >= from && point[0] <= Math.max(end, from));
  const lines = (pick) => {
    const found = [{ label: run, kind: "lead", points: within(curve.points).map(pick) }];
    if (beside) found.push({ label: other, kind: "beside", points: within(beside.points).map(pick) });
    return found;
  };
  charts.loss.show(lines(([step, loss, least, most]) => [step, loss, least, most]), from, end);
  charts.rate.show(lines((point) => [point[0], point[4]]), from, end);
  charts.norm.show(lines((point) => [point[0], point[5], undefined, undefined]), from, end);
  const notes = ["nats per token"];
  if (curve.width > 1) notes.push(`each point is the mean of ${thousands(curve.width)} steps, the band their range`);
  const calm = calmOver(within(curve.points).length);
  if (calm > 1) notes.push(`the bold line is the mean over ${thousands(calm * curve.width)} steps`);
  if (curve.behind) notes.push("still reading");
  if (curve.damaged) notes.push(`${thousands(curve.damaged)} lines could not be read`);
  if (beside) notes.push(`dashed: ${other}`);
  say(by("loss-note"), notes.join("; "));
  renderSources(run, curve, beside, within, from, end);
  renderNumbers(curve);
}

function renderSources(run, curve, beside, within, from, end) {
  const names = curve.sources.map((name, index) => [name, index]).sort(([a], [b]) => (a < b ? -1 : 1));
  if (String([...small.keys()]) !== String(names.map(([name]) => name))) {
    small.clear();
    by("sources").replaceChildren(...names.map(([name]) => {
      const place = make("div", { class: "chart small" });
      const value = make("b", {});
      const figure = make("figure", {}, make("figcaption", {}, make("span", {}, name), value), place);
      small.set(name, { chart: new Chart(place, { small: true, name: `loss on ${name}` }), value });
      return figure;
    }));
  }
  for (const [name, index] of names) {
    const { chart, value } = small.get(name);
    const points = within(curve.points).map((point) => [point[0], point[7][index] ?? null]);
    const lines = [{ label: run, kind: "lead", points: points.filter((point) => point[1] !== null) }];
    const there = beside ? beside.sources.indexOf(name) : -1;
    if (there >= 0) {
      const theirs = within(beside.points).map((point) => [point[0], point[7][there] ?? null]);
      lines.push({ label: other, kind: "beside", points: theirs.filter((point) => point[1] !== null) });
    }
    chart.show(lines, from, end);
    say(value, digits(lines[0].points.at(-1)?.[1]));
  }
}

/** Twenty rows of the curve; the file itself has them all. */
function renderNumbers(curve) {
  if (!by("numbers").closest("details").open) return;
  const heads = ["step", "loss", "learning rate", "gradient norm", ...curve.sources];
  const every = Math.max(1, Math.ceil(curve.points.length / 20));
  const rows = curve.points.filter((_, index) => (curve.points.length - 1 - index) % every === 0);
  const cell = (value) => make("td", {}, value);
  by("numbers").replaceChildren(
    make("caption", {}, `Every ${thousands(every * curve.width)} steps; metrics.jsonl in the run's folder has all of them`),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map((point) => make("tr", {},
      make("th", { scope: "row" }, thousands(point[0])), cell(digits(point[1])), cell(point[4].toExponential(2).replace("-", "−")), cell(digits(point[5])),
      ...curve.sources.map((_, index) => cell(digits(point[7][index]))))) ));
}

// ---- controls ----------------------------------------------------------------------------------

by("follow").addEventListener("click", () => choose(chosen ? null : current()));
by("run").addEventListener("change", (event) => choose(event.target.value));
by("other").addEventListener("change", (event) => {
  other = event.target.value;
  connect();
  render();
});
by("numbers").closest("details").addEventListener("toggle", () => schedule(renderCurves));
by("filter").replaceChildren(make("option", { value: "" }, "all runs"),
  ...Object.entries(STATES).map(([state, { word }]) => make("option", { value: state }, word)));
by("filter").addEventListener("change", render);
by("ranges").replaceChildren(...RANGES.map(([words, part]) => {
  const button = make("button", { type: "button", "aria-pressed": String(part === range) }, words);
  button.addEventListener("click", () => {
    range = part;
    for (const each of by("ranges").children) each.setAttribute("aria-pressed", String(each === button));
    schedule(renderCurves);
  });
  return button;
}));

chosen = decodeURIComponent(location.hash.slice(1)) || null;
connect();
