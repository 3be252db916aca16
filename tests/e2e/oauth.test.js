// Goal: destinations behind OAuth 2.0 work with a certified provider: each grant, each way in which
// a client shows who it is, renewal, rotation, revocation, and a person who connects one.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";

import { freePort, startEilpost } from "./lib/eilpost.js";
import { agree, startGuarded, startProvider } from "./lib/oidc.js";
import { createSource, createWebhook, deliveries, send } from "./lib/setup.js";
import { until } from "./lib/until.js";

const SECRET = "a secret: with % and & in it, 32 bytes";
const survey = (id) => ({ id, type: "survey.submitted", subject: "jane", data: {} });

async function createDestination(eilpost, url, authentication) {
  const { status, body } = await eilpost.api("POST", "/api/v1/destinations", {
    name: "Guarded", platform: "custom", request: { url },
    delivery: { retry: { delays_ms: Array(20).fill(1000), jitter: 0 } },
    authentication: { type: "oauth2", ...authentication },
  });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

async function startAll(t, { client, authentication, life, ...options }) {
  const provider = await startProvider({ test: t, clients: [client], life });
  const api = await startGuarded({ test: t, provider });
  const eilpost = await startEilpost({ test: t, ...options });
  const source = await createSource(eilpost);
  const more = await authentication(provider);
  const destination = await createDestination(eilpost, api.url, {
    token_url: provider.tokenUrl, client_id: client.client_id, ...more,
  });
  await createWebhook(eilpost, destination, { event: "survey.submitted" });
  const own = () => deliveries(eilpost, `destination=${destination.id}`);
  return { provider, api, eilpost, source, destination, own };
}

// Also where Eilpost counts: the provider's `exp` is rounded down to the second.
const ended = ({ exp }) => until(() => Date.now() > exp * 1000 + 1000, { what: "a token's end" });

const clientAuthentications = {
  client_secret_basic: () => [{ client_secret: SECRET }, { client_secret: SECRET }],
  client_secret_post: () => [{ client_secret: SECRET }, { client_secret: SECRET }],
  "private_key_jwt RS256": () => keyPair("rsa", { modulusLength: 2048 }, "RS256"),
  "private_key_jwt ES256": () => keyPair("ec", { namedCurve: "P-256" }, "ES256"),
};

function keyPair(type, options, algorithm) {
  const { privateKey, publicKey } = generateKeyPairSync(type, options);
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: algorithm };
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  return [
    { jwks: { keys: [jwk] }, token_endpoint_auth_signing_alg: algorithm },
    { private_key: pem, key_id: "k1", algorithm },
  ];
}

for (const [name, make] of Object.entries(clientAuthentications)) {
  test(`client_credentials with ${name}`, async (t) => {
    const method = name.split(" ")[0];
    const [known, mine] = make();
    const { provider, api, eilpost, source, own } = await startAll(t, {
      client: { client_id: "shop:1", token_endpoint_auth_method: method, scope: "write", ...known },
      authentication: () => ({
        grant: "client_credentials", client_authentication: method, scope: "write", ...mine,
      }),
    });
    await send(eilpost, source, Array.from({ length: 20 }, (_, i) => survey(`e${i}`)));
    await api.waitForTokens(20);
    await until(async () => (await own()).every((d) => d.state === "delivered"));
    assert.equal(provider.tokenRequests, 1, "20 deliveries share one token");
    for (const token of api.tokens) {
      assert.equal(token.active, true);
      assert.equal(token.client_id, "shop:1");
      assert.equal(token.scope, "write");
    }
  });
}

test("a token is renewed before its end, and at once when it was revoked", async (t) => {
  const client = { client_id: "shop", client_secret: SECRET };
  const { provider, api, eilpost, source, own } = await startAll(t, {
    client, life: 3, authentication: () => ({ grant: "client_credentials", client_secret: SECRET }),
  });
  await send(eilpost, source, [survey("e1")]);
  await api.waitForTokens(1);
  await ended(api.tokens[0]);
  await send(eilpost, source, [survey("e2")]);
  await api.waitForTokens(2);
  assert.equal(api.tokens[1].active, true, "renewed without a 401");

  const { token } = api.tokens[1];
  await (await provider.provider.ClientCredentials.find(token)).destroy();
  await send(eilpost, source, [survey("e3")]);
  await api.waitForTokens(4);
  assert.deepEqual(api.tokens.slice(2).map((each) => each.active), [false, true]);
  await until(async () => (await own()).every((d) => d.state === "delivered"));
  assert.ok((await own()).every((d) => d.attempts_count === 1));
});

