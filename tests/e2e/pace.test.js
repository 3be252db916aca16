// Goal: a destination gets no more requests than its rate; one that goes down is paused, and who should
// hear of it does.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { startReceiver } from "./lib/receiver.js";
import {
  createDestination, createSource, createWebhook, deliveries, removeFirstWebhook, send,
} from "./lib/setup.js";
import { until } from "./lib/until.js";

const surveys = (count) =>
  Array.from({ length: count }, (_, i) => ({ id: `e${i}`, type: "survey.submitted", data: {} }));

async function start(t) {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  await removeFirstWebhook(eilpost);
  return { receiver, eilpost, source: await createSource(eilpost) };
}

test("no more requests than its rate come to a destination, from all of its webhooks", async (t) => {
  const { receiver, eilpost, source } = await start(t);
  const times = [];
  receiver.answer = () => {
    times.push(performance.now());
    return { status: 204 };
  };
  const destination = await createDestination(eilpost, receiver.url, {
    delivery: { rate_limit: { requests: 5, per_ms: 400 } },
  });
  await createWebhook(eilpost, destination, { name: "First" });
  await createWebhook(eilpost, destination, { name: "Second" });
  await send(eilpost, source, surveys(10));
  await receiver.waitFor(20);
  // A request may have been a little on its way: the limit is of those that leave.
  for (let i = 5; i < times.length; i++) assert.ok(times[i] - times[i - 5] > 350, `${i}: ${times}`);
});

test("when a receiver goes down, another one hears of it, and when it is back", async (t) => {
  const { receiver, eilpost, source } = await start(t);
  const operations = await startReceiver({ test: t });
  const crm = await createDestination(eilpost, receiver.url, { name: "CRM" });
  await createWebhook(eilpost, crm);
  await createWebhook(eilpost, await createDestination(eilpost, operations.url), {
    name: "Tell operations", event: "operations.*",
  });
  await receiver.close();
  await send(eilpost, source, surveys(12));
  const [notice] = await operations.waitFor(1);
  const told = JSON.parse(notice.body);
  assert.equal(told["event.type"], "destination.paused");
  assert.equal(told["destination.id"], crm.id);
  assert.equal(told["destination.name"], "CRM");
  assert.match(told.error, /refused/i);
  const { body: paused } = await eilpost.api("GET", `/api/v1/destinations/${crm.id}`);
  assert.deepEqual([paused.state, paused.state_reason], ["paused", "failing"]);
  assert.equal(told.since, paused.state_since);

  const refused = await eilpost.request("POST", "/v1/events", {
    body: JSON.stringify({ type: "destination.paused", data: {} }),
    headers: { authorization: `Bearer ${source.key}`, "content-type": "application/json" },
  });
  assert.equal(refused.status, 422);
  assert.match(JSON.stringify(refused.body), /operations_type/);
  const [delivery] = await deliveries(eilpost, "event_type=destination.paused&state=delivered");
  assert.equal(delivery.user, "");
  await until(async () => {
    const metrics = await eilpost.request("GET", "/metrics");
    return /eilpost_destinations_paused 1/.test(metrics.body);
  }, { what: "the metric" });
});
