// The send console: an event as it is typed, byte for byte, and then what becomes of it.
import { call, tell } from "./actions.js";
import { announce } from "./announce.js";
import { Wrong, clear, complain, fieldAt } from "./forms.js";
import { load, soon, swap } from "./fresh.js";
import { complaintAbout, laidOut } from "./json_place.js";
import { follow } from "./stream.js";

const form = document.querySelector("[data-console]");
const field = (id) => document.getElementById(id);
const kind = () => form.querySelector("[name=form]:checked").value;
const CHECK_AFTER = 250;
const REFRESH_EVERY = 150;

let published = null; // the id of the event whose deliveries are shown
let checking = null;

function showKind() {
  for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(kind());
  const json = kind() === "json";
  form.querySelector("[data-data-label]").textContent = json ? "Data" : "Text";
  form.querySelector("[data-data-hint]").hidden = !json;
  form.querySelector("[data-layout]").hidden = !json;
  check();
}

function check() {
  clear(form);
  const text = field("data").value;
  const complaint = kind() === "json" && text.trim() && complaintAbout(text);
  if (complaint) complain(field("data"), complaint);
}

async function takeSample(type) {
  const catalogue = await call("GET", "/catalogue").catch(() => null);
  const sample = catalogue?.data.find((one) => one.type === type);
  if (!sample) return tell("The sample can’t be loaded.", null, "bad");
  field("type").value = sample.type;
  field("data").value = JSON.stringify(sample.body, null, 2);
  form.querySelector("[name=form][value=json]").checked = true;
  showKind();
}

// `{url, options}` of the call that publishes. The JSON goes out as it was typed: parsed and written again, 1.0 would be 1.
function request() {
  const headers = {};
  if (field("key").value) headers["idempotency-key"] = field("key").value;
  const due = field("deliver_at").value && new Date(field("deliver_at").value).toISOString();
  const webhook = field("webhook").value;
  if (kind() === "json") {
    const data = field("data").value.trim() || "null";
    const complaint = complaintAbout(data);
    if (complaint) throw new Wrong(field("data"), complaint);
    const rest = { type: field("type").value, ...(webhook && { webhook }), ...(due && { deliver_at: due }) };
    const body = `${JSON.stringify(rest).slice(0, -1)},"data":${data}}`;
    return { url: "/events", options: { method: "POST", headers: { ...headers, "content-type": "application/json" }, body } };
  }
  const file = kind() === "file" ? field("file").files[0] : null;
  if (kind() === "file" && !file) throw new Wrong(field("file"), "choose a file");
  const query = new URLSearchParams({ type: field("type").value });
  if (webhook) query.set("webhook", webhook);
  if (due) query.set("deliver_at", due);
  const type = field("content_type").value;
  return { url: `/events?${query}`, options: { method: "POST", headers: { ...headers, "content-type": type }, body: file ?? field("data").value } };
}

async function publish() {
  clear(form);
  let response;
  try {
    const { url, options } = request();
    response = await fetch(url, options);
  } catch (error) {
    if (error instanceof Wrong) {
      complain(error.field, error.message);
      error.field.focus();
    } else tell(`This can’t be sent: ${error.message}`, null, "bad");
    return;
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return show(answer.id);
  const unplaced = (answer?.errors ?? []).filter(({ loc, msg }) => {
    const place = { "Content-Type": "content_type", "Idempotency-Key": "key" }[loc];
    return !complain(place ? field(place) : fieldAt(form, loc), msg);
  });
  if (unplaced.length || !answer?.errors) tell(answer?.detail ?? `The server answered ${response.status}.`, null, "bad");
}

async function show(id) {
  published = id;
  const note = field("published");
  note.dataset.kind = "published";
  const link = Object.assign(document.createElement("a"), { href: `/ui/events/${id}`, textContent: id });
  note.replaceChildren("Published as ", link);
  await refreshNow();
}

async function refreshNow() {
  if (!published) return;
  swap(await load(`/ui/events/${published}`), "fan-out");
  announce([...document.querySelectorAll("#fan-out .state")].map((state) => state.textContent).join(", "));
}

const refresh = soon(refreshNow, REFRESH_EVERY);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  await publish().finally(() => (form.ariaBusy = null));
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
form.addEventListener("change", ({ target }) => {
  if (target.name === "form") showKind();
  if (target.matches("[data-sample]") && target.value) takeSample(target.value);
});
field("data").addEventListener("input", () => {
  clearTimeout(checking);
  checking = setTimeout(check, CHECK_AFTER);
});
form.querySelector("[data-layout]").addEventListener("click", () => {
  check();
  const text = field("data").value;
  if (text.trim() && !complaintAbout(text)) field("data").value = laidOut(text);
});
showKind();
follow({ onRows: (messages) => messages.some(({ kind, row }) => kind === "attempt" && row.event_id === published) && refresh(), onGap: refresh });
