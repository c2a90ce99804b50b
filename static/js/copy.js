// Copy buttons: each names the element whose text it copies.
import { tell } from "./actions.js";

async function copy(button) {
  const text = document.getElementById(button.dataset.copy).textContent;
  const copied = await written(text);
  if (!copied) select(document.getElementById(button.dataset.copy));
  if (!button.checkVisibility()) tell(copied ? "Copied." : "The browser did not allow copying.", null, copied ? "good" : "bad");
  button.textContent = copied ? "Copied" : "Press Ctrl+C";
  setTimeout(() => (button.textContent = "Copy"), 1600);
}

export async function written(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no permission, or not a secure context
  }
}

function select(element) {
  getSelection().selectAllChildren(element);
}

export function listen() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
}
