// One connection to /stream that comes back by itself, each time after the last row it saw.

const KINDS = ["request", "event", "attempt", "delivery", "bin", "webhook", "gap"];
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const TRIES_UNTIL_OFFLINE = 3;

export class Feed {
  #source = null;
  #timer = null;
  #tries = 0;

  // `onMessage({kind, seq, aside, data})`, `data` as text; `onState("live" | "reconnecting" | "offline")`.
  constructor(after, { onMessage, onState }) {
    this.last = after;
    this.onMessage = onMessage;
    this.onState = onState;
  }

  open() {
    if (this.#source || this.#timer) return;
    const source = (this.#source = new EventSource(`/stream?headlines=true&after=${this.last}`));
    source.onopen = () => {
      this.#tries = 0;
      this.onState("live");
    };
    // The browser gives up for good on an answer such as 503, so coming back is done here for all cases.
    source.onerror = () => this.#comeBack();
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        const seq = event.lastEventId === "" ? this.last : Number(event.lastEventId);
        const aside = kind !== "gap" && seq <= this.last; // it has no number of its own: beside the log
        this.last = kind === "gap" ? seq : Math.max(this.last, seq); // after a gap the server may count from less
        this.onMessage({ kind, seq, aside, data: event.data });
      });
    }
  }

  // Comes back at once, if it waits to.
  retry() {
    if (!this.#timer) return;
    this.close();
    this.open();
  }

  close() {
    this.#source?.close();
    clearTimeout(this.#timer);
    this.#source = this.#timer = null;
  }

  #comeBack() {
    this.close();
    this.#tries += 1;
    this.onState(this.#tries > TRIES_UNTIL_OFFLINE ? "offline" : "reconnecting");
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.#tries - 1)) * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.open();
    }, wait);
  }
}
