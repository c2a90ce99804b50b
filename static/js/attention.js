// What came while the tab was hidden: counted in its title, and told on the desktop, as the reader chose.
import { reveal, wire } from "./format.js";

const DEFAULTS = { badge: "on", desktop: "off" };
const TELL_EVERY = 3_000;

const { bin, webhook, delivery, event } = document.querySelector("main")?.dataset ?? {};
let title = document.title;
let count = 0;
let toldAt = -TELL_EVERY;

function chosen(option) {
  try {
    return (localStorage.getItem(`hookbin-${option}`) ?? DEFAULTS[option]) === "on";
  } catch {
    return DEFAULTS[option] === "on";
  }
}

function choose(option, on) {
  try {
    localStorage.setItem(`hookbin-${option}`, on ? "on" : "off");
  } catch {
    // Without storage nothing is remembered.
  }
}

export function setTitle(text) {
  title = text;
  draw();
}

function draw() {
  const badge = count && chosen("badge") ? `(${count > 999 ? "999+" : count}) ` : "";
  document.title = badge + title;
}

// The page's own: requests of its bin, attempts of its webhook, delivery or event; where it has none of them, all.
function concerns({ kind, aside, row }) {
  if (aside) return false;
  if (bin) return kind === "request" && row.bin === bin;
  if (kind === "request") return !webhook && !delivery && !event;
  if (kind !== "attempt") return false;
  if (webhook) return row.webhook_id === webhook;
  return delivery ? row.delivery_id === delivery : !event || row.event_id === event;
}

// Rows as the stream brought them.
export function notice(messages) {
  if (!document.hidden) return;
  const ours = messages.filter(concerns);
  if (!ours.length) return;
  count += ours.length;
  draw();
  if (chosen("desktop") && allowed() === "granted") tell(ours.at(-1));
}

const allowed = () => (isSecureContext ? (globalThis.Notification?.permission ?? "missing") : "missing");

function tell({ kind, row }) {
  if (performance.now() < toldAt + TELL_EVERY) return;
  toldAt = performance.now();
  const text = kind === "request" ? `${row.method} ${reveal(wire(row.target))}` : `${reveal(row.event_type)} to ${reveal(row.webhook_name)}: ${row.status ?? row.error}`;
  const said = new Notification(`${count} new · ${title}`, { body: text.slice(0, 200), tag: `hookbin-${location.pathname}`, icon: new URL("../favicon.svg", import.meta.url).href });
  said.addEventListener("click", () => {
    window.focus();
    said.close();
  });
}

const HINTS = {
  denied: "The browser forbids it for this page; its site settings can allow it.",
  missing: "The browser can do that only over HTTPS or on localhost.",
};

function drawOptions() {
  for (const box of document.querySelectorAll("[data-option]")) {
    const desktop = box.dataset.option === "desktop";
    box.checked = chosen(box.dataset.option) && (!desktop || allowed() === "granted");
    if (desktop) box.disabled = allowed() in HINTS;
  }
  const hint = document.querySelector("[data-option-hint]");
  if (hint && allowed() in HINTS) hint.textContent = HINTS[allowed()];
}

async function take(box) {
  let on = box.checked;
  if (on && box.dataset.option === "desktop" && allowed() === "default") on = (await Notification.requestPermission()) === "granted";
  choose(box.dataset.option, on);
  drawOptions();
  draw();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  count = 0;
  draw();
});
document.addEventListener("change", ({ target }) => target.matches("[data-option]") && take(target));
addEventListener("storage", drawOptions);
drawOptions();
