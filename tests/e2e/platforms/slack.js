// Slack's incoming webhooks: https://api.slack.com/messaging/webhooks

import { isText, startStandIn } from "./stand_in.js";

const PATH = "/services/T00000000/B00000000/stand-in-secret";

export async function startSlack(test) {
  const slack = await startStandIn(test, ({ method, target, headers, json }, standIn) => {
    if (target === "/services/archived") return { status: 410, body: "channel_is_archived" };
    if (target === "/services/quiet") return { status: 200, body: "something else" };
    if (target !== PATH) return { status: 404, body: "no_service" };
    if (method !== "POST") return { status: 400, body: "invalid_payload" };
    if (!(headers["content-type"] ?? "").startsWith("application/json")) {
      return { status: 400, body: "invalid_payload" };
    }
    if (json === undefined) return { status: 400, body: "invalid_payload" };
    if (!isText(json.text) && !Array.isArray(json.blocks)) return { status: 400, body: "no_text" };
    if (json.text?.includes("<!")) return { status: 403, body: "action_prohibited" };
    if (json.blocks?.length > 50) return { status: 400, body: "invalid_blocks" };
    standIn.accepted.push(json);
    return { status: 200, body: "ok" };
  });
  slack.secret = slack.url + PATH;
  return slack;
}
