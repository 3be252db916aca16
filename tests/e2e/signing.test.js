// Goal: every scheme signs so that receivers verify it: with the packages of the standard's makers
// where they know it, else with Node's crypto as a receiver's own code would.

import assert from "node:assert/strict";
import { createHmac, createPublicKey, verify } from "node:crypto";
import { test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { startReceiver } from "./lib/receiver.js";
import {
  createDestination, createSource, createWebhook, removeFirstWebhook, send,
} from "./lib/setup.js";
import { assertSigned, isSignedBy } from "./lib/verify.js";

const survey = (id) => ({ id, type: "survey.submitted", subject: "jane", data: { nps: 9 } });

async function startAll(t, signing) {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, receiver.url, { signing });
  await createWebhook(eilpost, destination);
  let count = 0;
  const next = async () => {
    count += 1;
    await send(eilpost, source, survey(`event-${count}`));
    return (await receiver.waitFor(count))[count - 1];
  };
  const api = async (method, path, body) => {
    const answer = await eilpost.api(method, `/api/v1/destinations/${destination.id}${path}`, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };
  return { eilpost, destination, next, api };
}

// Whether one of the signatures of a request is that of this public key ("whpk_…").
function isSignedByKey(publicKey, { headers, body }) {
  const x = Buffer.from(publicKey.slice("whpk_".length), "base64").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const message = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return headers["webhook-signature"]
    .split(" ")
    .filter((signature) => signature.startsWith("v1a,"))
    .some((signature) =>
      verify(null, Buffer.from(message), key, Buffer.from(signature.slice(4), "base64")),
    );
}

test("standard-webhooks: both secrets sign while they overlap", async (t) => {
  const { destination, next, api } = await startAll(t, { scheme: "standard-webhooks" });
  assertSigned(destination.signing.secret, await next());
  const { signing } = await api("POST", "/rotate-secret", { overlap_ms: 60_000 });
  const both = await next();
  assertSigned(destination.signing.secret, both);
  assertSigned(signing.secret, both);
  const { signing: newest } = await api("POST", "/rotate-secret", { overlap_ms: 0 });
  const one = await next();
  assertSigned(newest.secret, one);
  assert.ok(!isSignedBy(signing.secret, one));
});

test("standard-webhooks-ed25519: receivers need the public key only", async (t) => {
  const { destination, next, api } = await startAll(t, { scheme: "standard-webhooks-ed25519" });
  const { public_key: first, secret } = destination.signing;
  assert.deepEqual(secret, { set: true }, "the private key is not shown");
  const request = await next();
  assert.ok(isSignedByKey(first, request));
  assert.ok(!isSignedByKey(first, { ...request, body: `${request.body} ` }));
  const { signing } = await api("POST", "/rotate-secret", { overlap_ms: 60_000 });
  assert.deepEqual(signing.secret, { set: true });
  assert.equal(signing.previous_public_key, first);
  const both = await next();
  assert.equal(both.headers["webhook-signature"].split(" ").length, 2);
  assert.ok(isSignedByKey(first, both) && isSignedByKey(signing.public_key, both));
});

test("github: X-Hub-Signature-256 as GitHub's receivers verify it", async (t) => {
  const secret = "It's a Secret to Everybody";
  const { destination, next, api } = await startAll(t, { scheme: "github", secret });
  assert.equal(destination.signing.secret, secret);
  const sign = (key, { body }) => `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;
  const request = await next();
  assert.equal(request.headers["x-hub-signature-256"], sign(secret, request));
  const { signing } = await api("POST", "/rotate-secret", { overlap_ms: 60_000 });
  const both = await next();
  assert.equal(both.headers["x-hub-signature-256"], sign(signing.secret, both));
  assert.equal(both.headers["x-hub-signature-256-previous"], sign(secret, both));
});

test("hmac and secret: in the header and the form that a receiver wants", async (t) => {
  const form = {
    scheme: "hmac", header: "X-Signature", algorithm: "sha512", encoding: "base64",
    prefix: "v0=", content: "timestamp.body",
  };
  const { eilpost, destination, next, api } = await startAll(t, form);
  const request = await next();
  const message = `${request.headers["webhook-timestamp"]}.${request.body}`;
  const code = createHmac("sha512", destination.signing.secret).update(message).digest("base64");
  assert.equal(request.headers["x-signature"], `v0=${code}`);

  await api("PATCH", "", {
    signing: { scheme: "secret", header: "X-Team-Token", secret: "hunter2-hunter2" },
  });
  assert.equal((await next()).headers["x-team-token"], "hunter2-hunter2");
  const shown = await eilpost.api("POST", "/api/v1/webhooks/preview", {
    webhook: { name: "Hook", event: "survey.submitted" }, destination: { id: destination.id },
  });
  const header = shown.body.request.headers.find(({ name }) => name === "X-Team-Token");
  assert.equal(header.value, "••••");
});

test("what cannot be signed so is refused with a sentence", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const refusal = async (signing, request = {}) => {
    const answer = await eilpost.api("POST", "/api/v1/destinations", {
      name: "A", platform: "custom", request: { url: "https://a.example/", ...request }, signing,
    });
    assert.equal(answer.status, 422, JSON.stringify(answer.body));
    return answer.body.errors.map(({ pointer, code }) => `${pointer} ${code}`).join();
  };
  assert.equal(await refusal({ scheme: "hmac" }), "/signing/header missing");
  assert.equal(
    await refusal({ scheme: "secret", header: "Host" }), "/signing/header forbidden_header",
  );
  assert.equal(
    await refusal(
      { scheme: "hmac", header: "X-Own" }, { headers: [{ name: "x-own", value: "1" }] },
    ),
    "/signing/header duplicate_header",
  );
  assert.equal(
    await refusal({ scheme: "standard-webhooks-ed25519", secret: "whsec_AAAA" }),
    "/signing/secret bad_secret",
  );
});
