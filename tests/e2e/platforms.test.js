// Goal: each platform is set up with its fields and secrets alone, gets what it takes, and what it
// would refuse ends in a sentence that helps. Method: stand-ins that enforce the platforms' own
// documented rules (platforms/).

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { createSource, createWebhook, deliveries, send } from "./lib/setup.js";
import { until } from "./lib/until.js";
import { startAmplitude } from "./platforms/amplitude.js";
import { startBrevo } from "./platforms/brevo.js";
import { startGa4 } from "./platforms/ga4.js";
import { startHeap } from "./platforms/heap.js";
import { startHubspot } from "./platforms/hubspot.js";
import { startMailchimp } from "./platforms/mailchimp.js";
import { startMixpanel } from "./platforms/mixpanel.js";
import { startSegment } from "./platforms/segment.js";
import { startSlack } from "./platforms/slack.js";
import { startTeams } from "./platforms/teams.js";

const quickly = { retry: { delays_ms: [20, 20, 20], jitter: 0 } };
const survey = (id, data = {}, more = {}) => ({
  id, type: "survey.submitted", subject: "jane-doe", time: new Date().toISOString(),
  data: { nps: 9, ...data }, ...more,
});
const wait = (standIn, count) =>
  until(() => standIn.accepted.length >= count && standIn.accepted, {
    what: () => `${count} accepted; there are ${standIn.accepted.length}, refused: ` +
      JSON.stringify(standIn.refused.map(({ status, body }) => ({ status, body }))),
  });

let eilpost;
let source;
before(async () => {
  eilpost = await startEilpost();
  source = await createSource(eilpost);
});
after(() => eilpost?.dispose());

function postDestination(platform, more) {
  return eilpost.api("POST", "/api/v1/destinations", { name: platform, platform, ...more });
}

// A destination by fields and secrets alone, and a webhook to it. `retry` is shortened, so that
// failures end soon.
async function setUp(platform, standIn, { destination = {}, webhook = {} } = {}) {
  const given = standIn.secret
    ? { secrets: { webhook_url: standIn.secret } }
    : { fields: standIn.fields, secrets: standIn.secrets };
  const created = await postDestination(platform, { ...given, delivery: quickly, ...destination });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  assert.ok(!JSON.stringify(created.body).includes("stand-in-secret"));
  assert.equal(created.body.signing.scheme, "none");
  const hook = await createWebhook(eilpost, created.body, {
    event: "survey.*", properties: ["nps"], ...webhook,
  });
  return { destination: created.body, webhook: hook };
}

async function failed(hook, count = 1) {
  const found = await deliveries(eilpost, `webhook=${hook.id}&state=failed`, count);
  const [delivery] = found;
  const { body } = await eilpost.api("GET", `/api/v1/deliveries/${delivery.id}/attempts`);
  assert.ok(!JSON.stringify(body).includes("stand-in-secret"), JSON.stringify(body));
  return { delivery, attempt: body.data.at(-1) };
}

const remove = (hook) => eilpost.api("DELETE", `/api/v1/webhooks/${hook.id}?owed=1000`);

async function errorsOf(answer) {
  const { status, body } = await answer;
  assert.equal(status, 422, JSON.stringify(body));
  return body.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join("\n");
}

test("the platforms are listed with all that a form needs, in English and German", async () => {
  const { status, body } = await eilpost.api("GET", "/api/v1/platforms");
  assert.equal(status, 200);
  assert.deepEqual(body.data.map(({ platform }) => platform), [
    "slack", "teams", "mixpanel", "ga4", "heap", "amplitude", "segment", "mailchimp", "hubspot",
    "brevo",
  ]);
  for (const platform of body.data) {
    for (const text of [platform.summary]) assert.ok(text.en && text.de, platform.platform);
    for (const field of [...platform.fields, ...platform.secrets]) {
      assert.match(field.name, /^[a-z][a-z0-9_]*$/);
      for (const text of [field.label, field.help]) assert.ok(text.en && text.de, field.name);
    }
    assert.match(platform.documentation, /^https:/);
  }
});

