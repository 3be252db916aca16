// Goal: what is owed arrives, however the receiver behaves and whatever happens to the program; and
// the log tells what came of it and lets it be sent again.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { makeAuthority, startNginx } from "./lib/nginx.js";
import { startReceiver } from "./lib/receiver.js";
import {
  attempts, createDestination, createSource, createWebhook, deliveries, removeFirstWebhook, send,
} from "./lib/setup.js";
import { until } from "./lib/until.js";
import { assertSigned } from "./lib/verify.js";

const survey = (id, subject = "jane") => ({
  id, type: "survey.submitted", subject, data: { nps: 9 },
});
const quickly = { retry: { delays_ms: Array(20).fill(50), jitter: 0 } };

async function startAll(t, more = {}) {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, receiver.url, more);
  const webhook = await createWebhook(eilpost, destination);
  return { receiver, eilpost, source, destination, webhook };
}

test("HTTPS receivers are believed only with a whole chain for their own name", async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "eilpost-nginx-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const authority = await makeAuthority(folder);
  const good = await authority.issue("good", "localhost");
  const other = await authority.issue("other", "other.example");
  const receiver = await startReceiver({ test: t });
  const urls = await startNginx({
    test: t,
    folder,
    upstream: receiver.url,
    certificates: {
      good: { certificate: good.chain, key: good.key },
      truncated: { certificate: good.leaf, key: good.key },
      other: { certificate: other.chain, key: other.key },
    },
  });
  const eilpost = await startEilpost({ test: t, env: { SSL_CERT_FILE: authority.root } });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  const destinations = {};
  for (const [name, url] of Object.entries(urls)) {
    destinations[name] = await createDestination(eilpost, `${url}/${name}`);
    await createWebhook(eilpost, destinations[name], { name });
  }
  await send(eilpost, source, survey("secure"));

  const [request] = await receiver.waitFor(1);
  assert.equal(request.target, "/good");
  assertSigned(destinations.good.signing.secret, request);
  await deliveries(eilpost, `destination=${destinations.good.id}&state=delivered`);
  for (const name of ["truncated", "other"]) {
    const query = `destination=${destinations[name].id}&state=retrying`;
    const [delivery] = await deliveries(eilpost, query);
    const [attempt] = await attempts(eilpost, delivery);
    assert.equal(attempt.outcome, "tls", name);
    assert.equal(attempt.status, null, name);
    assert.equal(attempt.perhaps_delivered, false, name);
    assert.match(attempt.detail, /certificate/i, name);
    if (name === "other") assert.match(attempt.detail, /localhost/);
  }
  assert.equal(receiver.requests.length, 1);

  // Whoever does not trust the root believes none of them.
  const stranger = await startEilpost({ test: t });
  const untrusted = await createDestination(stranger, `${urls.good}/untrusted`);
  await createWebhook(stranger, untrusted);
  const tried = await stranger.api("POST", `/api/v1/destinations/${untrusted.id}/test`, {});
  assert.deepEqual([tried.body.outcome, tried.body.success], ["tls", false]);
  assert.equal(receiver.requests.length, 1);
});

test("what fails is tried again, with the same id and a new signature", async (t) => {
  const all = await startAll(t, { delivery: quickly });
  const { receiver, eilpost, source, destination } = all;
  const answers = [{ reset: true }, { status: 500, body: "broken" }, { status: 302 }];
  receiver.answer = ({ number }) => answers[number - 1] ?? { status: 200 };
  await send(eilpost, source, survey("stubborn"));
  const requests = await receiver.waitFor(4);
  for (const request of requests) assertSigned(destination.signing.secret, request);
  assert.equal(new Set(requests.map((each) => each.headers["webhook-id"])).size, 1);
  assert.equal(new Set(requests.map((each) => each.body)).size, 1);

  const [delivery] = await deliveries(eilpost, "state=delivered");
  assert.equal(delivery.attempts_count, 4);
  assert.equal(delivery.id, requests[0].headers["webhook-id"]);
  const tries = await attempts(eilpost, delivery);
  assert.deepEqual(
    tries.map((each) => [each.number, each.outcome, each.status, each.state]),
    [
      [1, "reset", null, "retrying"],
      [2, "answered", 500, "retrying"],
      [3, "answered", 302, "retrying"],
      [4, "answered", 200, "delivered"],
    ],
  );
  assert.equal(tries[0].perhaps_delivered, true);
  assert.equal(tries[1].answer, "broken");
});

test("a delivery whose schedule is used up ends failed", async (t) => {
  const all = await startAll(t, { delivery: { retry: { delays_ms: [50, 50], jitter: 0 } } });
  all.receiver.answer = () => ({ status: 503 });
  await send(all.eilpost, all.source, survey("hopeless"));
  const [delivery] = await deliveries(all.eilpost, "state=failed");
  assert.deepEqual([delivery.attempts_count, delivery.reason, delivery.next_attempt_at],
    [3, "attempts_used_up", null]);
  assert.ok(delivery.settled_at);
  assert.equal(all.receiver.requests.length, 3);
});

