// Segment's HTTP API: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/

import { basicOf, isObject, isText, startStandIn } from "./stand_in.js";

const KEY = "stand-in-secret";

function wrongIn(call) {
  if (call.type !== "track") return "type";
  if (JSON.stringify(call).length > 32 * 1024) return "Exceeded max event size of 32kb";
  if (!isText(call.userId) && !isText(call.anonymousId)) return "no userId or anonymousId";
  if (!isText(call.event)) return "no event";
  if (call.messageId !== undefined && !isText(call.messageId, 1, 99)) return "messageId";
  if (Number.isNaN(Date.parse(call.timestamp))) return "timestamp";
  return null;
}

export async function startSegment(test) {
  const segment = await startStandIn(test, (request, standIn) => {
    const { url, json, body } = request;
    if (url.pathname !== "/v1/batch") return { status: 404 };
    const basic = basicOf(request);
    if (basic?.username !== KEY || basic.password !== "") return { status: 401 };
    const refuse = (message) => ({ status: 400, body: { success: false, message } });
    if (Buffer.byteLength(body) > 500_000) return refuse("Exceeded max batch size of 500kb");
    if (!isObject(json) || !Array.isArray(json.batch)) return refuse("malformed JSON");
    if (json.batch.length > 2500) return refuse("too many events");
    const wrong = json.batch.map(wrongIn).find((why) => why !== null);
    if (wrong !== undefined) return refuse(wrong);
    standIn.accepted.push(...json.batch);
    return { status: 200, body: { success: true } };
  });
  return Object.assign(segment, { fields: { server: segment.url }, secrets: { write_key: KEY } });
}
