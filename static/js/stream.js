// What a page hears of the stream: batches, at most ten a second, each row once.
//
// A page that loads itself anew meanwhile does so in `inbox.during(work)`: nothing is drawn until it
// knows up to which row it was loaded, so that no row is counted or listed twice, and none is left out.
import { notice } from "./attention.js";
import { showState } from "./connection.js";
import { Feed } from "./feed.js";

const DRAW_EVERY = 100;
const WORKER_PATIENCE = 3_000;
const MOST_WAITING = 10_000;

// `onRows(messages)` gets `{kind, seq, aside, row}`, aside for what was changed or deleted; `onGap()` says
// that rows are missing, so the page's list is to be loaded anew. Returns the inbox, whose `skipTo(seq)`
// then leaves out what the loaded list holds.
export function follow({ onRows, onGap }) {
  const after = Number(document.querySelector("main").dataset.after);
  const inbox = new Inbox(after, { onRows, onGap });
  const onMessage = (message) => inbox.put(message);
  const retry = connect(() => inbox.last, { onMessage, onState: (state) => showState(state, retry) });
  addEventListener("online", retry);
  return inbox;
}

class Inbox {
  #waiting = [];
  #timer = null;
  #drawnAt = 0;
  #works = 0;
  #lastWork = Promise.resolve();

  constructor(after, { onRows, onGap }) {
    this.last = after;
    this.onRows = onRows;
    this.onGap = onGap;
  }

  put({ kind, seq, aside, data }) {
    if (kind === "gap") {
      this.last = seq;
      this.#waiting = [];
      this.onGap();
      return;
    }
    if (!aside && seq <= this.last) return;
    this.last = Math.max(this.last, seq);
    this.#waiting.push({ kind, seq, aside, data });
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting = [];
      this.onGap();
    }
    this.#drawSoon();
  }

  // One work at a time; what comes meanwhile waits.
  during(work) {
    this.#works += 1;
    const done = this.#lastWork.then(work).finally(() => {
      this.#works -= 1;
      this.#drawSoon();
    });
    this.#lastWork = done.catch(() => {});
    return done;
  }

  skipTo(seq) {
    this.last = Math.max(this.last, seq);
    this.#waiting = this.#waiting.filter((message) => message.seq > seq || (message.aside && message.seq === seq));
  }

  #drawSoon() {
    if (this.#works || !this.#waiting.length) return;
    this.#timer ??= setTimeout(() => this.#draw(), Math.max(0, this.#drawnAt + DRAW_EVERY - performance.now()));
  }

  #draw() {
    this.#timer = null;
    if (this.#works) return;
    const messages = this.#waiting.map(({ data, ...rest }) => ({ ...rest, row: JSON.parse(data) }));
    this.#waiting = [];
    if (messages.length) {
      this.onRows(messages);
      notice(messages);
    }
    this.#drawnAt = performance.now();
  }
}

// Returns what tries at once to come back, if the connection is lost.
function connect(last, handlers) {
  if (!("SharedWorker" in globalThis)) return connectAlone(last, handlers);
  const worker = new SharedWorker(new URL("stream_worker.js", import.meta.url), { type: "module", name: "hookbin-stream" });
  const { port } = worker;
  let settled = false;
  let retry = () => port.postMessage({ retry: true });
  const giveUp = () => {
    if (settled) return;
    settled = true;
    retry = connectAlone(last, handlers);
  };
  const patience = setTimeout(giveUp, WORKER_PATIENCE);
  worker.onerror = giveUp;
  const join = () => port.postMessage({ join: last() });
  port.onmessage = ({ data }) => {
    if (data.hello) {
      if (settled) return;
      settled = true;
      clearTimeout(patience);
      join();
    } else if (data.state) handlers.onState(data.state);
    else data.messages.forEach(handlers.onMessage);
  };
  addEventListener("pagehide", () => port.postMessage({ leave: true }));
  addEventListener("pageshow", (event) => event.persisted && join());
  return () => retry();
}

// Without a shared worker each tab has its own stream, while it can be seen.
function connectAlone(last, handlers) {
  let feed = null;
  const openOrClose = () => {
    feed?.close();
    feed = document.hidden ? null : new Feed(last(), handlers);
    feed?.open();
  };
  document.addEventListener("visibilitychange", openOrClose);
  addEventListener("pagehide", () => feed?.close());
  addEventListener("pageshow", (event) => event.persisted && openOrClose());
  openOrClose();
  return () => feed?.retry();
}
