// Goal: what a destination prescribes reaches its receiver, and what the receiver answers is
// understood: fields, secrets, body, success rule, final statuses, partial success, backfill.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { startReceiver } from "./lib/receiver.js";
import {
  createDestination, createSource, createWebhook, deliveries, removeFirstWebhook, send,
} from "./lib/setup.js";

const SECRET = "k3y-that-nobody-may-see";
const once = { delivery: { retry: { delays_ms: [], jitter: 0 } } };
const survey = (id, data = {}) => ({ id, type: "survey.submitted", subject: "jane", data });

async function startAll(t, more = {}) {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, receiver.url, more);
  const webhook = await createWebhook(eilpost, destination);
  return { receiver, eilpost, source, destination, webhook };
}

async function attemptOf(eilpost, delivery) {
  const { body } = await eilpost.api("GET", `/api/v1/deliveries/${delivery.id}/attempts`);
  return body.data.at(-1);
}

test("fields and secrets stand in URL, headers and body, and secrets are never shown", async (t) => {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, undefined, {
    fields: { server: receiver.url, lists: [3, 5] },
    secrets: { api_key: SECRET },
    request: {
      url: "{{field.server}}/v1/{{wm.euId}}?key={{secret.api_key}}",
      headers: [{ name: "X-Api-Key", value: "{{secret.api_key}}" }],
    },
    authentication: { type: "bearer", token: "{{secret.api_key}}" },
    body: {
      format: "template",
      template: { lists: "{{field.lists}}", key: "{{secret.api_key}}", "...": "{{properties}}" },
    },
  });
  assert.deepEqual(destination.secrets, { api_key: { set: true } });
  const webhook = await createWebhook(eilpost, destination, { properties: ["nps"] });
  await send(eilpost, source, survey("one", { nps: 9 }));
  const [request] = await receiver.waitFor(1);
  assert.equal(request.target, `/v1/jane?key=${SECRET}`);
  assert.equal(request.headers["x-api-key"], SECRET);
  assert.equal(request.headers.authorization, `Bearer ${SECRET}`);
  assert.deepEqual(JSON.parse(request.body), { lists: [3, 5], key: SECRET, nps: 9 });

  const [delivered] = await deliveries(eilpost, "state=delivered");
  const attempt = await attemptOf(eilpost, delivered);
  assert.equal(attempt.request_is_exact, true);
  assert.match(attempt.request.body, /••••/);
  const preview = await eilpost.api("POST", `/api/v1/webhooks/${webhook.id}/preview`, {});
  const tested = await eilpost.api("POST", `/api/v1/webhooks/${webhook.id}/test`, {});
  const shown = await eilpost.api("GET", `/api/v1/destinations/${destination.id}`);
  const versions = await eilpost.api("GET", `/api/v1/destinations/${destination.id}/versions`);
  for (const said of [attempt, preview.body, tested.body, shown.body, versions.body]) {
    assert.ok(!JSON.stringify(said).includes(SECRET), JSON.stringify(said));
  }
  assert.equal(preview.status, 200);
  assert.equal(tested.body.success, true);

  // A PATCH that says nothing of the secret, or shows it masked, keeps it; null removes it.
  const target = `/api/v1/destinations/${destination.id}`;
  for (const patch of [{ name: "A" }, { secrets: { api_key: { set: true } } }]) {
    const { body } = await eilpost.api("PATCH", target, patch);
    assert.deepEqual(body.secrets, { api_key: { set: true } });
  }
  const removed = await eilpost.api("PATCH", target, { secrets: { api_key: null } });
  assert.equal(removed.status, 422);
  assert.match(removed.body.errors[0].detail, /no secret "api_key"/);
  await send(eilpost, source, survey("two"));
  const requests = await receiver.waitFor(3);
  assert.equal(requests.at(-1).headers["x-api-key"], SECRET);
  assert.equal(await eilpost.stop(), 0);
  assert.ok(!eilpost.log.includes(SECRET));
});

test("a 200 with another body than the rule wants is no success, and says so", async (t) => {
  const { receiver, eilpost, source } = await startAll(t, {
    ...once,
    success: { statuses: ["200"], body: { equals: "ok" } },
  });
  receiver.answer = ({ number }) =>
    number === 1 ? { status: 200, body: "no_service" } : { status: 200, body: "ok\n" };
  await send(eilpost, source, survey("bad"));
  const [failed] = await deliveries(eilpost, "state=failed");
  const attempt = await attemptOf(eilpost, failed);
  assert.equal(attempt.success, false);
  assert.equal(attempt.status, 200);
  assert.equal(attempt.answer, "no_service");
  assert.equal(attempt.detail, 'The receiver answered 200, but its body is "no_service", not "ok".');
  await send(eilpost, source, survey("good"));
  assert.equal((await deliveries(eilpost, "state=delivered"))[0].event_id, "good");
});

