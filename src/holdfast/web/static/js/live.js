// The live connection: shared by all tabs, and truthful about itself.
import { on, page, tell } from "./page.js";
import { follow } from "./stream.js";

const HERE_MS = 25_000;
const SAID = {
  live: "live", reconnecting: "reconnecting", offline: "offline: shown as of now", "signed-out": "signed out: reload",
  connecting: "connecting",
};
let shared = "connecting";
let joined = false;

function show() {
  const place = document.getElementById("connection");
  if (!place) return;
  const state = navigator.onLine === false ? "offline" : shared;
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  place.textContent = SAID[state];
}

function heard(message) {
  if (message.state) {
    shared = message.state;
    show();
    if (message.state === "live" && (message.again || !joined)) {
      joined = true; // what changed between the page's rendering and now was told to nobody
      tell("stale", { why: "joined" });
    }
    return;
  }
  if (message.name === "presence") tell("presence", message.data);
  else if (message.name !== "hello") {
    if (!page.incident || !message.data.incident || message.data.incident === page.incident) tell("stale", message.data);
  }
}

function byWorker(url) {
  const worker = new SharedWorker(new URL("./live-worker.js", import.meta.url), { type: "module", name: "holdfast-live" });
  let answered = false;
  worker.port.addEventListener("message", ({ data }) => {
    answered = true;
    heard(data);
  });
  worker.port.start();
  const here = () => worker.port.postMessage({ follow: url });
  here();
  setInterval(here, HERE_MS);
  addEventListener("pagehide", () => worker.port.postMessage({ bye: true }));
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      here();
      tell("stale", { why: "shown again" });
    }
  });
  document.addEventListener("visibilitychange", () => !document.hidden && here());
  worker.addEventListener("error", () => {
    if (!answered) byLeader(url);
  });
}

/** Without shared workers: the tab that holds the lock follows, and tells the others. */
function byLeader(url) {
  if (!navigator.locks || !self.BroadcastChannel) {
    follow(url, heard);
    return;
  }
  const channel = new BroadcastChannel(`holdfast.live:${url}`);
  let leading = false;
  let followed = false;
  channel.addEventListener("message", ({ data }) => {
    if (data.ask) {
      if (leading) channel.postMessage({ state: shared });
    } else {
      followed = true;
      heard(data);
    }
  });
  channel.postMessage({ ask: true });
  navigator.locks.request(`holdfast.live:${url}`, () => {
    leading = true;
    return new Promise(() => {
      follow(url, (said) => {
        // who takes over from a closed tab makes all look again: something may have been said in between
        const message = followed && said.state === "live" ? { ...said, again: true } : said;
        heard(message);
        channel.postMessage(message);
      });
    });
  });
}

export function startLive() {
  addEventListener("online", show);
  addEventListener("offline", show);
  on("signed-out", () => heard({ state: "signed-out" }));
  if (!page.liveUrl) return;
  const url = new URL(page.liveUrl, location.href).href;
  if (self.SharedWorker) byWorker(url);
  else byLeader(url);
  show();
}
