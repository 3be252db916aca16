// Goal: the description of the API is right: every answer is as it says, with no field that it does
// not name, and so is every body that was taken.

import assert from "node:assert/strict";
import { test } from "node:test";

import { validate } from "@readme/openapi-parser";

import { startEilpost } from "./lib/eilpost.js";
import { describeApi } from "./lib/openapi.js";
import { startReceiver } from "./lib/receiver.js";
import { until } from "./lib/until.js";

test("the description is OpenAPI 3.1", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const { document } = await describeApi(eilpost);
  const result = await validate(structuredClone(document));
  assert.ok(result.valid, JSON.stringify(result.errors, null, 2));
});

test("every answer is as the description says", async (t) => {
  const args = ["--public-url", "https://hooks.example"];
  const eilpost = await startEilpost({ test: t, args });
  const receiver = await startReceiver({ test: t });
  const api = await describeApi(eilpost);
  const call = async (status, method, path, body, headers) => {
    const answer = await api.call(method, `/api/v1/${path}`, body, headers);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };

  await call(200, "GET", "openapi.json");
  for (const path of ["/healthz", "/readyz", "/metrics"]) await api.call("GET", path);

  // The catalog.
  const types = await call(200, "GET", "event-types?limit=200");
  assert.equal(types.groups[0].label.de, "Smart Walk-Thru");
  assert.ok(types.groups.length >= 11 && types.common_properties.length >= 30);
  const label = { en: "Order placed", de: "Bestellung aufgegeben" };
  const properties = [{ path: "total", type: "number", description: { en: "Sum", de: "Summe" } }];
  await call(201, "POST", "event-types", { code: "custom.order", label, properties });
  await call(200, "GET", "event-types/custom.order");
  await call(200, "PATCH", "event-types/custom.order", { label: { en: "Order" } });
  await call(404, "GET", "event-types/custom.nothing");
  await call(201, "POST", "items", { type: "survey", id: 7, name: "NPS", parent: "a" });
  await call(201, "POST", "environments", { name: "staging" });
  await call(200, "GET", "environments");
  await call(200, "GET", "environments/staging");

  // Sources and keys.
  const source = await call(201, "POST", "sources", { name: "Web", environment: "production" });
  await call(200, "GET", "sources?limit=1");
  await call(200, "GET", `sources/${source.id}`);
  await call(200, "PATCH", `sources/${source.id}`, { allowed_origins: ["https://a.example"] });
  const { key } = await call(200, "POST", `sources/${source.id}/rotate-key`);
  const apiKey = await call(201, "POST", "api-keys", { name: "Viewer", role: "viewer" });
  const weak = { authorization: `Bearer ${apiKey.key}` };
  await call(403, "POST", "sources", { name: "x", environment: "production" }, weak);
  await call(401, "GET", "sources", undefined, { authorization: "Bearer eil_none" });
  await call(200, "GET", "api-keys");

  // Destinations.
  await call(200, "GET", "platforms");
  await call(201, "POST", "destinations", {
    name: "Slack", platform: "slack", secrets: { webhook_url: receiver.url },
  });
  const basic = { type: "basic", username: "u", password: "p" };
  const custom = {
    name: "Receiver", platform: "custom", authentication: basic,
    request: { url: receiver.url, headers: [{ name: "X-Team", value: "a" }] },
    delivery: { concurrency: 4, retry: { delays_ms: [100], jitter: 0 } },
    fields: { lists: [1] }, secrets: { api_key: "k" }, body: { format: "nested" },
    success: {
      statuses: ["2xx", 302], body: { does_not_contain: "error" },
      partial: { statuses: ["400"], failed: ["/failed/*"], named_by: "/id", rest: "again" },
    },
    final_statuses: [404, "405-407"],
  };
  const destination = await call(201, "POST", "destinations", custom);
  const inbox = await call(201, "POST", "destinations", { name: "Inbox", platform: "inbox" });
  await call(422, "POST", "destinations", { name: "Bad", platform: "custom" });
  const at = `destinations/${destination.id}`;
  await call(200, "PATCH", at, { authentication: { type: "bearer", token: "t", username: null } });
  await call(200, "PATCH", at, { authentication: null });
  await call(200, "PATCH", at, { secrets: { api_key: null }, success: { body: null, partial: null } });
  await call(412, "PATCH", at, { name: "Stale" }, { "if-match": '"1"' });
  await call(200, "POST", `${at}/rotate-secret`, {});
  await call(200, "POST", `${at}/disable`);
  await call(200, "POST", `${at}/resume`);
  await call(200, "GET", at);
  await call(200, "GET", `${at}/versions`);

  // Connected by a person, at a provider that asks nothing.
  const provider = await startReceiver({ test: t });
  const token = { access_token: "a", token_type: "Bearer", expires_in: 60, refresh_token: "r" };
  provider.answer = () => ({ status: 200, body: JSON.stringify(token) });
  const connectable = await call(201, "POST", "destinations", {
    name: "Connectable", platform: "custom", request: { url: receiver.url },
    authentication: {
      type: "oauth2", grant: "authorization_code", token_url: `${provider.url}/token`,
      authorize_url: `${provider.url}/authorize`, client_id: "c", client_secret: "s",
    },
  });
  const page = await call(200, "POST", `destinations/${connectable.id}/authorize`);
  const state = new URL(page.url).searchParams.get("state");
  const back = await api.call("GET", `/oauth/callback?code=c&state=${state}`);
  assert.equal(back.status, 200, back.body);
  await call(409, "POST", `${at}/authorize`);
  await call(409, "GET", `${at}/inbox`);
  await call(200, "POST", `${at}/test`, {});

  // Webhooks.
  const draft = {
    name: "Promoters", event: ["survey.submitted", "menu.*"], environments: ["production"],
    conditions: { all: [
      { any: [{ property: "nps", operator: "between", value: [0, 10] },
              { not: { property: "ctx.title", operator: "contains", value: "x", ignore_case: true } }] },
      { property: "odd.one", operator: "does_not_exist" },
    ] },
    properties: ["nps", { property: "wm.euId", as: "user", missing: "null" }],
    static_properties: [{ name: "text", value: "{{nps}}!" }, { name: "n", value: 1 }],
    body: { format: "flat", keys: "underscores" }, destination: destination.id,
  };
  const webhook = await call(201, "POST", "webhooks", draft);
  assert.ok(webhook.warnings.length > 0, "an undeclared property is warned of");
  const hook = `webhooks/${webhook.id}`;
  const { id: second } = await call(201, "POST", "webhooks", {
    name: "All", event: "survey.submitted", destination: inbox.id,
    body: { format: "template", template: { a: ["{{nps}}"] } },
  });
  await call(200, "PUT", hook, { ...draft, event: "survey.submitted" });
  await call(200, "PATCH", hook, { name: "Renamed", conditions: null });
  await call(200, "GET", hook);
  await call(200, "GET", "webhooks");
  await call(200, "GET", `${hook}/versions`);
  await call(409, "DELETE", at);
  await call(200, "POST", `${hook}/preview`, { sample: true });
  await call(200, "POST", "webhooks/preview", { webhook: draft, destination: custom });
  await call(422, "POST", "webhooks/preview", { webhook: { ...draft, surprise: 1 } });
  await call(200, "POST", `${hook}/test`, {});
  await call(200, "POST", "webhooks/test", { webhook: draft, event: { type: "menu.opened" } });
  await call(200, "GET", "tests");

  // Events and what becomes of them.
  const bearer = { authorization: `Bearer ${key}` };
  const event = (id) => ({ id, type: "survey.submitted", data: { nps: 9, oId: 7, oName: "NPS" } });
  const post = (query, body) => api.call("POST", `/v1/events${query}`, body, bearer);
  assert.equal((await post("", [event("a"), event("a"), event("b")])).status, 202);
  const mixed = await post("?partial=1", [event("c"), { type: "x" }]);
  assert.equal(mixed.body.rejected.length, 1);
  assert.equal((await post("", [{ type: "x" }])).status, 422);
  const settled = () => call(200, "GET", "deliveries?state=delivered");
  const { data: delivered } = await until(
    async () => {
      const page = await settled();
      const isThere = page.data.some((each) => each.destination === destination.id);
      return page.data.length >= 6 && isThere && page;
    },
    { what: "six deliveries, one of them to the destination that is looked at" },
  );
  const sent = delivered.find((each) => each.destination === destination.id);
  await call(200, "GET", `deliveries/${sent.id}`);
  await call(200, "GET", `deliveries/${sent.id}/attempts`);
  await call(201, "POST", `deliveries/${sent.id}/replay`, { as_new: true });
  await call(200, "POST", "deliveries/replay", { filter: { state: "failed" } });
  await call(200, "POST", "deliveries/replay", { filter: { state: "failed" }, expected_count: 0 });
  const from = "2026-01-01T00:00:00Z";
  await call(200, "POST", `webhooks/${second}/backfill`, { from });
  await call(422, "POST", `webhooks/${second}/backfill`, { from: "x" });
  const { data: events } = await call(200, "GET", "events?limit=2");
  await call(200, "GET", `events/${events[0].sequence}`);
  await call(200, "GET", "event-types/survey.submitted/properties");
  await call(200, "GET", "event-types/survey.submitted/values?property=nps");
  await call(400, "GET", "event-types/survey.submitted/values");
  await call(200, "GET", "items");
  await call(200, "GET", `destinations/${inbox.id}/inbox`);
  await call(200, "PUT", `destinations/${inbox.id}/inbox-answer`, { status: 500, body: "no" });
  await post("", event("d"));
  await until(async () => (await call(200, "GET", "deliveries?state=retrying")).data.length > 0, {
    what: "a delivery that is retried",
  });
  await call(200, "GET", "deliveries");
  await call(200, "GET", "destinations");
  await call(204, "DELETE", `destinations/${inbox.id}/inbox`);
  await call(200, "GET", "stats");
  await call(200, "GET", "audit-log");
  await call(409, "DELETE", `webhooks/${second}`);

  // The end.
  await call(204, "DELETE", `webhooks/${second}?owed=10`);
  await call(204, "DELETE", `${hook}?owed=10`);
  await call(204, "DELETE", at);
  await call(204, "DELETE", `sources/${source.id}`);
  await call(204, "DELETE", `api-keys/${apiKey.id}`);
  await call(204, "DELETE", "event-types/custom.order");
  await call(204, "DELETE", "environments/staging");
  assert.deepEqual(api.uncalled(), ["followStream"], "every operation was seen to succeed");
});
