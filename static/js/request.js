// What can be done with one captured request: copied, changed, sent on, deleted.
import { ACTIONS, Refused, tell } from "./actions.js";
import { load, soon, swap } from "./fresh.js";
import { follow } from "./stream.js";

const main = document.querySelector("main");

ACTIONS["copy-from"] = async ({ dataset, textContent }) => {
  const response = await fetch(dataset.path).catch(() => null);
  if (!response?.ok) throw new Refused("It could not be made; try the download instead.");
  try {
    await navigator.clipboard.writeText(await response.text());
  } catch {
    throw new Refused("The browser did not allow copying.");
  }
  return [`Copied as ${textContent.trim()}.`];
};

ACTIONS.settings = async ({ href }) => (await import("./bin_settings.js")).open(href);

ACTIONS["delete-request"] = async ({ dataset }) => {
  const next = nextAfter(document.querySelector("[data-requests] [aria-current]"));
  const { remove, undoable } = await import("./undo.js");
  const said = undoable("One request is deleted.", [await remove(dataset.path)], main.dataset.next ? location.pathname : null);
  if (main.dataset.next) location.assign(main.dataset.next);
  else next?.click();
  return said;
};

// An attempt that sent the request which is shown: its outcome is said under "From".
export function isSender({ kind, row }) {
  return kind === "attempt" && row.id === document.querySelector("[data-sender]")?.dataset.sender;
}

// The row that is selected when this one goes.
function nextAfter(row) {
  const line = row?.closest("li");
  return (line?.nextElementSibling ?? line?.previousElementSibling)?.querySelector("a[data-row]") ?? null;
}

export function listen() {
  document.addEventListener("accepted", ({ target, detail }) => {
    if (!target.matches("[data-replay]")) return;
    const [event] = detail.events;
    const many = detail.events.length > 1 ? `It is on its way, ${detail.events.length} times.` : "It is on its way.";
    tell(many, event.deliveries[0] && { label: "Follow it", href: `/ui/deliveries/${event.deliveries[0].id}` });
  });
}

// On its own page it keeps itself current; in a bin the list does.
if (main.dataset.next) {
  listen();
  const refresh = soon(async () => swap(await load(), "detail"), 150);
  const id = location.pathname.split("/").pop();
  const concerns = ({ kind, row }) => (kind === "request" && row.id === id && !row.deleted) || isSender({ kind, row });
  follow({ onRows: (messages) => messages.some(concerns) && refresh(), onGap: refresh });
}
