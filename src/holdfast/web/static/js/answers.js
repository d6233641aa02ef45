// What the server said to a form, shown beside it: a problem with its four fields, two versions, a redacted secret.
import { clockTime, element } from "./page.js";

/** Removes what an earlier answer left. */
export function clearAnswer(form) {
  for (const old of form.querySelectorAll("[data-answer]")) old.remove();
  for (const input of form.querySelectorAll('[aria-invalid="true"]')) input.removeAttribute("aria-invalid");
  for (const said of form.querySelectorAll(".field-error")) said.remove();
}

function fieldOf(form, name) {
  const input = [...form.elements].find((one) => one.name === name && one.type !== "hidden");
  if (!input) return null;
  const grouped = ["radio", "checkbox"].includes(input.type) ? input.closest("fieldset.field") : null;
  return { input, marked: grouped || input, place: input.closest(".field") };
}

function markField(form, name, said) {
  const field = fieldOf(form, name);
  if (!field?.place) return null;
  const id = `${form.id || "form"}-${name}-error`;
  const line = element("p", { class: "field-error", id }, said);
  const hint = field.place.querySelector(":scope > .hint, :scope > label, :scope > legend");
  if (hint) hint.after(line);
  else field.place.prepend(line);
  field.marked.setAttribute("aria-invalid", "true");
  field.marked.setAttribute("aria-describedby", id);
  return field.input;
}

/** problem: RFC 9457 with title (what), detail (why), next_step, retry_helps, code, details. */
export function showProblem(form, problem) {
  clearAnswer(form);
  const details = problem.details || {};
  const fields = { ...details.fields };
  for (const fault of details.faults || []) fields[fault.field] ??= fault.fault;
  if (details.field && !fields[details.field]) fields[details.field] = problem.detail;
  const inputs = Object.entries(fields).map(([name, said]) => markField(form, name, said)).filter(Boolean);
  const notice = element("div", { class: "notice", role: "alert", tabindex: "-1", "data-answer": true },
    element("p", { class: "notice-what" }, problem.title),
    element("p", {}, problem.detail || ""),
    element("p", {}, element("strong", {}, "Next: "), problem.next_step || "Look again, then decide."),
    element("p", { class: "notice-code" },
      problem.retry_helps ? "Trying again can help. " : "Trying again as it is will not help. ",
      element("code", {}, problem.code || String(problem.status || ""))));
  form.prepend(notice);
  if (details.theirs) notice.after(conflict(form, details.theirs));
  (inputs[0] || notice).focus();
}

function longest(form) {
  return [...form.querySelectorAll("textarea, input[type='text']")]
    .map((input) => input.value).reduce((most, text) => (text.length > most.length ? text : most), "");
}

function conflict(form, theirs) {
  const at = theirs.at ? `, ${clockTime(new Date(theirs.at))}` : "";
  return element("section", { class: "conflict", "aria-label": "Two versions", "data-answer": true },
    element("p", {}, element("strong", {}, "Somebody changed this first. Nothing is lost: here are both texts.")),
    element("div", { class: "both" },
      element("div", {}, element("p", {}, `${theirs.by || "Somebody"}${at} (stands now)`),
        element("blockquote", {}, theirs.text || "")),
      element("div", {}, element("p", {}, "Yours (not recorded yet)"), element("blockquote", {}, longest(form)))),
    element("p", {}, "Join the two in the form below and send it, or leave theirs as it stands."));
}

/** The author is told what was taken out of the text before it was stored. */
export function showNotices(form, notices) {
  if (!notices?.length) return;
  form.prepend(element("div", { class: "notice", role: "status", "data-answer": true },
    element("p", { class: "notice-what" }, "Something in your text looked like a secret and was not stored."),
    element("p", {}, `${notices.map((one) => `${one.rule} in ${one.field} (fingerprint ${one.fingerprint})`).join("; ")}. ` +
      "Everything else stands word for word."),
    element("p", {}, element("strong", {}, "Next: "), "If it was real, treat it as exposed: add it to the incident.")));
}
