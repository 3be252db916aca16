// Microsoft Teams: workflows "when a webhook request is received", and connectors of before.

import { isObject, startStandIn } from "./stand_in.js";

const BYTES_MAX = 28 * 1024;
const PATH = "/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=stand-in-secret";

export async function startTeams(test) {
  const teams = await startStandIn(test, ({ target, body, json }, standIn) => {
    if (target === "/webhookb2/old") {
      return {
        status: 200,
        body: "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
      };
    }
    if (target !== PATH) {
      return { status: 401, body: { error: { code: "DirectApiAuthorizationRequired" } } };
    }
    if (Buffer.byteLength(body) > BYTES_MAX) return { status: 413, body: "RequestEntityTooLarge" };
    const cards = json?.attachments;
    const isCard = (attachment) =>
      attachment.contentType === "application/vnd.microsoft.card.adaptive" &&
      isObject(attachment.content) && attachment.content.type === "AdaptiveCard" &&
      /^1\.\d$/.test(attachment.content.version) && Array.isArray(attachment.content.body);
    if (json?.type !== "message" || !Array.isArray(cards) || !cards.every(isCard)) {
      return { status: 400, body: { error: { code: "TriggerInputSchemaMismatch" } } };
    }
    standIn.accepted.push(json);
    return { status: 202 };
  });
  teams.secret = teams.url + PATH;
  return teams;
}
