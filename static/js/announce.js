// What is said to screen readers alone.

let pending = null;

// Said by screen readers, at most every few seconds.
export function announce(text) {
  clearTimeout(pending);
  pending = setTimeout(() => {
    const region = document.querySelector("[data-announce]");
    if (region && region.textContent !== text) region.textContent = text;
  }, 2000);
}
