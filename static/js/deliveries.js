// The list of deliveries: several of them retried or cancelled.
import { ACTIONS, Refused, post } from "./actions.js";
import "./listing.js";
import { picked } from "./picking.js";

const bar = document.querySelector("[data-bulk]");
const [retry, cancel] = ["retry", "cancel"].map((name) => bar.querySelector(`[data-action="${name}-picked"]`));
const deliveries = (count) => (count === 1 ? "one delivery" : `${count} deliveries`);
const ids = (lines, takes) => lines.filter(({ dataset }) => takes(dataset.state)).map(({ dataset }) => dataset.id);
const retryable = (lines) => ids(lines, (state) => state !== "succeeded");
const cancellable = (lines) => ids(lines, (state) => state === "pending");

bar.addEventListener("picked", ({ detail: lines }) => {
  for (const [button, word, found] of [[retry, "Retry", retryable(lines)], [cancel, "Cancel", cancellable(lines)]]) {
    button.textContent = `${word} ${found.length}`;
    button.hidden = !found.length;
  }
});

// One call for each: what was refused is said with the server's reason, and changes nothing of the others.
async function each(chosen, action, done) {
  const { ask } = await import("./asking.js");
  const [label, text] = action === "retry" ? ["Retry", "Each gets one more attempt, at once or when its webhook is resumed."] : ["Cancel", "Nothing more is sent of them. A retry takes them up again."];
  if (!(await ask({ title: `${label} ${deliveries(chosen.length)}?`, text, label: `${label} ${chosen.length}`, look: action === "retry" ? "primary" : "danger" }))) return null;
  const outcomes = await Promise.allSettled(chosen.map((id) => post(`/deliveries/${id}/${action}`)));
  const refused = outcomes.flatMap(({ reason }) => (reason ? [reason] : []));
  const mistake = refused.find((reason) => !(reason instanceof Refused));
  if (mistake) throw mistake;
  document.querySelector("[data-unpick]").click();
  const said = refused.length === chosen.length ? "" : `${chosen.length - refused.length} ${done}. `;
  const reasons = [...new Set(refused.map(({ message }) => message.replace(/^the delivery \S+ can't be \w+: /, "")))];
  if (refused.length) throw new Refused(`${said}${refused.length} refused: ${reasons.join("; ")}.`);
  return [said.trim()];
}

ACTIONS["retry-picked"] = () => each(retryable(picked()), "retry", "on their way again");
ACTIONS["cancel-picked"] = () => each(cancellable(picked()), "cancel", "cancelled");
