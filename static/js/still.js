// Parts that are loaded anew by themselves: a row that is pointed at, or has the focus, stays where it is.
import { announce } from "./announce.js";
import { replace, swap } from "./fresh.js";

const LISTS = ".table tbody, .attempt-list, .cards, #bins";
const held = new Map(); // by the id of a part, the page that waits for it

const isInUse = (list) => list.childElementCount > 0 && (list.matches(":hover") || list.querySelector(":focus-visible") !== null);

function listInUse(id) {
  const part = document.getElementById(id);
  const lists = part?.matches(LISTS) ? [part] : (part?.querySelectorAll(LISTS) ?? []);
  return [...lists].find(isInUse);
}

// Like `swap`, but while a list of that part is in use its rows change in their places, and new ones wait behind a button.
export function settle(page, id) {
  const list = listInUse(id);
  held.delete(id);
  if (!list) return swap(page, id);
  held.set(id, page);
  const fresh = [...(page.getElementById(id)?.querySelectorAll("[data-row][id]") ?? [])].filter((row) => !changed(row));
  if (fresh.length) offer(list, id, fresh.length);
}

const cellsOf = (row) => [...row.closest("tr, li").children];

// Changes our row of that id cell by cell, so that a click which has begun on it ends on it. False if there is none.
function changed(row) {
  const ours = document.getElementById(row.id);
  const cells = cellsOf(row);
  if (ours) cellsOf(ours).forEach((cell, place) => cells[place] && replace(cell, document.importNode(cells[place], true)));
  return ours !== null;
}

function offer(list, id, count) {
  const scroller = list.closest(".table-scroll") ?? list;
  let box = scroller.previousElementSibling;
  if (!box?.matches(".newer")) {
    box = Object.assign(document.createElement("div"), { className: "newer over" });
    box.append(Object.assign(document.createElement("button"), { type: "button" }));
    box.firstChild.dataset.showNewer = "";
    box.firstChild.addEventListener("click", () => swap(held.get(id), id));
    scroller.before(box);
  }
  box.firstChild.textContent = `${count} new ↑`;
  announce(`${count} new`);
}

function release() {
  for (const [id, page] of held) if (!listInUse(id)) settle(page, id);
}

for (const type of ["pointerout", "focusout"]) document.addEventListener(type, () => held.size && setTimeout(release));
