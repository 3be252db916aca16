// Google Analytics 4, Measurement Protocol: it answers 2xx to everything, and drops what is wrong.
// https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference

import { isObject, isText, startStandIn } from "./stand_in.js";

const RESERVED = new Set(
  `ad_activeview ad_click ad_exposure ad_impression ad_query ad_reward adunit_exposure
   app_clear_data app_exception app_install app_remove app_store_refund app_update app_upgrade
   dynamic_link_app_open dynamic_link_app_update dynamic_link_first_open error firebase_campaign
   firebase_in_app_message_action firebase_in_app_message_dismiss
   firebase_in_app_message_impression first_open first_visit in_app_purchase notification_dismiss
   notification_foreground notification_open notification_receive notification_send os_update
   screen_view session_start user_engagement`.split(/\s+/),
);
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;
const isOld = (micros) => micros / 1000 < Date.now() - 72 * 3_600_000;

function messages(json) {
  const found = [];
  const add = (fieldPath, validationCode, description) =>
    found.push({ fieldPath, validationCode, description });
  if (!isText(json?.client_id)) {
    add("client_id", "VALUE_REQUIRED", "Measurement requires a client_id.");
  }
  if (json?.timestamp_micros !== undefined) {
    const isTime = Number.isInteger(json.timestamp_micros);
    if (!isTime) add("timestamp_micros", "VALUE_INVALID", "Not a number of microseconds.");
    else if (isOld(json.timestamp_micros)) add("timestamp_micros", "VALUE_INVALID", "Too old.");
  }
  const events = json?.events;
  if (!Array.isArray(events) || events.length === 0 || events.length > 25) {
    add("events", "VALUE_INVALID", "1 to 25 events are allowed.");
    return found;
  }
  for (const event of events) {
    if (event.timestamp_micros !== undefined) {
      const isTime = Number.isInteger(event.timestamp_micros);
      if (!isTime) add("events.timestamp_micros", "VALUE_INVALID", "Not a number.");
      else if (isOld(event.timestamp_micros)) add("timestamp_micros", "VALUE_INVALID", "Too old.");
    }
    if (!NAME.test(event.name ?? "")) add("events", "NAME_INVALID", `Event name [${event.name}]`);
    if (RESERVED.has(event.name)) add("events", "NAME_RESERVED", `Event name [${event.name}]`);
    if (/^(_|firebase_|ga_|google_)/.test(event.name)) add("events", "NAME_RESERVED", event.name);
    if (!isObject(event.params)) continue;
    const params = Object.entries(event.params);
    if (params.length > 25) add("events.params", "EXCEEDED_MAX_ENTITIES", "At most 25.");
    for (const [name, value] of params) {
      if (!NAME.test(name)) add("events.params", "NAME_INVALID", `Param name [${name}]`);
      if (/^(_|firebase_|ga_|google_|gtag\.)/.test(name)) add("events.params", "NAME_RESERVED", name);
      const isScalar = typeof value === "number" || typeof value === "string";
      if (!isScalar) add("events.params", "VALUE_INVALID", `Param [${name}] is no scalar.`);
      if (!isText(String(value), 0, 100)) add("events.params", "VALUE_INVALID", `[${name}] is long.`);
    }
  }
  return found;
}

export async function startGa4(test) {
  const measurementId = "G-STANDIN";
  const secret = "stand-in-secret";
  const ga4 = await startStandIn(test, ({ url, body, json }, standIn) => {
    const isDebug = url.pathname === "/debug/mp/collect";
    if (url.pathname !== "/mp/collect" && !isDebug) return { status: 404 };
    if (Buffer.byteLength(body) > 130_000) return { status: 413 };
    const found = messages(json);
    if (isDebug) return { status: 200, body: { validationMessages: found } };
    const isOurs = url.searchParams.get("measurement_id") === measurementId &&
      url.searchParams.get("api_secret") === secret;
    if (isOurs && found.length === 0) standIn.accepted.push(json);
    else standIn.dropped.push(found);
    return { status: 204 };
  });
  return Object.assign(ga4, {
    dropped: [],
    fields: { server: ga4.url, measurement_id: measurementId },
    secrets: { api_secret: secret },
  });
}
