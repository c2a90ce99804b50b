// Loads a page of ours again and takes parts of it over.
import { labelAll } from "./times.js";

const SCROLLERS = ".table-scroll, .axis, .attempt-list"; // these stay where they were scrolled to

export async function load(url = location.href, { signal } = {}) {
  const response = await fetch(url, { signal, headers: { accept: "text/html" } });
  if (!response.ok) throw Object.assign(new Error(`${url} answered ${response.status}`), { status: response.status });
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// Puts the element of that id in `page` in the place of ours; what was opened and focused stays so.
// While a dialog in it is open that waits until it is closed.
export function swap(page, id) {
  const ours = document.getElementById(id);
  const theirs = page.getElementById(id);
  if (!ours || !theirs) return;
  const dialog = ours.querySelector("dialog[open]");
  if (dialog) {
    dialog.addEventListener("close", () => swap(page, id), { once: true });
    return;
  }
  replace(ours, document.importNode(theirs, true));
}

export function replace(ours, next) {
  for (const details of ours.querySelectorAll("details[id]")) {
    const same = next.querySelector(`details[id="${CSS.escape(details.id)}"]`);
    if (same) same.open = details.open;
  }
  labelAll(next);
  if (next.isEqualNode(ours)) return;
  const focused = ours.contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = [...ours.querySelectorAll(SCROLLERS)].map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop]);
  ours.replaceWith(next);
  next.querySelectorAll(SCROLLERS).forEach((scroller, place) => {
    if (scrolled[place]) [scroller.scrollLeft, scroller.scrollTop] = scrolled[place];
  });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

const TRY_AGAIN_AFTER = 2_000;

// Calls `work` soon, never twice at a time, and once more if it was asked for meanwhile or if the server was away.
export function soon(work, wait) {
  let running = false;
  let again = false;
  const run = async (after) => {
    running = true;
    again = false;
    await new Promise((resolve) => setTimeout(resolve, after));
    try {
      await work();
      if (again) return run(wait);
    } catch (error) {
      console.warn("hookbin: could not refresh", error);
      if (again || error instanceof TypeError || error.status >= 500) return run(wait + TRY_AGAIN_AFTER);
    }
    running = false;
  };
  return () => (running ? (again = true) : run(wait));
}
