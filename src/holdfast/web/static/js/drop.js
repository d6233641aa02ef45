// A screenshot is pasted or dropped straight into the evidence form: <div class="drop" data-drop> around a file input.
import { element } from "./page.js";

function named(file) {
  if (file.name && file.name !== "image.png") return file;
  const stamp = new Date().toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
  const ending = (file.type.split("/")[1] || "bin").replace(/[^a-z0-9]/g, "");
  return new File([file], `screenshot-${stamp}.${ending}`, { type: file.type, lastModified: Date.now() });
}

function preview(zone, file) {
  const old = zone.querySelector(".drop-shown");
  if (old) {
    const image = old.querySelector("img");
    if (image) URL.revokeObjectURL(image.src);
    old.remove();
  }
  if (!file) return;
  const shown = element("p", { class: "drop-shown", role: "status" }, `${file.name}, ${file.size.toLocaleString("en")} bytes`);
  if (file.type.startsWith("image/")) {
    shown.append(element("br"), element("img", { class: "drop-preview", alt: "What will be stored", src: URL.createObjectURL(file) }));
  }
  zone.append(shown);
}

function put(zone, files) {
  const input = zone.querySelector('input[type="file"]');
  if (!input || files.length === 0) return;
  const carried = new DataTransfer();
  for (const file of input.multiple ? files : files.slice(0, 1)) carried.items.add(named(file));
  input.files = carried.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  const details = zone.closest("details");
  if (details) details.open = true;
  zone.closest("form")?.querySelector("textarea, input[type='text']")?.focus();
}

export function startDrop() {
  document.addEventListener("change", (event) => {
    const zone = event.target.closest?.("[data-drop]");
    if (zone && event.target.type === "file") preview(zone, event.target.files[0]);
  });
  document.addEventListener("reset", (event) => {
    for (const zone of event.target.querySelectorAll("[data-drop]")) preview(zone, null);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (files.length === 0) return;
    const zone = event.target.closest?.("form")?.querySelector("[data-drop]") || document.querySelector("[data-drop]");
    if (!zone) return;
    event.preventDefault();
    put(zone, files);
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest?.("[data-drop]");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      if (kind === "drop") put(zone, [...event.dataTransfer.files]);
    });
  }
}
