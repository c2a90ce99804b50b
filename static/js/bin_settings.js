// The settings of a bin, opened as a dialog: their sections, and the answer as cards or JSON, tried while it is made.
import { compose } from "./composer.js";
import { READ, Wrong, clear, complain, refuse } from "./forms.js";
import { load } from "./fresh.js";
import { complaintAbout, parseExactly } from "./json_place.js";
import { tryOut } from "./trial.js";

const SHEET = new URL("../css/composer.css", import.meta.url).href;

READ.json = (text, field) => {
  const complaint = complaintAbout(text);
  if (complaint) throw new Wrong(field, complaint);
  return parseExactly(text);
};

// Opens the settings that the page at `url` has; its query names a request to try, and whether to make a rule of it.
export async function open(url) {
  const [page] = await Promise.all([load(url), styled()]);
  document.getElementById("settings-place")?.remove();
  const place = document.importNode(page.getElementById("settings-place"), true);
  document.body.append(place);
  const dialog = place.querySelector("#settings");
  dialog.open = false;
  dialog.showModal();
  dialog.addEventListener("close", () => place.querySelector("dialog[open]") ?? place.remove());
  begin(dialog, url);
}

function styled() {
  if (document.querySelector(`link[href="${new URL(SHEET).pathname}"]`)) return null;
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL(SHEET).pathname });
  const loaded = new Promise((resolve) => ["load", "error"].forEach((kind) => sheet.addEventListener(kind, resolve)));
  document.head.append(sheet);
  return loaded;
}

function begin(dialog, url) {
  const form = dialog.querySelector("[data-bin-settings]");
  const json = form.querySelector("[name=response]");
  const composer = compose(form);
  const back = form.querySelector("[data-put-back]");
  const showsJson = () => !form.querySelector("[data-json-view]").matches(".elsewhere");
  const text = () => (showsJson() ? json.value : composer.text());
  dialog.dataset.guarded = "";
  composer.start(json.value);
  json.defaultValue = json.value = composer.text();
  showView(form, "cards");
  showSection(form, "settings-answer");

  // Raises `Wrong`.
  function use(draft) {
    const complaint = complaintAbout(draft);
    if (complaint) throw new Wrong(json, complaint);
    composer.start(draft);
  }

  function turn(view) {
    clear(form);
    back.hidden = true;
    if (view === "json") {
      json.value = composer.text();
      composer.clear(); // what is wrong is told beside the JSON
    } else use(json.value);
    showView(form, view);
  }

  function beginWith(draft) {
    if (showsJson()) json.value = draft;
    else composer.start(draft);
    form.querySelector("[data-cards]").dispatchEvent(new Event("input", { bubbles: true }));
  }

  function takePreset({ value, selectedOptions }) {
    back.dataset.draft = text();
    back.hidden = !value;
    if (value) beginWith(JSON.stringify(JSON.parse(selectedOptions[0].dataset.response), null, 2));
  }

  // Does it, or says what is wrong and gives false.
  function attempt(work) {
    try {
      work();
      return true;
    } catch (error) {
      refuse(form, error);
      return false;
    }
  }

  form.addEventListener("change", ({ target }) => {
    if (target.matches("[data-preset]")) takePreset(target);
    if (target.matches("[data-gate]")) form.querySelector("[data-scheme]").hidden = target.value !== "hmac";
    if (target.type === "radio" && !attempt(() => turn(target.value))) showView(form, "json");
  });
  form.addEventListener("click", (event) => {
    const { target } = event;
    const section = target.closest(".tabs a");
    if (section) {
      event.preventDefault();
      showSection(form, section.hash.slice(1));
    }
    if (target === back) {
      form.querySelector("[data-preset]").value = "";
      beginWith(back.dataset.draft);
      back.hidden = true;
    }
    if (target.matches("[data-add-from-request]")) addRule();
  });
  form.addEventListener("wrong", ({ target }) => {
    showSection(form, target.closest(".settings-body > *").id);
    for (let details = target.closest("details"); details; details = details.parentElement.closest("details")) details.open = true;
  });
  form.addEventListener("submit", (event) => {
    if (showsJson()) return;
    clear(form);
    if (attempt(composer.check)) json.value = composer.text();
    else event.stopPropagation();
    event.preventDefault();
  });
  form.addEventListener("toggle", ({ target }) => {
    if (!target.open || !target.matches("[data-offers]")) return;
    const offered = document.querySelector(`#offers [data-menu=${target.dataset.offers}]`).content.cloneNode(true);
    const items = target.querySelector(".menu-items");
    items.replaceChildren(offered);
    items.scrollIntoView({ block: "nearest" });
  }, true);
  form.addEventListener("accepted", ({ detail }) => {
    const name = detail.name ?? detail.id;
    if (name !== form.dataset.binSettings || dialog.closest("main")) location.assign(`/ui/bins/${name}`);
  });

  function addRule() {
    composer.addRule(JSON.parse(document.getElementById("offers").dataset.when));
  }

  const asked = new URL(url).searchParams;
  if (asked.has("rule")) addRule();
  tryOut(form, text, { comesInView: asked.has("request") && !asked.has("rule") });
}

function showView(form, view) {
  for (const radio of form.querySelectorAll(".segments input")) radio.checked = radio.value === view;
  form.querySelector("[data-cards]").classList.toggle("elsewhere", view !== "cards");
  form.querySelector("[data-json-view]").classList.toggle("elsewhere", view !== "json");
}

function showSection(form, id) {
  for (const section of form.querySelectorAll(".settings-body > *")) section.classList.toggle("elsewhere", section.id !== id);
  for (const link of form.querySelectorAll(".tabs a")) link.ariaCurrent = link.hash === `#${id}` ? "true" : null;
}

const alone = document.querySelector("main #settings");
if (alone) begin(alone, location.href);
