// Unsent text survives a reload: kept in this tab's session storage until the server has it. Never passwords or codes.
import { element, on, stored, tell } from "./page.js";

const SECRET = 'input[type="password"], [autocomplete="one-time-code"], [data-secret], [name*="totp"], [name*="password"]';

const keyOf = (form) => `holdfast.draft:${location.pathname}:${form.id || form.dataset.command}`;

function kept(form) {
  return [...form.elements].filter((input) => input.name && !input.matches(SECRET)
    && !["hidden", "file", "submit", "button"].includes(input.type));
}

function textOf(input) {
  return ["checkbox", "radio"].includes(input.type) ? input.checked : input.value;
}

/** Fields of the same name are told apart by their place among them. */
function read(form) {
  return kept(form).map((input) => [input.name, input.value && input.type === "radio" ? input.value : "", textOf(input)]);
}

export function markDirty(form) {
  if (!form.dataset.dirty) {
    form.dataset.dirty = "true";
    tell("dirty", { form });
  }
  stored(sessionStorage, keyOf(form), JSON.stringify(read(form)));
}

export function markClean(form) {
  delete form.dataset.dirty;
  stored(sessionStorage, keyOf(form), null);
  tell("clean", { form });
}

function restore(form) {
  if (form.dataset.restored) return;
  form.dataset.restored = "true";
  const text = stored(sessionStorage, keyOf(form));
  if (!text) return;
  const saved = JSON.parse(text);
  const inputs = kept(form);
  let changed = false;
  for (const [at, input] of inputs.entries()) {
    const row = saved[at];
    if (!row || row[0] !== input.name || textOf(input) === row[2]) continue;
    if (typeof row[2] === "boolean") input.checked = row[2];
    else input.value = row[2];
    changed = true;
  }
  if (!changed) return;
  form.dataset.dirty = "true";
  form.closest("details")?.setAttribute("open", "");
  const place = form.querySelector("[data-form-state]");
  if (!place) return;
  place.dataset.state = "draft";
  const discard = element("button", { type: "button", class: "plain", onclick: () => {
    form.reset();
    markClean(form);
    place.textContent = "";
  } }, "discard it");
  place.replaceChildren("Your unsent text is back. ", discard);
}

function restoreAll() {
  for (const form of document.querySelectorAll("form[data-command]")) restore(form);
}

export function startDrafts() {
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target.closest?.("form[data-command]");
      if (form) markDirty(form);
    });
  }
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-signout]")) return;
    try {
      for (const key of Object.keys(sessionStorage)) if (key.startsWith("holdfast.")) sessionStorage.removeItem(key);
    } catch {
      // storage is switched off: there is nothing to forget
    }
  });
  on("morphed", restoreAll);
  restoreAll();
}
