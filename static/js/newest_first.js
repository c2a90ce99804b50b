// A list that grows at its top: what is being read never moves, and no more than `most` rows stay.

const MOST_ANIMATED = 10; // of a burst each frame would paint hundreds

export class NewestFirst {
  #held = [];
  #leftOut = false; // between what is held and what is listed

  // Fires "cut" at the list when rows left it at its end. `isAtTop()` says whether the newest row is in view; while not, new rows wait behind a button.
  constructor(list, { most, isAtTop }) {
    this.list = list;
    this.most = most;
    this.isAtTop = isAtTop;
    this.box = document.querySelector("[data-newer]");
    this.button = this.box.querySelector("button");
    this.button.addEventListener("click", () => this.showHeld());
    for (const target of [window, document.querySelector("[data-scroller]")]) {
      target?.addEventListener("scroll", () => this.#held.length && this.isAtTop() && this.#release(), { passive: true });
    }
  }

  add(nodes) {
    this.#held.push(...nodes);
    if (this.isAtTop()) this.#release();
    else this.#announce();
  }

  showHeld() {
    document.querySelector("[data-scroller]")?.scrollTo({ top: 0 });
    if (this.list.getBoundingClientRect().top < 0) this.list.scrollIntoView({ block: "center" });
    scrollTo({ top: 0 });
    this.#release();
    this.list.querySelector("a")?.focus({ preventScroll: true });
  }

  // The list as loaded anew, up to the row `after`; what came behind that stays.
  reset(nodes, after) {
    const isBehind = (node) => Number(node.dataset.seq) > after;
    this.#held = this.#held.filter(isBehind);
    this.#leftOut = false;
    this.list.replaceChildren(...[...this.list.children].filter(isBehind), ...nodes);
    this.#announce();
  }

  // The line of one request, in its place: another in its stead, or gone.
  replace(id, node) {
    const isOld = (line) => new URLSearchParams(line.querySelector("a")?.search).get("request") === id;
    const old = [...this.list.children].find(isOld);
    if (old?.querySelector(":checked") && node) node.querySelector("[data-pick]").checked = true;
    if (old?.querySelector("[aria-current]")) node?.querySelector("a").setAttribute("aria-current", "true");
    if (old) node ? old.replaceWith(node) : old.remove();
    const held = this.#held.findIndex(isOld);
    if (held >= 0) this.#held.splice(held, 1, ...(node ? [node] : []));
    this.#announce();
  }

  remove(id) {
    this.replace(id, null);
  }

  #release() {
    const fresh = this.#held.slice(-this.most).reverse();
    const kept = this.#leftOut || this.#held.length > this.most ? 0 : this.most - fresh.length;
    const isCut = this.list.childElementCount > kept;
    while (this.list.childElementCount > kept) this.list.lastElementChild.remove();
    if (fresh.length <= MOST_ANIMATED) for (const node of fresh) node.dataset.fresh = "";
    this.list.prepend(...fresh);
    this.#held = [];
    this.#leftOut = false;
    if (isCut) this.list.dispatchEvent(new Event("cut"));
    this.#announce();
  }

  #announce() {
    const over = this.#held.length - this.most;
    if (over > 0) {
      this.#held.splice(0, over);
      this.#leftOut = true;
    }
    const count = this.#held.length;
    const text = count ? `${count}${this.#leftOut ? "+" : ""} new` : "";
    this.box.hidden = count === 0;
    this.button.textContent = text && `${text} ↑`;
    announce(text);
  }
}

let pending = null;

// Said by screen readers, at most every few seconds.
function announce(text) {
  clearTimeout(pending);
  pending = setTimeout(() => {
    const region = document.querySelector("[data-announce]");
    if (region && region.textContent !== text) region.textContent = text;
  }, 2000);
}