test("what a platform needs is asked for by name", async () => {
  const errors = await errorsOf(postDestination("mixpanel", {
    fields: { project_id: "abc", regoin: "eu", user: "a..b" },
  }));
  assert.match(errors, /\/fields\/project_id: "project_id" \(Project ID\) must be a number/);
  assert.match(errors, /\/fields\/username: Mixpanel needs "username"/);
  assert.match(errors, /\/secrets\/service_secret: Mixpanel needs "service_secret"/);
  assert.match(errors, /\/fields\/regoin: Mixpanel has no field "regoin"/);
  assert.match(errors, /\/fields\/user: .* must be the path of a property/);
  assert.match(await errorsOf(postDestination("slak", {})), /\/platform: .*slack, teams/);
});

describe("Slack", () => {
  test("gets a message, and says what is wrong with 200 and other bodies", async (t) => {
    const slack = await startSlack(t);
    const { webhook, destination } = await setUp("slack", slack);
    assert.equal(destination.request.url, "{{secret.webhook_url}}");
    assert.deepEqual(destination.delivery.rate_limit, { requests: 1, per_ms: 1000 });
    await send(eilpost, source, survey("s1", {}, { subject: "<!channel> & co" }));
    const [message] = await wait(slack, 1);
    assert.deepEqual(message, {
      text: "*Survey submitted* · &lt;!channel&gt; &amp; co\n• nps: 9",
    });
    const preview = await eilpost.api("POST", `/api/v1/webhooks/${webhook.id}/preview`, {});
    assert.match(preview.body.request.url, /^http:\/\/127\.0\.0\.1:\d+\/••••$/);
    await remove(webhook);
  });

  test("gets the text that a static property makes", async (t) => {
    const slack = await startSlack(t);
    const { webhook } = await setUp("slack", slack, {
      webhook: { static_properties: [{ name: "text", value: "{{wm.euId}} gave us {{nps}}" }] },
    });
    await send(eilpost, source, survey("s2"));
    assert.deepEqual(await wait(slack, 1), [{ text: "jane-doe gave us 9" }]);
    await remove(webhook);
  });

  test("404 and a body that is not ok fail, the first at once", async (t) => {
    const slack = await startSlack(t);
    const gone = await setUp("slack", { secret: `${slack.url}/services/none` });
    const quiet = await setUp("slack", { secret: `${slack.url}/services/quiet` });
    await send(eilpost, source, survey("s3"));
    const first = await failed(gone.webhook);
    assert.deepEqual([first.delivery.reason, first.delivery.attempts_count], ["final_status", 1]);
    assert.equal(first.attempt.answer, "no_service");
    const second = await failed(quiet.webhook);
    assert.equal(second.delivery.reason, "attempts_used_up");
    assert.match(second.attempt.detail, /its body is "something else", not "ok"/);
    await remove(gone.webhook);
    await remove(quiet.webhook);
  });
});

describe("Microsoft Teams", () => {
  test("gets a card; an old connector's 200 with an error is no success", async (t) => {
    const teams = await startTeams(t);
    const { webhook } = await setUp("teams", teams);
    const old = await setUp("teams", { secret: `${teams.url}/webhookb2/old` });
    await send(eilpost, source, survey("t1"));
    const [card] = await wait(teams, 1);
    const texts = card.attachments[0].content.body.map((block) => block.text);
    assert.deepEqual(texts, ["Survey submitted · jane-doe", "- nps: 9"]);
    const { attempt } = await failed(old.webhook);
    assert.match(attempt.detail, /contains "Webhook message delivery failed"/);
    await remove(webhook);
    await remove(old.webhook);
  });

  test("is not sent more than 28 KB", async (t) => {
    const teams = await startTeams(t);
    const { webhook } = await setUp("teams", teams, { webhook: { properties: ["long"] } });
    await send(eilpost, source, survey("t2", { long: "x".repeat(29_000) }));
    const { delivery, attempt } = await failed(webhook);
    assert.equal(delivery.reason, "rejected");
    assert.equal(attempt.outcome, "render");
    assert.match(attempt.detail, /at most 28672 are taken\. Teams takes 28 KB/);
    assert.equal(teams.receiver.requests.length, 0);
    await remove(webhook);
  });
});

