// A bin's page: the list grows, the selection stays, and the detail follows the selection.
import { load, soon, swap } from "./fresh.js";
import { NewestFirst } from "./newest_first.js";
import { requestLine } from "./rows.js";
import { follow } from "./stream.js";
import { labelAll } from "./times.js";

const MOST_ROWS = 500;

const main = document.querySelector("main");
const list = document.querySelector("[data-requests]");
const scroller = document.querySelector("[data-scroller]");
const counter = document.querySelector("[data-count]");
const onNewestPage = !main.dataset.before;

const isAtTop = () => (scroller.scrollTop || 0) < 8 && list.getBoundingClientRect().top > 0;
const growing = list && onNewestPage ? new NewestFirst(list, { most: MOST_ROWS, isAtTop }) : null;

let loading = new AbortController();

async function show(url, { keepPlace = false } = {}) {
  loading.abort();
  loading = new AbortController();
  const { scrollTop } = document.getElementById("detail");
  try {
    const page = await load(url, { signal: loading.signal });
    swap(page, "detail");
    document.getElementById("detail").scrollTop = keepPlace ? scrollTop : 0;
    return true;
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
    return false;
  }
}

function mark(row) {
  for (const other of list.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
  row?.setAttribute("aria-current", "true");
}

const requestIn = (search) => new URLSearchParams(search).get("request");

function rowOf(url) {
  const wanted = requestIn(new URL(url, location.href).search);
  return [...list.querySelectorAll("a")].find((row) => requestIn(row.search) === wanted);
}

async function select(row, { remember }) {
  mark(row);
  document.querySelector(".inspector").classList.add("chosen");
  history[remember](null, "", row.href);
  return show(row.href);
}

async function switchView(tab) {
  history.replaceState(null, "", tab.href);
  if (await show(tab.href, { keepPlace: true })) document.querySelector("#detail .views [aria-current]")?.focus({ preventScroll: true });
}

function listenForSelection() {
  document.querySelector(".inspector").addEventListener("click", (event) => {
    const tab = event.target.closest(".views a");
    if (!tab || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    switchView(tab);
  });
  list.addEventListener("rowreached", (event) => select(event.target, { remember: "replaceState" }));
  list.addEventListener("click", async (event) => {
    const row = event.target.closest("a[data-row]");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const byKey = event.detail === 0;
    if ((await select(row, { remember: "pushState" })) && byKey) document.getElementById("detail").focus();
    else if (document.getElementById("detail").getBoundingClientRect().top < 0) scrollTo({ top: 0 });
  });
  addEventListener("popstate", () => {
    const chosen = new URLSearchParams(location.search).has("request");
    document.querySelector(".inspector").classList.toggle("chosen", chosen);
    mark(chosen ? rowOf(location.href) : list.querySelector("a"));
    show(location.href);
  });
}

const reload = soon(async () => {
  if (!growing) return location.reload();
  const page = await load(`${location.pathname}?`);
  const { after } = page.querySelector("main").dataset;
  const rows = [...page.querySelectorAll("[data-requests] > li")].map((row) => document.importNode(row, true));
  const selected = list.querySelector("[aria-current]")?.search;
  inbox.skipTo(Number(after));
  growing.reset(rows, Number(after));
  mark([...list.querySelectorAll("a")].find((row) => row.search === selected));
  labelAll(list);
  counter.textContent = page.querySelector("[data-count]").textContent;
}, 0);

if (list) listenForSelection();

// A row that was changed or deleted; of many at once, the bin itself tells its new count.
function alter(kind, row) {
  const before = Number(counter.textContent);
  if (row.request_count !== undefined) counter.textContent = row.request_count;
  if (kind === "bin") return row.request_count < before && reload();
  if (!growing || row.deleted) growing?.remove(row.id);
  else growing.replace(row.id, requestLine(row));
  if (list && !list.childElementCount) location.assign(location.pathname);
}

const inbox = follow({
  onRows(messages) {
    const ours = messages.filter(({ kind, row }) => (kind === "bin" ? row.id : row.bin) === main.dataset.bin);
    const rows = ours.filter(({ aside }) => !aside);
    for (const { kind, row } of ours.filter(({ aside }) => aside)) alter(kind, row);
    if (!rows.length) return;
    counter.textContent = Number(counter.textContent) + rows.length;
    if (growing) growing.add(rows.slice(-MOST_ROWS).map(({ row }) => requestLine(row)));
    else if (onNewestPage) reload(); // the first request: the page is no longer the empty one
  },
  onGap: reload,
});
