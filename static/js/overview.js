// The overview: the timeline of both halves, and the cards beside it.
import { load, soon } from "./fresh.js";
import { NewestFirst } from "./newest_first.js";
import * as rows from "./rows.js";
import { settle } from "./still.js";
import { labelAll, setTime } from "./times.js";
import { follow } from "./stream.js";

const MOST_LINES = 150;
const MOST_CARDS = 20;
const CHARTS_EVERY = 10_000;

const list = document.querySelector("[data-timeline]");
const timeline = new NewestFirst(list, { most: MOST_LINES, isAtTop: () => list.getBoundingClientRect().top > 0 });
let countedTo = Number(document.querySelector("main").dataset.after); // the row up to which the server has counted
const byAttempt = new Map(); // the line of an attempt whose other half may still come
const leftOut = new Map(); // halves that the filter left out, by attempt: the other half may bring them in
rememberLines();
list.addEventListener("cut", () => (document.querySelector("[data-cut]").hidden = false));

const { show, q, hides = "" } = list.dataset;
const text = q.toLowerCase();

// The same rules as those of the server, in web/pages/overview.py.
function takes({ kind, row }) {
  const received = kind === "request";
  if (kind === "event" && !text && hides.split(" ").includes(row.type)) return false;
  if (show === "received" && !received) return false;
  if (show === "sent" && received) return false;
  if (show === "problems" && !isProblem(kind, row)) return false;
  return !text || words(kind, row).toLowerCase().includes(text);
}

function isProblem(kind, row) {
  if (kind === "attempt") return row.error !== null || row.status >= 300;
  if (kind !== "request") return false;
  const failed = !row.answer || row.answer.fault || row.answer.status >= 400;
  return failed || row.truncated || row.signature.state === "failed";
}

function words(kind, row) {
  if (kind === "attempt") return [row.event_type, row.webhook_name, row.status ?? row.error, row.delivery_id].join("\n");
  if (kind === "request") return [`${row.method} ${row.target}`, row.content_type ?? "", row.id].join("\n");
  return [row.type, row.id].join("\n");
}

function bound(map) {
  if (map.size > MOST_LINES * 2) map.delete(map.keys().next().value);
}

function rememberLines() {
  byAttempt.clear();
  for (const line of document.querySelectorAll("[data-attempt]")) byAttempt.set(line.dataset.attempt, line);
}

function lineOf(message) {
  const { kind, seq, row } = message;
  if (kind === "event") return takes(message) ? newLine(seq, row.created_at, rows.publishedHalf(row)) : null;
  const sent = kind === "attempt";
  const attempt = sent ? row.id : row.attempt_id;
  const half = sent ? rows.sentHalf(row) : rows.receivedHalf(row);
  const twin = attempt && byAttempt.get(attempt);
  if (twin && !twin.querySelector(`[data-half="${half.dataset.half}"]`)) {
    sent ? twin.querySelector(".spine").after(half) : twin.append(half);
    return null;
  }
  if (!takes(message)) {
    if (attempt) leftOut.set(attempt, half);
    bound(leftOut);
    return null;
  }
  const line = newLine(seq, sent ? row.started_at : row.received_at, half);
  if (attempt) {
    line.dataset.attempt = attempt;
    byAttempt.set(attempt, line);
    bound(byAttempt);
    const other = leftOut.get(attempt);
    leftOut.delete(attempt);
    if (other) sent ? line.append(other) : line.querySelector(".spine").after(other);
  }
  return line;
}

function newLine(seq, at, half) {
  const line = rows.exchange(seq, at);
  line.append(half);
  return line;
}

// What a bin captured and was deleted since: its half of the line goes, and the line with its last half.
function dropHalf(request) {
  const half = list.querySelector(`a[href$="request=${CSS.escape(request)}"]`)?.closest("[data-half]");
  const line = half?.closest("li");
  half?.remove();
  if (line && !line.querySelector("[data-half]")) line.remove();
}

function drawCards(messages) {
  const counts = new Map();
  for (const { kind, seq, aside, row } of messages) {
    if (aside && seq < countedTo) continue;
    if (kind === "request" && row.deleted) {
      const card = document.querySelector(`[data-bin="${CSS.escape(row.bin)}"]`);
      if (card) rows.slot(card, "count").textContent = row.request_count;
      counts.delete(row.bin);
    } else if (kind === "request" && !aside && seq > countedTo) {
      counts.set(row.bin, { more: (counts.get(row.bin)?.more ?? 0) + 1, at: row.received_at });
    }
    if (kind === "bin") counts.delete(row.id);
    if (kind === "bin") change("bin", "[data-bins]", row, rows.binCard, rows.changeBinCard);
    if (kind === "webhook") change("webhook", "[data-webhooks]", row, rows.webhookCard, rows.changeWebhookCard);
  }
  for (const [id, { more, at }] of counts) {
    const card = document.querySelector(`[data-bin="${CSS.escape(id)}"]`);
    if (!card) continue;
    const count = rows.slot(card, "count");
    count.textContent = Number(count.textContent) + more;
    setTime(rows.slot(card, "last"), at);
    card.classList.add("struck"); // not begun again while it lasts: that would lay the page out anew each time
    card.addEventListener("animationend", () => card.classList.remove("struck"), { once: true });
  }
}

function change(kind, list, row, make, alter) {
  const card = document.querySelector(`[data-${kind}="${CSS.escape(row.id)}"]`);
  if (row.deleted) card?.remove();
  else if (card) alter(card, row);
  else {
    const cards = document.querySelector(list);
    cards.prepend(make(row));
    if (cards.childElementCount > MOST_CARDS) cards.lastElementChild.remove();
  }
}

function swapCards(page) {
  for (const panel of ["webhooks-panel", "bins-panel"]) settle(page, panel);
  countedTo = rowOf(page);
}

const rowOf = (page) => Number(page.querySelector("main").dataset.after);

async function loadAgain() {
  const page = await load();
  const lines = [...page.querySelectorAll("[data-timeline] > li")].map((line) => document.importNode(line, true));
  inbox.skipTo(rowOf(page));
  timeline.reset(lines, rowOf(page));
  labelAll(list);
  rememberLines();
  swapCards(page);
}

const reload = soon(() => inbox.during(loadAgain), 0);
const redrawCharts = soon(() => inbox.during(async () => swapCards(await load())), CHARTS_EVERY);

const inbox = follow({
  onRows(messages) {
    drawCards(messages);
    redrawCharts();
    for (const { row } of messages.filter(({ aside, row }) => aside && row.deleted)) dropHalf(row.id);
    const logged = messages.filter(({ aside }) => !aside).slice(-2 * MOST_LINES);
    const fresh = logged.map(lineOf).filter((line) => line !== null);
    if (!fresh.length) return;
    if (document.querySelector(".story")) leaveStory();
    timeline.add(fresh);
  },
  onGap: reload,
});

// What somebody is filling in stays, above the timeline.
function leaveStory() {
  const story = document.querySelector(".story");
  const isFilledIn = [...story.querySelectorAll(".input")].some((field) => field.value !== field.defaultValue);
  if (!isFilledIn && !story.querySelector("form :focus")) story.remove();
  document.querySelector(".timeline-section").hidden = false;
  document.querySelector("[data-timeline-empty]").hidden = true;
}
