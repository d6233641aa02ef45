// System, dark or light; early.js applies the choice before the first paint.
import { stored } from "./page.js";

const NEXT = { system: "dark", dark: "light", light: "system" };
const KEY = "holdfast.theme";

function show(button, theme) {
  button.textContent = `Theme: ${theme}`;
}

export function startTheme() {
  const button = document.querySelector('[data-action="theme"]');
  if (!button) return;
  show(button, stored(localStorage, KEY) || "system");
  button.addEventListener("click", () => {
    const theme = NEXT[stored(localStorage, KEY) || "system"];
    stored(localStorage, KEY, theme === "system" ? null : theme);
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    show(button, theme);
  });
}
