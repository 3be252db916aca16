// Goal: whoever sends events as CloudEvents, as lines, packed or from a page is understood, a
// repeat is delivered once, and whoever sends something wrong is told what and where.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { CloudEvent, HTTP } from "cloudevents";

import { startEilpost } from "./lib/eilpost.js";
import { startReceiver } from "./lib/receiver.js";
import { createDestination, createSource, createWebhook, post, send } from "./lib/setup.js";
import { until } from "./lib/until.js";

const survey = (id, data = {}) => ({ id, type: "survey.submitted", data });

// An Eilpost whose survey events reach a receiver.
async function startAll(t, options = {}) {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t, ...options });
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, receiver.url);
  await createWebhook(eilpost, destination);
  return { receiver, eilpost, source };
}

// The bodies that arrived, by event id.
async function arrived(receiver, count) {
  const requests = await receiver.waitFor(count);
  return new Map(requests.map(({ body }) => [JSON.parse(body)["event.id"], JSON.parse(body)]));
}

function assertProblem(answer, status, code) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.match(answer.headers.get("content-type"), /^application\/problem\+json/);
  assert.equal(answer.body.status, status);
  assert.equal(answer.body.code, code);
  for (const member of ["type", "title", "detail"]) {
    assert.equal(typeof answer.body[member], "string", member);
  }
  return answer.body;
}

test("the cloudevents package is understood in binary, structured and batch mode", async (t) => {
  const { receiver, eilpost, source } = await startAll(t);
  const event = (id) =>
    new CloudEvent({
      id,
      source: "https://app.example.com/",
      type: "survey.submitted",
      subject: "jane \"1\"", // The package does not percent-encode headers as the standard asks.
      time: "2026-01-02T03:04:05.678Z",
      traceparent: "00-abc-def-01",
      data: { oId: 152605, oName: "NPS Ä", nps: 9, wm: { language: "de" } },
    });
  const one = (message) => send(eilpost, source, message.body, { headers: message.headers });

  assert.deepEqual(await one(HTTP.binary(event("binary"))), { accepted: 1, duplicates: 0 });
  assert.deepEqual(await one(HTTP.structured(event("structured"))), { accepted: 1, duplicates: 0 });
  const batch = {
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify([event("batch-1"), event("batch-2")]),
  };
  assert.equal(HTTP.toEvent(batch).length, 2); // The package reads it as a batch, too.
  assert.deepEqual(await one(batch), { accepted: 2, duplicates: 0 });

  const bodies = await arrived(receiver, 4);
  assert.deepEqual([...bodies.keys()].sort(), ["batch-1", "batch-2", "binary", "structured"]);
  for (const [id, body] of bodies) {
    assert.equal(body["event.type"], "survey.submitted", id);
    assert.equal(body["event.time"], "2026-01-02T03:04:05.678Z", id);
    assert.equal(body["wm.euId"], 'jane "1"', id);
    assert.equal(body.oId, 152605, id);
    assert.equal(body.oName, "NPS Ä", id);
    assert.equal(body.nps, 9, id);
    assert.equal(body["wm.language"], "de", id);
    assert.equal(body["wm.envName"], "production", id);
  }
});

test("attributes in headers are percent-encoded text, as the standard has it", async (t) => {
  const { receiver, eilpost, source } = await startAll(t);
  const event = new CloudEvent({ id: "encoded", source: "/", type: "survey.submitted", data: {} });
  const { headers, body } = HTTP.binary(event);
  await send(eilpost, source, body, { headers: { ...headers, "ce-subject": "j%C3%A4ne%201" } });
  const bodies = await arrived(receiver, 1);
  assert.equal(bodies.get("encoded")["wm.euId"], "jäne 1");
});

