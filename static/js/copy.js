// Copy buttons: each names the element whose text it copies.

async function copy(button) {
  const text = document.getElementById(button.dataset.copy).textContent;
  const copied = await written(text);
  if (!copied) select(document.getElementById(button.dataset.copy));
  button.textContent = copied ? "Copied" : "Press Ctrl+C";
  setTimeout(() => (button.textContent = "Copy"), 1600);
}

async function written(text) {
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