describe("Mixpanel", () => {
  test("imports events whose ids it takes", async (t) => {
    const mixpanel = await startMixpanel(t);
    const { webhook } = await setUp("mixpanel", mixpanel, {
      webhook: { static_properties: [{ name: "event_name", value: "NPS given" }] },
    });
    const longId = `order/${"7".repeat(60)}`;
    await send(eilpost, source, [survey("m1"), survey(longId, {}, { subject: "4711" })]);
    const events = await wait(mixpanel, 2);
    const of = (id) => events.find((event) => event.properties.distinct_id === id);
    assert.deepEqual(Object.keys(of("jane-doe").properties),
      ["nps", "time", "distinct_id", "$insert_id"]);
    assert.equal(of("jane-doe").event, "NPS given");
    assert.equal(of("jane-doe").properties.$insert_id, "m1");
    const hashed = createHash("sha256").update(longId).digest("hex").slice(0, 36);
    assert.equal(of("4711").properties.$insert_id, hashed);
    await remove(webhook);
  });

  test("gets an empty distinct_id for nobody, and none of those it forbids", async (t) => {
    const mixpanel = await startMixpanel(t);
    const { webhook } = await setUp("mixpanel", mixpanel);
    await send(eilpost, source, { ...survey("m2"), subject: undefined });
    assert.equal((await wait(mixpanel, 1))[0].properties.distinct_id, "");
    await send(eilpost, source, survey("m3", {}, { subject: "undefined" }));
    const { delivery, attempt } = await failed(webhook);
    assert.equal(delivery.reason, "rejected");
    assert.match(attempt.detail, /distinct_id is "undefined".*Mixpanel refuses such ids/);
    assert.equal(mixpanel.receiver.requests.length, 1);
    await remove(webhook);
  });

  test("429 is tried again; an event that a 400 lists ends, with the reason in the log", async (t) => {
    const mixpanel = await startMixpanel(t);
    mixpanel.throttle = 2;
    const { webhook } = await setUp("mixpanel", mixpanel);
    await send(eilpost, source, survey("m4"));
    await wait(mixpanel, 1);
    mixpanel.refuse = () => ({ field: "properties.x", message: "is no longer taken" });
    await send(eilpost, source, survey("m5"));
    const { delivery, attempt } = await failed(webhook);
    assert.deepEqual([delivery.reason, delivery.attempts_count], ["rejected", 1]);
    assert.match(attempt.answer, /is no longer taken/);
    await remove(webhook);
  });
});

describe("Google Analytics 4", () => {
  test("gets events with names and parameters that it keeps", async (t) => {
    const ga4 = await startGa4(t);
    const { webhook } = await setUp("ga4", ga4, {
      webhook: { properties: ["nps", "wm.language", { property: "answers" }] },
    });
    await send(eilpost, source, survey("g1", { wm: { language: "de" }, answers: [1, 2] }));
    const [request] = await wait(ga4, 1);
    const [{ timestamp_micros: time, ...event }] = request.events;
    assert.deepEqual(event,
      { name: "survey_submitted", params: { nps: 9, wm_language: "de", answers: "[1,2]" } });
    assert.ok(Math.abs(time / 1000 - Date.now()) < 60_000);
    const hash = createHash("sha256").update("jane-doe").digest("hex").slice(0, 32);
    assert.equal(request.client_id, hash);
    assert.deepEqual(ga4.dropped, []);
    await remove(webhook);
  });

  test("what it would drop without a word is not sent, and says why", async (t) => {
    const ga4 = await startGa4(t);
    const { webhook } = await setUp("ga4", ga4, { webhook: { properties: ["title"] } });
    const old = new Date(Date.now() - 80 * 3_600_000).toISOString();
    for (const [event, pattern] of [
      [{ ...survey("g2"), subject: undefined }, /client_id is missing.*field user/],
      [survey("g3", {}, { time: old }), /the event is \d+ hours old.*72 hours/],
      [survey("g4", { title: "x".repeat(101) }), /"title" has 101 characters, and at most 100/],
    ]) {
      await send(eilpost, source, event);
      const [delivery] = await deliveries(eilpost,
        `webhook=${webhook.id}&event_id=${event.id}&state=failed`);
      const { body } = await eilpost.api("GET", `/api/v1/deliveries/${delivery.id}/attempts`);
      assert.match(body.data[0].detail, pattern);
      assert.equal(delivery.attempts_count, 1);
    }
    assert.equal(ga4.receiver.requests.length, 0);
    await remove(webhook);
  });

  test("names that it refuses are refused when the webhook is saved", async (t) => {
    const ga4 = await startGa4(t);
    const { webhook, destination } = await setUp("ga4", ga4);
    const draft = (more) => eilpost.api("POST", "/api/v1/webhooks", {
      name: "A", event: "survey.submitted", destination: destination.id, ...more,
    });
    assert.match(await errorsOf(draft({ properties: [{ property: "nps", as: "ga_nps" }] })),
      /\/properties\/0\/as: The name "ga_nps" begins with "ga_"/);
    assert.match(await errorsOf(draft({ properties: [{ property: "nps", as: "1st" }] })),
      /may be made of a letter, then letters, digits and _/);
    assert.match(await errorsOf(draft({ properties: ["a.b", "a_b"] })),
      /"a\.b" and "a_b" would both reach Google Analytics 4 as "a_b"/);
    const many = Array.from({ length: 26 }, (_, i) => `p${i}`);
    assert.match(await errorsOf(draft({ properties: many })), /at most 25 properties/);
    const all = await draft({});
    assert.equal(all.status, 201);
    assert.ok(all.body.warnings.some(({ code }) => code === "choose_properties"));
    await remove(webhook);
    await remove(all.body);
  });

  test("a test goes to the debug server and shows its messages", async (t) => {
    const ga4 = await startGa4(t);
    const { webhook } = await setUp("ga4", ga4, {
      webhook: { static_properties: [{ name: "event_name", value: "nps given" }] },
    });
    const good = await eilpost.api("POST", `/api/v1/webhooks/${webhook.id}/test`, {
      event: survey("g5"),
    });
    assert.match(good.body.detail, /may be made of a letter/);
    assert.equal(good.body.outcome, "render");
    await eilpost.api("PATCH", `/api/v1/webhooks/${webhook.id}`, { static_properties: [] });
    const tested = await eilpost.api("POST", `/api/v1/webhooks/${webhook.id}/test`, {
      event: survey("g6"),
    });
    assert.equal(tested.body.success, true, JSON.stringify(tested.body));
    assert.match(tested.body.request.url, /\/debug\/mp\/collect\?/);
    assert.deepEqual(JSON.parse(tested.body.answer), { validationMessages: [] });
    assert.equal(ga4.accepted.length, 0);
    await remove(webhook);
  });
});

