// A bin's page: the list grows, the selection stays, and the detail follows the selection.
import { ACTIONS, call, tell } from "./actions.js";
import { setTitle } from "./attention.js";
import { isOfShown } from "./request.js";
import "./search_history.js";
import { load, soon } from "./fresh.js";
import { isPlain, show as showIn } from "./pane.js";
import { NewestFirst } from "./newest_first.js";
import { requestLine } from "./rows.js";
import { settle } from "./still.js";
import { follow } from "./stream.js";
import { labelAll } from "./times.js";

if (new URLSearchParams(location.search).has("q")) import("./hits.js");

const BULK = { "delete-picked": "deletePicked", "export-picked": "exportPicked", "delete-all": "deleteAll", "delete-found": "deleteFound" };
for (const [action, name] of Object.entries(BULK)) ACTIONS[action] = async (button) => (await import("./bin_bulk.js"))[name](button);

document.querySelector("[data-requests]").addEventListener("change", () => import("./picking.js"), { once: true });
document.querySelector("[data-bulk]").addEventListener("picked", ({ currentTarget, detail: lines }) => {
  const compare = currentTarget.querySelector("[data-compare]");
  compare.hidden = lines.length !== 2;
  if (lines.length === 2) compare.href = `/ui/requests/${lines[1].dataset.id}/diff/${lines[0].dataset.id}`; // the older one first
});

const MOST_ROWS = 200;
const SEARCH_AGAIN_AFTER = 400;
const FOLLOW_EVERY = 200;
const OF_THE_BIN = ["bin-title", "bin-url", "answers", "send-test", "to-settings", "foot"]; // what its settings change

const main = document.querySelector("main");
const inspector = document.querySelector(".inspector");
const list = document.querySelector("[data-requests]");
const scroller = document.querySelector("[data-scroller]");
const counter = document.querySelector("[data-count]");
const pause = document.querySelector("[data-pause]");
const followButton = document.querySelector("[data-follow]");
const { keep } = main.dataset;
let countedTo = Number(main.dataset.after); // the row up to which the server has counted
const onNewestPage = !main.dataset.before;
const isPaused = () => pause.ariaPressed === "true";

const isAtTop = () => !isPaused() && (scroller.scrollTop || 0) < 8 && list.getBoundingClientRect().top > 0;
const growing = new NewestFirst(list, { most: MOST_ROWS, isAtTop });

// What left the list at its end is on the next page.
list.addEventListener("cut", () => {
  const older = document.getElementById("older");
  older.hidden = false;
  older.querySelector("a").search = `?${keep}before=${[...list.children].findLast(({ dataset }) => dataset.apart === undefined).dataset.seq}`;
});

const requestIn = (url) => new URL(url, location.href).searchParams.get("request");
const lineFor = (row) => requestLine(row, keep);

// The row's address, with the tab that is shown now.
function addressOf(row) {
  const url = new URL(row.href);
  const tab = new URLSearchParams(location.search).get("tab");
  if (tab) url.searchParams.set("tab", tab);
  return url.href;
}

async function show(url, { keepPlace = false } = {}) {
  const { scrollTop } = document.getElementById("detail");
  const page = await showIn(url, "detail");
  if (page) document.getElementById("detail").scrollTop = keepPlace ? scrollTop : 0;
  return page;
}