test("arrays, lines, gzip and beacons are understood", async (t) => {
  const { receiver, eilpost, source } = await startAll(t);
  await send(eilpost, source, [survey("array-1"), survey("array-2")]);
  const lines = `${JSON.stringify(survey("line-1"))}\n\n${JSON.stringify(survey("line-2"))}\r\n`;
  const ndjson = { "content-type": "application/x-ndjson" };
  assert.deepEqual(await send(eilpost, source, lines, { headers: ndjson }), {
    accepted: 2,
    duplicates: 0,
  });
  await send(eilpost, source, gzipSync(JSON.stringify(survey("gzip"))), {
    headers: { "content-encoding": "gzip" },
  });
  // A beacon: no header of its own, the key in the URL.
  const beacon = await eilpost.request("POST", `/v1/events?key=${source.key}`, {
    body: JSON.stringify(survey("beacon")),
    headers: { "content-type": "text/plain;charset=UTF-8", origin: "https://app.example.com" },
  });
  assert.equal(beacon.status, 202, JSON.stringify(beacon.body));
  assert.equal(beacon.headers.get("access-control-allow-origin"), "https://app.example.com");
  const bodies = await arrived(receiver, 6);
  assert.deepEqual(
    [...bodies.keys()].sort(),
    ["array-1", "array-2", "beacon", "gzip", "line-1", "line-2"],
  );
  assert.ok(!eilpost.log.includes(source.key), "the key is in the log");
});

