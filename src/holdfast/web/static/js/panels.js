// Panels follow the record: what changed is fetched again and morphed in place. Nobody's typing is ever touched.
//
// <section id="board" data-panel>           taken from this page, fetched again whole, once for all such panels
// <section id="board" data-panel="/…/board"> taken from its own fragment address
import { Idiomorph } from "../vendor/idiomorph.esm.js";
import { on, takesText, tell } from "./page.js";

const GATHER_MS = 120;
const RETRY_MS = 3_000;
let timer = null;
let running = false;
let again = false;

/** A form somebody is in, has typed into, or is sending. */
export function isHeld(form) {
  if (form.dataset.dirty || form.dataset.pending) return true;
  return form.contains(document.activeElement) && takesText(document.activeElement);
}

/** An untouched form that only has the focus still learns the newest version and tokens. */
function renewHidden(form, fresh) {
  if (form.dataset.dirty || form.dataset.pending || !(fresh instanceof Element)) return;
  for (const input of fresh.querySelectorAll('input[type="hidden"]')) {
    const own = form.querySelector(`input[type="hidden"][name="${CSS.escape(input.name)}"]`);
    if (own) own.value = input.value;
  }
}

const callbacks = {
  beforeNodeMorphed(old, fresh) {
    if (!(old instanceof Element)) return true;
    if (old.matches("[data-form-state], [data-presence], [data-keep]")) return false;
    if (old.matches("form") && isHeld(old)) {
      renewHidden(old, fresh);
      return false;
    }
    return true;
  },
  beforeNodeRemoved(old) {
    if (!(old instanceof Element)) return true;
    const forms = old.matches("form") ? [old] : [...old.querySelectorAll("form")];
    return !forms.some(isHeld);
  },
  beforeAttributeUpdated(name, node) {
    return !(name === "open" && node.matches("details"));
  },
  afterNodeAdded(node) {
    if (node instanceof Element && node.matches("[data-list] > *, .rows > *, tbody > tr")) node.classList.add("changed");
  },
};

function morph(panel, fresh) {
  Idiomorph.morph(panel, fresh.outerHTML, { morphStyle: "outerHTML", callbacks });
}

async function load(address) {
  const response = await fetch(address, {
    headers: { Accept: "text/html", "X-Holdfast-Panel": "true" }, credentials: "same-origin", cache: "no-store",
  });
  if (response.status === 401) tell("signed-out");
  if (!response.ok || response.redirected) throw new Error(`${address}: ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function refreshAll() {
  const panels = [...document.querySelectorAll("[data-panel]")];
  const own = panels.filter((panel) => panel.dataset.panel);
  const shared = panels.filter((panel) => !panel.dataset.panel);
  const work = own.map(async (panel) => {
    const fresh = (await load(panel.dataset.panel)).getElementById(panel.id);
    if (fresh) morph(panel, fresh);
  });
  if (shared.length > 0) {
    work.push(load(location.href).then((found) => {
      for (const panel of shared) {
        const fresh = found.getElementById(panel.id);
        if (fresh && panel.isConnected) morph(panel, fresh);
      }
    }));
  }
  const ends = await Promise.allSettled(work);
  tell("morphed");
  return ends.every((end) => end.status === "fulfilled");
}

async function run() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  do {
    again = false;
    if (!(await refreshAll())) timer ??= setTimeout(due, RETRY_MS);
  } while (again);
  running = false;
}

function due() {
  clearTimeout(timer);
  timer = null;
  if (document.hidden) again = true;
  else run();
}

export function startPanels() {
  on("stale", () => {
    timer ??= setTimeout(due, GATHER_MS);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && again && !running) run();
  });
}
