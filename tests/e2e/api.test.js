// Goal: the management API keeps its word to scripts: who may do what, nothing is overwritten or
// made twice unnoticed, lists end, and mistakes are explained; so do the options of the program.

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { freePort, runEilpost, startEilpost } from "./lib/eilpost.js";
import { startReceiver } from "./lib/receiver.js";
import { createDestination, createSource, createWebhook, deliveries, send } from "./lib/setup.js";
import { until } from "./lib/until.js";

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

test("keys open what their role allows", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const withKey = (key) => ({ authorization: `Bearer ${key}` });
  const sources = "/api/v1/sources";
  const strangers = [
    { authorization: "" },
    { authorization: "Basic eDp5" },
    withKey("eil_unknown_key_0123456789"),
  ];
  for (const headers of strangers) {
    const refused = await eilpost.api("GET", sources, undefined, headers);
    assertProblem(refused, 401, "unauthenticated");
    assert.equal(refused.headers.get("www-authenticate"), "Bearer");
  }
  const source = await createSource(eilpost);
  assertProblem(
    await eilpost.api("GET", sources, undefined, withKey(source.key)), 401, "unauthenticated",
  );

  const keyOf = async (role, more = {}) => {
    const made = await eilpost.api("POST", "/api/v1/api-keys", { name: role, role, ...more });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.match(made.body.key, /^eil_/);
    return made.body;
  };
  const viewer = await keyOf("viewer");
  const editor = await keyOf("editor");
  const call = (key, method, target, body) => eilpost.api(method, target, body, withKey(key));
  assert.equal((await call(viewer.key, "GET", sources)).status, 200);
  assert.equal((await call(viewer.key, "GET", "/api/v1/deliveries")).status, 200);
  const body = { name: "New", environment: "production" };
  assertProblem(await call(viewer.key, "POST", sources, body), 403, "forbidden");
  assertProblem(await call(viewer.key, "DELETE", `${sources}/${source.id}`), 403, "forbidden");
  assertProblem(await call(viewer.key, "GET", "/api/v1/api-keys"), 403, "forbidden");
  assert.equal((await call(editor.key, "POST", sources, body)).status, 201);
  assertProblem(await call(editor.key, "GET", "/api/v1/audit-log"), 403, "forbidden");
  assertProblem(
    await call(editor.key, "POST", "/api/v1/api-keys", { name: "x", role: "admin" }),
    403, "forbidden",
  );

  const listed = await eilpost.api("GET", "/api/v1/api-keys");
  assert.ok(!JSON.stringify(listed.body).includes(viewer.key), "a key is shown once only");
  assert.equal((await eilpost.api("DELETE", `/api/v1/api-keys/${viewer.id}`)).status, 204);
  assertProblem(await call(viewer.key, "GET", sources), 401, "unauthenticated");

  const soon = new Date(Date.now() + 1500).toISOString();
  const brief = await keyOf("viewer", { expires_at: soon });
  assert.equal((await call(brief.key, "GET", sources)).status, 200);
  await until(async () => (await call(brief.key, "GET", sources)).status === 401, {
    what: "the key to expire",
  });

  const audit = (await eilpost.api("GET", "/api/v1/audit-log")).body.data;
  assert.ok(audit.some((row) => row.action === "created" && row.id === viewer.id));
  assert.ok(audit.some((row) => row.action === "deleted" && row.id === viewer.id));
  assert.ok(audit.some((row) => row.author.includes("editor")), JSON.stringify(audit));
  assert.ok(!JSON.stringify(audit).includes(editor.key));
});

