// Goal: a webhook set up by the API sends what was chosen, in the form that was chosen, signed so
// that receivers' own libraries agree; and it can be switched off, on, tried out and deleted.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { startReceiver } from "./lib/receiver.js";
import {
  createDestination, createSource, createWebhook, deliveries, send,
} from "./lib/setup.js";
import { until } from "./lib/until.js";
import { assertSigned, isSignedBy } from "./lib/verify.js";

async function startAll(t) {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, receiver.url);
  return { receiver, eilpost, source, destination, secret: destination.signing.secret };
}

const survey = (id, data = {}) => ({ id, type: "survey.submitted", subject: "jane", data });

test("all 32 event types go through a condition, renaming and a static property", async (t) => {
  const { receiver, eilpost, source, destination, secret } = await startAll(t);
  const { body: catalog } = await eilpost.api("GET", "/api/v1/event-types");
  const types = catalog.data.filter((type) => !type.custom && type.group !== "operations");
  assert.equal(types.length, 32);
  const groups = new Set(types.map((type) => type.group));
  assert.equal(groups.size, 11);

  // Each type's own property: the last one that it declares and its sample has.
  const own = (type) =>
    type.properties.map(({ path }) => ({ path, value: valueAt(type.sample.data, path) }))
      .filter(({ value }) => value !== undefined).at(-1);
  for (const type of types) {
    assert.equal(type.sample.type, type.code);
    assert.ok(type.label.en && type.label.de, type.code);
    await createWebhook(eilpost, destination, {
      name: type.label.en,
      event: type.code,
      conditions: { all: [{ property: "ctx.title", operator: "is", value: "Wanted" }] },
      properties: [
        { property: "event.type" },
        { property: "event.id" },
        { property: "event.name", as: "label" },
        { property: "wm.euId", as: "user_id" },
        { property: own(type)?.path ?? "sId", as: "own" },
      ],
      static_properties: [{ name: "origin", value: "Eilpost for {{wm.euId}}" }],
    });
  }

  const event = (type, title) => {
    const { sample } = type;
    const data = { ...sample.data, ctx: { ...sample.data.ctx, title } };
    return { ...sample, id: `${title} ${type.code}`, data };
  };
  const wanted = types.map((type) => event(type, "Wanted"));
  const unwanted = types.map((type) => event(type, "Unwanted"));
  assert.deepEqual(await send(eilpost, source, [...unwanted, ...wanted]), {
    accepted: 64,
    duplicates: 0,
  });

  const requests = await receiver.waitFor(32);
  const bodies = new Map(requests.map((each) => [JSON.parse(each.body)["event.type"], each]));
  assert.equal(bodies.size, 32);
  for (const type of types) {
    const request = bodies.get(type.code);
    assertSigned(secret, request);
    assert.equal(request.headers["content-type"], "application/json");
    assert.deepEqual(JSON.parse(request.body), {
      "event.type": type.code,
      "event.id": `Wanted ${type.code}`,
      label: type.label.en,
      user_id: type.sample.subject,
      own: own(type)?.value ?? type.sample.data.sId,
      origin: `Eilpost for ${type.sample.subject}`,
    });
  }
  await deliveries(eilpost, "state=delivered&limit=200", 32);
  assert.equal(receiver.requests.length, 32);
});

function valueAt(data, path) {
  return path.split(".").reduce((value, key) => value?.[key], data);
}

