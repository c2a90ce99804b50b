// Dialogs and menus: opened by their buttons, closed by Escape, a click outside, or what was chosen.

let pressed = null;

// Closes it; one with `data-guarded` asks first if something in it was changed.
async function leave(dialog) {
  if (dialog.dataset.guarded === "changed") {
    const { ask } = await import("./asking.js");
    if (!(await ask({ title: "Discard what was changed?", text: "It is not saved yet.", label: "Discard", otherwise: "Go on" }))) return;
  }
  dialog.close();
}

export function listen() {
  document.addEventListener("pointerdown", ({ target }) => (pressed = target));
  document.addEventListener("click", ({ target }) => {
    const opener = target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
    const left = target.closest("[data-closes]") ? target.closest("dialog") : target === pressed && target.matches("dialog[open]") && target;
    if (left) leave(left); // by its backdrop, and no selection that ended there
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(target) || target.closest(".menu-items")) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (!menu) return;
    event.preventDefault(); // the dialog around it stays
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("cancel", (event) => {
    if (event.target.dataset.guarded !== "changed") return;
    event.preventDefault();
    leave(event.target);
  }, true);
  document.addEventListener("input", ({ target }) => {
    const dialog = target.closest("[data-guarded]");
    if (dialog && !target.closest("[data-aside]")) dialog.dataset.guarded = "changed";
  });
  document.addEventListener("accepted", ({ target }) => {
    const dialog = target.closest("[data-guarded]");
    if (dialog) dialog.dataset.guarded = "";
  });
}