test("ETag and If-Match keep two people from overwriting each other", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const destination = await createDestination(eilpost, "https://receiver.example/");
  const webhook = await createWebhook(eilpost, destination);
  const targets = [`/api/v1/webhooks/${webhook.id}`, `/api/v1/destinations/${destination.id}`];
  for (const target of targets) {
    const read = await eilpost.api("GET", target);
    const etag = read.headers.get("etag");
    assert.match(etag, /^"[^"]+"$/);
    const change = (name, match) =>
      eilpost.api("PATCH", target, { name }, match ? { "if-match": match } : {});
    const first = await change("first", etag);
    assert.equal(first.status, 200, JSON.stringify(first.body));
    assert.notEqual(first.headers.get("etag"), etag);
    const stale = await change("second", etag);
    assert.equal(stale.status, 412, JSON.stringify(stale.body));
    assert.match(stale.headers.get("content-type"), /^application\/problem\+json/);
    assert.equal((await eilpost.api("GET", target)).body.name, "first");
    const deleted = await eilpost.api("DELETE", target, undefined, { "if-match": etag });
    assert.equal(deleted.status, 412);
    assert.equal((await change("third")).status, 200);
    assert.equal((await change("fourth", "*")).status, 200);
  }
  const versions = await eilpost.api("GET", `/api/v1/webhooks/${webhook.id}/versions`);
  assert.deepEqual(
    versions.body.data.map((row) => row.webhook.name).sort(),
    ["Webhook", "first", "fourth", "third"],
  );
  // A change of one member leaves the others as they are (RFC 7396).
  const after = await eilpost.api("GET", `/api/v1/destinations/${destination.id}`);
  assert.equal(after.body.request.url, "https://receiver.example/");
  assert.deepEqual(after.body.signing.secret, { set: true });
});

test("a POST with an Idempotency-Key makes one thing, however often it is sent", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const create = (name, key) => {
    const body = { name, environment: "test" };
    return eilpost.api("POST", "/api/v1/sources", body, { "idempotency-key": key });
  };
  const first = await create("Once", "key-1");
  const second = await create("Once", "key-1");
  assert.equal(first.status, 201);
  assert.equal(second.status, 201);
  assert.deepEqual(second.body, first.body);
  assertProblem(await create("Another", "key-1"), 422, "idempotency_key_reused");
  assert.notEqual((await create("Once", "key-2")).body.id, first.body.id);
  const { body } = await eilpost.api("GET", "/api/v1/sources");
  assert.equal(body.data.filter((source) => source.name === "Once").length, 2);
});

test("lists come in pages that end", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const names = [];
  for (let i = 0; i < 7; i += 1) names.push((await createSource(eilpost, { name: `S${i}` })).name);
  const found = [];
  let pages = 0;
  for (let cursor = ""; cursor !== null; pages += 1) {
    const query = `limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const { status, body } = await eilpost.api("GET", `/api/v1/sources?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    found.push(...body.data.map((source) => source.name));
    cursor = body.next_cursor;
    assert.ok(pages < 10, "the pages do not end");
  }
  assert.equal(pages, 3);
  assert.deepEqual(found.sort(), [...names, "My application"].sort());
  for (const limit of ["0", "201", "many"]) {
    assertProblem(await eilpost.api("GET", `/api/v1/sources?limit=${limit}`), 400, "bad_parameter");
  }
});

test("mistakes are problems that say what is wrong", async (t) => {
  const eilpost = await startEilpost({ test: t });
  assertProblem(await eilpost.api("GET", "/api/v1/nothing"), 404, "not_found");
  assertProblem(await eilpost.api("GET", "/api/v1/webhooks/wh_nowhere"), 404, "not_found");
  assertProblem(await eilpost.request("GET", "/nothing"), 404, "not_found");
  const method = await eilpost.api("DELETE", "/api/v1/sources");
  assertProblem(method, 405, "method_not_allowed");
  assert.match(method.headers.get("allow"), /GET/);
  const headers = { authorization: `Bearer ${eilpost.apiKey}`, "content-type": "application/json" };
  for (const body of ["{", "[]", "7"]) {
    const answer = await eilpost.request("POST", "/api/v1/sources", { headers, body });
    assertProblem(answer, 400, "malformed_json");
  }
  const source = { environment: "moon", colour: "red" };
  const wrong = await eilpost.api("POST", "/api/v1/sources", source);
  const { errors } = assertProblem(wrong, 422, "invalid");
  const pointers = errors.map((error) => error.pointer).sort();
  assert.deepEqual(pointers, ["/colour", "/environment", "/name"]);
  assert.ok(errors.every((error) => error.code && error.detail.length > 10));
  const destination = await eilpost.api("POST", "/api/v1/destinations", {
    name: "Wrong", platform: "custom", request: { url: "ftp://example.com/", timeout_ms: 5 },
  });
  assertProblem(destination, 422, "invalid");
  const found = destination.body.errors.map((error) => error.pointer).sort();
  assert.deepEqual(found, ["/request/timeout_ms", "/request/url"]);
});

