// A certified OpenID provider (oidc-provider), as the token end point of destinations, and an API
// that takes only tokens which that provider knows.
//
//   const provider = await startProvider({ test, clients: [{ client_id: "shop", … }] });
//   const api = await startGuarded({ test, provider });

import { once } from "node:events";
import { createServer } from "node:http";

import Provider from "oidc-provider";

import { startReceiver } from "./receiver.js";
import { until } from "./until.js";

const GUARD = { client_id: "guard", client_secret: "guard-secret" };

// `broken`, if set, answers token requests in the provider's stead: (request, response) => …
export async function startProvider({ test, clients, life = 3600 }) {
  let callback = null;
  const started = { tokenRequests: 0, broken: null };
  const server = createServer((request, response) => {
    if (request.url === "/token") {
      started.tokenRequests++;
      if (started.broken) return started.broken(request, response);
    }
    return callback(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${server.address().port}`;
  started.provider = new Provider(issuer, {
    clients: [...clients.map(complete), complete(GUARD)],
    scopes: ["openid", "offline_access", "write"],
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      devInteractions: { enabled: true },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    cookies: { keys: ["of these tests"] },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: life, ClientCredentials: life, RefreshToken: 3600, Grant: 3600, Session: 3600,
      Interaction: 600, IdToken: 600, AuthorizationCode: 60,
    },
    pkce: { required: () => true, methods: ["S256"] },
  });
  callback = started.provider.callback();
  started.issuer = issuer;
  started.tokenUrl = `${issuer}/token`;
  started.authorizeUrl = `${issuer}/auth`;
  started.form = (path, fields) =>
    fetch(issuer + path, {
      method: "POST",
      headers: {
        authorization: `Basic ${btoa(`${GUARD.client_id}:${GUARD.client_secret}`)}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams(fields),
    });
  started.introspect = async (token) => (await started.form("/token/introspection", { token })).json();
  started.refreshToken = (clientId, scope) => mintRefreshToken(started.provider, clientId, scope);
  test?.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return started;
}

function complete(client) {
  const withCode = client.redirect_uris !== undefined;
  return {
    redirect_uris: [],
    response_types: withCode ? ["code"] : [],
    grant_types: withCode ? ["authorization_code", "refresh_token"] : ["client_credentials"],
    ...client,
  };
}

async function mintRefreshToken(provider, clientId, scope) {
  const client = await provider.Client.find(clientId);
  const grant = new provider.Grant({ accountId: "jane", clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId: "jane", client, grantId, scope, gty: "authorization_code",
  });
  return token.save();
}

// A receiver that answers 401 unless the provider says that the bearer token is active.
export async function startGuarded({ test, provider }) {
  const receiver = await startReceiver({ test });
  receiver.tokens = [];
  receiver.answer = async ({ headers }) => {
    const token = /^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1];
    const found = token ? await provider.introspect(token) : { active: false };
    receiver.tokens.push({ token, ...found });
    return found.active ? { status: 204 } : { status: 401 };
  };
  receiver.waitForTokens = (count, ms = 10_000) =>
    until(() => receiver.tokens.length >= count, { what: `the token of request ${count}`, ms });
  return receiver;
}

// What a person does in a browser: opens the page, signs in, agrees. Answers the URL that the
// provider sends the browser to in the end, and does not open that one.
export async function agree(url, stopAt) {
  const cookies = new Map();
  let next = { url };
  for (let step = 0; step < 20; step++) {
    if (next.url.startsWith(stopAt)) return next.url;
    const answer = await fetch(next.url, {
      method: next.form ? "POST" : "GET",
      body: next.form,
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    const location = answer.headers.get("location");
    if (location) {
      next = { url: new URL(location, next.url).href };
      continue;
    }
    const page = await answer.text();
    const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
    if (!action) throw new Error(`${answer.status} at ${next.url}: ${page.slice(0, 500)}`);
    const form = new URLSearchParams();
    for (const [input] of page.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]+)"/.exec(input)?.[1];
      if (name) form.set(name, /value="([^"]*)"/.exec(input)?.[1] ?? "jane");
    }
    next = { url: new URL(action, next.url).href, form };
  }
  throw new Error("the provider's pages do not end");
}
