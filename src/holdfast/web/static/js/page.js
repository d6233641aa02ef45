// What every module needs to know of the page, and a few small tools.

const given = document.querySelector('meta[name="server-now"]')?.content;
const ahead = given ? Date.parse(given) - Date.now() : 0;

/** The server's clock, in milliseconds; a laptop that is wrong by minutes must not show a wrong deadline. */
export const serverNow = () => Date.now() + ahead;

/** The element's data of the body: incident, liveUrl, zone and so on. */
export const page = document.body.dataset;

/** An instant as a wall clock of the incident's zone shows it, 03:14:07. */
export function clockTime(moment, zone = page.zone || "UTC") {
  return new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: zone,
  }).format(moment);
}

/** An element with attributes and children; text is only ever text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Storage that may be switched off. */
export function stored(storage, key, value) {
  try {
    if (value === undefined) return storage.getItem(key);
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, value);
  } catch {
    return null; // switched off or full: the page still works, it only forgets
  }
  return value;
}

/** Whether typing into this element means text. */
export function takesText(target) {
  if (!(target instanceof Element)) return false;
  if (target.matches("textarea, select, [contenteditable='true'], [role='combobox']")) return true;
  return target.matches("input") && !["checkbox", "radio", "button", "submit"].includes(target.type);
}

/** Tells the rest of the page that something happened. */
export function tell(name, detail = {}) {
  document.dispatchEvent(new CustomEvent(`holdfast:${name}`, { detail }));
}

/** Listens to the rest of the page. */
export function on(name, heard) {
  document.addEventListener(`holdfast:${name}`, (event) => heard(event.detail));
}