test("openapi.json describes every path, and paths that it does not are none", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const { status, body } = await eilpost.api("GET", "/api/v1/openapi.json");
  assert.equal(status, 200);
  assert.match(body.openapi, /^3\.1\./);
  assert.ok(body.info.title && body.info.version);
  const operationIds = new Set();
  for (const [target, operations] of Object.entries(body.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      assert.ok(operation.responses, `${method} ${target}`);
      assert.ok(!operationIds.has(operation.operationId), operation.operationId);
      operationIds.add(operation.operationId);
    }
  }
  for (const name of ["sources", "webhooks", "destinations", "deliveries", "event-types"]) {
    const target = Object.keys(body.paths).find((each) => each.endsWith(`/${name}`));
    assert.ok(body.paths[target].get, name);
    assert.equal((await eilpost.api("GET", `/api/v1/${name}`)).status, 200);
  }
});

test("custom event types, environments and items are made and used", async (t) => {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  const environment = await eilpost.api("POST", "/api/v1/environments", { name: "staging" });
  assert.equal(environment.status, 201, JSON.stringify(environment.body));
  const type = await eilpost.api("POST", "/api/v1/event-types", {
    code: "custom.invoice_paid",
    label: { en: "Invoice paid", de: "Rechnung bezahlt" },
    properties: [{ path: "amount", type: "number" }],
  });
  assert.equal(type.status, 201, JSON.stringify(type.body));
  const destination = await createDestination(eilpost, receiver.url);
  await createWebhook(eilpost, destination, {
    event: "custom.invoice_paid",
    environments: ["staging"],
    conditions: { all: [{ property: "amount", operator: "greater_than", value: 10 }] },
    properties: [{ property: "amount" }, { property: "wm.envName", as: "env" }],
  });
  const source = await createSource(eilpost, { environment: "staging" });
  const event = (id, amount) => ({ id, type: "custom.invoice_paid", data: { amount } });
  await send(eilpost, source, [event("small", 10), event("large", 10.5)]);
  const [request] = await receiver.waitFor(1);
  assert.deepEqual(JSON.parse(request.body), { amount: 10.5, env: "staging" });
  const inUse = await eilpost.api("DELETE", "/api/v1/event-types/custom.invoice_paid");
  assert.equal(inUse.status, 409, JSON.stringify(inUse.body));
  const builtIn = await eilpost.api("DELETE", "/api/v1/environments/production");
  assert.equal(builtIn.status, 409);
  await deliveries(eilpost, "event_type=custom.invoice_paid&state=delivered");
  const events = await eilpost.api("GET", "/api/v1/events?event_type=custom.invoice_paid");
  assert.deepEqual(events.body.data.map((each) => each.id), ["large", "small"]);
});

