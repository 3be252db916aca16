// Goal: destinations that speak HTTP/2 get it, many deliveries on one connection, and nothing is
// lost or sent twice when they refuse, go away, or take little at a time.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { constants } from "node:http2";
import os from "node:os";
import path from "node:path";
import { before, after, test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { answerWith, startHttp2Receiver } from "./lib/http2_receiver.js";
import { makeAuthority, startNginx } from "./lib/nginx.js";
import { startReceiver } from "./lib/receiver.js";
import {
  attempts, createDestination, createSource, createWebhook, deliveries, removeFirstWebhook, send,
} from "./lib/setup.js";
import { assertSigned } from "./lib/verify.js";

let folder;
let authority;
let identity;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "eilpost-http2-"));
  authority = await makeAuthority(folder);
  identity = await authority.issue("good", "localhost");
});
after(() => rm(folder, { recursive: true, force: true }));

const surveys = (count, more = {}) =>
  Array.from({ length: count }, (_, i) => ({
    id: `s${i + 1}`, type: "survey.submitted", subject: `user${i}`, data: { nps: 9, ...more },
  }));
const quickly = { retry: { delays_ms: Array(20).fill(50), jitter: 0 } };

async function startAll(t, url, more = {}) {
  const eilpost = await startEilpost({ test: t, env: { SSL_CERT_FILE: authority.root } });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, url, { delivery: quickly, ...more });
  await createWebhook(eilpost, destination);
  return { eilpost, source, destination };
}

const sessionsOf = (receiver) => new Set(receiver.requests.map(({ session }) => session)).size;

test("nginx gets HTTP/2, and many deliveries over one connection", async (t) => {
  const receiver = await startReceiver({ test: t });
  const urls = await startNginx({
    test: t,
    folder,
    upstream: receiver.url,
    certificates: { good: { certificate: identity.chain, key: identity.key, http2: true } },
  });
  const { eilpost, source, destination } = await startAll(t, urls.good);
  await send(eilpost, source, surveys(100));
  const requests = await receiver.waitFor(100);
  for (const request of requests) {
    assert.equal(request.headers["x-protocol"], "HTTP/2.0");
    assertSigned(destination.signing.secret, request);
  }
  const connections = new Set(requests.map(({ headers }) => headers["x-connection"]));
  assert.equal(connections.size, 1);
  await deliveries(eilpost, "state=delivered&limit=200", 100);
});

test("a server without HTTP/2 gets HTTP/1.1", async (t) => {
  const receiver = await startReceiver({ test: t });
  const urls = await startNginx({
    test: t,
    folder: await mkdtemp(path.join(folder, "plain-")),
    upstream: receiver.url,
    certificates: { good: { certificate: identity.chain, key: identity.key } },
  });
  const { eilpost, source } = await startAll(t, urls.good);
  await send(eilpost, source, surveys(20));
  for (const request of await receiver.waitFor(20)) {
    assert.equal(request.headers["x-protocol"], "HTTP/1.1");
  }
});

test("Node's server gets everything once, by its own name, with lower-case headers", async (t) => {
  const receiver = await startHttp2Receiver({ test: t, identity });
  const { eilpost, source } = await startAll(t, `${receiver.url}/in?a=1`, {
    request: { headers: [{ name: "X-Team", value: "Web" }] },
  });
  await send(eilpost, source, surveys(200));
  const requests = await receiver.waitFor(200);
  await deliveries(eilpost, "state=delivered&limit=200", 200);
  assert.equal(requests.length, 200);
  assert.equal(sessionsOf(receiver), 1);
  const { headers } = requests[0];
  assert.equal(headers[":method"], "POST");
  assert.equal(headers[":path"], "/in?a=1");
  assert.equal(headers[":scheme"], "https");
  assert.equal(headers[":authority"], receiver.url.replace("https://", ""));
  assert.equal(headers["x-team"], "Web");
  assert.equal(headers.connection, undefined);
  assert.equal(Number(headers["content-length"]), requests[0].body.length);
});

test("windows of 100 bytes and one stream at a time slow down, and that is all", async (t) => {
  const receiver = await startHttp2Receiver({
    test: t,
    identity,
    settings: { initialWindowSize: 100, maxConcurrentStreams: 1 },
  });
  const { eilpost, source } = await startAll(t, receiver.url);
  await send(eilpost, source, surveys(30, { comment: "x".repeat(5000) }));
  const requests = await receiver.waitFor(30);
  for (const { body } of requests) assert.ok(body.length > 5000);
  const found = await deliveries(eilpost, "state=delivered", 30);
  for (const delivery of found.slice(0, 5)) {
    assert.equal((await attempts(eilpost, delivery)).length, 1);
  }
});