test("Heap gets text and numbers, others converted, long ones cut with a note", async (t) => {
  const heap = await startHeap(t);
  const { webhook } = await setUp("heap", heap, {
    webhook: { properties: ["nps", "tags", "on", "long", "none"] },
  });
  await send(eilpost, source,
    survey("h1", { tags: ["a"], on: true, long: "ä".repeat(2000), none: null }));
  const [event] = await wait(heap, 1);
  assert.deepEqual(event.properties, { nps: 9, tags: '["a"]', on: "true", long: "ä".repeat(1023) });
  assert.deepEqual([event.identity, event.event, event.idempotency_key],
    ["jane-doe", "Survey submitted", "h1"]);
  const [delivered] = await deliveries(eilpost, `webhook=${webhook.id}&state=delivered`);
  const { body } = await eilpost.api("GET", `/api/v1/deliveries/${delivered.id}/attempts`);
  assert.match(body.data[0].detail, /"long" was cut to 1023 characters/);
  await send(eilpost, source, survey("h2", {}, { subject: "x".repeat(256) }));
  const { attempt } = await failed(webhook);
  assert.match(attempt.detail, /identity is .* has 256 characters, and at most 255/);
  await remove(webhook);
});

test("Amplitude gets events; short ids are refused before they are sent", async (t) => {
  const amplitude = await startAmplitude(t);
  const { webhook, destination } = await setUp("amplitude", amplitude);
  await send(eilpost, source, survey("a1"));
  const [event] = await wait(amplitude, 1);
  assert.deepEqual([event.user_id, event.insert_id, event.event_properties],
    ["jane-doe", "a1", { nps: 9 }]);
  await send(eilpost, source, survey("a2", {}, { subject: "joe" }));
  const short = await failed(webhook);
  assert.match(short.attempt.detail, /"joe", which has 3 characters, and at least 5/);
  await eilpost.api("PATCH", `/api/v1/destinations/${destination.id}`, {
    fields: { min_id_length: 3 },
  });
  await send(eilpost, source, survey("a3", {}, { subject: "joe" }));
  await wait(amplitude, 2);
  // A 400 that lists nothing as wrong took nothing: it is sent again.
  amplitude.silence = true;
  await send(eilpost, source, survey("a4"));
  const again = await failed(webhook, 2);
  assert.equal(again.delivery.reason, "attempts_used_up");
  await remove(webhook);
});

