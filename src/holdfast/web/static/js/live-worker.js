// One stream for all tabs of this browser. A tab says {follow: url} (again at will) and {bye: true}.
import { follow } from "./stream.js";

const LINGER_MS = 3_000; // going from page to page keeps the stream
const DEAD_MS = 90_000; // a crashed tab never says bye
const streams = new Map();

function send(stream, message) {
  for (const port of stream.ports.keys()) port.postMessage(message);
}

function join(url, port) {
  let stream = streams.get(url);
  if (!stream) {
    stream = { ports: new Map(), state: null, stop: null };
    streams.set(url, stream);
    stream.stop = follow(url, (message) => {
      if (message.state) stream.state = { ...message, again: false };
      send(stream, message);
      if (message.state === "signed-out") streams.delete(url);
    });
  }
  const known = stream.ports.has(port);
  stream.ports.set(port, Date.now());
  if (!known && stream.state) port.postMessage(stream.state);
}

function leave(port) {
  for (const [url, stream] of streams) {
    stream.ports.delete(port);
    setTimeout(() => {
      if (stream.ports.size === 0 && streams.get(url) === stream) {
        stream.stop();
        streams.delete(url);
      }
    }, LINGER_MS);
  }
}

self.addEventListener("connect", (event) => {
  const port = event.ports[0];
  port.addEventListener("message", ({ data }) => {
    if (data.follow) join(data.follow, port);
    else if (data.bye) leave(port);
  });
  port.start();
});

setInterval(() => {
  const now = Date.now();
  for (const stream of streams.values()) {
    for (const [port, seen] of stream.ports) if (now - seen > DEAD_MS) leave(port);
  }
}, DEAD_MS / 3);
