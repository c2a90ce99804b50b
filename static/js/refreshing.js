// The pages of a webhook and of a delivery, and lists: loaded again when something of theirs happened.
import { setTitle } from "./attention.js";
import { load, soon, swap } from "./fresh.js";
import { follow } from "./stream.js";

const { webhook, delivery, event } = document.querySelector("main").dataset;
const isList = !webhook && !delivery && !event;
const REFRESH_EVERY = isList ? 2_000 : 150;

const refresh = soon(async () => {
  const page = await load();
  for (const part of document.querySelectorAll("[data-live]")) swap(page, part.id);
  setTitle(page.title);
  document.dispatchEvent(new Event("refreshed"));
}, REFRESH_EVERY);

function concerns({ kind, row }) {
  if (isList) return true;
  if (event) return kind === "attempt" && row.event_id === event;
  if (kind === "attempt") return delivery ? row.delivery_id === delivery : row.webhook_id === webhook;
  if (kind === "request") return delivery !== undefined && row.attempt_id?.startsWith(`att_${delivery.slice(4)}_`);
  if (kind === "webhook") return row.id === webhook;
  return kind === "event" && !delivery;
}

follow({
  onRows: (messages) => messages.some(concerns) && refresh(),
  onGap: refresh,
});
document.addEventListener("click", ({ target }) => target.closest("[data-action]") && refresh());
document.addEventListener("accepted", refresh);
