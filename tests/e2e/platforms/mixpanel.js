// Mixpanel's import: https://developer.mixpanel.com/reference/import-events

import { basicOf, depthOf, isObject, isText, startStandIn } from "./stand_in.js";

const NOBODY = new Set([
  "00000000-0000-0000-0000-000000000000", "-1", "0", "<nil>", "[]", "anon", "anonymous", "false",
  "lmy47d", "n/a", "na", "nil", "none", "null", "true", "undefined", "unknown", "{}",
]);
const FIVE_YEARS_MS = 5 * 365 * 86_400_000;

function wrong(record) {
  const field = (name, message) => ({ field: name, message });
  if (!isText(record?.event, 1, 255)) return field("event", "'event' is invalid");
  const { properties } = record;
  if (!isObject(properties)) return field("properties", "'properties' is missing");
  const { time, distinct_id: distinctId, $insert_id: insertId } = properties;
  if (!Number.isInteger(time)) return field("properties.time", "'properties.time' is invalid");
  if (time < Date.now() - FIVE_YEARS_MS || time > Date.now() + 3_600_000) {
    return field("properties.time", "'properties.time' is invalid: must be within 5 years");
  }
  if (typeof distinctId !== "string" || NOBODY.has(distinctId.toLowerCase())) {
    return field("properties.distinct_id", "'properties.distinct_id' is invalid");
  }
  if (!isText(insertId, 1, 36) || !/^[A-Za-z0-9-]+$/.test(insertId)) {
    return field("properties.$insert_id",
      "'properties.$insert_id' is invalid: must not be longer than 36 bytes");
  }
  if (Object.keys(properties).length > 255) return field("properties", "too many properties");
  if (Object.values(properties).some((value) => depthOf(value) > 3)) {
    return field("properties", "nested too deep");
  }
  return null;
}

export async function startMixpanel(test) {
  const account = { project_id: "4711", username: "eilpost.1a2b.mp-service-account" };
  const secret = "stand-in-secret";
  const mixpanel = await startStandIn(test, (request, standIn) => {
    const { url, json } = request;
    if (url.pathname !== "/import") return { status: 404, body: "Not found" };
    const basic = basicOf(request);
    if (basic?.username !== account.username || basic.password !== secret) {
      return { status: 401, body: { error: "Invalid credentials", status: 0 } };
    }
    if (url.searchParams.get("project_id") !== account.project_id) {
      return { status: 400, body: { error: "project_id is wrong", status: 0 } };
    }
    if (standIn.throttle > 0) {
      standIn.throttle -= 1;
      return { status: 429, body: { code: 429, error: "rate limit exceeded", status: "Too Many" } };
    }
    if (!Array.isArray(json) || json.length > 2000) {
      return { status: 400, body: { error: "some data points in the request failed", status: 0 } };
    }
    const failed = [];
    json.forEach((record, index) => {
      const why = standIn.refuse?.(record) ?? wrong(record);
      if (why === null) standIn.accepted.push(record);
      else failed.push({ index, insert_id: record?.properties?.$insert_id, ...why });
    });
    const body = { num_records_imported: json.length - failed.length };
    if (failed.length === 0) return { status: 200, body: { code: 200, status: "OK", ...body } };
    const isStrict = url.searchParams.get("strict") === "1";
    if (!isStrict) return { status: 200, body: { code: 200, status: "OK", ...body } };
    return {
      status: 400,
      body: { code: 400, status: "Bad Request", failed_records: failed, ...body },
    };
  });
  return Object.assign(mixpanel, {
    fields: { server: mixpanel.url, ...account }, secrets: { service_secret: secret },
  });
}