test("pages may send from the origins of their source only", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const source = await createSource(eilpost, { allowed_origins: ["https://app.example.com"] });
  const preflight = (origin) =>
    eilpost.request("OPTIONS", `/v1/events?key=${source.key}`, {
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
  const allowed = await preflight("https://app.example.com");
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://app.example.com");
  assert.match(allowed.headers.get("access-control-allow-methods"), /\bPOST\b/);
  assert.match(allowed.headers.get("access-control-allow-headers"), /authorization/);
  const refused = await preflight("https://evil.example");
  assert.equal(refused.status, 403);
  assert.equal(refused.headers.get("access-control-allow-origin"), null);

  const from = (origin) =>
    post(eilpost, source, survey(`from ${origin}`), { headers: origin ? { origin } : {} });
  assert.equal((await from("https://app.example.com")).status, 202);
  assertProblem(await from("https://evil.example"), 403, "origin_not_allowed");
  assert.equal((await from(null)).status, 202); // A server.

  const servers = await createSource(eilpost, { name: "Servers", allowed_origins: [] });
  const page = await post(eilpost, servers, survey("page"), {
    headers: { origin: "https://app.example.com" },
  });
  assertProblem(page, 403, "origin_not_allowed");
});

test("a repeat is acknowledged and delivered once, across a restart, too", async (t) => {
  const { receiver, eilpost, source } = await startAll(t);
  const event = { ...survey("same"), subject: "jane" };
  assert.deepEqual(await send(eilpost, source, event), { accepted: 1, duplicates: 0 });
  assert.deepEqual(await send(eilpost, source, event), { accepted: 0, duplicates: 1 });
  assert.deepEqual(await send(eilpost, source, [survey("twin"), survey("twin")]), {
    accepted: 1,
    duplicates: 1,
  });
  // Another end user's event of the same id is another event.
  const other = { ...survey("same"), subject: "joe" };
  assert.deepEqual(await send(eilpost, source, other), { accepted: 1, duplicates: 0 });

  await receiver.waitFor(3);
  await eilpost.kill();
  await eilpost.start();
  assert.deepEqual(await send(eilpost, source, event), { accepted: 0, duplicates: 1 });
  assert.equal(await eilpost.stop(), 0);
  await eilpost.start();
  assert.deepEqual(await send(eilpost, source, event), { accepted: 0, duplicates: 1 });

  // What is sent last arrives last: nothing more can come. After kill -9 an attempt may be made
  // again, with the same webhook-id.
  await send(eilpost, source, survey("last"));
  const requests = await receiver.waitFor(4);
  const isLast = (request) => JSON.parse(request.body)["event.id"] === "last";
  await until(() => requests.some(isLast), { what: "the last event" });
  const distinct = new Set(requests.map((request) => request.headers["webhook-id"]));
  assert.equal(distinct.size, 4);
});

test("with partial=1 the good events are taken and the bad ones listed", async (t) => {
  const { receiver, eilpost, source } = await startAll(t);
  const answer = await post(
    ...[eilpost, source],
    [survey("good-1"), { type: "no.such" }, survey("bad", { nps: "nine" }), survey("good-2")],
    { query: "?partial=1" },
  );
  assert.equal(answer.status, 202);
  assert.equal(answer.body.accepted, 2);
  assert.deepEqual(
    answer.body.rejected.map(({ index, code }) => [index, code]),
    [[1, "unknown_type"], [2, "wrong_type"]],
  );
  assert.equal(answer.body.rejected[1].pointer, "/data/nps");
  const bodies = await arrived(receiver, 2);
  assert.deepEqual([...bodies.keys()].sort(), ["good-1", "good-2"]);
});

test("what is wrong is refused whole, and says where", async (t) => {
  const { receiver, eilpost, source } = await startAll(t);
  const refused = await post(eilpost, source, [
    survey("not taken"),
    survey("wrong", { nps: "nine", oName: 7 }),
    { type: "no.such" },
  ]);
  const body = assertProblem(refused, 422, "wrong_type");
  const found = body.errors.map(({ code, pointer, index }) => [index, code, pointer]);
  found.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  assert.deepEqual(found, [
    [1, "wrong_type", "/data/nps"],
    [1, "wrong_type", "/data/oName"],
    [2, "unknown_type", "/type"],
  ]);
  assert.ok(body.errors.every(({ detail }) => detail.length > 10));

  const one = (text, headers = {}) => post(eilpost, source, text, { headers });
  const unknown = { headers: { authorization: "Bearer src_unknown" } };
  const stranger = await post(eilpost, source, survey("x"), unknown);
  assertProblem(stranger, 401, "unauthorized");
  assert.match(stranger.headers.get("www-authenticate"), /^Bearer/);
  const wrongKey = await eilpost.request("POST", "/v1/events?key=src_unknown", { body: "{}" });
  assertProblem(wrongKey, 401, "unauthorized");
  const apiKey = { headers: { authorization: `Bearer ${eilpost.apiKey}` } };
  assertProblem(await post(eilpost, source, survey("x"), apiKey), 401, "unauthorized");

  assertProblem(await one("{"), 400, "malformed");
  assertProblem(await one("7"), 400, "malformed");
  assertProblem(await one("plain", { "content-encoding": "gzip" }), 400, "malformed_gzip");
  assertProblem(await one("<x/>", { "content-type": "text/xml" }), 415, "unsupported_media_type");
  assertProblem(
    await one("{}", { "content-encoding": "br" }), 415, "unsupported_content_encoding",
  );
  const large = survey("large", { text: "x".repeat(70_000) });
  assertProblem(await post(eilpost, source, large), 413, "event_too_large");
  const many = Array.from({ length: 1001 }, (_, i) => survey(`many-${i}`));
  assertProblem(await post(eilpost, source, many), 413, "too_many_events");
  const bomb = gzipSync(Buffer.alloc(4_000_000, " "));
  assertProblem(await one(bomb, { "content-encoding": "gzip" }), 413, "request_too_large");
  assertProblem(await one(Buffer.alloc(1_200_000, " ")), 413, "request_too_large"); // Not even read.
  assertProblem(await one('{"type":"survey.submitted","type":"x"}'), 422, "duplicate_key");
  const huge = '{"type":"survey.submitted","data":{"n":18446744073709551616}}';
  assertProblem(await one(huge), 422, "number_out_of_range");
  const deep = `{"type":"survey.submitted","data":${'{"a":'.repeat(10)}1${"}".repeat(10)}}`;
  assertProblem(await one(deep), 422, "too_deep");

  await send(eilpost, source, survey("taken"));
  const bodies = await arrived(receiver, 1);
  assert.deepEqual([...bodies.keys()], ["taken"]);
});
