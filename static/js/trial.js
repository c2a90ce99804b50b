// What the draft of an answer would give to a captured request: told by the server while the draft is made.
import { Refused, post } from "./actions.js";
import { load, soon, swap } from "./fresh.js";
import { parseExactly } from "./json_place.js";

const AFTER = 300;
const NAMES = { cors: "CORS", handshake: "The handshake", chance: "Chance", response: "The answer itself" };

const nameOf = (card) =>
  NAMES[card] ?? card.replace(/^rules\[(\d+)\]$/, (_, index) => `Rule ${Number(index) + 1}`).replace(/^sequence\[(\d+)\]$/, (_, index) => `Step ${Number(index) + 1} of the sequence`);

// `response.rules[0].status` as "Rule 1, status".
function placeOf(loc) {
  const [, card, field] = /^response\.?((?:rules|sequence)\[\d+\]|chance|handshake)?\.?(.*)$/.exec(loc) ?? [null, null, loc];
  return [nameOf(card ?? "response"), field].filter(Boolean).join(", ");
}

// Shows it beside the cards, now and after each change. `text` gives the draft as JSON.
export function tryOut(form, text, { comesInView }) {
  const request = form.querySelector("[data-trial-request]");
  if (!request) return;
  const [said, answer, asked, chance] = ["said", "answer", "asked", "chance"].map((part) => form.querySelector(`[data-trial-${part}]`));
  const tryAgain = soon(async () => {
    const tried = await outcome();
    if (said.textContent !== tried.said) said.textContent = tried.said;
    answer.hidden = !tried.message;
    answer.textContent = tried.message ?? "";
    asked.replaceChildren(...(tried.asked ?? []).map(line));
    mark(tried.asked?.at(-1).card);
    if (comesInView) document.getElementById("trial").scrollIntoView();
    comesInView = false;
  }, AFTER);

  async function outcome() {
    let response;
    try {
      response = parseExactly(text());
    } catch {
      return { said: "What is written there is no JSON yet." };
    }
    chance.hidden = !response?.chance;
    try {
      const body = { request: request.value, chance: chance.querySelector("input").checked, response };
      return told(await post(`${form.dataset.path}/try`, body));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const faults = error.problem?.errors?.map(({ loc, msg }) => `${placeOf(loc)} ${msg}`);
      return { said: `This can’t be answered yet: ${faults?.join("; ") ?? error.message}` };
    }
  }

  // The card that answers, where it stands.
  function mark(card) {
    for (const badge of form.querySelectorAll("[data-answering]")) badge.hidden = badge.closest("[data-card]").dataset.card !== card;
  }

  request.addEventListener("change", async () => {
    tryAgain();
    swap(await load(`/ui${form.dataset.path}/settings?request=${request.value}`), "offers");
  });
  form.addEventListener("input", tryAgain);
  tryAgain();
}

function line({ card, answers, why }) {
  const item = document.createElement("li");
  item.dataset.answers = answers;
  item.append(Object.assign(document.createElement("b"), { textContent: nameOf(card) }), ` ${why}`);
  return item;
}

// The words for it, and the message as it would be sent.
function told({ status, rule, delay_ms, error, headers, body, fault_meaning, asked }) {
  const notes = [delay_ms && `after ${delay_ms} ms`, fault_meaning, error].filter(Boolean);
  const said = `${nameOf(asked.at(-1).card)} answers${status === null ? "" : ` with ${status}`}${notes.length ? `: ${notes.join("; ")}` : ""}.`;
  const fields = headers.map(([name, value]) => `${name}: ${value}`);
  const content = body.text ?? `${body.size} bytes that are no text`;
  const message = [status === null ? "" : [`HTTP/1.1 ${status}`, ...fields, "", ""].join("\n"), content].join("");
  return { said, message, asked };
}
