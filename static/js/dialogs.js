// Dialogs and menus: opened by their buttons, closed by Escape, a click outside, or what was chosen.

let pressed = null;

// Asks before something is done; resolves to whether it is to be done, which is what the button with `label` says.
export function ask({ title, text, label }) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog asks";
  dialog.setAttribute("aria-labelledby", "asks-title");
  const heading = Object.assign(document.createElement("h2"), { id: "asks-title", textContent: title });
  const form = Object.assign(document.createElement("form"), { method: "dialog", className: "fields" });
  const because = Object.assign(document.createElement("p"), { className: "wide field", textContent: text });
  const foot = Object.assign(document.createElement("div"), { className: "form-foot line wraps" });
  const button = (value, text, look) => Object.assign(document.createElement("button"), { value, textContent: text, className: `button ${look}` });
  foot.append(button("yes", label, "danger"), button("", "Leave it", ""));
  form.append(because, foot);
  dialog.append(heading, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    }),
  );
}

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
