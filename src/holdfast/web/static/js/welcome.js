// A one-time link carries its value behind the #, which browsers send to nobody: it moves into the form from there.
const form = document.getElementById("link-form");

function take() {
  const value = decodeURIComponent(location.hash.slice(1));
  if (!form || !value) return;
  history.replaceState(null, "", location.pathname);
  form.elements.link.value = value;
  form.requestSubmit();
}

addEventListener("hashchange", take); // the link was pasted over this very page
take();
