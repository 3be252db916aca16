// Amplitude's HTTP V2: https://amplitude.com/docs/apis/analytics/http-v2

import { isObject, isText, startStandIn } from "./stand_in.js";

const KEY = "stand-in-secret";
const NOBODY = new Set(["anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown"]);

export async function startAmplitude(test) {
  const amplitude = await startStandIn(test, ({ method, url, headers, json, body }, standIn) => {
    if (method !== "POST" || url.pathname !== "/2/httpapi") return { status: 404 };
    const refuse = (error, more = {}) => ({ status: 400, body: { code: 400, error, ...more } });
    if (!(headers["content-type"] ?? "").startsWith("application/json") || !isObject(json)) {
      return refuse("Invalid JSON request body");
    }
    if (json.api_key !== KEY) return refuse(`Invalid API key: ${json.api_key}`);
    if (Buffer.byteLength(body) > 1_000_000 || json.events?.length > 2000) {
      return { status: 413, body: { code: 413, error: "Payload too large" } };
    }
    if (!Array.isArray(json.events)) {
      return refuse("Request missing required field", { missing_field: "events" });
    }
    if (standIn.silence) {
      return refuse("Request silenced", { silenced_events: [], events_with_invalid_fields: {} });
    }
    const min = json.options?.min_id_length ?? 5;
    const lists = { invalid: {}, missing: {}, lengths: {} };
    const add = (list, field, index) => (lists[list][field] ??= []).push(index);
    json.events.forEach((event, index) => {
      const ids = ["user_id", "device_id"].filter((id) => event[id] !== undefined);
      if (ids.length === 0) add("missing", "user_id", index);
      for (const id of ids) {
        if (!isText(event[id], min)) add("lengths", id, index);
        else if (NOBODY.has(event[id].toLowerCase())) add("invalid", id, index);
      }
      if (event.insert_id === standIn.forbidden) add("invalid", "insert_id", index);
      if (!isText(event.event_type, 1, 1024)) add("missing", "event_type", index);
      if (event.time !== undefined && !Number.isInteger(event.time)) add("invalid", "time", index);
      if (!isObject(event.event_properties ?? {})) add("invalid", "event_properties", index);
    });
    if (Object.values(lists).some((list) => Object.keys(list).length > 0)) {
      return refuse("Invalid field values on some events", {
        events_with_invalid_fields: lists.invalid,
        events_with_missing_fields: lists.missing,
        events_with_invalid_id_lengths: lists.lengths,
        silenced_events: [],
      });
    }
    standIn.accepted.push(...json.events);
    return { status: 200, body: { code: 200, events_ingested: json.events.length } };
  });
  return Object.assign(amplitude, { fields: { server: amplitude.url }, secrets: { api_key: KEY } });
}
