// The form of a webhook: its retries are drawn by the server as they are typed.
import { load, soon, swap } from "./fresh.js";

const DRAW_AFTER = 150;
const form = document.querySelector("[data-new-webhook]");
const schedule = form.querySelector("[name=retry_schedule]");

const draw = soon(async () => {
  const page = await load(`/ui/new?retry_schedule=${encodeURIComponent(schedule.value)}`);
  for (const part of ["planned", `${schedule.id}-error`]) swap(page, part);
  schedule.ariaInvalid = String(!document.getElementById(`${schedule.id}-error`).hidden);
}, DRAW_AFTER);

schedule.addEventListener("input", draw);
