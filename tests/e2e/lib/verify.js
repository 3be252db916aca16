// A webhook's signature as receivers check it: with the packages that the senders of the standard
// publish. Both must agree.

import assert from "node:assert/strict";

import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";

function verdictOf(check) {
  try {
    check();
    return true;
  } catch (error) {
    // svix reads the body as JSON after it has verified it; forms and empty bodies are none.
    if (error instanceof SyntaxError) return true;
    assert.equal(error.message, "No matching signature found");
    return false;
  }
}

// Whether the signature of a received request is that of the secret.
export function isSignedBy(secret, { headers, body }) {
  const verdicts = [StandardWebhook, SvixWebhook].map((Webhook) =>
    verdictOf(() => new Webhook(secret).verify(body, headers, { jsonParse: false })),
  );
  assert.equal(verdicts[0], verdicts[1], "standardwebhooks and svix agree");
  return verdicts[0];
}

// Fails unless it is, and unless a changed body would be noticed.
export function assertSigned(secret, request) {
  assert.ok(isSignedBy(secret, request), `the signature ${request.headers["webhook-signature"]}`);
  assert.ok(!isSignedBy(secret, { ...request, body: `${request.body} ` }), "a changed body");
}
