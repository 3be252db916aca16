// Goal: several events come in one signed request, which is the same request after the program was
// killed; a user's events keep their order.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { startReceiver } from "./lib/receiver.js";
import {
  attempts, createDestination, createSource, createWebhook, deliveries, removeFirstWebhook, send,
} from "./lib/setup.js";
import { until } from "./lib/until.js";
import { assertSigned } from "./lib/verify.js";

const survey = (id, subject = "jane") => ({
  id, type: "survey.submitted", subject, data: { nps: 9 },
});

async function startAll(t, delivery) {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, receiver.url, { delivery });
  const webhook = await createWebhook(eilpost, destination, { properties: ["event.id"] });
  return { receiver, eilpost, source, destination, webhook };
}

const idsOf = ({ body }) => JSON.parse(body).map((item) => item["event.id"]);

test("a batch that nobody answered is the same batch after kill -9", async (t) => {
  const { receiver, eilpost, source, destination } = await startAll(t, {
    batch: { events_max: 10, wait_ms: 50 },
  });
  const silence = new Promise((resolve) => { t.after(() => resolve({ status: 200 })); });
  let answers = false;
  receiver.answer = () => (answers ? { status: 200 } : silence);
  await send(eilpost, source, ["a", "b", "c"].map((id) => survey(id)));
  const [first] = await receiver.waitFor(1);
  assertSigned(destination.signing.secret, first);
  assert.match(first.headers["webhook-id"], /^bat_[0-9a-f]{32}$/);
  assert.deepEqual(idsOf(first), ["a", "b", "c"]);

  await eilpost.kill();
  answers = true;
  await eilpost.start();
  await send(eilpost, source, survey("d"));
  await deliveries(eilpost, "state=delivered", 4);
  const again = receiver.requests.filter(
    ({ headers }) => headers["webhook-id"] === first.headers["webhook-id"]);
  assert.equal(again.length, 2);
  assert.equal(again[1].body, first.body);
  assertSigned(destination.signing.secret, again[1]);
  const [delivery] = await deliveries(eilpost, "event_id=b");
  const [attempt] = await attempts(eilpost, delivery);
  assert.deepEqual(attempt.batch,
    { id: first.headers["webhook-id"], deliveries_count: 3 });
});

test("what is too large for the receiver comes in halves, and nothing is lost", async (t) => {
  const { receiver, eilpost, source } = await startAll(t, { batch: { events_max: 100 } });
  receiver.answer = ({ body }) => ({ status: JSON.parse(body).length > 5 ? 413 : 200 });
  const ids = Array.from({ length: 40 }, (_, i) => `e${i}`);
  await send(eilpost, source, ids.map((id) => survey(id)));
  await deliveries(eilpost, "state=delivered&limit=100", 40);
  const taken = receiver.requests.map(idsOf).filter((batch) => batch.length <= 5).flat();
  assert.deepEqual(taken.toSorted(), ids.toSorted());
});

test("a user's events keep their order while another's pass", async (t) => {
  const { receiver, eilpost, source } = await startAll(t, {
    ordering: "per_user", retry: { delays_ms: [300, 300], jitter: 0 },
  });
  const idOf = ({ body }) => JSON.parse(body)["event.id"];
  let failures = 2;
  receiver.answer = (request) =>
    idOf(request) === "j1" && failures-- > 0 ? { status: 500 } : { status: 200 };
  await send(eilpost, source, [
    survey("j1"), survey("j2"), survey("k1", "kim"), survey("j3"),
  ]);
  await until(() => receiver.requests.length === 6, { what: () => receiver.requests.map(idOf) });
  const order = receiver.requests.map(idOf);
  assert.deepEqual(order.filter((id) => id !== "k1"), ["j1", "j1", "j1", "j2", "j3"]);
  assert.ok(order.indexOf("k1") < 3, `${order}`);
});
