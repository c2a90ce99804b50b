// What can be done with one captured request: copied, changed, sent on, deleted.
import { ACTIONS, Refused } from "./actions.js";
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

// What the detail of the shown request tells: the attempt that sent it, and where it was sent on.
export function isOfShown({ kind, row }) {
  if (kind === "event") return row.request_id !== null && row.request_id === document.querySelector("[data-shown]")?.dataset.shown;
  if (kind !== "attempt") return false;
  const isSender = row.id === document.querySelector("[data-sender]")?.dataset.sender;
  return isSender || document.querySelector(`[data-sent-on] a[href="/ui/deliveries/${CSS.escape(row.delivery_id)}"]`) !== null;
}

// The row that is selected when this one goes.
function nextAfter(row) {
  const line = row?.closest("li");
  return (line?.nextElementSibling ?? line?.previousElementSibling)?.querySelector("a[data-row]") ?? null;
}

// On its own page it keeps itself current; in a bin the list does.
if (main.dataset.next) {
  const refresh = soon(async () => swap(await load(), "detail"), 150);
  const id = location.pathname.split("/").pop();
  const concerns = ({ kind, row }) => (kind === "request" && row.id === id && !row.deleted) || isOfShown({ kind, row });
  follow({ onRows: (messages) => messages.some(concerns) && refresh(), onGap: refresh });
}
