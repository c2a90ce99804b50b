// The settings of a bin: presets fill in the answer, which is one plain answer or anything as JSON.
import { ACTIONS, call } from "./actions.js";

function showAnswer(form, kind) {
  for (const part of form.querySelectorAll("[data-answer]")) part.hidden = part.dataset.answer !== kind;
  for (const radio of form.querySelectorAll("[type=radio]")) radio.checked = radio.value === kind;
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
  if (target.type === "radio" && target.closest(".segments")) showAnswer(form, target.value);
});
document.addEventListener("accepted", ({ target, detail }) => {
  if (target.matches("[data-bin-settings]") && detail.name !== document.querySelector("h1").textContent) location.assign(`/ui/bins/${detail.name ?? detail.id}`);
});
ACTIONS["reset-sequence"] = async ({ dataset }) => {
  await call("POST", dataset.path);
  return ["The sequence begins again."];
};