test("Retry-After is a floor", async (t) => {
  const { receiver, eilpost, source } = await startAll(t, { delivery: quickly });
  const times = [];
  receiver.answer = ({ number }) => {
    times.push(performance.now());
    return number === 1 ? { status: 429, headers: { "retry-after": "1" } } : { status: 204 };
  };
  await send(eilpost, source, survey("later"));
  await receiver.waitFor(2);
  assert.ok(times[1] - times[0] > 950, `${times[1] - times[0]} ms between the attempts`);
});

test("410 disables the destination until it is resumed", async (t) => {
  const { receiver, eilpost, source, destination } = await startAll(t, { delivery: quickly });
  receiver.answer = () => ({ status: 410 });
  await send(eilpost, source, survey("gone"));
  const [failed] = await deliveries(eilpost, "state=failed");
  assert.deepEqual([failed.attempts_count, failed.reason], [1, "final_status"]);
  const target = `/api/v1/destinations/${destination.id}`;
  const disabled = await until(
    async () => {
      const { body } = await eilpost.api("GET", target);
      return body.state === "disabled" && body;
    },
    { what: "the destination to be disabled" },
  );
  assert.match(disabled.state_reason, /410/);
  assert.ok(Date.parse(disabled.state_since) > Date.now() - 60_000);

  receiver.answer = () => ({ status: 204 });
  await send(eilpost, source, survey("waits"));
  await deliveries(eilpost, "state=held");
  const resumed = await eilpost.api("POST", `${target}/resume`);
  assert.equal(resumed.status, 200, JSON.stringify(resumed.body));
  assert.equal(resumed.body.state, "active");
  const [delivered] = await deliveries(eilpost, "state=delivered");
  assert.equal(delivered.event_id, "waits");
  assert.equal(receiver.requests.length, 2);
});

test("deliveries are sent again, one or all that match", async (t) => {
  const { receiver, eilpost, source, destination } = await startAll(t, {
    delivery: { retry: { delays_ms: [], jitter: 0 } },
  });
  receiver.answer = () => ({ status: 400 });
  await send(eilpost, source, ["a", "b", "c"].map((id) => survey(id)));
  const failed = await deliveries(eilpost, "state=failed", 3);
  receiver.answer = () => ({ status: 204 });

  const one = failed.find((each) => each.event_id === "b");
  const replayed = await eilpost.api("POST", `/api/v1/deliveries/${one.id}/replay`, {});
  assert.equal(replayed.status, 201, JSON.stringify(replayed.body));
  assert.equal(replayed.body.replay_of, one.id);
  await receiver.waitFor(4);
  assert.equal(receiver.requests[3].headers["webhook-id"], one.id);
  assertSigned(destination.signing.secret, receiver.requests[3]);
  const [again] = await deliveries(eilpost, "state=delivered");
  assert.deepEqual([again.id, again.replay_of, again.event_id], [replayed.body.id, one.id, "b"]);

  const fresh = await eilpost.api("POST", `/api/v1/deliveries/${one.id}/replay`, { as_new: true });
  assert.equal(fresh.status, 201);
  await receiver.waitFor(5);
  assert.equal(receiver.requests[4].headers["webhook-id"], fresh.body.id);

  const target = "/api/v1/deliveries/replay";
  const filter = { state: "failed", user: "jane" };
  assert.deepEqual((await eilpost.api("POST", target, { filter })).body, { count: 3 });
  assert.equal(receiver.requests.length, 5); // Counting sends nothing.
  const wrong = await eilpost.api("POST", target, { filter, expected_count: 2 });
  assert.deepEqual([wrong.status, wrong.body.code], [409, "count_changed"]);
  const right = await eilpost.api("POST", target, { filter, expected_count: 3 });
  assert.deepEqual(right.body, { count: 3, replayed: 3 });
  await receiver.waitFor(8);
  const ids = receiver.requests.slice(5).map((each) => each.headers["webhook-id"]);
  assert.deepEqual(ids.sort(), failed.map((each) => each.id).sort());
});

