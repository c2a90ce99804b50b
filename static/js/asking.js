// A question before something is done; loaded when there is one.

// Resolves to whether it is to be done, which is what the button with `label` says.
export function ask({ title, text, label, otherwise = "Leave it", look = "danger" }) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog asks";
  dialog.setAttribute("aria-labelledby", "asks-title");
  const heading = Object.assign(document.createElement("h2"), { id: "asks-title", textContent: title });
  const form = Object.assign(document.createElement("form"), { method: "dialog", className: "fields" });
  const because = Object.assign(document.createElement("p"), { className: "wide field", textContent: text });
  const foot = Object.assign(document.createElement("div"), { className: "form-foot line wraps" });
  const button = (value, text, look) => Object.assign(document.createElement("button"), { value, textContent: text, className: `button ${look}` });
  foot.append(button("yes", label, look), button("", otherwise, ""));
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
