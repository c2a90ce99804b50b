// Makes rows from the <template> elements that the server rendered with its own macros.
import { duration, reveal, size, wire } from "./format.js";
import { setTime } from "./times.js";

const SIGNATURES = { ok: "signed", failed: "bad signature", unsigned: "unsigned", unchecked: "" };

function cloned(name) {
  const node = document.getElementById(`row-${name}`).content.firstElementChild.cloneNode(true);
  const slots = {};
  for (const element of [node, ...node.querySelectorAll("[data-slot]")]) {
    if (element.dataset.slot) slots[element.dataset.slot] = element;
  }
  return { node, slots };
}

function setStatus(slot, status, error = null) {
  slot.textContent = error ? error.replaceAll("_", " ") : status;
  slot.dataset.tone = error ? "error" : String(status)[0];
}

// What a bin answered: a status, a fault without one, or nothing since the sender was gone.
function setAnswer(slot, answer) {
  if (answer?.status != null) setStatus(slot, answer.status);
  else setStatus(slot, null, answer?.fault ?? "no answer");
}

function setState(slot, state) {
  slot.textContent = slot.dataset.state = state;
}

function setRequest(slots, row) {
  slots.method.textContent = slots.method.dataset.method = row.method;
  (slots.target.querySelector("bdi") ?? slots.target).textContent = reveal(row.malformed ? row.malformed.reason : wire(row.target));
  setAnswer(slots.status, row.answer);
  slots.headline.textContent = reveal(row.headline ?? "");
  slots.size.textContent = size(row.size);
  slots.content_type.textContent = reveal(wire(row.content_type ?? ""));
  slots.flag.textContent = row.malformed ? "no HTTP" : row.truncated ? "truncated" : row.incomplete ? "incomplete" : "";
  slots.signature.textContent = SIGNATURES[row.signature.state];
  slots.signature.dataset.signature = row.signature.state;
}

// A line of a bin's list; `keep` is the search that its address carries along.
export function requestLine(row, keep) {
  const { node, slots } = cloned("request");
  node.dataset.seq = row.seq;
  node.dataset.id = row.id;
  node.querySelector("[data-pick]").ariaLabel = `Pick ${row.id}`;
  slots.href.href = `?${keep}request=${row.id}`;
  setRequest(slots, row);
  setTime(slots.at, row.received_at);
  slots.ours.textContent = row.attempt_id ? `attempt ${row.attempt_id.split("_").pop()}` : "";
  slots.pinned.textContent = row.pinned ? "pinned" : "";
  slots.note.textContent = reveal(row.note ?? "");
  return node;
}

// The halves of the timeline.

export function exchange(seq, at) {
  const { node, slots } = cloned("exchange");
  node.dataset.seq = seq;
  setTime(slots.at, at);
  return node;
}

export function publishedHalf(row) {
  const { node, slots } = cloned("event");
  slots.href.href = `/ui/events/${row.id}`;
  slots.type.textContent = reveal(row.type);
  slots.size.textContent = size(row.size);
  slots.content_type.textContent = reveal(wire(row.content_type));
  return node;
}

export function sentHalf(row) {
  const { node, slots } = cloned("attempt");
  slots.href.href = `/ui/deliveries/${row.delivery_id}`;
  slots.type.textContent = reveal(row.event_type);
  slots.webhook.textContent = reveal(row.webhook_name);
  slots.number.textContent = `attempt ${row.number}`;
  slots.number.dataset.again = row.number > 1 ? "yes" : "no";
  slots.duration.textContent = duration(row.duration_ms / 1000);
  setStatus(slots.status, row.status, row.error);
  setState(slots.state, row.delivery_state);
  return node;
}

export function receivedHalf(row) {
  const { node, slots } = cloned("request");
  slots.href.href = `/ui/bins/${row.bin}?request=${row.id}`;
  setRequest(slots, row);
  return node;
}

// The cards of the overview.

const bare = (url) => url.replace(/^https?:\/\//, "");

export function binCard(bin) {
  const { node, slots } = cloned("bin");
  node.dataset.bin = bin.id;
  changeBinCard(node, bin);
  slots.last.textContent = "";
  return node;
}

export function changeBinCard(node, bin) {
  slot(node, "href").href = `/ui/bins/${bin.name ?? bin.id}`;
  slot(node, "name").textContent = bin.name ?? bin.id;
  slot(node, "count").textContent = bin.request_count;
  slot(node, "url").textContent = bare(bin.url);
}

export function webhookCard(webhook) {
  const { node } = cloned("webhook");
  node.dataset.webhook = webhook.id;
  changeWebhookCard(node, webhook);
  return node;
}

export function changeWebhookCard(node, webhook) {
  slot(node, "href").href = `/ui/webhooks/${webhook.id}`;
  slot(node, "name").textContent = reveal(webhook.name);
  slot(node, "destination").textContent = reveal(bare(webhook.destination));
  const state = slot(node, "state");
  const well = state.dataset.state === "failing" ? "failing" : "enabled"; // its health is not told here
  setState(state, webhook.disabled ? "disabled" : webhook.paused ? "paused" : well);
}

export function slot(node, name) {
  return node.querySelector(`[data-slot="${name}"]`);
}
