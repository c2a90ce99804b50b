// Dialogs and menus: opened by their buttons, closed by Escape, a click outside, or what was chosen.

let pressed = null;

export function listen() {
  document.addEventListener("pointerdown", ({ target }) => (pressed = target));
  document.addEventListener("click", ({ target }) => {
    const opener = target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
    if (target.closest("[data-closes]")) target.closest("dialog")?.close();
    if (target === pressed && target.matches("dialog[open]")) target.close(); // its backdrop, and no selection that ended there
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(target) || target.closest(".menu-items")) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