test("the log is searched and paged, newest first, and is the same after a restart", async (t) => {
  const { receiver, eilpost, source, destination, webhook } = await startAll(t, {
    authentication: { type: "bearer", token: "t0ken-of-the-receiver" },
  });
  for (let i = 1; i <= 5; i += 1) {
    await send(eilpost, source, survey(`e${i}`, i < 3 ? "anna" : "bert"));
  }
  const all = await deliveries(eilpost, "state=delivered", 5);
  assert.deepEqual(all.map((each) => each.event_id), ["e5", "e4", "e3", "e2", "e1"]);

  const ids = async (query) => {
    const { status, body } = await eilpost.api("GET", `/api/v1/deliveries?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body.data.map((each) => each.event_id);
  };
  assert.deepEqual(await ids("user=anna"), ["e2", "e1"]);
  assert.deepEqual(await ids("event_id=e3"), ["e3"]);
  assert.deepEqual(await ids("state=failed"), []);
  assert.deepEqual(await ids("event_type=menu.opened"), []);
  assert.equal((await ids(`webhook=${webhook.id}&destination=${destination.id}`)).length, 5);
  assert.equal((await ids("from=2020-01-01T00:00:00Z")).length, 5);
  assert.deepEqual(await ids("until=2020-01-01T00:00:00Z"), []);
  const wrong = await eilpost.api("GET", "/api/v1/deliveries?state=lost");
  assert.deepEqual([wrong.status, wrong.body.code], [400, "bad_parameter"]);

  const paged = [];
  let cursor = "";
  do {
    const query = `limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const { body } = await eilpost.api("GET", `/api/v1/deliveries?${query}`);
    assert.ok(body.data.length <= 2);
    paged.push(...body.data);
    cursor = body.next_cursor ?? "";
  } while (cursor);
  assert.deepEqual(paged, all);

  const [attempt] = await attempts(eilpost, all[0]);
  const sent = receiver.requests.find((each) => each.body.includes('"e5"'));
  assert.equal(attempt.request.method, "POST");
  assert.equal(attempt.request.url, receiver.url);
  assert.equal(attempt.request.body, sent.body);
  assert.equal(attempt.request_is_exact, true);
  assert.equal(sent.headers.authorization, "Bearer t0ken-of-the-receiver");
  assert.ok(!JSON.stringify(attempt).includes("t0ken-of-the-receiver"));
  const shown = Object.fromEntries(
    attempt.request.headers.map(({ name, value }) => [name.toLowerCase(), value]),
  );
  assert.equal(shown["webhook-id"], sent.headers["webhook-id"]);
  assert.equal(shown["webhook-timestamp"], sent.headers["webhook-timestamp"]);

  assert.equal(await eilpost.stop(), 0);
  await eilpost.start();
  assert.deepEqual(await deliveries(eilpost, "state=delivered", 5), all);
  assert.deepEqual(await attempts(eilpost, all[0]), [attempt]);
});

test("kill -9 loses nothing that was answered 202", async (t) => {
  const { receiver, eilpost, source } = await startAll(t);
  // The first ones are never answered; the program dies in the midst of them.
  let isDead = false;
  receiver.answer = () => (isDead ? { status: 204 } : new Promise(() => {}));
  const taken = [];
  for (let i = 0; i < 10; i += 1) {
    const ids = Array.from({ length: 20 }, (_, n) => `kill-${i}-${n}`);
    await send(eilpost, source, ids.map((id) => survey(id)));
    taken.push(...ids);
  }
  const early = [...(await receiver.waitFor(10))];
  await eilpost.kill();
  isDead = true;
  await eilpost.start();
  const eventOf = (request) => JSON.parse(request.body)["event.id"];
  await until(() => new Set(receiver.requests.slice(early.length).map(eventOf)).size === 200, {
    what: () => `200 events; ${receiver.requests.length} requests came`,
    ms: 20_000,
  });
  assert.deepEqual([...new Set(receiver.requests.map(eventOf))].sort(), taken.sort());
  // What may have arrived before comes again under the same id.
  const idOf = new Map(
    receiver.requests.map((each) => [eventOf(each), each.headers["webhook-id"]]),
  );
  for (const request of early) {
    assert.equal(idOf.get(eventOf(request)), request.headers["webhook-id"]);
  }
  await deliveries(eilpost, "state=delivered&limit=200", 200);
});

test("SIGTERM in the midst of an attempt leaves it owed", async (t) => {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t, args: ["--shutdown-grace-ms", "300"] });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  await createWebhook(eilpost, await createDestination(eilpost, receiver.url));
  receiver.answer = ({ number }) => (number === 1 ? new Promise(() => {}) : { status: 204 });
  await send(eilpost, source, survey("hanging"));
  await receiver.waitFor(1);
  assert.equal(await eilpost.stop(), 0);
  await eilpost.start();
  const [first, second] = await receiver.waitFor(2);
  assert.equal(second.headers["webhook-id"], first.headers["webhook-id"]);
  await deliveries(eilpost, "state=delivered");
});

test("addresses that are not allowed are not connected to", async (t) => {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t, allow: "192.0.2.0/24" });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"]) {
    const url = receiver.url.replace("127.0.0.1", host);
    const made = await createDestination(eilpost, url, { name: host });
    await createWebhook(eilpost, made, { name: host });
  }
  await send(eilpost, source, survey("blocked"));
  const blocked = await deliveries(eilpost, "state=retrying", 3);
  for (const delivery of blocked) {
    const [attempt] = await attempts(eilpost, delivery);
    assert.equal(attempt.outcome, "blocked_address");
    assert.ok(attempt.detail.length > 10, attempt.detail);
  }
  assert.equal(receiver.requests.length, 0);
});
