// Buttons that do something on the server, and the word on how it went.
import { duration } from "./format.js";

const SHOWN_SECONDS = 8;

// A call that did not do what it was to do; `problem` is what the server said, null when it could not be reached.
export class Refused extends Error {
  constructor(message, problem = null) {
    super(message);
    this.problem = problem;
  }
}

export async function call(method, path, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused("The server can’t be reached.");
  }
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer.detail || `The server answered ${response.status}.`, answer);
  return answer;
}

export const post = (path, body) => call("POST", path, body);

async function publish(type) {
  const event = await post("/events", { type, data: { message: "Hello from hookbin", sent_at: new Date().toISOString() } });
  const { length } = event.deliveries;
  if (!length) return [`${type} is published, but no webhook wants it.`, { label: "Register one", href: `/ui/new?events=${type}#webhook` }];
  const link = { label: "Follow the delivery", href: `/ui/deliveries/${event.deliveries[0].id}` };
  return length === 1 ? [`${type} is on its way.`, link] : [`${type} is on its way to ${length} webhooks.`, link];
}

const way = ({ waits }) => (waits === undefined ? "is on its way" : "waits until its webhook is resumed");

async function testWebhook({ dataset }) {
  const event = await post(dataset.path, dataset.type ? { type: dataset.type } : {});
  return [`${event.type} ${way(dataset)}.`, { label: "Follow the delivery", href: `/ui/deliveries/${event.deliveries[0].id}` }];
}

async function change({ dataset }) {
  await call("PATCH", dataset.path, JSON.parse(dataset.body));
  return [dataset.said];
}

async function story({ dataset }) {
  const webhook = await post("/webhooks", { name: "joe", destination: dataset.destination });
  return ["joe is registered and its ping is on its way.", { label: "Open joe", href: `/ui/webhooks/${webhook.id}` }];
}

async function retry(button) {
  await post(`/deliveries/${button.dataset.delivery}/retry`);
  return [`One more attempt ${way(button.dataset)}.`];
}

async function cancel({ dataset }) {
  await post(dataset.path);
  return ["Cancelled: nothing more is sent."];
}

async function replayEvent(button) {
  const { created, retried, left_alone } = await post(`/events/${button.dataset.event}/replay`);
  const count = created.length + retried.length;
  if (!count) return [left_alone.length ? "Nothing to send again: all deliveries are pending or have succeeded." : "No webhook wants it."];
  return [count === 1 ? "One delivery is on its way again." : `${count} deliveries are on their way again.`];
}

async function testRequest({ dataset }) {
  const began = performance.now();
  const isElsewhere = "elsewhere" in dataset; // at an origin of its own, whose answers a page can't read
  const target = isElsewhere ? dataset.url : new URL(dataset.url).pathname;
  let response;
  try {
    response = await fetch(`${target}/hello?from=hookbin`, {
      method: "POST",
      mode: isElsewhere ? "no-cors" : "cors",
      headers: isElsewhere ? {} : { "content-type": "application/json" },
      body: JSON.stringify({ hello: "world", sent_at: new Date().toISOString() }),
    });
  } catch {
    throw new Refused("The bin did not answer.");
  }
  if (isElsewhere) return ["The bin has answered."];
  return [`The bin answered ${response.status} in ${duration((performance.now() - began) / 1000)}.`];
}

// By the name in `data-action`: each returns what `tell` is to say, or null. Pages add their own.
export const ACTIONS = {
  "test-event": () => publish("hookbin.test"),
  "test-webhook": testWebhook,
  change,
  "test-request": testRequest,
  "replay-event": replayEvent,
  story,
  retry,
  cancel,
};

export async function run(action, button) {
  if (button.ariaDisabled === "true") return;
  if (button.dataset.asks && !(await isSure(button))) return;
  button.ariaDisabled = "true"; // stays focusable, unlike `disabled`
  try {
    const said = await action(button);
    if (said) tell(...said);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(error.message, null, "bad");
  } finally {
    button.ariaDisabled = null;
  }
}

async function isSure({ dataset, textContent }) {
  const { ask } = await import("./asking.js");
  return ask({ title: dataset.asks, text: dataset.because, label: textContent.trim() });
}

// Says how something went, in the live region of the page.
export function tell(text, next = null, tone = "good") {
  const toast = document.createElement("p");
  toast.className = "toast line wraps";
  toast.dataset.tone = tone;
  toast.append(text);
  if (next) toast.append(" ", nextStep(next));
  document.querySelector("[data-outcome]").replaceChildren(toast);
  setTimeout(() => toast.remove(), (next?.seconds ?? SHOWN_SECONDS) * 1000);
}

// A link, or a button that runs an action.
function nextStep({ label, href, run: action }) {
  const element = Object.assign(document.createElement(href ? "a" : "button"), { textContent: label, className: href ? "" : "button small" });
  if (href) element.href = href;
  else element.addEventListener("click", () => run(action, element));
  return element;
}

export function listen() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action]");
    if (button?.href && (event.ctrlKey || event.metaKey || event.shiftKey)) return; // a tab of its own
    if (button?.href) event.preventDefault();
    if (button) run(ACTIONS[button.dataset.action], button);
  });
}
