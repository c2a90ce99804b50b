// A webhook's page: its secret, shown when asked for, and the word on what was recovered.
import { ACTIONS, call, tell } from "./actions.js";

function show({ secret }, note) {
  document.getElementById("secret-text").textContent = secret;
  document.querySelector("[data-secret-note]").textContent = note;
  document.getElementById("secret").showModal();
}

ACTIONS["show-secret"] = async ({ dataset }) => {
  show(await call("GET", dataset.path), "Whoever has it can sign in this webhook’s name.");
  return null;
};
ACTIONS["rotate-secret"] = async ({ dataset }) => {
  const { old_secrets: old, ...made } = await call("POST", dataset.path, {});
  show(made, old.length ? "The one before signs beside it for 24 hours, so that the receiver can change over." : "Only this one signs from now on.");
  return ["The secret is rotated."];
};

// What was shown is not left lying in the page.
document.getElementById("secret").addEventListener("close", () => (document.getElementById("secret-text").textContent = ""));

document.addEventListener("accepted", ({ target, detail }) => {
  if (!target.matches("[data-recover]")) return;
  const parts = [`${detail.retried} to retry`, `${detail.created} that were never made`];
  const more = detail.next_cursor ? " There are more; do it again for those." : "";
  if (detail.dry_run) tell(`${detail.total} deliveries would come back: ${parts.join(", ")}.${more}`);
  else tell(detail.total ? `${detail.total} deliveries are on their way again.${more}` : "Nothing was missed.");
});
