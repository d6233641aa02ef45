// One key away. Single keys rest while somebody types, and can be switched off (WCAG 2.1.4); Ctrl K always works.
import { closeOverlay, openOverlay, overlayIsOpen } from "./overlay.js";
import { element, stored, takesText } from "./page.js";
import { goTo, openPalette } from "./palette.js";

const KEY = "holdfast.keys";
const GO_MS = 1500;
let going = 0;

const isOn = () => stored(localStorage, KEY) !== "off";

function listAround() {
  const lists = [...document.querySelectorAll("[data-list]")].filter((list) => list.children.length > 0);
  return lists.find((list) => list.contains(document.activeElement)) || lists[0];
}

function move(step) {
  const list = listAround();
  if (!list) return;
  const rows = [...list.children].filter((row) => row.offsetParent !== null || row.getClientRects().length);
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
  if (!row) return;
  if (!row.hasAttribute("tabindex")) row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function search() {
  const field = document.querySelector("[data-search]");
  if (field) field.focus();
  else openPalette(true);
}

function help() {
  const rows = [["?", "these keys"], ["Ctrl K", "commands, sections and forms"], ["/", "search"], ["j  k", "next, previous in the list"],
    ["Enter", "open what is marked"], ["Ctrl Enter", "send the form"], ["Esc", "close; leave a field"]];
  for (const node of document.querySelectorAll("[data-key]")) {
    const label = node.dataset.keyLabel || node.querySelector("summary, button.primary")?.textContent || node.textContent;
    rows.push([node.dataset.key, label.trim().slice(0, 60)]);
  }
  for (const link of document.querySelectorAll("a[data-go]")) {
    if (link.dataset.go) rows.push([`g ${link.dataset.go}`, `go to ${link.firstChild.textContent.trim()}`]);
  }
  const box = element("input", { type: "checkbox", onchange: (event) => stored(localStorage, KEY, event.target.checked ? null : "off") });
  box.checked = isOn();
  openOverlay("keys", "Keys",
    element("dl", { class: "keys" }, ...rows.flatMap(([key, does]) => [
      element("dt", {}, ...key.split(/\s+/).flatMap((one, at) => (at ? [" ", element("kbd", {}, one)] : [element("kbd", {}, one)]))),
      element("dd", {}, does)])),
    element("label", { class: "choice" }, box, "Single keys are on (Ctrl K always works)"));
}

function single(event) {
  const key = event.key;
  if (going && Date.now() - going < GO_MS) {
    going = 0;
    const link = document.querySelector(`a[data-go="${CSS.escape(key)}"]`);
    if (link) link.click();
    return Boolean(link);
  }
  going = 0;
  if (key === "?") help();
  else if (key === "/") search();
  else if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "g") going = Date.now();
  else if (key === "Enter" && event.target.matches("[data-list] > *")) event.target.querySelector("a[href]")?.click();
  else {
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    goTo(target);
  }
  return true;
}

function pressed(event) {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.key === "Escape") {
    if (overlayIsOpen()) closeOverlay();
    else if (takesText(event.target)) event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || takesText(event.target) || !isOn()) return;
  if (single(event)) event.preventDefault();
}

export function startKeys() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", (event) => {
    if (event.target.closest?.('[data-action="help"]')) help();
  });
}
