// Runs before the first paint: says that scripts work, and applies the theme this person chose.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("holdfast.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's theme stands.
}