test("Amplitude's wrong key is an attempt like others: a mended key mends what waits", async (t) => {
  const amplitude = await startAmplitude(t);
  const { webhook, destination } = await setUp("amplitude", {
    fields: amplitude.fields, secrets: { api_key: "wrong" },
  }, { destination: { delivery: { retry: { delays_ms: Array(30).fill(100), jitter: 0 } } } });
  await send(eilpost, source, survey("a5"));
  await until(() => amplitude.refused.length > 0, { what: "a refusal" });
  await eilpost.api("PATCH", `/api/v1/destinations/${destination.id}`, {
    secrets: amplitude.secrets,
  });
  await wait(amplitude, 1);
  await remove(webhook);
});

test("Segment gets track calls of at most 32 KB", async (t) => {
  const segment = await startSegment(t);
  const { webhook } = await setUp("segment", segment, {
    webhook: { properties: ["nps", "long"] },
  });
  await send(eilpost, source, survey("x".repeat(200), { sId: "session-1" }));
  const [call] = await wait(segment, 1);
  assert.deepEqual([call.userId, call.anonymousId, call.event, call.properties],
    ["jane-doe", "session-1", "Survey submitted", { nps: 9 }]);
  assert.ok(call.messageId.length < 100);
  await send(eilpost, source, survey("s9", { long: "x".repeat(33_000) }));
  const { delivery, attempt } = await failed(webhook);
  assert.equal(delivery.reason, "rejected");
  assert.match(attempt.detail, /Segment takes 32 KB an event/);
  await remove(webhook);
});

const person = (id, address, more = {}) => survey(id, { wm: { userVars: { email: address } }, ...more });
const address = "wm.userVars.email";

test("Mailchimp gets members by the hash of their address; without one nothing is sent", async (t) => {
  const mailchimp = await startMailchimp(t);
  mailchimp.fields.address = address;
  const { webhook } = await setUp("mailchimp", mailchimp, {
    webhook: { properties: [{ property: "nps", as: "NPS" }] },
  });
  await send(eilpost, source, person("c1", " Jane@Example.com "));
  assert.deepEqual(await wait(mailchimp, 1), [
    { email_address: "Jane@Example.com", status_if_new: "pending", merge_fields: { NPS: 9 } },
  ]);
  await send(eilpost, source, survey("c2"));
  const { delivery, attempt } = await failed(webhook);
  assert.deepEqual([delivery.reason, delivery.attempts_count], ["rejected", 1]);
  assert.match(attempt.detail, /email_address is missing\. Mailchimp needs an e-mail address/);
  await send(eilpost, source, person("c3", "jane@example.invalid"));
  const fake = await failed(webhook, 2);
  assert.match(fake.attempt.detail, /400, which is final/);
  assert.match(fake.attempt.answer, /looks fake/);
  await remove(webhook);
});

test("HubSpot gets contacts; one that a 207 names is rejected", async (t) => {
  const hubspot = await startHubspot(t);
  hubspot.fields.address = address;
  const { webhook } = await setUp("hubspot", hubspot);
  await send(eilpost, source, person("hs1", "Jane@Example.com"));
  assert.deepEqual(await wait(hubspot, 1), [
    { idProperty: "email", id: "jane@example.com", properties: { nps: 9 } },
  ]);
  await send(eilpost, source, person("hs2", "jane"));
  const { delivery, attempt } = await failed(webhook);
  assert.deepEqual([delivery.reason, attempt.status], ["rejected", 207]);
  assert.match(attempt.answer, /Email address is invalid/);
  await remove(webhook);
});

test("Brevo gets contacts: 201 for a new one, 204 for a known one", async (t) => {
  const brevo = await startBrevo(t);
  brevo.fields.address = address;
  const { webhook } = await setUp("brevo", brevo, {
    webhook: { properties: [{ property: "nps", as: "NPS" }] },
  });
  await send(eilpost, source, person("b1", "Jane@Example.com"));
  await wait(brevo, 1);
  await send(eilpost, source, person("b2", "jane@example.com", { nps: 7 }));
  const contacts = await wait(brevo, 2);
  assert.deepEqual(contacts[1], {
    email: "jane@example.com", attributes: { NPS: 7 }, listIds: [7], updateEnabled: true,
  });
  await deliveries(eilpost, `webhook=${webhook.id}&state=delivered`, 2);
  await send(eilpost, source, person("b3", "not an address"));
  const { attempt } = await failed(webhook);
  assert.match(attempt.detail, /is no e-mail address\. Brevo needs/);
  await remove(webhook);
});

