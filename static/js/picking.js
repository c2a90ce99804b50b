// Several requests at once: picked by their boxes or with `x`, then compared, exported or deleted.
import { ACTIONS, Refused, call } from "./actions.js";

const list = document.querySelector("[data-requests]");
const bar = document.querySelector("[data-bulk]");
const compare = document.querySelector("[data-compare]");
let last = null; // the box that a range begins at

const boxes = () => [...list.querySelectorAll("[data-pick]")];
const picked = () => boxes().filter((box) => box.checked).map((box) => box.closest("li").dataset.id);

function show() {
  const ids = picked();
  bar.hidden = ids.length === 0;
  document.querySelector("[data-bulk-count]").textContent = `${ids.length} picked`;
  compare.hidden = ids.length !== 2;
  if (ids.length === 2) compare.href = `/ui/requests/${ids[1]}/diff/${ids[0]}`; // the older one first
}

list.addEventListener("click", (event) => {
  const box = event.target.closest("[data-pick]");
  if (!box) return;
  const all = boxes();
  if (event.shiftKey && last) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const between of all.slice(Math.max(0, from), to + 1)) between.checked = box.checked;
  }
  last = box;
  show();
});
document.querySelector("[data-unpick]").addEventListener("click", () => {
  for (const box of boxes()) box.checked = false;
  show();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "x" || event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey) return;
  const row = document.activeElement.closest?.("[data-requests] > li") ?? list.querySelector("[aria-current]")?.closest("li");
  const box = row?.querySelector("[data-pick]");
  if (!box) return;
  box.checked = !box.checked;
  last = box;
  show();
});
new MutationObserver(show).observe(list, { childList: true });

const requests = (count) => (count === 1 ? "One request" : `${count.toLocaleString("en")} requests`);
const deleted = (count) => `${requests(count)} ${count === 1 ? "is" : "are"} deleted.`;
const LATER = "For ten seconds that can be undone.";

const deleting = () => Promise.all([import("./asking.js"), import("./undo.js")]);

ACTIONS["delete-picked"] = async () => {
  const ids = picked();
  const [{ ask }, { remove, undoable }] = await deleting();
  if (ids.length > 1 && !(await ask({ title: `Delete ${requests(ids.length)}?`, text: LATER, label: "Delete" }))) return null;
  const answers = [];
  for (const id of ids) answers.push(await remove(`/requests/${id}`));
  return undoable(deleted(ids.length), answers);
};
// One HAR file of all that is picked, the oldest first.
ACTIONS["export-picked"] = async () => {
  const ids = picked().reverse();
  let har = null;
  for (const id of ids) {
    const one = await call("GET", `/requests/${id}/export?format=har`);
    if (har) har.log.entries.push(...one.log.entries);
    else har = one;
  }
  const url = URL.createObjectURL(new Blob([JSON.stringify(har)], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: url, download: `${ids.length}-requests.har` }).click();
  URL.revokeObjectURL(url);
  return [ids.length === 1 ? "One request is exported." : `${ids.length} requests are exported.`];
};
ACTIONS["delete-all"] = async ({ dataset }) => {
  const [{ ask }, { remove, undoable }] = await deleting();
  const { request_count: held } = await call("GET", dataset.bin);
  const text = `The bin holds ${requests(held).toLowerCase()}. All go but the pinned ones. ${LATER}`;
  if (!(await ask({ title: "Delete all but pinned?", text, label: "Delete all" }))) return null;
  const answer = await remove(`${dataset.bin}/requests`);
  if (!answer.deleted) throw new Refused("There was nothing to delete.");
  return undoable(deleted(answer.deleted), [answer]);
};
