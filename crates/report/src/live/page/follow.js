// Asks for the parts of the page that have changed, and puts them in their places by id.
//
// A request waits at the server until something has changed. Its answer is a document, parsed by
// the browser without running anything: the page's policy forbids turning text into markup.

const by = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 560px)");
const MINE = ["open", "data-at", "aria-current"]; // attributes that only the browser knows
const AGAIN = 2000, LONGEST = 60000; // milliseconds
let have = "";    // the version the server sent last
let fresh = true; // nothing of this view has come yet
let request = null, later = 0;

function ask() {
  clearTimeout(later);
  request?.abort();
  const query = new URLSearchParams(location.search);
  if (narrow.matches) query.set("narrow", "1");
  if (have) query.set("have", have);
  if (fresh) query.set("fresh", "1");
  request = new XMLHttpRequest();
  request.open("GET", `/parts?${query}`);
  request.responseType = "document";
  request.timeout = LONGEST;
  request.onload = () => {
    const { status, response } = request;
    if (status !== 200 && status !== 204) return lost();
    by("link").dataset.state = "open";
    if (response) take(response);
    ask();
  };
  request.onerror = request.ontimeout = lost;
  request.send();
}

function lost() {
  by("link").dataset.state = "lost";
  later = setTimeout(ask, AGAIN);
}

/** Looks at something else: the address says what, so that it can be kept and shared. */
function look(key, value) {
  const query = new URLSearchParams(location.search);
  if (value === "") query.delete(key);
  else query.set(key, value);
  history.replaceState(null, "", query.size ? `/?${query}` : "/");
  fresh = true;
  ask();
}

function take(answer) {
  have = answer.body.dataset.have;
  if ("whole" in answer.body.dataset) fresh = false;
  if (document.title !== answer.title) document.title = answer.title;
  for (const part of [...answer.body.children]) {
    if (by(part.id)) change(by(part.id), document.adoptNode(part));
  }
  for (const option of document.querySelectorAll("option[selected]")) {
    if (document.activeElement !== option.parentElement) option.selected = true;
  }
  press(by("run").dataset.run);
}

/** Makes `old` what `now` is, and leaves alone what is the same: focus and scrolling stay. */
function change(old, now) {
  if (old.isEqualNode(now)) return;
  if (old.nodeName !== now.nodeName || old.id !== now.id || !old.attributes) {
    return old.replaceWith(now);
  }
  for (const { name } of [...old.attributes]) {
    if (!MINE.includes(name) && !now.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const children = [...now.childNodes];
  while (old.childNodes.length > children.length) old.lastChild.remove();
  children.forEach((child, i) => {
    if (old.childNodes[i]) change(old.childNodes[i], child);
    else old.append(child);
  });
}

/** Marks the chosen run in the tree, and scrolls the tree, not the page, to it when it is new. */
function press(run) {
  const before = document.querySelector("#tree [aria-current]"), tree = by("tree");
  const link = document.querySelector(`#tree a[data-run="${run}"]`);
  if (before === link || !link) return;
  before?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  const [box, place] = [link, tree].map((element) => element.getBoundingClientRect());
  const hidden = box.top < place.top || box.bottom > place.bottom;
  if (hidden) tree.scrollTop += box.top - place.top - place.height / 2;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-run]");
  const button = event.target.closest("button");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    look("run", link.dataset.run);
  } else if (button?.id === "follow") {
    look("run", button.getAttribute("aria-pressed") === "true" ? by("run").dataset.run : "");
  } else if (button?.dataset.key) {
    look(button.dataset.key, button.value);
  }
});
document.addEventListener("change", ({ target }) => {
  if (target.id === "filter") by("study").dataset.show = target.value;
  else if (target.dataset.key) look(target.dataset.key, target.value);
});
document.addEventListener("keydown", (event) => {
  const points = [...(event.target.closest("svg.trace")?.querySelectorAll(".at") ?? [])];
  const now = points.findIndex((point) => "at" in point.dataset), last = points.length - 1;
  const left = now < 0 ? last : Math.max(now - 1, 0), right = Math.min(now + 1, last);
  const next = { ArrowLeft: left, ArrowRight: right, Home: 0, End: last, Escape: -1 }[event.key];
  if (!points.length || next === undefined) return;
  event.preventDefault();
  points.forEach((point, i) => point.toggleAttribute("data-at", i === next));
});
narrow.addEventListener("change", () => { fresh = true; ask(); });
ask();
