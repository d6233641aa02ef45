// Follows a server-sent event stream by fetch, so that a refusal is told from a lost line and a silent line is noticed.

const SILENT_MS = 40_000; // the server speaks at least every 15 s
const LONGEST_WAIT_MS = 15_000;

async function read(response, heard) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard(null);
    rest += value.replaceAll("\r", "");
    let end = rest.indexOf("\n\n");
    while (end >= 0) {
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 2);
      const field = (name) => lines.filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).replace(/^ /, "")).join("\n");
      if (field("data")) heard({ name: field("event") || "message", data: JSON.parse(field("data")) });
      end = rest.indexOf("\n\n");
    }
  }
}

/**
 * Follow until the returned function is called.
 * tell gets {state: "live" | "reconnecting" | "signed-out", again} and {name, data} of each event.
 */
export function follow(url, tell) {
  let stopped = false;
  let failures = 0;
  let wasLive = false;
  let request = null;
  let wake = null;

  async function once() {
    request = new AbortController();
    let silence = setTimeout(() => request.abort(), SILENT_MS);
    try {
      const response = await fetch(url, {
        headers: { Accept: "text/event-stream" }, credentials: "same-origin", cache: "no-store", signal: request.signal,
      });
      if (response.status === 401 || response.status === 403 || response.status === 404) {
        tell({ state: "signed-out" });
        stopped = true;
        return;
      }
      if (!response.ok) return;
      tell({ state: "live", again: wasLive });
      wasLive = true;
      failures = 0;
      await read(response, (event) => {
        clearTimeout(silence);
        silence = setTimeout(() => request.abort(), SILENT_MS);
        if (event?.name === "signed-out") {
          stopped = true;
          tell({ state: "signed-out" });
        } else if (event) tell(event);
      });
    } catch {
      // a lost line: said below, tried again
    } finally {
      clearTimeout(silence);
    }
  }

  async function run() {
    while (!stopped) {
      await once();
      if (stopped) return;
      tell({ state: "reconnecting" });
      failures += 1;
      const wait = Math.min(500 * 2 ** failures, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
      await new Promise((done) => {
        wake = done;
        setTimeout(done, wait);
      });
    }
  }

  self.addEventListener("online", () => wake?.());
  run();
  return () => {
    stopped = true;
    request?.abort();
    wake?.();
  };
}
