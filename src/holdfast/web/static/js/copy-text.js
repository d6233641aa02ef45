// Copies a text exactly as it stands: <button data-copy-text="id"> beside <pre id="id">. Selects it where that is refused.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy-text]");
  if (!button) return;
  const id = button.dataset.copyText;
  const text = document.getElementById(id);
  const said = document.querySelector(`[data-copied-text="${CSS.escape(id)}"]`);
  getSelection().selectAllChildren(text);
  try {
    await navigator.clipboard.writeText(text.textContent);
    said.textContent = "copied, byte for byte";
  } catch {
    said.textContent = "it is selected: press Ctrl C";
  }
});
