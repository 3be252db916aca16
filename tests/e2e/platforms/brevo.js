// Brevo's contacts: https://developers.brevo.com/reference/createcontact

import { isEmail, isObject, startStandIn } from "./stand_in.js";

const KEY = "xkeysib-stand-in-secret";
const ATTRIBUTES = new Set(["FIRSTNAME", "NPS"]);

export async function startBrevo(test) {
  const brevo = await startStandIn(test, ({ method, url, headers, json }, standIn) => {
    if (method !== "POST" || url.pathname !== "/v3/contacts") return { status: 404 };
    const refuse = (status, code, message) => ({ status, body: { code, message } });
    if (headers["api-key"] !== KEY) return refuse(401, "unauthorized", "Key not found");
    if (!isObject(json)) return refuse(400, "bad_request", "Input must be a valid JSON object");
    if (!isEmail(json.email)) return refuse(400, "invalid_parameter", "Invalid email address");
    if (!Array.isArray(json.listIds) || !json.listIds.every(Number.isInteger)) {
      return refuse(400, "invalid_parameter", "listIds should be an array of integers");
    }
    const unknown = Object.keys(json.attributes ?? {}).filter((name) => !ATTRIBUTES.has(name));
    if (unknown.length > 0) return refuse(400, "invalid_parameter", `Invalid attributes ${unknown}`);
    const isKnown = standIn.accepted.some((contact) => contact.email === json.email);
    if (isKnown && !json.updateEnabled) {
      return refuse(400, "duplicate_parameter", "Contact already exist");
    }
    standIn.accepted.push(json);
    return isKnown ? { status: 204 } : { status: 201, body: { id: standIn.accepted.length } };
  });
  return Object.assign(brevo, {
    fields: { server: brevo.url, list_ids: [7] }, secrets: { api_key: KEY },
  });
}