describe("every form of a body", () => {
  let all = null;
  const cleanups = [];
  before(async () => {
    all = await startAll({ after: (cleanup) => cleanups.push(cleanup) });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const chosen = {
    properties: [
      { property: "wm.euId", as: "user.id" },
      { property: "nps" },
      { property: "tags" },
      { property: "absent" },
      { property: "wm.userVars.*", as: "vars.*" },
    ],
    static_properties: [{ name: "text", value: "{{wm.euId}} gave us {{nps}}" }],
  };
  const data = { nps: 9, tags: ["a", "b"], wm: { userVars: { plan: "pro & more", seats: 3 } } };
  const flat = {
    "user.id": "jane", nps: 9, tags: ["a", "b"],
    "vars.plan": "pro & more", "vars.seats": 3, text: "jane gave us 9",
  };
  const nested = {
    user: { id: "jane" }, nps: 9, tags: ["a", "b"],
    vars: { plan: "pro & more", seats: 3 }, text: "jane gave us 9",
  };

  // One webhook with this body and what came of one event.
  async function received(body, { request, ...more } = chosen) {
    const { eilpost, receiver, source } = all;
    const target = `/hook-${receiver.requests.length}`;
    const destination = await createDestination(eilpost, receiver.url + target, { request });
    const webhook = await createWebhook(eilpost, destination, { body, ...more });
    await send(eilpost, source, survey(`of ${target}`, data));
    const found = await until(
      () => receiver.requests.find((each) => each.target.startsWith(target)),
      { what: `the webhook at ${target}` },
    );
    const change = await eilpost.api("PATCH", `/api/v1/webhooks/${webhook.id}`, { enabled: false });
    assert.equal(change.status, 200);
    assertSigned(destination.signing.secret, found);
    return { ...found, target: found.target.slice(target.length) };
  }

  test("flat", async () => {
    const request = await received({ format: "flat" });
    assert.equal(request.method, "POST");
    assert.deepEqual(JSON.parse(request.body), flat);
    assert.deepEqual(Object.keys(JSON.parse(request.body)), Object.keys(flat));
  });

  test("flat with underscores", async () => {
    const request = await received({ format: "flat", keys: "underscores" });
    assert.deepEqual(JSON.parse(request.body), {
      user_id: "jane", nps: 9, tags: ["a", "b"],
      vars_plan: "pro & more", vars_seats: 3, text: "jane gave us 9",
    });
  });

  test("nested", async () => {
    const request = await received({ format: "nested" });
    assert.deepEqual(JSON.parse(request.body), nested);
  });

  test("envelope", async () => {
    const request = await received({ format: "envelope" });
    const { type, timestamp, data: inner, ...rest } = JSON.parse(request.body);
    assert.equal(type, "survey.submitted");
    assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000, timestamp);
    assert.deepEqual(inner, nested);
    assert.deepEqual(rest, {});
  });

  test("form", async () => {
    const request = await received({ format: "form" });
    assert.equal(request.headers["content-type"], "application/x-www-form-urlencoded");
    const fields = Object.fromEntries(new URLSearchParams(request.body));
    assert.deepEqual(fields, {
      ...flat, nps: "9", "vars.seats": "3", tags: '["a","b"]',
    });
  });

  test("template", async () => {
    const request = await received({
      format: "template",
      template: {
        channel: "#nps", score: "{{nps}}", list: ["{{wm.euId | upper}}", 1, null],
        text: "{{#if nps}}{{wm.euId}}: {{nps}}{{else}}none{{/if}}", gone: "{{absent}}",
        quoted: "say \"{{wm.userVars.plan}}\"", all: { "...": "{{properties}}", more: true },
      },
    });
    assert.deepEqual(JSON.parse(request.body), {
      channel: "#nps", score: 9, list: ["JANE", 1, null], text: "jane: 9",
      quoted: 'say "pro & more"', all: { ...flat, more: true },
    });
  });

  test("everything where nothing was chosen", async () => {
    const request = await received({ format: "flat" }, {});
    const body = JSON.parse(request.body);
    assert.deepEqual(Object.keys(body).slice(0, 3), ["event.id", "event.type", "event.time"]);
    assert.equal(body.nps, 9);
    assert.equal(body["wm.userVars.plan"], "pro & more");
  });

  test("GET sends the properties as a query, and signs the empty body", async () => {
    const { target, method, body } = await received({ format: "flat" }, {
      ...chosen, request: { method: "GET" },
    });
    assert.deepEqual([method, body], ["GET", ""]);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(target.slice(1))), {
      ...flat, nps: "9", "vars.seats": "3", tags: '["a","b"]',
    });
  });

  test("the destination's own headers and authentication", async () => {
    const { eilpost, receiver, source } = all;
    const url = `${receiver.url}/own/{{wm.euId}}?q={{nps}}`;
    const destination = await createDestination(eilpost, url, {
      request: { method: "PUT", headers: [{ name: "X-Team", value: "{{wm.userVars.plan}}" }] },
      authentication: { type: "basic", username: "anna", password: "s3cret-password" },
    });
    assert.ok(!JSON.stringify(destination).includes("s3cret-password"));
    await createWebhook(eilpost, destination);
    await send(eilpost, source, survey("own", { ...data, wm: { ...data.wm, euId: "j/ä" } }));
    const request = await until(
      () => receiver.requests.find((each) => each.target.startsWith("/own")),
      { what: "the webhook" },
    );
    assert.equal(request.method, "PUT");
    assert.equal(request.target, "/own/j%2F%C3%A4?q=9");
    assert.equal(request.headers["x-team"], "pro & more");
    const basic = Buffer.from("anna:s3cret-password").toString("base64");
    assert.equal(request.headers.authorization, `Basic ${basic}`);
    assertSigned(destination.signing.secret, request);
    const kept = await eilpost.api("GET", `/api/v1/destinations/${destination.id}`);
    assert.ok(!JSON.stringify(kept.body).includes("s3cret-password"));
    assert.ok(!eilpost.log.includes("s3cret-password"));
  });
});

