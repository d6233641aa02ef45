// Clocks go on ticking in words: "12 min 03 s left", "overdue by 2 min 10 s". The server wrote the first text.
import { serverNow } from "./page.js";

const SOON_S = 300;

/** Seconds as a person says them; the same as rendering.duration. Short: no seconds from least up. */
export function duration(seconds, short = false, least = 600) {
  const whole = Math.max(0, Math.floor(seconds));
  if (short && whole >= least && whole < 3600) return `${Math.floor(whole / 60)} min`;
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`;
}

function set(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function tick() {
  const now = serverNow();
  for (const clock of document.querySelectorAll("[data-until]")) {
    const left = (Date.parse(clock.dataset.until) - now) / 1000;
    const state = left < 0 ? "overdue" : left < SOON_S ? "soon" : "running";
    if (clock.dataset.state !== state) clock.dataset.state = state;
    const short = "short" in clock.dataset;
    set(clock.querySelector(".clock-time"), left < 0 ? `overdue by ${duration(-left, short, 60)}` : `${duration(left, short)} left`);
  }
  for (const clock of document.querySelectorAll("[data-since]")) {
    set(clock.querySelector(".clock-time"), duration((now - Date.parse(clock.dataset.since)) / 1000, "short" in clock.dataset));
  }
}

/** The reader's own time joins the hover text of each instant, once it is pointed at. */
function hover(event) {
  const time = event.target.closest?.("time[datetime]");
  if (!time || time.dataset.own) return;
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const own = moment.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  time.title = `${time.title}${time.title ? " · " : ""}${own} where you are`;
  time.dataset.own = "true";
}

export function startClocks() {
  document.addEventListener("pointerover", hover);
  document.addEventListener("visibilitychange", tick);
  setInterval(tick, 1000);
  tick();
}
