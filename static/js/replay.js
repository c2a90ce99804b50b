// A captured request sent on: to an address, which is remembered, or to a webhook.
import { tell } from "./actions.js";
import { follow } from "./stream.js";

const LAST = "hookbin-replayed-to";
const form = document.querySelector("[data-replay]");
const to = form.elements.destination;
const webhook = form.elements.webhook;

function choose() {
  to.disabled = Boolean(webhook?.value);
  to.required = !to.disabled;
}

try {
  to.value = localStorage.getItem(LAST) ?? "";
} catch {
  // Without storage it begins empty.
}
webhook?.addEventListener("change", choose);
choose();
form.addEventListener("accepted", ({ detail }) => {
  try {
    if (!to.disabled) localStorage.setItem(LAST, to.value);
  } catch {
    // Without storage it is not remembered.
  }
  const [event] = detail.events;
  const many = detail.events.length > 1 ? `It is on its way, ${detail.events.length} times.` : "It is on its way.";
  tell(many, event.deliveries[0] && { label: "Follow it", href: `/ui/deliveries/${event.deliveries[0].id}` });
});
follow({ onRows() {}, onGap() {} });
