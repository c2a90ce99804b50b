// A pane that follows a selection: loaded by itself, and when that fails it says so and offers to try again.
import { load, swap } from "./fresh.js";

const LOADING_AFTER = 300;

let loading = new AbortController();

// Puts the parts of the page at `url` in the place of ours, the pane first. Gives the page, or null when that did not work.
export async function show(url, pane, ...others) {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const slow = setTimeout(() => sayLoading(document.getElementById(pane)), LOADING_AFTER);
  try {
    const page = await load(url, { signal });
    for (const part of [pane, ...others]) swap(page, part);
    return page;
  } catch (error) {
    if (signal.aborted) return null;
    if (error.status === 401) location.assign(url);
    else sayFailed(document.getElementById(pane), error, () => show(url, pane, ...others));
    return null;
  } finally {
    clearTimeout(slow);
    if (!signal.aborted) document.querySelector(`#${pane} > [data-loading]`)?.remove();
  }
}

// A click that only selects, not one that opens a tab or a window.
export function isPlain(event) {
  return !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
}

function sayLoading(pane) {
  if (pane.querySelector(":scope > [data-loading]")) return;
  const box = boxOf("loading", "p", "Loading");
  box.classList.add("slim");
  box.dataset.loading = "";
  box.role = "status";
  pane.prepend(box);
}

function sayFailed(pane, error, again) {
  const box = boxOf("failed", "h3", "This could not be loaded");
  box.role = "alert";
  box.firstChild.id = pane.getAttribute("aria-labelledby") ?? "";
  const button = Object.assign(document.createElement("button"), { className: "button", type: "button", textContent: "Try again" });
  button.addEventListener("click", again);
  box.append(paragraph(reasonOf(error)), button);
  pane.replaceChildren(...pane.querySelectorAll(".back"), box);
}

function reasonOf({ status }) {
  if (!status) return "The server can’t be reached.";
  return status === 404 ? "It is no longer there: it was deleted, or trimmed." : `The server answered ${status}.`;
}

export function boxOf(kind, tag, text) {
  const box = Object.assign(document.createElement("div"), { className: "box" });
  box.dataset.kind = kind;
  box.append(Object.assign(document.createElement(tag), { textContent: text }));
  return box;
}

export function paragraph(text) {
  return Object.assign(document.createElement("p"), { textContent: text });
}
