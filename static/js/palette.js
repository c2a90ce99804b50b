// Find anything, by the keyboard: names, ids and actions in a dialog. Loaded when it is asked for; the server's page of the
// same name says what there is (ARIA 1.2, combobox with a listbox).
import { load } from "./fresh.js";

const ASK_AFTER = 80;

let dialog = null;
let input = null;
let list = null;
let at = 0; // the option that Enter takes
let asked = Promise.resolve(); // for what is typed by now
let aborting = new AbortController();
let actions = [];

export function open() {
  dialog ??= build();
  if (document.querySelector("dialog[open]")) return;
  actions = [...actionsOfThePage()];
  input.value = "";
  list.replaceChildren();
  dialog.showModal();
  asked = ask(0);
}

const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

function build() {
  document.head.append(made("link", { rel: "stylesheet", href: new URL("../css/find.css", import.meta.url).href }));
  const built = made("dialog", { className: "dialog palette", ariaLabel: "Find anything" });
  input = made("input", { className: "input", role: "combobox", ariaLabel: "A name, an id, or what is to be done", placeholder: "A name, an id, or what is to be done", autocomplete: "off", spellcheck: false, ariaExpanded: "true", ariaAutoComplete: "list" });
  input.setAttribute("aria-controls", "palette-list");
  list = made("ul", { className: "found", id: "palette-list", role: "listbox", ariaLabel: "What was found" });
  const hint = made("p", { className: "pad faint", textContent: "↑ ↓ to choose, Enter to go there, Escape to close" });
  built.append(input, list, hint);
  input.addEventListener("input", () => (asked = ask(ASK_AFTER)));
  input.addEventListener("keydown", onKey);
  list.addEventListener("click", ({ target }) => take(target.closest("[role=option]")));
  document.body.append(built);
  return built;
}

async function onKey(event) {
  const { key } = event;
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (step) {
    event.preventDefault();
    const { length } = list.children;
    if (length) mark((at + step + length) % length);
  } else if (key === "Enter") {
    event.preventDefault();
    await asked; // what was pasted a moment ago is not found yet
    take(list.children[at]);
  }
}

function mark(place) {
  list.children[at]?.setAttribute("aria-selected", "false");
  at = place;
  const option = list.children[at];
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
}

// What can be done on this page: its buttons that have a key, and what every page has.
function* actionsOfThePage() {
  for (const button of document.querySelectorAll("button[data-key]:not(:disabled), a[data-key]")) {
    const title = (button.ariaLabel ?? button.textContent).trim();
    if (!button.closest("[hidden], dialog")) yield { kind: "Here", title, detail: button.dataset.key, press: button };
  }
  for (const [title, selector] of [["Change the theme", "[data-theme-toggle]"], ["Keyboard shortcuts", "[data-show-keys]"]]) {
    const press = document.querySelector(selector);
    if (press) yield { kind: "Here", title, detail: "", press };
  }
}

async function ask(after) {
  aborting.abort();
  aborting = new AbortController();
  const { signal } = aborting;
  await new Promise((resolve) => setTimeout(resolve, after));
  if (signal.aborted) return asked;
  const text = input.value.trim();
  let places;
  try {
    const page = await load(`/ui/find?q=${encodeURIComponent(text)}`, { signal });
    places = [...page.querySelectorAll("#found a")].map((link) => {
      const [kind, title, detail] = [...link.children].map(({ textContent }) => textContent);
      return { kind, title, detail, href: link.getAttribute("href") };
    });
  } catch {
    if (signal.aborted) return asked;
    places = [];
  }
  const here = actions.filter(({ title }) => title.toLowerCase().includes(text.toLowerCase()));
  show(text ? [...places.filter(({ kind }) => kind !== "Search"), ...here, ...places.filter(({ kind }) => kind === "Search")] : [...here, ...places]);
}

function show(found) {
  const options = found.map(({ kind, title, detail, href, press }, place) => {
    const option = made("li", { role: "option", id: `palette-${place}` });
    option.setAttribute("aria-selected", "false");
    option.append(made("span", { className: "found-kind faint", textContent: kind }), made("span", { className: "found-title cut", textContent: title }), made("span", { className: "found-detail cut", textContent: detail }));
    option.choose = () => (href ? location.assign(href) : press.click());
    return option;
  });
  at = 0;
  list.replaceChildren(...options);
  mark(0);
  dialog.querySelector(".pad").textContent = options.length ? "↑ ↓ to choose, Enter to go there, Escape to close" : "Nothing has that name or id.";
}

function take(option) {
  if (!option) return;
  dialog.close();
  option.choose();
}
