// A one-time link carries its value behind the #, which browsers send to nobody: it moves into the form from there.
const form = document.getElementById("link-form");
const value = decodeURIComponent(location.hash.slice(1));
if (form && value) {
  history.replaceState(null, "", location.pathname);
  form.elements.link.value = value;
  form.requestSubmit();
}
