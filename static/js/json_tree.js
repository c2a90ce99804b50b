// A body that is used: text found in it; in JSON that folds, values chosen, walked through with the arrows and copied.
import { written } from "./copy.js";
import { MOST, patternOf, rangesIn } from "./hits.js";

const LINES = ".l:not(.e), summary";
const NAME = /^[^.[\]"\s]+$/; // what a path of a filter takes without quotes
const SAID_FOR = 1_600;
const LONGEST = 1024; // of a condition in a filter

// As it was sent: characters that hide are shown by their code.
function plain(element) {
  const copy = element.cloneNode(true);
  for (const odd of copy.querySelectorAll(".odd")) odd.replaceWith(String.fromCodePoint(parseInt(odd.textContent.slice(2), 16)));
  return copy.textContent;
}

const unitOf = (line) => (line.matches("summary") ? line.parentElement : line);
const lineOf = (unit) => (unit.matches("details") ? unit.firstElementChild : unit);

// From the root of the value to the line: names and numbers.
function pathOf(line) {
  const path = [];
  for (let unit = unitOf(line); !unit.parentElement.matches(".json"); unit = unit.parentElement) {
    const name = lineOf(unit).querySelector(":scope > .nt");
    const all = [...unit.parentElement.children].filter((other) => other.matches("details, .l:not(.e)"));
    path.unshift(name ? JSON.parse(plain(name)) : all.indexOf(unit));
  }
  return path.map((part) => (Number.isInteger(part) ? `[${part}]` : NAME.test(part) ? `.${part}` : `["${part}"]`)).join("").replace(/^\./, "");
}

// The value as JSON, as it is laid out; of an object or list all of it.
function jsonOf(line) {
  const unit = unitOf(line);
  const lines = unit === line ? [line] : [...unit.querySelectorAll("summary, .l"), unit.nextElementSibling].filter(Boolean);
  const text = lines.map(plain).join("\n");
  const [blanks] = text.match(/^ */);
  const name = line.querySelector(":scope > .nt");
  const value = text.slice(blanks.length + (name ? plain(name).length + 2 : 0)).replace(/,\s*$/, "");
  return value.replaceAll(`\n${blanks}`, "\n").trimEnd();
}

function textOf(line) {
  const json = jsonOf(line);
  return json.startsWith('"') ? JSON.parse(json) : json;
}

// The page of the bin, showing only what has this value there.
function filterOf(line, path) {
  const { bin, keep, next } = document.querySelector("main").dataset;
  const place = bin ? location.pathname : next?.startsWith("/ui/bins/") ? next : null;
  const condition = `${path}==${jsonOf(line)}`;
  if (!place || !path || line.matches("summary") || condition.length > LONGEST) return null;
  return `${place}?${keep ?? ""}json=${encodeURIComponent(condition)}`;
}

function button(text, action) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "button small", textContent: text });
  made.addEventListener("click", action);
  return made;
}

const copyButton = (title, text) =>
  button(title, async ({ target }) => {
    target.textContent = (await written(text)) ? "Copied" : "Not allowed";
    setTimeout(() => (target.textContent = title), SAID_FOR);
  });

// What can be done with a line stands below the body.
export function choose(target) {
  const body = target.closest(".json");
  const line = target.closest(LINES);
  if (!line || !getSelection().isCollapsed) return;
  for (const other of document.querySelectorAll(".json .chosen")) other.classList.remove("chosen");
  line.classList.add("chosen");
  let tools = body.parentElement.querySelector(":scope > .json-tools");
  if (!tools) {
    tools = Object.assign(document.createElement("div"), { className: "json-tools line wraps", role: "group", ariaLabel: "The chosen value" });
    body.after(tools);
  }
  const isWhole = body.dataset.kind === "json" && !body.dataset.start;
  const path = isWhole ? pathOf(line) : "";
  const place = Object.assign(document.createElement("code"), { className: "cut grow", textContent: path || (isWhole ? "all of it" : "a value"), ariaLive: "polite" });
  tools.replaceChildren(place, copyButton("Copy value", textOf(line)));
  if (path) tools.append(copyButton("Copy path", path));
  const href = path && filterOf(line, path);
  if (href) tools.append(Object.assign(document.createElement("a"), { className: "button small", href, textContent: "Only requests where this is so" }));
  const folds = [...body.querySelectorAll("details details")];
  if (folds.length) tools.append(button(folds.some(({ open }) => open) ? "Fold all" : "Unfold all", () => foldAll(folds, line)));
}

function foldAll(folds, line) {
  const isOpen = !folds.some(({ open }) => open);
  for (const details of folds) details.open = isOpen;
  choose(line);
}

function walk(event) {
  const body = event.target.closest(".json");
  if (!body || event.altKey || event.ctrlKey || event.metaKey) return;
  const chosen = body.querySelector(".chosen");
  const details = chosen?.matches("summary") ? chosen.parentElement : null;
  const lines = [...body.querySelectorAll(LINES)].filter((line) => line.checkVisibility());
  const at = lines.indexOf(chosen);
  const next = {
    ArrowDown: () => lines[at + 1],
    ArrowUp: () => lines[at - 1],
    ArrowRight: () => (details && !details.open ? open(details) : lines[at + 1]),
    ArrowLeft: () => (details?.open ? open(details) : chosen && lineOf(unitOf(chosen).parentElement)),
  }[event.key];
  if (!next) return;
  event.preventDefault();
  const line = next();
  if (!line?.matches(LINES)) return;
  choose(line);
  line.scrollIntoView({ block: "nearest" });
}

function open(details) {
  details.open = !details.open;
  return details.firstElementChild;
}

// Finding.

let ranges = [];
let at = 0;

function find(field) {
  let body = field.closest(".views");
  while (body && !body.matches(".body")) body = body.nextElementSibling;
  ranges = body && field.value ? rangesIn(body, patternOf(field.value), MOST) : [];
  at = 0;
  CSS.highlights?.set("found", new Highlight(...ranges));
  showFound(field);
}

function showFound(field) {
  const range = ranges[at];
  const count = `${at + 1} of ${ranges.length}${ranges.length === MOST ? "+" : ""}`;
  field.nextElementSibling.textContent = range ? count : field.value ? "not found" : "";
  CSS.highlights?.set("found-now", Object.assign(new Highlight(...(range ? [range] : [])), { priority: 1 }));
  if (!range) return;
  for (let up = range.startContainer.parentElement.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
  range.startContainer.parentElement.scrollIntoView({ block: "nearest" });
}

function step(event) {
  if (event.key !== "Enter" || !ranges.length) return;
  event.preventDefault();
  at = (at + (event.shiftKey ? ranges.length - 1 : 1)) % ranges.length;
  showFound(event.target);
}

// The arrows walk through it, so that not each fold is a stop for Tab.
export function attend(target) {
  if (target.value && target.nextElementSibling?.textContent === "") find(target); // typed before this was here
  for (const summary of target.closest(".json")?.querySelectorAll("summary") ?? []) summary.tabIndex = -1;
}

document.addEventListener("input", ({ target }) => target.matches("[data-find]") && find(target));
document.addEventListener("keydown", (event) => (event.target.matches("[data-find]") ? step(event) : walk(event)));
