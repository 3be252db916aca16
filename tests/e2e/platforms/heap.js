// Heap's server-side track: https://developers.heap.io/reference/track-1

import { isObject, isText, startStandIn } from "./stand_in.js";

const APP_ID = "4711";
const isGood = (value) => typeof value === "number" || isText(value, 0, 1023);

export async function startHeap(test) {
  const heap = await startStandIn(test, ({ method, url, json }, standIn) => {
    if (method !== "POST" || url.pathname !== "/api/track") return { status: 404 };
    const refuse = (body) => ({ status: 400, body });
    if (!isObject(json)) return refuse("Invalid JSON");
    if (json.app_id !== APP_ID) return refuse("Invalid app_id");
    if (!isText(json.identity, 1, 255)) return refuse("Invalid identity");
    if (!isText(json.event, 1, 1024)) return refuse("Invalid event");
    if (json.timestamp !== undefined && Number.isNaN(Date.parse(json.timestamp))) {
      return refuse("Invalid timestamp");
    }
    for (const [name, value] of Object.entries(json.properties ?? {})) {
      if (!isText(name, 1, 512) || !isGood(value)) return refuse(`Invalid property ${name}`);
    }
    if (standIn.keys.has(json.idempotency_key)) return { status: 200 };
    standIn.keys.add(json.idempotency_key);
    standIn.accepted.push(json);
    return { status: 200 };
  });
  return Object.assign(heap, {
    keys: new Set(), fields: { server: heap.url, app_id: APP_ID }, secrets: {},
  });
}
