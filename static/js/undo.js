// Deleting so that it can be undone for a while, here and on the page that it leads to; loaded when something is deleted.
import { Refused, call, post, tell } from "./actions.js";
import { ask } from "./asking.js";

const SECONDS = 10;
const KEPT = "hookbin-undo";

// Deletes what is at `path`, and returns the server's answer: its `undo`, if it has one, is for `undoable`.
export async function remove(path) {
  try {
    return await call("DELETE", `${path}${path.includes("?") ? "&" : "?"}undo=${SECONDS}`);
  } catch (error) {
    if (error.problem?.status !== 507) throw error;
    const sure = await ask({ title: "Delete it for good?", text: "The server can’t write now, so there is no undo.", label: "Delete" });
    if (!sure) throw new Refused("Nothing is deleted.");
    return call("DELETE", path);
  }
}

// What `tell` is to say of deletions. `leadsTo` is where what comes back is seen, when that is another page.
export function undoable(text, answers, leadsTo = null) {
  const ids = answers.flatMap(({ undo }) => (undo ? [undo.id] : []));
  if (!ids.length) return [text];
  sessionStorage.setItem(KEPT, JSON.stringify({ text, ids, leadsTo, until: Date.now() + SECONDS * 1000 }));
  return said({ text, ids, leadsTo }, SECONDS);
}

const said = ({ text, ids, leadsTo }, seconds) => [text, { label: "Undo", run: () => undo(ids, leadsTo), seconds }];

async function undo(ids, leadsTo) {
  sessionStorage.removeItem(KEPT);
  for (const id of ids) await post(`/undo/${id}`);
  return ["It is there again.", leadsTo && { label: "Open it", href: leadsTo }];
}

// The offer of the page before, for as long as it stands.
export function offerAgain() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  const seconds = ((kept?.until ?? 0) - Date.now()) / 1000;
  if (seconds > 1 && document.querySelector("[data-outcome]")) tell(...said(kept, seconds));
  else sessionStorage.removeItem(KEPT);
}
