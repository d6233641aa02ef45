// "alice is editing": said to the server while a form holds unsent text, shown beside the same form of everybody else.
import { on, page } from "./page.js";

const SAY_MS = 15_000;
let last = "";

function say() {
  const form = document.querySelector("form[data-dirty][data-command]");
  const editing = form ? form.dataset.command : "";
  if (!editing && !last) return;
  last = editing;
  fetch(page.presenceUrl, {
    method: "POST", credentials: "same-origin", keepalive: true,
    headers: { "Content-Type": "application/json", "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content },
    body: JSON.stringify({ editing }),
  }).catch(() => {}); // presence is a courtesy; nothing waits for it
}

/** people: [{account, editing}] of this incident, the reader included. */
function show({ incident, people = [] }) {
  if (incident && page.incident && incident !== page.incident) return;
  for (const place of document.querySelectorAll("[data-presence]")) {
    const who = people.filter((one) => one.editing === place.dataset.presence && one.account !== page.me);
    place.textContent = who.length === 0 ? "" :
      `${who.map((one) => one.account).join(", ")} ${who.length === 1 ? "is" : "are"} editing this too`;
  }
}

export function startPresence() {
  on("presence", show);
  if (!page.presenceUrl) return;
  setInterval(say, SAY_MS);
  on("dirty", say);
  on("clean", say);
}
