// Pages of one thing: a webhook, an event, a delivery, a thread, the server. Loaded again when something of theirs happened.
import { tell } from "./actions.js";
import { setTitle } from "./attention.js";
import { load, soon } from "./fresh.js";
import { settle } from "./still.js";
import { follow } from "./stream.js";

const { webhook, delivery, event, to } = document.querySelector("main").dataset; // `to` is the webhook of a delivery
const isList = !webhook && !delivery && !event;
const REFRESH_EVERY = isList ? 2_000 : 150;

let isGone = false; // deleted: what is shown stays, since there is nothing to load any more
let loading = new AbortController();

async function loadUnlessLeaving() {
  if (isGone || document.querySelector("form[data-next][aria-busy]")) return null;
  loading = new AbortController();
  const { signal } = loading;
  try {
    return await load(location.href, { signal });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

const refresh = soon(async () => {
  const page = await loadUnlessLeaving();
  if (!page) return;
  for (const part of document.querySelectorAll("[data-live]")) settle(page, part.id);
  setTitle(page.title);
  document.dispatchEvent(new Event("refreshed"));
}, REFRESH_EVERY);

function concerns({ kind, row }) {
  if (isGone) return false;
  if (isList) return true;
  if (kind === "attempt" || kind === "delivery") return [row.delivery_id ?? row.id, row.webhook_id, row.event_id].includes(delivery ?? webhook ?? event);
  if (kind === "request") return delivery !== undefined && row.attempt_id?.startsWith(`att_${delivery.slice(4)}_`);
  if (kind === "webhook") return row.id === (webhook ?? to);
  return kind === "event" && webhook !== undefined;
}

follow({
  onRows(messages) {
    if (webhook && messages.some(({ kind, row }) => kind === "webhook" && row.id === webhook && row.deleted)) {
      isGone = true;
      tell("This webhook was deleted.", { label: "All webhooks", href: "/ui/webhooks" }, "bad");
    }
    if (messages.some(concerns)) refresh();
  },
  onGap: refresh,
});
document.addEventListener("click", ({ target }) => target.closest("[data-action]") && refresh());
document.addEventListener("accepted", refresh);
// A form that deletes what the page shows leads away from it: what is asked for meanwhile would not be there.
document.addEventListener("submit", ({ target }) => target.dataset.next && loading.abort());
