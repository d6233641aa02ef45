// Copies a value that is shown only once: <button data-copy="id"> beside <textarea id="id">.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    const said = document.querySelector(`[data-copied="${CSS.escape(button.dataset.copy)}"]`);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = "copied";
    } catch {
      said.textContent = "it is selected: press Ctrl C";
    }
  });
}
