// Several requests of a bin, or all that are shown: exported or deleted. Loaded when that is asked for.
import { Refused, call } from "./actions.js";
import { ask } from "./asking.js";
import { picked } from "./picking.js";
import { remove, undoable } from "./undo.js";

const MOST_COUNTED = 1_000; // of what a filter finds, before it is deleted
const PAGE = 250;
const LATER = "For ten seconds that can be undone.";

const requests = (count, more = "") => (count === 1 && !more ? "One request" : `${count.toLocaleString("en")}${more} requests`);
const deleted = (count) => `${requests(count)} ${count === 1 ? "is" : "are"} deleted.`;
const ids = () => picked().map(({ dataset }) => dataset.id);

export async function deletePicked() {
  const chosen = ids();
  if (chosen.length > 1 && !(await ask({ title: `Delete ${requests(chosen.length)}?`, text: LATER, label: "Delete" }))) return null;
  const answers = [];
  for (const id of chosen) answers.push(await remove(`/requests/${id}`));
  return undoable(deleted(chosen.length), answers);
}

// One HAR file of all that is picked, the oldest first.
export async function exportPicked() {
  const chosen = ids().reverse();
  let har = null;
  for (const id of chosen) {
    const one = await call("GET", `/requests/${id}/export?format=har`);
    if (har) har.log.entries.push(...one.log.entries);
    else har = one;
  }
  const url = URL.createObjectURL(new Blob([JSON.stringify(har)], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: url, download: `${chosen.length}-requests.har` }).click();
  URL.revokeObjectURL(url);
  return [chosen.length === 1 ? "One request is exported." : `${chosen.length} requests are exported.`];
}

export async function deleteAll({ dataset }) {
  const { request_count: held } = await call("GET", dataset.bin);
  const text = `The bin holds ${requests(held).toLowerCase()}. All go but the pinned ones. ${LATER}`;
  if (!(await ask({ title: "Delete all but pinned?", text, label: "Delete all" }))) return null;
  return said([await remove(`${dataset.bin}/requests`)]);
}

// What the filter in `data-query` finds, however many pages that are.
export async function deleteFound({ dataset }) {
  const path = `${dataset.bin}/requests?${dataset.query}`;
  const { count, more } = await found(path);
  const title = `Delete ${requests(count, more).toLowerCase()}?`;
  const text = `${more ? "More than these are" : "These are"} found by what the list is narrowed to, without the pinned ones. ${LATER}`;
  if (!count) throw new Refused("There is nothing to delete.");
  if (!(await ask({ title, text, label: "Delete" }))) return null;
  const answers = [await remove(path)];
  while (answers.at(-1).next_cursor) answers.push(await remove(`${path}&cursor=${answers.at(-1).next_cursor}`));
  return said(answers);
}

async function found(path) {
  let count = 0;
  let cursor = "";
  do {
    const { data, next_cursor: next } = await call("GET", `${path}&limit=${PAGE}${cursor}`);
    count += data.filter(({ pinned }) => !pinned || path.includes("pinned=true")).length;
    cursor = next ? `&cursor=${next}` : "";
  } while (cursor && count < MOST_COUNTED);
  return { count, more: cursor ? " or more" : "" };
}

function said(answers) {
  const count = answers.reduce((sum, answer) => sum + answer.deleted, 0);
  if (!count) throw new Refused("There was nothing to delete.");
  return undoable(deleted(count), answers);
}
