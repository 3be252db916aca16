// HubSpot's batch upsert of contacts: https://developers.hubspot.com/docs/api/crm/contacts

import { isEmail, isObject, startStandIn } from "./stand_in.js";

const TOKEN = "stand-in-secret";
const PROPERTIES = new Set(["email", "firstname", "nps", "plan"]);

export async function startHubspot(test) {
  const hubspot = await startStandIn(test, ({ method, url, headers, json }, standIn) => {
    if (method !== "POST" || url.pathname !== "/crm/v3/objects/contacts/batch/upsert") {
      return { status: 404 };
    }
    if (headers.authorization !== `Bearer ${TOKEN}`) {
      return { status: 401, body: { status: "error", category: "INVALID_AUTHENTICATION" } };
    }
    const refuse = (message) => ({
      status: 400, body: { status: "error", message, category: "VALIDATION_ERROR" },
    });
    if (!Array.isArray(json?.inputs) || json.inputs.length > 100) return refuse("inputs");
    const errors = [];
    const results = [];
    for (const input of json.inputs) {
      if (input.idProperty !== "email" || !isObject(input.properties)) return refuse("idProperty");
      const unknown = Object.keys(input.properties).filter((name) => !PROPERTIES.has(name));
      if (unknown.length > 0) return refuse(`Property values were not valid: ${unknown}`);
      if (isEmail(input.id)) {
        standIn.accepted.push(input);
        results.push({ id: String(standIn.accepted.length), properties: input.properties });
      } else {
        errors.push({
          status: "error", category: "VALIDATION_ERROR", message: "Email address is invalid",
          context: { ids: [input.id] },
        });
      }
    }
    if (errors.length === 0) return { status: 200, body: { status: "COMPLETE", results } };
    return {
      status: 207, body: { status: "COMPLETE", results, numErrors: errors.length, errors },
    };
  });
  return Object.assign(hubspot, { fields: { server: hubspot.url }, secrets: { token: TOKEN } });
}
