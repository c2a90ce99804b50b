// Says how the stream is: always in the header, and in each pane once what is shown grows old.
import { boxOf, paragraph } from "./pane.js";

const STATES = { live: "Live", reconnecting: "Reconnecting", offline: "Offline" };
const PATIENCE = 1_500; // so that a server that is only started anew makes no pane jump

let state = "idle";
let lostAt = null;
let timer = null;

// `retry` is what the button in a pane does.
export function showState(next, retry) {
  state = next;
  const sign = document.querySelector("[data-connection]");
  if (sign) {
    sign.dataset.connection = state;
    sign.querySelector("[data-connection-label]").textContent = STATES[state];
  }
  if (state === "live") {
    clearTimeout(timer);
    lostAt = timer = null;
    for (const box of document.querySelectorAll("[data-stale]")) box.remove();
  } else {
    lostAt ??= new Date();
    timer ??= setTimeout(() => tellPanes(retry), PATIENCE);
    for (const title of document.querySelectorAll("[data-stale] b")) title.textContent = titleOf();
  }
}

const titleOf = () => (state === "offline" ? "The server can’t be reached." : "Reconnecting.");

function tellPanes(retry) {
  const at = lostAt.toLocaleTimeString(undefined, { hour12: false });
  for (const pane of document.querySelectorAll("[data-pane]")) {
    if (pane.querySelector(":scope > [data-stale]")) continue;
    const box = boxOf("offline", "b", titleOf());
    box.classList.add("slim");
    box.dataset.stale = "";
    const button = Object.assign(document.createElement("button"), { className: "button small", type: "button", textContent: "Try now" });
    button.addEventListener("click", retry);
    box.append(paragraph(`What is shown is from ${at}.`), button);
    const head = pane.querySelector(":scope > :is(.pane-head, .panel-head, .timeline-head, h2)");
    if (head) head.after(box);
    else pane.prepend(box);
  }
}