test("while a secret is rotated, the old and the new one both verify", async (t) => {
  const { receiver, eilpost, source, destination, secret } = await startAll(t);
  await createWebhook(eilpost, destination);
  const rotated = await eilpost.api("POST", `/api/v1/destinations/${destination.id}/rotate-secret`);
  assert.equal(rotated.status, 200, JSON.stringify(rotated.body));
  const fresh = rotated.body.signing.secret;
  assert.match(fresh, /^whsec_/);
  assert.notEqual(fresh, secret);
  await send(eilpost, source, survey("rotated"));
  const [request] = await receiver.waitFor(1);
  assert.equal(request.headers["webhook-signature"].split(" ").length, 2);
  assertSigned(secret, request);
  assertSigned(fresh, request);
  const other = await createDestination(eilpost, receiver.url);
  assert.ok(!isSignedBy(other.signing.secret, request), "another destination's secret");
  const shown = await eilpost.api("GET", `/api/v1/destinations/${destination.id}`);
  assert.deepEqual(shown.body.signing.secret, { set: true });
});

test("what a disabled webhook owes is held, and sent when it is enabled", async (t) => {
  const { receiver, eilpost, source, destination } = await startAll(t);
  // Refused until the receiver is mended: it owes a delivery when it is disabled.
  receiver.answer = () => ({ status: 422 });
  const held = await createDestination(eilpost, receiver.url, {
    delivery: { retry: { delays_ms: Array(32).fill(200), jitter: 0 } },
  });
  const webhook = await createWebhook(eilpost, held);
  await createWebhook(eilpost, destination, { event: "menu.opened" });
  await send(eilpost, source, survey("held"));
  await receiver.waitFor(1);
  const path = `/api/v1/webhooks/${webhook.id}`;
  assert.equal((await eilpost.api("PATCH", path, { enabled: false })).body.enabled, false);
  const [delivery] = await deliveries(eilpost, "state=held");
  assert.equal(delivery.event_id, "held");

  // An event accepted meanwhile owes the disabled webhook nothing.
  receiver.answer = () => ({ status: 204 });
  await send(eilpost, source, [survey("meanwhile"), { id: "menu", type: "menu.opened" }]);
  await until(() => receiver.requests.some((each) => each.body.includes("menu.opened")), {
    what: "the other webhook",
  });
  const state = await eilpost.api("GET", `/api/v1/deliveries/${delivery.id}`);
  assert.equal(state.body.state, "held");

  assert.equal((await eilpost.api("PATCH", path, { enabled: true })).status, 200);
  const [delivered] = await deliveries(eilpost, `webhook=${webhook.id}&state=delivered`);
  assert.equal(delivered.id, delivery.id);
  assert.ok(!receiver.requests.some((each) => each.body.includes("meanwhile")));
  const ids = receiver.requests.filter((each) => each.body.includes('"held"'))
    .map((each) => each.headers["webhook-id"]);
  assert.equal(new Set(ids).size, 1);
});

test("a webhook that owes deliveries is deleted only with their count", async (t) => {
  const { receiver, eilpost, source } = await startAll(t);
  receiver.answer = () => ({ status: 500 });
  const destination = await createDestination(eilpost, receiver.url);
  const webhook = await createWebhook(eilpost, destination);
  await send(eilpost, source, [survey("owed-1"), survey("owed-2")]);
  await deliveries(eilpost, "state=retrying", 2);
  const refused = await eilpost.api("DELETE", `/api/v1/webhooks/${webhook.id}`);
  assert.equal(refused.status, 409);
  assert.equal(refused.body.code, "deliveries_owed");
  assert.match(refused.body.detail, /^2 deliveries .*\?owed=2/);
  const inUse = await eilpost.api("DELETE", `/api/v1/destinations/${destination.id}`);
  assert.equal(inUse.status, 409);
  assert.ok(JSON.stringify(inUse.body).includes(webhook.id), JSON.stringify(inUse.body));

  const confirmed = await eilpost.api("DELETE", `/api/v1/webhooks/${webhook.id}?owed=2`);
  assert.equal(confirmed.status, 204, JSON.stringify(confirmed.body));
  assert.equal((await eilpost.api("GET", `/api/v1/webhooks/${webhook.id}`)).status, 404);
  const failed = await deliveries(eilpost, "state=failed", 2);
  assert.deepEqual(failed.map((each) => each.reason), ["webhook_deleted", "webhook_deleted"]);
  assert.equal((await eilpost.api("DELETE", `/api/v1/destinations/${destination.id}`)).status, 204);
});

