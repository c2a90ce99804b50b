// Forms with `data-api="METHOD /path"`: sent as JSON, and what is wrong is said beside its field.
import { Refused, call, tell } from "./actions.js";

// What can’t be read, and the field it stands in.
export class Wrong extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

// By a field's `data-type`; the settings of a bin add `json`.
export const READ = {
  text: (text) => text,
  number: (text, field) => {
    const number = Number(text);
    if (!Number.isFinite(number)) throw new Wrong(field, "is not a number");
    return number;
  },
  list: (text) => text.split(/[\n,]/).map((word) => word.trim()).filter(Boolean),
  time: (text) => new Date(text).toISOString(), // of a `datetime-local`, in the reader's zone
  // A name such as `fast`, or seconds such as `1, 5, 30`.
  schedule: (text) => (/^[\d\s.,]*$/.test(text) ? text.split(/[\s,]+/).filter(Boolean).map(Number) : text.trim()),
  // One URL a line, maybe with `fresh` behind it. What else is set of one that was there before stays.
  targets: (text, { form }) =>
    text.split("\n").map((line) => line.trim().split(/\s+/)).filter(([url]) => url)
      .map(([destination, signature = "original"]) => ({ ...optionsOf(destination, form), destination, signature })),
  // One `Name: value` a line.
  headers: (text, field) =>
    text
      .split("\n")
      .filter((line) => line.trim())
      .map((line) => {
        const at = line.indexOf(":");
        if (at < 1) throw new Wrong(field, `${line.trim()} is not a header; write Name: value`);
        return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      }),
};

function optionsOf(destination, form) {
  const known = JSON.parse(form.dataset.targets).find((target) => target.destination === destination);
  if (!known) return {};
  const { retry_schedule, retry_on, timeout, max_in_flight } = known;
  return { retry_schedule, retry_on, timeout, max_in_flight };
}

// What a field says; undefined when it is to be left out. Raises `Wrong`.
export function valueOf(field) {
  if (field.dataset.type === "boolean") return field.checked;
  const text = field.value;
  if (field.dataset.sent === "changed" && text === field.defaultValue) return undefined;
  if (text.trim() === "" && field.dataset.empty !== "text") return field.dataset.empty === "omit" ? undefined : null;
  return READ[field.dataset.type](text, field);
}

// The form's fields as one object; `a.b` is `{a: {b: …}}`. Fields that are disabled or hidden are left out,
// and one with `data-sent="changed"` that was not changed;
// where a `data-gate` is empty, all of its object is null.
export function bodyOf(form) {
  const body = {};
  for (const field of form.querySelectorAll("[name]:not([name=\"\"])")) {
    if (field.disabled || field.closest("[hidden]") || (field.type === "radio" && !field.checked)) continue;
    const value = valueOf(field);
    if (value === undefined) continue;
    const path = field.name.split(".");
    const last = path.pop();
    const inner = path.reduce((object, key) => (object[key] ??= {}), body);
    inner[last] = value;
  }
  for (const gate of form.querySelectorAll("[data-gate]")) if (!gate.value) body[gate.dataset.gate] = null;
  return body;
}

export function clear(form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const line of form.querySelectorAll(".field-error")) line.hidden = true;
}

// Says it below the field; whoever hides fields hears `wrong` and shows it.
export function complain(field, message) {
  const line = field && document.getElementById(`${field.id}-error`);
  if (!line) return false;
  if ("value" in field) field.setAttribute("aria-invalid", "true");
  line.textContent = message;
  line.hidden = false;
  field.dispatchEvent(new Event("wrong", { bubbles: true }));
  return true;
}

// The field that stands for a place such as `response.headers[0]`: its own, or the nearest above it.
export function fieldAt(form, loc) {
  for (let path = loc; path; path = path.replace(/(?:^|\.)[^.[\]]*$|\[[^\]]*\]$/, "")) {
    const field = form.querySelector(`[name="${CSS.escape(path)}"], [data-place="${CSS.escape(path)}"]`);
    if (field) return field;
  }
  return null;
}

async function submit(form) {
  clear(form);
  form.ariaBusy = "true"; // it stays so on a page that is left for the next
  try {
    const [method, path] = form.dataset.api.split(" ");
    const answer = method === "DELETE" ? await remove(form, path) : await call(method, path, bodyOf(form));
    if (form.dataset.next) return location.assign(form.dataset.next);
    succeed(form, answer);
  } catch (error) {
    refuse(form, error);
  }
  form.ariaBusy = null;
}

async function remove(form, path) {
  const undo = await import("./undo.js");
  undo.undoable(form.dataset.said, [await undo.remove(path)], location.pathname);
}

function succeed(form, answer) {
  form.closest("dialog")?.close();
  if (form.dataset.said) tell(form.dataset.said);
  form.dispatchEvent(new CustomEvent("accepted", { bubbles: true, detail: answer }));
}

// Says what is wrong beside its field: what could not be read, or what the server says of it.
export function refuse(form, error) {
  if (!(error instanceof Wrong || error instanceof Refused)) throw error;
  const { field, message, problem } = error;
  const errors = problem?.errors ?? [];
  const said = field ? [[field, field.name, message]] : errors.map(({ loc, msg }) => [fieldAt(form, loc), loc, msg]);
  const placed = said.filter(([at, , msg]) => complain(at, msg));
  (placed[0]?.[0].querySelector("summary") ?? placed[0]?.[0])?.focus();
  const rest = said.filter((error) => !placed.includes(error)).map(([, loc, msg]) => `${loc}: ${msg}`);
  if (rest.length || !placed.length) tellIn(form, rest.join("; ") || message);
}

// In the form's own line, if it has one: a toast stands below an open dialog.
function tellIn(form, text) {
  const line = form.querySelector("[data-form-error]");
  if (!line) return tell(text, null, "bad");
  line.textContent = text;
  line.hidden = false;
}

// What a form that only narrows a list leaves empty does not stand in the URL.
function dropEmpty({ target, formData }) {
  if (target.method !== "get") return;
  for (const name of new Set(formData.keys())) {
    const values = formData.getAll(name).filter((value) => value !== "");
    formData.delete(name);
    for (const value of values) formData.append(name, value);
  }
}

export function listen() {
  document.addEventListener("formdata", dropEmpty);
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-api]");
    if (!form) return;
    event.preventDefault();
    if (form.ariaBusy !== "true") submit(form);
  });
}
