// A list of many: its rows change where they stand as the stream tells, new ones come in at the top or wait to be asked for.
import { load, soon, swap } from "./fresh.js";
import { NewestFirst } from "./newest_first.js";
import { follow } from "./stream.js";
import { labelAll } from "./times.js";

const REFRESH_EVERY = 1_000;

const list = document.querySelector("[data-rows]");
const kinds = list.dataset.rows.split(" ");
const isAtTop = () => list.getBoundingClientRect().top > 0 && !list.querySelector(":checked");
const growing = new NewestFirst(list, { most: Infinity, isAtTop });
let isWanted = false;

async function refreshNow() {
  const page = await load();
  const rows = [...page.querySelectorAll("[data-rows] > *")].map((row) => document.importNode(row, true));
  for (const row of rows) labelAll(row);
  const known = new Map([...list.children].map((line) => [line.dataset.id, line]));
  const changed = rows.filter((row) => known.has(row.dataset.id) && !row.isEqualNode(known.get(row.dataset.id)));
  for (const row of changed) growing.replace(row.dataset.id, row.cloneNode(true));
  const fresh = rows.filter(({ dataset }) => !known.has(dataset.id)).length;
  if (isWanted || growing.isFree()) place(page, rows);
  else if (fresh && list.dataset.paged === undefined) growing.holdBack(fresh);
  document.dispatchEvent(new Event("refreshed"));
}

function place(page, rows) {
  isWanted = false;
  for (const part of document.querySelectorAll("[data-live]")) swap(page, part.id);
  const isSame = rows.length === list.childElementCount && rows.every((row, at) => row.isEqualNode(list.children[at]));
  if (isSame) return;
  const focused = list.contains(document.activeElement) ? document.activeElement.id : "";
  growing.reset(rows);
  document.getElementById("scroll").hidden = rows.length === 0;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

const refresh = soon(refreshNow, REFRESH_EVERY);

list.addEventListener("wanted", () => {
  isWanted = true;
  refreshNow();
});
follow({ onRows: (messages) => messages.some(({ kind }) => kinds.includes(kind)) && refresh(), onGap: refresh });
document.addEventListener("click", ({ target }) => target.closest("[data-action]") && refresh());
document.addEventListener("accepted", refresh);
