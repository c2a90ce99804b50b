// Keeps time labels current: `clock` (to the millisecond) and `moment` in local time, `ago`, and `countdown`.
import { ago, duration } from "./format.js";

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hour12: false });

const OVERDUE = 10;

export function clock(date) {
  const today = date.toDateString() === new Date().toDateString();
  return today ? CLOCK.format(date) : `${DAY.format(date)} ${CLOCK.format(date)}`;
}

export function countdown(date) {
  const left = (date - Date.now()) / 1000;
  if (left < -OVERDUE) return "when its turn comes"; // it waits for something else
  return left < 0.5 ? "any moment now" : `in ${left < 10 ? left.toFixed(0) + " s" : precise(left)}`;
}

function precise(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds >= 3600) return duration(seconds);
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

const exactly = (date) => `${clock(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;

const WRITTEN = { clock: exactly, ago, countdown, moment: (date) => MOMENT.format(date) };

export function label(time) {
  if (!time.dateTime) return;
  const text = WRITTEN[time.dataset.time](new Date(time.dateTime));
  if (time.textContent !== text) time.textContent = text;
}

export function labelAll(root) {
  root.querySelectorAll("time[data-time]").forEach(label);
}

// Sets a time element to an RFC 3339 time.
export function setTime(time, at) {
  time.dateTime = at;
  time.title = `${at.slice(0, 10)} ${at.slice(11, -1)} UTC`;
  label(time);
}

export function keepCurrent() {
  labelAll(document);
  setInterval(() => {
    document.querySelectorAll('time[data-time="ago"], time[data-time="countdown"]').forEach(label);
  }, 1000);
}
