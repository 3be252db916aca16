// Mailchimp's list members: https://mailchimp.com/developer/marketing/api/list-members/

import { createHash } from "node:crypto";

import { basicOf, isEmail, isObject, startStandIn } from "./stand_in.js";

const KEY = "stand-in-secret-us21";
const LIST = "a1b2c3d4e5";
const TAGS = new Set(["FNAME", "LNAME", "NPS"]);
const STATUSES = new Set(["subscribed", "unsubscribed", "cleaned", "pending", "transactional"]);

export async function startMailchimp(test) {
  const mailchimp = await startStandIn(test, (request, standIn) => {
    const { method, url, json } = request;
    const refuse = (status, title, detail) => ({ status, body: { status, title, detail } });
    if (basicOf(request)?.password !== KEY) return refuse(401, "API Key Invalid", "Your API key …");
    const path = /^\/3\.0\/lists\/(\w+)\/members\/(\w+)$/.exec(url.pathname);
    if (path === null || path[1] !== LIST) return refuse(404, "Resource Not Found", "");
    if (method !== "PUT") return refuse(405, "Method Not Allowed", "");
    if (!isObject(json) || !isEmail(json.email_address)) {
      return refuse(400, "Invalid Resource", "Please provide a valid email address.");
    }
    if (/@example\.invalid$/.test(json.email_address)) {
      return refuse(400, "Invalid Resource", "This email address looks fake or invalid.");
    }
    const hash = createHash("md5").update(json.email_address.toLowerCase()).digest("hex");
    if (path[2] !== hash) return refuse(400, "Invalid Resource", "The hash is of another address.");
    if (!STATUSES.has(json.status_if_new)) return refuse(400, "Invalid Resource", "status_if_new");
    const unknown = Object.keys(json.merge_fields ?? {}).filter((tag) => !TAGS.has(tag));
    if (unknown.length > 0) return refuse(400, "Invalid Resource", "Your merge fields were invalid.");
    standIn.accepted.push(json);
    return { status: 200, body: { id: hash, status: json.status_if_new } };
  });
  return Object.assign(mailchimp, {
    fields: { server: mailchimp.url, list_id: LIST }, secrets: { api_key: KEY },
  });
}
