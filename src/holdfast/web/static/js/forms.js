// A write shows at once, says when it is durable, survives a lost connection without doubling, and never eats text.
import { clearAnswer, showNotices, showProblem } from "./answers.js";
import { markClean, markDirty } from "./drafts.js";
import { clockTime, element, serverNow, tell } from "./page.js";

const WAITS_S = [1, 2, 4, 8, 15];
const TIME_OUT_MS = 20_000;
const TRY_AGAIN = [429, 502, 503, 504];

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function say(form, state, ...what) {
  const place = form.querySelector("[data-form-state]");
  if (!place) return;
  place.dataset.state = state;
  place.replaceChildren(...what);
}

const texts = (data) => JSON.stringify([...data].filter(([, value]) => typeof value === "string"));

function keyField(form) {
  let input = form.elements.namedItem("idempotency_key");
  if (!input) {
    input = element("input", { type: "hidden", name: "idempotency_key" });
    form.append(input);
  }
  if (!input.value) input.value = newKey();
  return input;
}

function bodyOf(data) {
  const hasFile = [...data.values()].some((value) => typeof value !== "string");
  return hasFile ? data : new URLSearchParams(data);
}

async function post(form, data) {
  const stop = new AbortController();
  const body = bodyOf(data);
  const timer = body instanceof FormData ? null : setTimeout(() => stop.abort(), TIME_OUT_MS);
  try {
    return await fetch(form.action, {
      method: "POST", body, signal: stop.signal, credentials: "same-origin",
      headers: { Accept: "application/json", "Idempotency-Key": data.get("idempotency_key") },
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Waits, or until the line is back; false when the person stopped it. */
function pause(form, seconds) {
  return new Promise((done) => {
    const timer = setTimeout(() => done(true), seconds * 1000);
    addEventListener("online", () => done(true), { once: true });
    const stop = element("button", { type: "button", class: "plain", onclick: () => {
      clearTimeout(timer);
      done(false);
    } }, "stop trying");
    say(form, "waiting", `No answer yet. Your text is kept here and sent again in ${seconds} s. `, stop);
  });
}

/** The answer, or null when the person stopped waiting for it. The same key each time: it is done once at most. */
async function untilAnswered(form, data) {
  for (let tries = 0; ; tries += 1) {
    say(form, "saving", "saving…");
    let after = WAITS_S[Math.min(tries, WAITS_S.length - 1)];
    try {
      const response = await post(form, data);
      if (!TRY_AGAIN.includes(response.status)) return response;
      after = Number(response.headers.get("Retry-After")) || after;
    } catch {
      // no answer: it may or may not have arrived, the key decides
    }
    if (!(await pause(form, after))) return null;
  }
}

function saved(form, sent, answer) {
  const same = texts(new FormData(form)) === sent;
  const at = answer.recorded_at ? new Date(answer.recorded_at) : new Date(serverNow());
  if (same) {
    form.reset();
    markClean(form);
  } else markDirty(form);
  keyField(form).value = newKey();
  say(form, "saved", `${answer.replayed ? "was already saved" : "saved"} at ${clockTime(at)} (durable)`);
  showNotices(form, answer.notices);
  if (answer.next && new URL(answer.next, location.href).pathname !== location.pathname) location.assign(answer.next);
  else tell("stale", { why: "own write" });
}

async function settle(form, sent, response) {
  const type = response.headers.get("Content-Type") || "";
  if (response.ok && !type.includes("json")) {
    saved(form, sent, { next: response.redirected ? response.url : null });
    return;
  }
  if (!type.includes("json")) {
    form.submit(); // the server answers with a page: let it, under the same key
    return;
  }
  const answer = await response.json();
  if (response.ok) {
    saved(form, sent, answer);
    return;
  }
  if (response.status < 500) keyField(form).value = newKey();
  const version = answer.details?.version;
  const saw = form.elements.namedItem("saw");
  if (response.status === 409 && saw && Number.isInteger(version)) saw.value = version;
  if (response.status === 409) tell("stale", { why: "somebody was first" });
  markDirty(form);
  say(form, "draft", "Not recorded. Your text is kept.");
  showProblem(form, answer);
}

async function submit(form, submitter) {
  keyField(form);
  const data = new FormData(form, submitter);
  const sent = texts(new FormData(form));
  form.dataset.pending = "true";
  submitter?.setAttribute("aria-disabled", "true");
  clearAnswer(form);
  try {
    const response = await untilAnswered(form, data);
    if (response) await settle(form, sent, response);
    else say(form, "draft", "Not known to be recorded. Your text is kept; sending it again does it once at most.");
  } finally {
    delete form.dataset.pending;
    submitter?.removeAttribute("aria-disabled");
  }
}

export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("form[data-command]")) return;
    event.preventDefault();
    if (!form.dataset.pending) submit(form, event.submitter);
  });
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form[data-command]");
    if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("button.primary, button:not([type='button'])"));
    }
  });
}
