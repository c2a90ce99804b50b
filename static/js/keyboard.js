// Keys: j and k move through the rows, others press the button that names them in `data-key`.

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());

function current(all) {
  const focused = all.indexOf(document.activeElement);
  return focused >= 0 ? focused : all.findIndex((row) => row.ariaCurrent === "true");
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = current(all);
  const row = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
  row.focus();
  row.scrollIntoView({ block: "nearest" });
  row.dispatchEvent(new CustomEvent("rowreached", { bubbles: true }));
}

function toNewest() {
  document.querySelector("[data-show-newer]")?.click();
  document.querySelector("[data-scroller]")?.scrollTo({ top: 0 });
  scrollTo({ top: 0 });
  const [first] = rows();
  first?.focus({ preventScroll: true });
  first?.dispatchEvent(new CustomEvent("rowreached", { bubbles: true }));
}

const OFF = "hookbin-keys-off";
function pick() {
  const row = document.activeElement.closest("[data-id]") ?? document.querySelector("[data-id] [aria-current]")?.closest("[data-id]");
  row?.querySelector("[data-pick]")?.click();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  g: toNewest,
  x: pick,
  "?": showKeys,
};

function showKeys() {
  const dialog = document.querySelector("[data-keys]");
  if (!dialog || dialog.open) return;
  dialog.querySelector("[data-single-keys]").checked = !areOff();
  for (const line of dialog.querySelectorAll("[data-when]")) line.hidden = !document.querySelector(line.dataset.when);
  dialog.showModal();
}

function areOff() {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false; // without storage they are as they are at first
  }
}

function turn(on) {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "");
}

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

async function find(event) {
  event.preventDefault();
  (await import("./palette.js")).open();
}

export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) return find(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]") || areOff()) return;
    const press = KEYS[event.key];
    const button = press ? null : /^[a-z/]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]:not(:disabled)`);
    if (!press && !button) return;
    event.preventDefault();
    if (press) press();
    else if (button.matches("input")) button.select();
    else button.click();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-show-keys]")) showKeys();
    if (event.target.closest("[data-palette]") && !event.ctrlKey && !event.metaKey && !event.shiftKey) find(event);
  });
  document.addEventListener("change", ({ target }) => target.matches("[data-single-keys]") && turn(target.checked));
}
