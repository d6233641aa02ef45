// Ctrl K: every section, form and link of the page, and what the server adds, found by a few letters.
import { closeOverlay, openOverlay } from "./overlay.js";
import { element, page } from "./page.js";

const SHOWN = 60;
let fetched = null;

/** Brings somebody to a form, a folded form, a link or a button. */
export function goTo(target) {
  const details = target.matches("details") ? target : target.closest("details");
  if (details) details.open = true;
  if (target.matches("a[href], button")) {
    target.click();
    return;
  }
  const field = target.querySelector('input:not([type="hidden"]), select, textarea, button') || target;
  field.focus();
  field.scrollIntoView({ block: "center" });
}

function ofPage() {
  const items = [];
  for (const link of document.querySelectorAll("a[data-go]")) {
    const letter = link.dataset.go;
    items.push({ label: link.firstChild.textContent.trim(), where: letter ? `g ${letter}` : "", run: () => link.click() });
  }
  for (const form of document.querySelectorAll("form[data-command]")) {
    const label = form.closest("details.act")?.querySelector("summary")?.textContent
      || form.querySelector("button.primary")?.textContent || form.dataset.command;
    items.push({ label: label.trim(), where: "form on this page", run: () => goTo(form) });
  }
  for (const node of document.querySelectorAll("[data-palette]")) {
    items.push({ label: node.dataset.palette || node.textContent.trim(), where: "", run: () => goTo(node) });
  }
  return items;
}

async function ofServer() {
  if (!page.paletteUrl) return [];
  fetched ??= fetch(page.paletteUrl, { headers: { Accept: "application/json" }, credentials: "same-origin" })
    .then((response) => (response.ok ? response.json() : []));
  try {
    return (await fetched).map((item) => ({ label: item.label, where: item.hint || "", run: () => location.assign(item.href) }));
  } catch {
    fetched = null; // tried again at the next opening
    return [];
  }
}

/** How well the letters fit, lower is better; null when they do not. Words begun count more than letters strewn. */
export function fit(letters, label) {
  const wanted = letters.toLowerCase().replaceAll(" ", "");
  const text = label.toLowerCase();
  let at = -1;
  let cost = 0;
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    const begins = next === 0 || text[next - 1] === " ";
    cost += begins ? 0 : next - at - 1;
    at = next;
  }
  return cost + text.length / 100;
}

function ranked(items, letters) {
  if (!letters.trim()) return items.slice(0, SHOWN);
  return items.map((item) => ({ item, cost: fit(letters, `${item.label} ${item.where}`) }))
    .filter((one) => one.cost !== null).sort((one, other) => one.cost - other.cost)
    .slice(0, SHOWN).map((one) => one.item);
}

export async function openPalette(searching = false) {
  const list = element("ul", { class: "palette-list", id: "palette-list", role: "listbox", "aria-label": "Found" });
  const input = element("input", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", autocomplete: "off",
    "aria-autocomplete": "list", "aria-label": searching ? "Search" : "Command or section", spellcheck: "false",
    placeholder: searching ? "Words to find" : "Command, section or form",
  });
  const title = searching ? "Search" : "Commands";
  if (!openOverlay(title, title, input, list)) return;
  let items = ofPage();
  let shown = [];
  let chosen = 0;

  function mark() {
    for (const [at, row] of [...list.children].entries()) row.setAttribute("aria-selected", String(at === chosen));
    const row = list.children[chosen];
    if (row?.id) input.setAttribute("aria-activedescendant", row.id);
    else input.removeAttribute("aria-activedescendant");
    row?.scrollIntoView({ block: "nearest" });
  }

  function choose(at) {
    const item = shown[at];
    if (!item) return;
    closeOverlay();
    item.run();
  }

  function show() {
    shown = ranked(items, input.value);
    const words = input.value.trim();
    if (page.searchUrl && words) {
      const search = { label: `Search for “${words}”`, where: "record, messages, evidence",
        run: () => location.assign(`${page.searchUrl}?${new URLSearchParams({ q: words })}`) };
      shown = searching ? [search, ...shown] : [...shown, search];
    }
    chosen = 0;
    list.replaceChildren(...shown.map((item, at) => element("li",
      { role: "option", id: `palette-${at}`, "aria-selected": "false", onclick: () => choose(at) },
      element("span", {}, item.label), element("span", { class: "where" }, item.where))));
    if (shown.length === 0) list.append(element("li", { role: "option", "aria-disabled": "true" }, "Nothing fits these letters."));
    mark();
  }

  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      chosen = (chosen + step + shown.length) % shown.length;
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(chosen);
    }
  });
  show();
  input.focus();
  const more = await ofServer();
  if (more.length && input.isConnected) {
    const known = new Set(items.map((item) => item.label));
    items = [...items, ...more.filter((item) => !known.has(item.label))];
    show();
  }
}

export function startPalette() {
  document.addEventListener("click", (event) => {
    const action = event.target.closest?.("[data-action]")?.dataset.action;
    if (action === "palette") openPalette();
    if (action === "search") openPalette(true);
  });
}
