// Several rows at once, picked by their boxes: what can be done with them stands in the bar over the list. Loaded with the
// first that is picked.

const list = document.querySelector("[data-requests], [data-rows]");
const bar = document.querySelector("[data-bulk]");
const all = document.querySelector("[data-pick-all]");
let last = list.querySelector("[data-pick]:checked"); // the box that a range begins at

const boxes = () => [...list.querySelectorAll("[data-pick]")];

// The lines that are picked, in their order.
export const picked = () => boxes().filter((box) => box.checked).map((box) => box.closest("[data-id]"));

function show() {
  const lines = picked();
  bar.hidden = lines.length === 0;
  document.querySelector("[data-bulk-count]").textContent = `${lines.length} picked`;
  if (all) {
    all.checked = lines.length > 0 && lines.length === boxes().length;
    all.indeterminate = lines.length > 0 && !all.checked;
  }
  bar.dispatchEvent(new CustomEvent("picked", { detail: lines }));
}

function pickAll(isOn) {
  for (const box of boxes()) box.checked = isOn;
  show();
}

list.addEventListener("click", (event) => {
  const box = event.target.closest("[data-pick]");
  if (!box) return;
  const every = boxes();
  if (event.shiftKey && last) {
    const [from, to] = [every.indexOf(last), every.indexOf(box)].sort((a, b) => a - b);
    for (const between of every.slice(Math.max(0, from), to + 1)) between.checked = box.checked;
  }
  last = box;
  show();
});
all?.addEventListener("click", () => pickAll(all.checked));
document.querySelector("[data-unpick]").addEventListener("click", () => pickAll(false));
new MutationObserver(show).observe(list, { childList: true });
show();
