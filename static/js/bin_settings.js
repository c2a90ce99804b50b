// The settings of a bin: presets fill in the answer, which is one plain answer or anything as JSON.
import { ACTIONS, call } from "./actions.js";
import { Wrong, bodyOf, clear, complain } from "./forms.js";

const MORE = ["sequence", "rules", "chance", "handshake", "cors"]; // what one plain answer can't hold
const ONE = { status: 200, delay_ms: 0, fault: null, template: false, headers: [], body: "" };

function showAnswer(form, kind) {
  for (const part of form.querySelectorAll("[data-answer]")) part.hidden = part.dataset.answer !== kind;
  for (const radio of form.querySelectorAll("[type=radio]")) radio.checked = radio.value === kind;
}

// Turns from the fields to JSON or back, with what is set taken along; what would be lost is said instead.
function turn(form, kind) {
  clear(form);
  const json = form.querySelector("[name=response]");
  try {
    if (kind === "plain") fill(form, JSON.parse(json.value || "{}"), json);
    else json.value = JSON.stringify({ ...JSON.parse(json.value || "{}"), ...bodyOf(form).response }, null, 2);
    showAnswer(form, kind);
  } catch (error) {
    if (!(error instanceof Wrong || error instanceof SyntaxError)) throw error;
    showAnswer(form, kind === "plain" ? "json" : "plain");
    complain(form, error.field ?? json, error instanceof Wrong ? error.message : "is no JSON");
  }
}

function fill(form, response, json) {
  const more = MORE.filter((name) => response[name] && response[name].length !== 0);
  if (more.length) throw new Wrong(json, `has ${more.join(" and ")}, which one answer has no field for; take that out here first`);
  for (const [name, value] of Object.entries({ ...ONE, ...response })) {
    const field = form.querySelector(`[name="response.${name}"]`);
    if (!field) continue;
    if (field.type === "checkbox") field.checked = value;
    else field.value = name === "headers" ? value.map((pair) => pair.join(": ")).join("\n") : (value ?? "");
  }
}

async function take(form, name) {
  const { data } = await call("GET", "/presets");
  const preset = data.find((one) => one.name === name);
  if (!preset) return;
  form.querySelector("[name=response]").value = JSON.stringify(preset.response, null, 2);
  showAnswer(form, "json");
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest("[data-bin-settings]");
  if (!form) return;
  if (target.matches("[data-preset]") && target.value) take(form, target.value);
  if (target.matches("[data-gate]")) form.querySelector("[data-scheme]").hidden = target.value !== form.querySelector("[data-scheme]").dataset.scheme;
  if (target.type === "radio" && target.closest(".segments")) turn(form, target.value);
});
document.addEventListener("accepted", ({ target, detail }) => {
  if (target.matches("[data-bin-settings]") && detail.name !== document.querySelector("h1").textContent) location.assign(`/ui/bins/${detail.name ?? detail.id}`);
});
ACTIONS["reset-sequence"] = async ({ dataset }) => {
  await call("POST", dataset.path);
  return ["The sequence begins again."];
};