test("what a GOAWAY did not take is sent again at once, and nothing twice", async (t) => {
  const receiver = await startHttp2Receiver({ test: t, identity });
  receiver.reads = (stream, { session }) => session !== 1 || stream.id <= 9;
  receiver.answer = (stream, { session }) => {
    if (session === 1 && stream.id > 9) return; // Not taken: the GOAWAY says so.
    if (session === 1 && stream.id === 9) {
      stream.session.goaway(constants.NGHTTP2_NO_ERROR, 9);
    }
    answerWith(stream);
  };
  const { eilpost, source } = await startAll(t, receiver.url);
  await send(eilpost, source, surveys(40));
  const found = await deliveries(eilpost, "state=delivered", 40);
  for (const delivery of found) assert.equal((await attempts(eilpost, delivery)).length, 1);
  const taken = receiver.requests.filter(({ session, stream }) => session !== 1 || stream <= 9);
  assert.equal(new Set(taken.map(({ headers }) => headers["webhook-id"])).size, 40);
  assert.equal(taken.length, 40);
  assert.equal(sessionsOf(receiver), 2);
});

test("reset streams: a refused one goes again within the attempt, another is an attempt", async (t) => {
  const receiver = await startHttp2Receiver({ test: t, identity });
  receiver.answer = (stream, { number }) => {
    if (number === 1) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
    if (number === 2) return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return answerWith(stream, 200, "fine");
  };
  const { eilpost, source } = await startAll(t, receiver.url);
  await send(eilpost, source, surveys(1));
  const [delivery] = await deliveries(eilpost, "state=delivered");
  const [first, second] = await attempts(eilpost, delivery);
  assert.equal(first.outcome, "reset");
  assert.equal(first.perhaps_delivered, true);
  assert.match(first.detail, /INTERNAL_ERROR/);
  assert.equal(second.status, 200);
  assert.equal(second.answer, "fine");
  assert.equal(receiver.requests.length, 3);
  assert.equal(sessionsOf(receiver), 1);
});

test("one that never answers times out alone; the connection serves the others", async (t) => {
  const receiver = await startHttp2Receiver({ test: t, identity });
  const resets = [];
  receiver.answer = (stream, { body }) => {
    if (!body.includes("hang")) return answerWith(stream);
    stream.on("close", () => resets.push(stream.rstCode));
    return undefined;
  };
  const { eilpost, source, destination } = await startAll(t, receiver.url, {
    request: { timeout_ms: 1000 },
    delivery: { retry: { delays_ms: [3_600_000], jitter: 0 } },
  });
  const [hanging, ...others] = surveys(20);
  await send(eilpost, source, [{ ...hanging, data: { nps: 1, comment: "hang" } }, ...others]);
  await deliveries(eilpost, "state=delivered", 19);
  const query = `destination=${destination.id}&state=retrying`;
  const [delivery] = await deliveries(eilpost, query);
  const [attempt] = await attempts(eilpost, delivery);
  assert.equal(attempt.outcome, "timeout");
  assert.equal(attempt.perhaps_delivered, true);
  await send(eilpost, source, { ...hanging, id: "after", data: { nps: 9 } });
  await deliveries(eilpost, "state=delivered", 20);
  assert.deepEqual(resets, [constants.NGHTTP2_CANCEL]);
  assert.equal(sessionsOf(receiver), 1);
});

test("an answer before the body was sent is the answer", async (t) => {
  const receiver = await startHttp2Receiver({
    test: t, identity, settings: { initialWindowSize: 10 },
  });
  receiver.reads = () => false;
  receiver.answer = (stream) => {
    stream.respond({ ":status": 413 }, { endStream: true });
    stream.close(constants.NGHTTP2_NO_ERROR);
  };
  const { eilpost, source } = await startAll(t, receiver.url);
  await send(eilpost, source, surveys(1, { comment: "x".repeat(20_000) }));
  await receiver.waitFor(2);
  const [delivery] = await deliveries(eilpost, "state=retrying");
  const [attempt] = await attempts(eilpost, delivery);
  assert.equal(attempt.status, 413);
});
