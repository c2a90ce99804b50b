// What a bin answers, as cards: each field is one place in a draft, and JSON is another view of the same draft.
import { Wrong, valueOf } from "./forms.js";
import { parseExactly } from "./json_place.js";

const KINDS = ["header", "query", "json", "form"]; // of conditions
const NEW = { rules: () => ({ when: {} }), sequence: () => ({}), chance: () => ({ probability: 0.3, status: 503, body: "not this time\n" }) };
const JSON_VALUE = /^(?:true|false|null|-?\d[\d.eE+-]*|".*")$/s;

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const isMissing = (value) => value === undefined || value === null;

export function compose(root) {
  const cards = root.querySelector("[data-cards]");
  const json = root.querySelector("[name=response]");
  const bound = new WeakMap(); // fields, each with the object that it is of and the key of its value
  const opened = new WeakSet(); // the steps whose forms are open, wherever they are moved to
  let draft = {};
  let clones = 0;

  const stepsOf = (name) => ({ response: [draft], chance: draft.chance ? [draft.chance] : [] })[name] ?? draft[name] ?? [];
  const placeOf = (name, index) => ({ response: "response", chance: "response.chance" })[name] ?? `response.${name}[${index}]`;

  function draw() {
    cards.replaceChildren(cloneOf("cards"));
    const { handshake } = draft;
    for (const field of cards.querySelectorAll("[name]")) {
      bind(field, ...({ provider: [handshake ?? {}, "response.handshake."], secret: [handshake ?? {}, "response.handshake."] }[field.name] ?? [draft, "response."]));
    }
    showNeeds();
    cards.querySelector("[data-then]").hidden = !stepsOf("sequence").length;
    cards.querySelector("[data-add=chance]").hidden = Boolean(draft.chance);
    for (const list of cards.querySelectorAll("[data-items]")) {
      const name = list.dataset.items;
      list.replaceChildren(...stepsOf(name).map((step, index) => itemOf(name, step, index)));
    }
  }

  // A copy with ids of its own.
  function cloneOf(kind) {
    const clone = root.querySelector(`[data-${kind}-template]`).content.cloneNode(true);
    clones += 1;
    for (const attribute of ["id", "for", "aria-describedby"]) {
      for (const element of clone.querySelectorAll(`[${attribute}]`)) {
        element.setAttribute(attribute, element.getAttribute(attribute).split(" ").map((id) => `c${clones}-${id}`).join(" "));
      }
    }
    return clone;
  }

  function bind(field, object, place) {
    const key = field.name;
    field.removeAttribute("name");
    field.dataset.place = place + key;
    const inner = key.startsWith("when.") ? [object.when, key.slice(5)] : [object, key];
    bound.set(field, inner);
    const value = inner[0][inner[1]];
    if (value === undefined) return; // what the API takes then stands there
    if (field.type === "checkbox") field.checked = value === true;
    else if (key === "headers" && Array.isArray(value)) field.value = value.map((pair) => pair.join?.(": ") ?? pair).join("\n");
    else field.value = isMissing(value) ? "" : shown(value);
  }

  function itemOf(name, step, index) {
    const clone = cloneOf("item");
    for (const part of clone.querySelectorAll("[data-only]")) if (!part.dataset.only.split(" ").includes(name)) part.remove();
    const item = clone.firstElementChild;
    const details = item.querySelector("details");
    Object.assign(item, { step });
    details.id = `c${clones}-item`;
    details.dataset.place = placeOf(name, index);
    Object.assign(item.dataset, { list: name, index, card: details.dataset.place.replace("response.", "") });
    if (name === "rules") step.when ??= {};
    for (const field of item.querySelectorAll("[name]")) bind(field, step, `${details.dataset.place}.`);
    if (name === "rules") for (const kind of KINDS) for (const [key, value] of Object.entries(step.when[kind] ?? {})) addRow(item, kind, key, value);
    details.open = opened.has(step) || (name === "response" && !["rules", "sequence"].some((list) => stepsOf(list).length));
    details.addEventListener("toggle", () => opened[details.open ? "add" : "delete"](step));
    sum(item);
    return item;
  }

  // The line that stands for a step while its form is closed.
  function sum(item) {
    const { step } = item;
    const { list, index } = item.dataset;
    const status = item.querySelector("[data-sum-status]");
    status.textContent = step.fault && !["drip", "truncate"].includes(step.fault) ? step.fault : shown(step.status ?? 200);
    status.dataset.tone = step.fault ? "error" : status.textContent[0];
    const asks = list === "rules" ? [askedBy(step.when)] : [];
    if (list === "chance") asks.push(`${+(step.probability * 100).toFixed(2)} % of what comes this far`);
    if (list === "sequence") asks.push(`step ${Number(index) + 1}${step.repeat > 1 ? `, ${step.repeat} times` : ""}`);
    if (step.delay_ms) asks.push(`after ${step.delay_ms} ms`);
    if (step.template) asks.push("a template");
    if (list !== "rules") asks.push(String(step.body ?? "ok").trim().slice(0, 60));
    item.querySelector("[data-sum-text]").textContent = asks.filter(Boolean).join(" · ");
    const offered = item.querySelector("[data-offers=variables]");
    offered.hidden = step.template !== true;
  }

  function askedBy(when) {
    const pairs = KINDS.flatMap((kind) => Object.entries(when[kind] ?? {}).map(([name, value]) => `${kind} ${name}: ${written(kind, value)}`));
    return [when.method, when.path, ...pairs].filter(Boolean).join(" · ") || "every request";
  }

  // A JSON value as a text, and back: one that reads as a number, true or null stands in quotes if it is a string.
  function written(kind, value) {
    return kind === "json" && JSON_VALUE.test(shown(value)) ? JSON.stringify(value) : shown(value);
  }

  function read(kind, text) {
    if (kind !== "json" || !JSON_VALUE.test(text)) return text;
    try {
      return parseExactly(text);
    } catch {
      return text;
    }
  }

  function addRow(item, kind, name, value) {
    const row = cloneOf("condition").firstElementChild;
    const part = (each) => row.querySelector(`[data-part=${each}]`);
    Object.assign(row.dataset, { kind });
    part("kind").textContent = kind;
    part("name").value = name;
    part("value").value = written(kind, value);
    item.querySelector("[data-conditions]").append(row);
    nameRow(item, row);
    return part("name");
  }

  function nameRow(item, row) {
    const name = row.querySelector("[data-part=name]").value;
    row.querySelector("[data-part=value]").dataset.place = `${placeOf("rules", item.dataset.index)}.when.${row.dataset.kind}.${name}`;
  }

  function takeRows(item) {
    const { when } = item.step;
    for (const kind of KINDS) when[kind] = {};
    for (const row of item.querySelectorAll(".composer-condition")) {
      const [name, value] = ["name", "value"].map((part) => row.querySelector(`[data-part=${part}]`).value);
      when[row.dataset.kind][name] = read(row.dataset.kind, value);
      nameRow(item, row);
    }
  }

  function take(field) {
    const item = field.closest(".composer-item");
    if (field.dataset.part) takeRows(item);
    else {
      const [object, key] = bound.get(field);
      if (key === "provider") return takeProvider(field.value);
      let value = field.value;
      try {
        value = valueOf(field);
      } catch (error) {
        if (!(error instanceof Wrong)) throw error; // it stays as it was typed, and is told when it is used
      }
      if (value === undefined) delete object[key];
      else object[key] = value;
    }
    if (item) sum(item);
  }

  function takeProvider(provider) {
    draft.handshake = provider ? { provider } : null;
    const secret = cards.querySelector("[data-place$='.secret']");
    secret.value = "";
    bound.set(secret, [draft.handshake ?? {}, "secret"]);
    showNeeds();
  }

  function showNeeds() {
    const provider = cards.querySelector("[data-place$='.provider']");
    const secret = cards.querySelector("[data-place$='.secret']");
    const { needs } = provider.selectedOptions[0].dataset;
    secret.closest(".field").hidden = !needs;
    document.getElementById(`${secret.id}-hint`)?.replaceChildren(`It is ${needs}${provider.value === root.dataset.provider ? "; left empty, it stays as it is" : ""}.`);
  }

  const changed = () => cards.dispatchEvent(new Event("input", { bubbles: true }));

  // Draws anew after a change of the cards themselves; the focus goes to what `selector` finds in that item.
  function redraw(name, index, selector) {
    draw();
    cards.querySelectorAll(`[data-list=${name}]`)[index]?.querySelector(selector)?.focus();
    changed();
  }

  function add(name, step, index = stepsOf(name).length) {
    opened.add(step);
    if (name === "chance") draft.chance = step;
    else draft[name] = stepsOf(name).toSpliced(index, 0, step);
    redraw(name, index, name === "rules" && !step.when.method ? "[data-place$='.when.method']" : "[data-place$='.status']");
  }

  function move(item, by) {
    const { list, index } = item.dataset;
    const from = Number(index);
    const to = Math.min(Math.max(0, from + by), draft[list].length - 1);
    draft[list] = draft[list].toSpliced(from, 1).toSpliced(to, 0, item.step);
    redraw(list, to, `[data-move="${by}"]`);
  }

  function remove(item) {
    const { list, index } = item.dataset;
    if (list === "chance") draft.chance = null;
    else draft[list] = draft[list].toSpliced(Number(index), 1);
    redraw(list, Math.max(0, Number(index) - 1), "summary");
  }

  cards.addEventListener("input", ({ target }) => target !== cards && take(target));
  cards.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    const item = target.closest(".composer-item");
    if (!button) return;
    const { add: list, move: by, kind, name, value, insert } = button.dataset;
    if (list) add(list, NEW[list]());
    else if (by) move(item, Number(by));
    else if (button.matches("[data-remove]")) remove(item);
    else if (kind) {
      addRow(item, kind, name, JSON.parse(value)).focus();
      takeRows(item);
      sum(item);
      changed();
    } else if (insert) putIn(item, insert);
    else if (button.matches("[data-remove-condition]")) {
      button.closest(".composer-condition").remove();
      takeRows(item);
      sum(item);
      changed();
    }
  });

  // Into the field of this step that had the focus last, else its body.
  let typedIn = null;
  cards.addEventListener("focusin", ({ target }) => target.matches("textarea") && (typedIn = target));
  function putIn(item, text) {
    const field = item.contains(typedIn) ? typedIn : item.querySelector("[data-place$='.body']");
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }

  return {
    text: () => JSON.stringify(draft, null, 2),
    // Raises `Wrong` for a field that can't be read.
    check: () => cards.querySelectorAll("[data-place][data-type]").forEach(valueOf),
    // Begins with another draft. Raises `Wrong` for one that no cards can show.
    start(text) {
      const next = parseExactly(text);
      const fault = shapeFault(next);
      if (fault) throw new Wrong(json, fault);
      draft = next;
      draw();
    },
    clear: () => cards.replaceChildren(),
    addRule: (when) => add("rules", { when }, 0),
  };
}

// What keeps a response from being shown as cards; what is wrong inside a field the server tells.
function shapeFault(draft) {
  if (!isObject(draft)) return "is no object";
  const { handshake, chance } = draft;
  for (const [name, value] of Object.entries({ handshake, chance })) if (!isMissing(value) && !isObject(value)) return `${name} is no object`;
  for (const name of ["rules", "sequence"]) {
    const steps = draft[name] ?? [];
    if (!Array.isArray(steps) || !steps.every(isObject)) return `${name} is no list of objects`;
  }
  for (const { when } of draft.rules ?? []) {
    if (when !== undefined && !isObject(when)) return "when is no object";
    for (const kind of KINDS) if (!isObject(when?.[kind] ?? {})) return `${kind} is no object`;
  }
  return null;
}
