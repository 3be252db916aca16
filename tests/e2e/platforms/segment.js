// Segment's HTTP API: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/

import { basicOf, isObject, isText, startStandIn } from "./stand_in.js";

const KEY = "stand-in-secret";

export async function startSegment(test) {
  const segment = await startStandIn(test, (request, standIn) => {
    const { url, json, body } = request;
    if (url.pathname !== "/v1/track") return { status: 404 };
    const basic = basicOf(request);
    if (basic?.username !== KEY || basic.password !== "") return { status: 401 };
    const refuse = (message) => ({ status: 400, body: { success: false, message } });
    if (Buffer.byteLength(body) > 32 * 1024) return refuse("Exceeded max event size of 32kb");
    if (!isObject(json)) return refuse("malformed JSON");
    if (!isText(json.userId) && !isText(json.anonymousId)) return refuse("no userId or anonymousId");
    if (!isText(json.event)) return refuse("no event");
    if (json.messageId !== undefined && !isText(json.messageId, 1, 99)) return refuse("messageId");
    if (Number.isNaN(Date.parse(json.timestamp))) return refuse("timestamp");
    standIn.accepted.push(json);
    return { status: 200, body: { success: true } };
  });
  return Object.assign(segment, { fields: { server: segment.url }, secrets: { write_key: KEY } });
}
