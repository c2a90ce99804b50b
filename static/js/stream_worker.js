// Shares one stream among all tabs: a browser opens only six connections to an origin.
import { Feed } from "./feed.js";

const KEPT = 2_000;
const SEND_EVERY = 30;

const ports = new Set();
let feed = null;
let state = "reconnecting";
let kept = []; // the newest messages, for tabs that join later
let keptAfter = 0; // every row after this number is in `kept`
let unsent = [];
let timer = null;

function receive(message) {
  kept.push(message);
  if (message.kind === "gap") {
    kept = [];
    keptAfter = message.seq;
  } else if (kept.length > KEPT) {
    keptAfter = kept.shift().seq;
  }
  unsent.push(message);
  timer ??= setTimeout(send, SEND_EVERY);
}

function send() {
  for (const port of ports) port.postMessage({ messages: unsent });
  unsent = [];
  timer = null;
}

function changeState(next) {
  state = next;
  for (const port of ports) port.postMessage({ state });
}

function join(port, after) {
  ports.add(port);
  if (!feed) {
    keptAfter = after;
    feed = new Feed(after, { onMessage: receive, onState: changeState });
    feed.open();
    return;
  }
  port.postMessage({ state });
  if (after < keptAfter) {
    port.postMessage({ messages: [{ kind: "gap", seq: feed.last, data: "{}" }] });
    return;
  }
  port.postMessage({ messages: kept.filter((message) => message.seq >= after) });
}

function leave(port) {
  ports.delete(port);
  if (ports.size) return;
  feed?.close();
  feed = null;
  kept = [];
}

self.addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if ("join" in data) join(port, data.join);
    else if (data.retry) feed?.retry();
    else leave(port);
  };
  port.postMessage({ hello: true });
});
