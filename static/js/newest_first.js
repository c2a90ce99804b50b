// A list that grows at its top: what is being read or pointed at never moves, and no more than `most` rows stay.

import { announce } from "./announce.js";

const MOST_ANIMATED = 10; // of a burst each frame would paint hundreds

export class NewestFirst {
  #held = [];
  #leftOut = false; // between what is held and what is listed
  #isUnasked = false; // more came than is held: the server has to be asked which of it belongs here
  #unasked = 0; // how many that are, if it is known
  #isPointedAt = false;
  follows = false; // rows wait for nobody

  // Fires "cut" at the list when rows left it at its end, "wanted" when it is to be loaded anew. `isAtTop()` says whether the
  // newest row is in view; while not, and while the pointer or the focus is in the list, new rows wait behind a button.
  constructor(list, { most, isAtTop }) {
    this.list = list;
    this.most = most;
    this.isAtTop = isAtTop;
    this.box = document.querySelector("[data-newer]");
    this.button = this.box.querySelector("button");
    this.button.addEventListener("click", () => this.showHeld());
    for (const target of [window, document.querySelector("[data-scroller]")]) {
      target?.addEventListener("scroll", () => this.#releaseIfFree(), { passive: true });
    }
    list.addEventListener("pointerenter", () => (this.#isPointedAt = true));
    list.addEventListener("pointerleave", () => this.#releaseIfFree((this.#isPointedAt = false)));
    list.addEventListener("focusout", () => setTimeout(() => this.#releaseIfFree()));
  }

  add(nodes) {
    this.#held.push(...nodes);
    if (this.isFree()) this.#release();
    else this.#announce();
  }

  isFree() {
    return this.follows || (this.isAtTop() && !this.#isPointedAt && !this.list.querySelector(":focus-visible"));
  }

  // Something came that may belong here; it is asked for when nobody points at the list any more.
  holdBack(count = 0) {
    this.#isUnasked = true;
    this.#unasked = count;
    this.#announce();
  }

  showHeld() {
    document.querySelector("[data-scroller]")?.scrollTo({ top: 0 });
    if (this.list.getBoundingClientRect().top < 0) this.list.scrollIntoView({ block: "center" });
    scrollTo({ top: 0 });
    this.#release();
    this.list.querySelector("a")?.focus({ preventScroll: true });
  }

  // The list as loaded anew, up to the row `after`; what came behind that stays, and the selected row.
  reset(nodes, after = Infinity) {
    const isBehind = (node) => Number(node.dataset.seq) > after;
    const selected = this.#selected();
    this.#held = this.#held.filter(isBehind);
    this.#leftOut = this.#isUnasked = false;
    this.list.replaceChildren(...[...this.list.children].filter((line) => isBehind(line) && !isApart(line)), ...nodes);
    if (selected && ![...this.list.children].some(({ dataset }) => dataset.id === selected.dataset.id)) this.keepApart(selected);
    this.#announce();
  }

  // A selected row that is older than what is listed, at its end.
  keepApart(line) {
    line.dataset.apart = "";
    this.list.append(line);
  }

  // The line of that id, in its place: another in its stead, or gone.
  replace(id, node) {
    const isOld = ({ dataset }) => dataset.id === id;
    const old = [...this.list.children].find(isOld);
    if (old?.querySelector(":checked") && node) node.querySelector("[data-pick]").checked = true;
    if (old?.querySelector("[aria-current]")) node?.querySelector("a").setAttribute("aria-current", "true");
    const hasFocus = old?.contains(document.activeElement);
    const focused = hasFocus && document.activeElement.matches("[data-pick]") ? "[data-pick]" : "a";
    if (old) node ? old.replaceWith(node) : old.remove();
    if (hasFocus) node?.querySelector(focused).focus({ preventScroll: true });
    const held = this.#held.findIndex(isOld);
    if (held >= 0) this.#held.splice(held, 1, ...(node ? [node] : []));
    this.#announce();
  }

  remove(id) {
    this.replace(id, null);
  }

  #selected() {
    return this.list.querySelector("[aria-current]")?.closest("li");
  }

  #releaseIfFree() {
    if ((this.#held.length || this.#isUnasked) && this.isFree()) this.#release();
  }

  #release() {
    const fresh = this.#held.slice(-this.most).reverse();
    const kept = this.#leftOut || this.#held.length > this.most ? 0 : this.most - fresh.length;
    const selected = this.#selected();
    const gone = [...this.list.children].filter((line, place) => place >= kept || isApart(line));
    const isCut = gone.some((line) => !isApart(line));
    for (const line of gone) line === selected ? this.keepApart(line) : line.remove();
    if (fresh.length <= MOST_ANIMATED) for (const node of fresh) node.dataset.fresh = "";
    this.list.prepend(...fresh);
    const isUnasked = this.#isUnasked;
    this.#held = [];
    this.#leftOut = this.#isUnasked = false;
    if (isCut) this.list.dispatchEvent(new Event("cut"));
    if (isUnasked) this.list.dispatchEvent(new Event("wanted"));
    this.#announce();
  }

  #announce() {
    const over = this.#held.length - this.most;
    if (over > 0) {
      this.#held.splice(0, over);
      this.#leftOut = true;
    }
    const count = this.#held.length || (this.#isUnasked && this.#unasked);
    const text = count ? `${count}${this.#leftOut ? "+" : ""} new` : this.#isUnasked ? "Maybe more" : "";
    this.box.hidden = !text;
    this.button.textContent = text && `${text} ↑`;
    announce(text);
  }
}

const isApart = ({ dataset }) => dataset.apart !== undefined;
