// A panel under the top line: the clock stays in sight, the page stays usable, Escape closes it, focus goes back.
import { element } from "./page.js";

let open = null;

export function closeOverlay() {
  if (!open) return;
  const { node, before } = open;
  open = null;
  node.remove();
  if (before?.isConnected) before.focus();
}

export function openOverlay(name, title, ...children) {
  const same = open?.name === name;
  closeOverlay();
  if (same) return null;
  const line = document.querySelector(".topline");
  const bottom = line ? Math.max(0, line.getBoundingClientRect().bottom) : 0;
  document.documentElement.style.setProperty("--under-topline", `${Math.round(bottom) + 8}px`);
  const node = element("div", { class: "overlay", role: "dialog", "aria-label": title, tabindex: "-1" },
    element("div", { class: "overlay-head" }, element("h2", {}, title),
      element("button", { type: "button", class: "plain", onclick: closeOverlay }, "Close")), ...children);
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      closeOverlay();
    }
  });
  open = { name, node, before: document.activeElement };
  document.body.append(node);
  node.focus();
  return node;
}

export const overlayIsOpen = () => open !== null;