test("refresh_token: what the provider rotates is used after kill -9, too", async (t) => {
  const client = {
    client_id: "shop", client_secret: SECRET, redirect_uris: ["https://shop.example/cb"],
  };
  const { provider, api, eilpost, source } = await startAll(t, {
    client, life: 2,
    authentication: async (started) => ({
      grant: "refresh_token", client_secret: SECRET,
      refresh_token: await started.refreshToken("shop", "openid offline_access"),
    }),
  });
  for (let i = 1; i <= 4; i++) {
    await send(eilpost, source, [survey(`e${i}`)]);
    await api.waitForTokens(i);
    // The provider takes a grant back when an old refresh token comes again: so none did.
    assert.equal(api.tokens[i - 1].active, true, `token ${i}`);
    await ended(api.tokens[i - 1]);
    if (i % 2 === 0) {
      await eilpost.kill();
      await eilpost.start();
    }
  }
  assert.equal(new Set(api.tokens.map(({ token }) => token)).size, 4);
});

test("authorization_code: a person connects a destination", async (t) => {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const client = {
    client_id: "shop", client_secret: SECRET, redirect_uris: [`${publicUrl}/oauth/callback`],
    application_type: "native",
  };
  const { provider, api, eilpost, source, destination, own } = await startAll(t, {
    client, life: 2, port, args: ["--public-url", publicUrl],
    authentication: (started) => ({
      grant: "authorization_code", authorize_url: started.authorizeUrl, client_secret: SECRET,
      scope: "openid offline_access", parameters: { prompt: "consent" },
    }),
  });
  await send(eilpost, source, [survey("e1")]);
  await until(async () => (await own()).every((d) => d.state === "retrying"));
  assert.equal(api.requests.length, 0);

  const path = `/api/v1/destinations/${destination.id}/authorize`;
  const { status, body: page } = await eilpost.api("POST", path, {});
  assert.equal(status, 200, JSON.stringify(page));
  const back = await agree(page.url, publicUrl);
  const answer = await fetch(back);
  assert.equal(await answer.text(), "The destination is connected. You can close this page.\n");
  assert.equal((await fetch(back)).status, 400, "a link is good for one use");

  await api.waitForTokens(1, 15_000);
  assert.equal(api.tokens[0].active, true);
  assert.equal(api.tokens[0].sub, "jane");
  for (let i = 2; i <= 3; i++) {
    await ended(api.tokens.at(-1));
    await send(eilpost, source, [survey(`e${i}`)]);
    await api.waitForTokens(i);
    assert.equal(api.tokens.at(-1).active, true, "renewed with the rotated refresh token");
  }

  const { body: second } = await eilpost.api("POST", path, {});
  const state = new URL(second.url).searchParams.get("state");
  const refused = await fetch(`${publicUrl}/oauth/callback?state=${state}&error=access_denied`);
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /access_denied/);
});

test("what a token end point says instead of a token is shown, its secrets never", async (t) => {
  const client = { client_id: "shop", client_secret: SECRET };
  const { provider, api, eilpost, source, destination } = await startAll(t, {
    client,
    authentication: () => ({ grant: "client_credentials", client_secret: "a wrong one" }),
  });
  await send(eilpost, source, [survey("e1")]);
  const detail = async () => {
    const { body } = await eilpost.api("GET", `/api/v1/destinations/${destination.id}`);
    return body.health.last_error ?? "";
  };
  await until(async () => (await detail()).includes("401: invalid_client"), { what: detail });

  provider.broken = (request, response) => response.end("<html>maintenance</html>");
  await send(eilpost, source, [survey("e2")]);
  await until(async () => (await detail()).includes("200, but no JSON object"), { what: detail });
  assert.equal(api.requests.length, 0);
  assert.ok(!eilpost.log.includes("a wrong one"));

  provider.broken = null;
  const { status } = await eilpost.api("PATCH", `/api/v1/destinations/${destination.id}`, {
    authentication: { client_secret: SECRET },
  });
  assert.equal(status, 200);
  await api.waitForTokens(2, 20_000);
  assert.ok(api.tokens.every(({ active }) => active));
  const { body } = await eilpost.request("GET", "/metrics");
  assert.match(body, /^eilpost_token_requests_failed_total [1-9]/m);
});
