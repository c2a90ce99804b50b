// A delivery's page: the attempt that is looked at, and the time that passes until the next.
import { isPlain, show } from "./pane.js";
import "./refreshing.js";
import { clock, countdown } from "./times.js";

async function select(url, remember) {
  history[remember](null, "", url);
  for (const line of document.querySelectorAll(".attempt-line")) {
    if (line.href === new URL(url, location.href).href) line.setAttribute("aria-current", "true");
    else line.removeAttribute("aria-current");
  }
  if (await show(url, "attempt", "verdict")) drawTime();
}

document.addEventListener("click", (event) => {
  const tick = event.target.closest(".axis-tick[data-attempt]");
  if (tick) return select(`?attempt=${tick.dataset.attempt}`, "pushState");
  const link = event.target.closest(".attempt-line, .attempt .views a");
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  select(link.href, link.matches(".attempt-line") ? "pushState" : "replaceState");
});
document.addEventListener("rowreached", (event) => select(event.target.href, "replaceState"));
addEventListener("popstate", () => show(location.href, "attempts", "verdict"));
document.addEventListener("refreshed", () => drawTime());

// The axis in local time, and how much of the wait for the next attempt is over.
function drawTime() {
  for (const text of document.querySelectorAll(".axis-at[data-at]")) {
    const written = `${text.closest("[data-tone=planned]") ? "~" : ""}${clock(new Date(text.dataset.at))}`;
    if (text.textContent !== written) text.textContent = written;
  }
  const passed = document.querySelector(".axis-passed");
  if (!passed) return;
  const [from, until] = [new Date(passed.dataset.from), new Date(passed.dataset.until)];
  const [start, end] = [Number(passed.dataset.start), Number(passed.dataset.end)];
  const share = Math.min(1, Math.max(0, (Date.now() - from) / (until - from || 1)));
  passed.setAttribute("x2", `${start + share * (end - start)}%`);
  document.querySelector('.axis-tick[data-tone="next"] .axis-at').textContent = countdown(until);
}

setInterval(drawTime, 1000);
drawTime();

// The newest attempt is in view, and what comes next.
const axis = document.querySelector(".axis");
const newest = [...axis.querySelectorAll('.axis-tick:not([data-tone="planned"])')].at(-1);
if (newest) axis.scrollLeft += newest.getBoundingClientRect().left - axis.getBoundingClientRect().left - axis.clientWidth / 2;