function mark(row) {
  for (const other of list.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
  row?.setAttribute("aria-current", "true");
}

const rowOf = (id) => [...list.querySelectorAll("a")].find((row) => requestIn(row.href) === id);

async function select(row, { remember }) {
  mark(row);
  inspector.classList.add("chosen");
  const url = addressOf(row);
  history[remember](null, "", url);
  return show(url);
}

list.addEventListener("rowreached", (event) => select(event.target, { remember: "replaceState" }));
list.addEventListener("click", async (event) => {
  const row = event.target.closest("a[data-row]");
  if (!row || !isPlain(event)) return;
  event.preventDefault();
  setFollowing(false);
  const byKey = event.detail === 0;
  if ((await select(row, { remember: "pushState" })) && byKey) document.getElementById("detail").focus();
  else if (document.getElementById("detail").getBoundingClientRect().top < 0) scrollTo({ top: 0 });
});
inspector.addEventListener("click", async (event) => {
  const link = event.target.closest("#detail .tabs a, #detail .pages a, #detail .back a");
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  const tabs = link.closest(".views, .pages") ? ".views" : ".sides";
  history[tabs === ".views" ? "replaceState" : "pushState"](null, "", link.href);
  await arrive({ keepPlace: true });
  document.querySelector(`#detail ${tabs} [aria-current]`)?.focus({ preventScroll: true });
});
addEventListener("popstate", () => arrive());

async function arrive(options) {
  const id = requestIn(location.href);
  inspector.classList.toggle("chosen", id !== null);
  mark(id ? rowOf(id) : list.querySelector("a"));
  const page = await show(location.href, options);
  const line = page && id && !rowOf(id) && page.querySelector("[data-requests] [aria-current]")?.closest("li");
  if (!line) return;
  growing.keepApart(document.importNode(line, true));
  labelAll(list);
}

// The list anew, by the server: after a gap, and whenever something comes while a search narrows it.
async function loadAgain() {
  const url = new URL(location.href);
  for (const name of ["request", "tab", "view"]) url.searchParams.delete(name);
  const page = await load(url);
  const after = Number(page.querySelector("main").dataset.after);
  const rows = [...page.querySelectorAll("[data-requests] > li")].map((row) => document.importNode(row, true));
  const selected = requestIn(list.querySelector("[aria-current]")?.href ?? location.href);
  inbox.skipTo(after);
  growing.reset(rows, after);
  await dropIfGone(list.querySelector("[data-apart]"));
  mark(rowOf(selected));
  if (rows.length && isDetailOut()) await arrive();
  labelAll(list);
  counter.textContent = page.querySelector("[data-count]").textContent;
  for (const part of ["answers", "bins", "unsearched", "older"]) settle(page, part);
  countedTo = after;
  if (growing.follows) followNewest();
}

// Whether the detail tells of nothing, or of what is back again.
function isDetailOut() {
  const isMissing = document.querySelector("#detail > [data-kind=failed]") !== null;
  return isMissing || (requestIn(location.href) === null && !list.querySelector("[aria-current]"));
}

// The selected row that is not listed any more: it is older than the list, or was deleted.
async function dropIfGone(line) {
  if (!line) return;
  const isChosen = requestIn(location.href) !== null;
  if (!isChosen || !(await show(location.href, { keepPlace: true }))) line.remove();
  if (!isChosen) await arrive();
}

const reload = soon(() => inbox.during(loadAgain), 0);
const searchAgain = soon(async () => {
  if (isPaused()) return;
  if (growing.isFree()) await inbox.during(loadAgain);
  else growing.holdBack();
}, SEARCH_AGAIN_AFTER);
list.addEventListener("wanted", () => reload());
const redrawBin = soon(() => inbox.during(redraw), 500);

async function redraw() {
  const page = await load();
  for (const part of [...OF_THE_BIN, "bins"]) settle(page, part);
  setTitle(page.title);
  main.dataset.limit = page.querySelector("main").dataset.limit;
  const before = Number(counter.textContent);
  counter.textContent = page.querySelector("[data-count]").textContent;
  if (Number(counter.textContent) > before) reload(); // what came back is told later, and is no news then
  countedTo = Number(page.querySelector("main").dataset.after);
  recountIfOver();
}

// What is trimmed is not told, so a bin that is full is asked how many it holds.
const recount = soon(() => inbox.during(redraw), 2_000);

function recountIfOver() {
  if (Number(counter.textContent) > Number(main.dataset.limit)) recount();
}

// A row that was changed or deleted; of many at once, the bin itself tells its new count.
function alter({ kind, seq, row }, fresh) {
  const before = Number(counter.textContent);
  if (row.request_count !== undefined && seq >= countedTo) counter.textContent = row.request_count;
  if (kind === "bin" && row.deleted) {
    tell("This bin was deleted.", { label: "All bins", href: "/ui/bins" }, "bad");
  } else if (kind === "bin") {
    history.replaceState(null, "", `/ui/bins/${row.name ?? row.id}${location.search}`); // it may have been renamed
    redrawBin();
    // many were deleted, or that was undone
    if (row.request_count < before || row.request_count > before + fresh) reload();
  } else if (row.deleted) {
    growing.remove(row.id);
    if (requestIn(location.href) === row.id) arrive();
  } else {
    growing.replace(row.id, lineFor(row));
    const shown = list.querySelector("[aria-current]"); // which the address need not name: it was the newest then
    if (shown && shown === rowOf(row.id)) show(requestIn(location.href) ? location.href : addressOf(shown));
  }
}

// The counts beside the bins: one more for each request, or what a deletion says is left.
function countElsewhere(messages) {
  const counts = new Map();
  for (const { kind, seq, aside, row } of messages) {
    if (aside && row.request_count !== undefined && seq >= countedTo) counts.set(row.bin ?? row.id, { all: row.request_count, more: 0 });
    if (aside || kind !== "request" || seq <= countedTo) continue;
    const { all, more } = counts.get(row.bin) ?? { more: 0 };
    counts.set(row.bin, { all, more: more + 1 });
  }
  for (const [id, { all, more }] of counts) {
    const count = document.querySelector(`#bins [data-bin="${CSS.escape(id)}"] .count`);
    if (count) count.textContent = (all ?? Number(count.textContent)) + more;
  }
}

const inbox = follow({
  onRows(messages) {
    countElsewhere(messages);
    const shown = list.querySelector("[aria-current]");
    if (shown && messages.some(isOfShown)) show(addressOf(shown), { keepPlace: true });
    const ours = messages.filter(({ kind, row }) => (kind === "bin" ? row.id : row.bin) === main.dataset.bin);
    const rows = ours.filter(({ aside }) => !aside);
    const fresh = rows.filter(({ seq }) => seq > countedTo).length;
    for (const message of ours.filter(({ aside }) => aside)) alter(message, fresh);
    if (!rows.length) return;
    counter.textContent = Number(counter.textContent) + rows.filter(({ seq }) => seq > countedTo).length;
    recountIfOver();
    if (document.querySelector(".sequence")) redrawBin();
    if (!onNewestPage) return;
    if (keep) return searchAgain();
    const wasEmpty = !list.childElementCount;
    growing.add(rows.slice(-MOST_ROWS).map(({ row }) => lineFor(row)));
    if (wasEmpty) arrive(); // the first request: it is shown at once
    else if (growing.follows) followNewest();
  },
  onGap: reload,
});

ACTIONS["reset-sequence"] = async ({ dataset }) => {
  await call("POST", dataset.path);
  return ["The sequence begins again."];
};

function setPaused(isOn) {
  if (isOn === isPaused()) return;
  pause.ariaPressed = String(isOn);
  pause.textContent = isOn ? "Go on" : "Pause";
  if (isOn) setFollowing(false);
  else if (keep) searchAgain();
  else growing.showHeld();
}

pause.addEventListener("click", () => setPaused(!isPaused()));

// For demonstrations: the newest is shown as it comes, until a row is chosen.
const followNewest = soon(async () => {
  const newest = growing.follows && list.querySelector("a");
  if (newest && newest.ariaCurrent !== "true") await select(newest, { remember: "replaceState" });
}, FOLLOW_EVERY);

function setFollowing(isOn) {
  if (isOn) setPaused(false);
  growing.follows = isOn;
  followButton.ariaPressed = String(isOn);
  if (!isOn) return;
  if (!onNewestPage) return location.assign(`?${keep}`);
  growing.showHeld();
  followNewest();
}

followButton.addEventListener("click", () => setFollowing(!growing.follows));

// A row that a link or a reload names is in view.
const named = rowOf(requestIn(location.href))?.getBoundingClientRect();
const { top, height } = scroller.getBoundingClientRect();
if (named && named.bottom > top + height) scroller.scrollTop += named.top - top - height / 2;