test("a draft is previewed without being sent, and tried out with webhook-test", async (t) => {
  const { receiver, eilpost, destination, secret } = await startAll(t);
  const webhook = {
    name: "Draft",
    event: "survey.submitted",
    conditions: {
      all: [
        { property: "nps", operator: "greater_or_equal", value: 9 },
        { property: "wm.language", operator: "is", value: "fr" },
      ],
    },
    properties: [{ property: "nps", as: "score" }, { property: "absent" }],
    static_properties: [{ name: "from", value: "Eilpost" }],
    destination: destination.id,
  };
  const event = survey("draft", { nps: 10, wm: { language: "de" } });
  const preview = await eilpost.api("POST", "/api/v1/webhooks/preview", { webhook, event });
  assert.equal(preview.status, 200, JSON.stringify(preview.body));
  const { body } = preview;
  assert.equal(body.wanted, false);
  assert.deepEqual(
    Object.fromEntries(body.conditions.map(({ pointer, result }) => [pointer, result])),
    { "/conditions": false, "/conditions/all/0": true, "/conditions/all/1": false },
  );
  assert.equal(body.request.method, "POST");
  assert.deepEqual(JSON.parse(body.request.body), { score: 10, from: "Eilpost" });
  assert.deepEqual(
    Object.fromEntries(
      body.properties.map(({ name, property, missing }) => [name, [property, missing]]),
    ),
    { score: ["nps", false], absent: ["absent", true], from: [null, false] },
  );

  const tried = await eilpost.api("POST", "/api/v1/webhooks/test", { webhook, event });
  assert.equal(tried.status, 200, JSON.stringify(tried.body));
  assert.deepEqual([tried.body.outcome, tried.body.status, tried.body.success],
    ["answered", 204, true]);
  const [request] = await receiver.waitFor(1);
  assert.equal(request.headers["webhook-test"], "true");
  assertSigned(secret, request);
  assert.deepEqual(JSON.parse(request.body), { score: 10, from: "Eilpost" });

  receiver.answer = () => ({ status: 418, body: "no coffee" });
  const saved = await createWebhook(eilpost, destination);
  const again = await eilpost.api("POST", `/api/v1/webhooks/${saved.id}/test`, {});
  assert.deepEqual([again.body.status, again.body.success, again.body.answer],
    [418, false, "no coffee"]);
  const whole = await eilpost.api("POST", `/api/v1/destinations/${destination.id}/test`, {});
  assert.equal(whole.status, 200, JSON.stringify(whole.body));
  assert.equal(receiver.requests.length, 3); // The preview sent nothing.
  assert.ok(receiver.requests.every((each) => each.headers["webhook-test"] === "true"));
});

test("saving reports all that is wrong at once", async (t) => {
  const { eilpost, destination } = await startAll(t);
  const answer = await eilpost.api("POST", "/api/v1/webhooks", {
    name: "Wrong",
    event: "no.such",
    conditions: { all: [{ property: "nps", operator: "resembles", value: 9 }] },
    properties: [{ property: "nps", as: "a b" }, { property: "sId", as: "x" }],
    static_properties: [{ name: "x", value: "y" }],
    destination: "dst_nowhere",
  });
  assert.equal(answer.status, 422);
  const pointers = answer.body.errors.map((each) => each.pointer);
  for (const part of ["/event", "/conditions/all/0/operator", "/properties/0/as", "/destination"]) {
    assert.ok(pointers.includes(part), `${part} in ${JSON.stringify(answer.body.errors)}`);
  }
  const twice = await eilpost.api("POST", "/api/v1/webhooks", {
    name: "Twice",
    event: "survey.submitted",
    properties: [{ property: "nps", as: "x" }, { property: "sId", as: "x" }],
    destination: destination.id,
  });
  assert.equal(twice.status, 422);
  assert.match(JSON.stringify(twice.body.errors), /nps.*sId|sId.*nps/);

  const warned = await createWebhook(eilpost, destination, {
    conditions: { all: [{ property: "unknown.thing", operator: "is", value: 1 }] },
  });
  assert.equal(warned.warnings.length, 1, JSON.stringify(warned.warnings));
});