test("a JSON pointer may decide, however late and large the body is", async (t) => {
  const { receiver, eilpost, source } = await startAll(t, {
    ...once,
    success: { body: { pointer: "/result/ok", equals: true } },
  });
  const padding = "x".repeat(200_000);
  receiver.answer = ({ number }) => ({
    status: 200,
    body: number === 3 ? padding.repeat(6) : JSON.stringify({ padding, result: { ok: number === 1 } }),
  });
  await send(eilpost, source, survey("yes"));
  await deliveries(eilpost, "state=delivered");
  await send(eilpost, source, survey("no"));
  const [no] = await deliveries(eilpost, "state=failed");
  assert.match((await attemptOf(eilpost, no)).detail, /has "false" at \/result\/ok, not true/);
  await send(eilpost, source, survey("large"));
  const [large] = await deliveries(eilpost, "state=failed", 2);
  const attempt = await attemptOf(eilpost, large);
  assert.equal(attempt.outcome, "too_large");
  assert.match(attempt.detail, /larger than the 1048576 bytes/);
});

test("a final status fails at once, another is tried again", async (t) => {
  const { receiver, eilpost, source } = await startAll(t, {
    final_statuses: [403, "404"],
    delivery: { retry: { delays_ms: [10, 10], jitter: 0 } },
  });
  receiver.answer = ({ number }) => ({ status: number === 1 ? 403 : 500 });
  await send(eilpost, source, survey("final"));
  const [final] = await deliveries(eilpost, "state=failed");
  assert.deepEqual([final.reason, final.attempts_count], ["final_status", 1]);
  assert.match((await attemptOf(eilpost, final)).detail, /403, which is final for this destination/);
  await send(eilpost, source, survey("again"));
  const [again] = await deliveries(eilpost, "state=failed", 2);
  assert.deepEqual([again.reason, again.attempts_count], ["attempts_used_up", 3]);
});

test("an answer that names the event as wrong ends it; one that names none delivers it", async (t) => {
  const { receiver, eilpost, source } = await startAll(t, {
    success: {
      partial: { statuses: ["400"], failed: ["/failed/*/index"], rest: "delivered" },
    },
  });
  receiver.answer = ({ number }) => ({
    status: 400,
    body: JSON.stringify({ failed: number === 1 ? [{ index: 0, why: "too old" }] : [] }),
  });
  await send(eilpost, source, survey("wrong"));
  const [wrong] = await deliveries(eilpost, "state=failed");
  assert.equal(wrong.reason, "rejected");
  assert.match((await attemptOf(eilpost, wrong)).detail, /names this event as wrong/);
  await send(eilpost, source, survey("right"));
  await deliveries(eilpost, "state=delivered");
});

test("a webhook cannot use a secret that its destination lacks", async (t) => {
  const { eilpost, destination } = await startAll(t);
  const answer = await eilpost.api("POST", "/api/v1/webhooks", {
    name: "A",
    event: "survey.submitted",
    destination: destination.id,
    body: { format: "template", template: { key: "{{secret.api_key}}" } },
  });
  assert.equal(answer.status, 422);
  assert.equal(answer.body.errors[0].code, "unknown_secret");
});

test("a backfill sends stored events to a webhook that came later", async (t) => {
  const { eilpost, source } = await startAll(t);
  await send(eilpost, source, ["a", "b"].map((id) => survey(id)));
  await deliveries(eilpost, "state=delivered", 2);
  const receiver = await startReceiver({ test: t });
  const later = await createWebhook(eilpost, await createDestination(eilpost, receiver.url));
  const target = `/api/v1/webhooks/${later.id}/backfill`;
  const from = new Date(Date.now() - 3_600_000).toISOString();
  const counted = await eilpost.api("POST", target, { from });
  assert.deepEqual(counted.body, { count: 2 });
  assert.equal(receiver.requests.length, 0);
  const done = await eilpost.api("POST", target, { from, expected_count: 2 });
  assert.deepEqual(done.body, { count: 2, backfilled: 2 });
  const requests = await receiver.waitFor(2);
  assert.deepEqual(requests.map((each) => JSON.parse(each.body)["event.id"]).sort(), ["a", "b"]);
  await deliveries(eilpost, `webhook=${later.id}&state=delivered`, 2);
  assert.deepEqual((await eilpost.api("POST", target, { from })).body, { count: 0 });
});