describe("Batches", () => {
  const many = (ids, more = () => ({})) => ids.map((id, i) => survey(id, {}, more(i)));
  const requests = (standIn) => standIn.receiver.requests.map(({ body }) => JSON.parse(body));

  test("Mixpanel gets many events at once; those that a 400 lists end, the rest was taken", async (t) => {
    const mixpanel = await startMixpanel(t);
    mixpanel.refuse = ({ properties }) =>
      properties.$insert_id === "mb2" ? { field: "properties.x", message: "is wrong" } : null;
    const { webhook } = await setUp("mixpanel", mixpanel);
    await send(eilpost, source, many(["mb1", "mb2", "mb3"]));
    const { delivery, attempt } = await failed(webhook);
    assert.deepEqual([delivery.event_id, delivery.reason], ["mb2", "rejected"]);
    assert.equal(attempt.batch.deliveries_count, 3);
    await deliveries(eilpost, `webhook=${webhook.id}&state=delivered`, 2);
    assert.deepEqual(requests(mixpanel).map((body) => body.length), [3]);
    await remove(webhook);
  });

  test("Amplitude takes none of a batch with a wrong event; the rest goes again", async (t) => {
    const amplitude = await startAmplitude(t);
    amplitude.forbidden = "ab2";
    const { webhook } = await setUp("amplitude", amplitude);
    await send(eilpost, source, many(["ab1", "ab2", "ab3"]));
    const taken = await wait(amplitude, 2);
    assert.deepEqual(taken.map((event) => event.insert_id).sort(), ["ab1", "ab3"]);
    const { delivery } = await failed(webhook);
    assert.deepEqual([delivery.event_id, delivery.reason], ["ab2", "rejected"]);
    await remove(webhook);
  });

  test("Google Analytics gets up to 25 events of one user in a request", async (t) => {
    const ga4 = await startGa4(t);
    const { webhook } = await setUp("ga4", ga4);
    const ids = Array.from({ length: 60 }, (_, i) => `gb${i}`);
    await send(eilpost, source, many(ids, (i) => ({ subject: i % 2 ? "jane" : "joe" })));
    await deliveries(eilpost, `webhook=${webhook.id}&state=delivered&limit=100`, 60);
    const counts = ga4.accepted.map(({ events }) => events.length);
    assert.equal(counts.reduce((sum, count) => sum + count), 60);
    assert.ok(counts.length < 12, `requests: ${counts}`);
    assert.equal(new Set(ga4.accepted.map((body) => body.client_id)).size, 2);
    assert.deepEqual(ga4.dropped, []);
    await remove(webhook);
  });

  test("Segment and HubSpot get many at once", async (t) => {
    const segment = await startSegment(t);
    const hubspot = await startHubspot(t);
    hubspot.fields.address = address;
    const { webhook: one } = await setUp("segment", segment);
    const { webhook: two } = await setUp("hubspot", hubspot);
    const people = ["a@example.com", "nobody", "c@example.com"];
    await send(eilpost, source, people.map((each, i) => person(`sb${i}`, each)));
    await wait(segment, 3);
    const [{ batch }] = requests(segment);
    assert.equal(batch.length, 3);
    const { delivery } = await failed(two);
    assert.equal(delivery.event_id, "sb1");
    assert.equal((await wait(hubspot, 2)).length, 2);
    assert.equal(hubspot.receiver.requests.length, 1);
    await remove(one);
    await remove(two);
  });
});

test("what people give stands above the preset; another platform begins anew", async (t) => {
  const slack = await startSlack(t);
  const { destination, webhook } = await setUp("slack", slack, {
    destination: { success: { statuses: ["2xx"], body: null }, final_statuses: [] },
  });
  assert.deepEqual(destination.final_statuses, []);
  assert.equal(destination.success.body, null);
  assert.equal(destination.request.method, "POST");
  const changed = await eilpost.api("PATCH", `/api/v1/destinations/${destination.id}`, {
    platform: "heap", fields: { app_id: "1" },
  });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  assert.equal(changed.body.request.url, "{{field.server}}/api/track");
  assert.deepEqual(changed.body.secrets, {});
  await remove(webhook);
});