test("health, readiness, metrics and figures", async (t) => {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  for (const target of ["/healthz", "/readyz"]) {
    const answer = await eilpost.request("GET", target);
    assert.deepEqual([answer.status, answer.body], [200, "ok\n"]);
    assert.equal((await eilpost.request("HEAD", target)).status, 200);
  }
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, receiver.url);
  await createWebhook(eilpost, destination, { event: "menu.opened" });
  await send(eilpost, source, [{ id: "1", type: "menu.opened" }, { id: "1", type: "menu.opened" }]);
  await deliveries(eilpost, "state=delivered");
  const { status, headers, body } = await eilpost.request("GET", "/metrics");
  assert.equal(status, 200);
  assert.match(headers.get("content-type"), /^text\/plain; version=0\.0\.4/);
  const value = (name) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(body)?.[1]);
  assert.equal(value("eilpost_events_accepted_total"), 1);
  assert.equal(value("eilpost_events_repeated_total"), 1);
  assert.equal(value("eilpost_deliveries_delivered_total"), 1);
  assert.equal(value("eilpost_deliveries_unsettled"), 0);
  for (const line of body.trim().split("\n")) {
    assert.match(line, /^(# (HELP|TYPE) \S+ .+|[a-z_:][a-z0-9_:]*(\{.*\})? -?[0-9.e+-]+)$/i);
  }
  const stats = await eilpost.api("GET", "/api/v1/stats");
  assert.equal(stats.body.since_start.events_accepted, 1);
  assert.equal(stats.body.since_start.deliveries_delivered, 1);
});

test("options that are wrong end with 2 and a sentence", async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "eilpost-options-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const toml = path.join(folder, "eilpost.toml");
  await writeFile(toml, 'listen = "127.0.0.1:0"\ncolour = "red"\n');
  const cases = [
    [["serve", "--colour", "red"], {}, /--colour/],
    [["serve", "--listen", "nowhere"], {}, /--listen must be ADDRESS:PORT/],
    [["serve", "--lanes", "many"], {}, /--lanes must be a whole number/],
    [["serve"], { EILPOST_LANES: "many" }, /EILPOST_LANES must be a whole number/],
    [["serve"], { EILPOST_BOOTSTRAP_API_KEY: "short" }, /EILPOST_BOOTSTRAP_API_KEY must begin/],
    [["serve", "--config", toml], {}, /eilpost\.toml:2: colour is not an option/],
    [["serve", "--config", path.join(folder, "none.toml")], {}, /none\.toml cannot be read/],
    [["dance"], {}, /subcommand is required/],
    [["send", "--key", "src_x"], {}, /Give --type/],
  ];
  for (const [args, env, sentence] of cases) {
    const { code, stdout, stderr } = await runEilpost(args, { cwd: folder, env });
    assert.equal(code, 2, `${args.join(" ")}: ${stdout}${stderr}`);
    assert.match(stderr, sentence);
  }
  assert.deepEqual(await readdir(folder), ["eilpost.toml"]); // Nothing was begun.
  const help = await runEilpost(["--help"], { cwd: folder });
  assert.equal(help.code, 0);
  assert.match(help.stdout, /serve/);
  const version = await runEilpost(["--version"], { cwd: folder });
  assert.equal(version.code, 0);
  assert.match(version.stdout, /\d+\.\d+/);
});

test("a flag wins over a variable, a variable over the file", async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "eilpost-config-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const config = path.join(folder, "eilpost.toml");
  await writeFile(config, `
listen = "127.0.0.1:1"            # the flag wins
event_bytes_max = 300             # stands
request_events_max = 1            # the variable wins
public_url = "https://file.example"
lanes = 1
`);
  const port = await freePort();
  const eilpost = await startEilpost({
    test: t,
    port,
    args: ["--config", config, "--public-url", "https://flag.example"],
    env: { EILPOST_REQUEST_EVENTS_MAX: "2", EILPOST_PUBLIC_URL: "https://variable.example" },
  });
  assert.match(eilpost.output, /'https:\/\/flag\.example\/v1\/events\?key=/);
  const source = await createSource(eilpost);
  const events = (count, text = "") =>
    Array.from({ length: count }, () => ({ type: "menu.opened", data: { text } }));
  const take = async (body) => {
    const answer = await eilpost.request("POST", "/v1/events", {
      headers: { authorization: `Bearer ${source.key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return [answer.status, answer.body.code];
  };
  assert.deepEqual(await take(events(2)), [202, undefined]);
  assert.deepEqual(await take(events(3)), [413, "too_many_events"]);
  assert.deepEqual(await take(events(1, "x".repeat(400))), [413, "event_too_large"]);
});
