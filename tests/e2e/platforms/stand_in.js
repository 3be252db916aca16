// What the stand-ins of platforms share. Each is a server on loopback that takes what the real one
// takes, refuses what it refuses, in its words, and keeps what it took.

import { startReceiver } from "../lib/receiver.js";

// `answer(request)` gives {status, body}; a request has `json` beside what a receiver sees. `body` is
// sent as JSON unless it is text. `accepted` is what `answer` pushes into it.
export async function startStandIn(test, answer) {
  const standIn = { accepted: [], refused: [], url: "" };
  const receiver = await startReceiver({ test });
  receiver.answer = (request) => {
    const parsed = { ...request, url: new URL(request.target, "http://stand-in"), json: undefined };
    try {
      parsed.json = JSON.parse(request.body);
    } catch {
      // Each platform says in its own way that this is no JSON.
    }
    const { status, body = "", headers = {} } = answer(parsed, standIn);
    if (status >= 300) standIn.refused.push({ status, body, request: parsed });
    const isText = typeof body === "string";
    return {
      status,
      headers: { "content-type": isText ? "text/plain" : "application/json", ...headers },
      body: isText ? body : JSON.stringify(body),
    };
  };
  standIn.url = receiver.url;
  standIn.receiver = receiver;
  return standIn;
}

export const isObject = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isText = (value, min = 1, max = Infinity) =>
  typeof value === "string" && [...value].length >= min && [...value].length <= max;

export const depthOf = (value) =>
  typeof value === "object" && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0;

// "Basic …" as {username, password}; null if it is none.
export function basicOf(request) {
  const [scheme, encoded = ""] = (request.headers.authorization ?? "").split(" ");
  if (scheme !== "Basic") return null;
  const [username, ...rest] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return { username, password: rest.join(":") };
}

export const isEmail = (value) => isText(value, 3, 254) && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value);
