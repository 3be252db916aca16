// Goal: client certificates are taken only with their whole chain, shown whole to the receiver, and
// replaced without a lost delivery.
// Method: nginx that demands a certificate and knows only the root; openssl makes all of them.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { runEilpost, startEilpost } from "./lib/eilpost.js";
import { makeAuthority, startNginx } from "./lib/nginx.js";
import { startReceiver } from "./lib/receiver.js";
import {
  attempts, createDestination, createSource, createWebhook, deliveries, removeFirstWebhook, send,
} from "./lib/setup.js";

const run = promisify(execFile);
const text = (file) => readFile(file, "utf8");
const survey = (id) => ({ id, type: "survey.submitted", subject: "jane", data: { nps: 9 } });
const quickly = { retry: { delays_ms: Array(20).fill(50), jitter: 0 } };

// A folder with an authority, and what a customer would paste.
async function makeAll(t) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "eilpost-certificates-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const authority = await makeAuthority(folder);
  const root = await text(authority.root);
  const client = async (name) => {
    const files = await authority.issue(name, name);
    return {
      files,
      leaf: await text(files.leaf),
      chain: (await text(files.chain)) + root,
      key: await text(files.key),
    };
  };
  return { folder, authority, root, client };
}

async function startBank(t, { folder, authority }) {
  const server = await authority.issue("server", "localhost");
  const receiver = await startReceiver({ test: t });
  const demanding = {
    certificate: server.chain, key: server.key, clientRoot: authority.root,
  };
  const urls = await startNginx({
    test: t,
    folder,
    upstream: receiver.url,
    certificates: { bank: demanding, closing: { ...demanding, closes: true } },
  });
  const eilpost = await startEilpost({ test: t });
  await removeFirstWebhook(eilpost);
  return { receiver, urls, eilpost, source: await createSource(eilpost) };
}

const tlsOf = (root, client) => ({
  ca_certificates: root, client_certificate: client.chain, client_key: client.key,
});

test("a truncated chain is refused on saving, a full one is shown in full", async (t) => {
  const all = await makeAll(t);
  const { receiver, urls, eilpost, source } = await startBank(t, all);
  const client = await all.client("client.example");
  const draft = (tls) => ({ name: "Bank", platform: "custom", request: { url: urls.bank }, tls });

  const refusal = async (tls) => {
    const answer = await eilpost.api("POST", "/api/v1/destinations", draft(tls));
    assert.equal(answer.status, 422, JSON.stringify(answer.body));
    assert.equal(answer.body.errors.length, 1, JSON.stringify(answer.body.errors));
    return answer.body.errors[0];
  };
  const whole = tlsOf(all.root, client);
  const truncated = await refusal({ ...whole, client_certificate: client.leaf });
  assert.equal(truncated.pointer, "/tls/client_certificate");
  assert.equal(
    truncated.detail,
    'The chain is not complete: the issuer of "CN=client.example" is missing. ' +
      'Add the certificate "CN=Intermediate of the tests".',
  );
  const rootless = await refusal({ ...whole, client_certificate: await text(client.files.chain) });
  assert.match(rootless.detail, /issuer of "CN=Intermediate of the tests" is missing/);
  assert.match(rootless.detail, /Add the certificate "CN=Root of the tests"/);
  const cut = await refusal({ ...whole, ca_certificates: all.root.slice(0, -30) });
  assert.match(cut.detail, /Certificate 1 is not whole/);
  const other = await all.client("other.example");
  const strange = await refusal({ ...whole, client_key: other.key });
  assert.equal(strange.code, "key_mismatch");

  const destination = await createDestination(eilpost, urls.bank, { tls: whole });
  assert.deepEqual(destination.tls.client_key, { set: true });
  assert.equal(destination.tls.certificates.length, 4);
  assert.equal(destination.warnings[0].code, "certificate_expiring"); // They live for two days.
  await createWebhook(eilpost, destination);
  await send(eilpost, source, survey("one"));
  const [request] = await receiver.waitFor(1);
  assert.equal(request.headers["x-client-verify"], "SUCCESS");
  assert.equal(request.headers["x-client-subject"], "CN=client.example");
});

test("a receiver that gets no certificate, or whose CA is not given, says so", async (t) => {
  const all = await makeAll(t);
  const { receiver, urls, eilpost, source } = await startBank(t, all);
  const none = await createDestination(eilpost, urls.bank, { tls: { ca_certificates: all.root } });
  const unknown = await createDestination(eilpost, urls.bank);
  await createWebhook(eilpost, none);
  await createWebhook(eilpost, unknown, { name: "Unknown" });
  await send(eilpost, source, survey("one"));
  const outcomeOf = async (destination) => {
    const [delivery] = await deliveries(eilpost, `destination=${destination.id}&state=retrying`);
    return (await attempts(eilpost, delivery))[0];
  };
  assert.equal((await outcomeOf(none)).status, 400);
  const refused = await outcomeOf(unknown);
  assert.equal(refused.outcome, "tls");
  assert.match(refused.detail, /issuer .*Root of the tests.* is not trusted|self-signed/);
  assert.equal(receiver.requests.length, 0);
});

test("a certificate is replaced while deliveries are under way, and none is lost", async (t) => {
  const all = await makeAll(t);
  const { receiver, urls, eilpost, source } = await startBank(t, all);
  const [before, after] = [await all.client("old.example"), await all.client("new.example")];
  const destination = await createDestination(eilpost, urls.bank, {
    tls: tlsOf(all.root, before), delivery: quickly,
  });
  await createWebhook(eilpost, destination);
  const count = 40;
  for (let i = 0; i < count; i += 1) {
    await send(eilpost, source, survey(`event-${i}`));
    if (i !== count / 2) continue;
    const { chain, key } = after;
    const changed = await eilpost.api("PATCH", `/api/v1/destinations/${destination.id}`, {
      tls: { client_certificate: chain, client_key: key },
    });
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
  }
  const requests = await receiver.waitFor(count);
  const subjects = requests.map((request) => request.headers["x-client-subject"]);
  assert.ok(subjects.includes("CN=old.example") && subjects.at(-1) === "CN=new.example", subjects);
  assert.equal(new Set(requests.map((request) => request.headers["webhook-id"])).size, count);
  const delivered = await deliveries(eilpost, "state=delivered&limit=100", count);
  assert.ok(delivered.every((delivery) => delivery.attempts_count === 1), "no second attempt");
});

test("a new connection resumes the TLS session of the one before", async (t) => {
  const all = await makeAll(t);
  const { receiver, urls, eilpost, source } = await startBank(t, all);
  const destination = await createDestination(eilpost, urls.closing, {
    tls: tlsOf(all.root, await all.client("client.example")),
  });
  await createWebhook(eilpost, destination);
  for (let i = 1; i <= 3; i += 1) {
    await send(eilpost, source, survey(`event-${i}`));
    await receiver.waitFor(i);
  }
  const reused = receiver.requests.map((request) => request.headers["x-session-reused"]);
  assert.deepEqual(reused, [".", "r", "r"]);
  assert.equal(receiver.requests[2].headers["x-client-verify"], "SUCCESS");
});

test("PKCS #12 is taken, and check-certificate says the same sentences", async (t) => {
  const all = await makeAll(t);
  const client = await all.client("client.example");
  const chain = path.join(all.folder, "whole.pem");
  await writeFile(chain, client.chain);
  const file = path.join(all.folder, "client.p12");
  await run("openssl", [
    ...["pkcs12", "-export", "-in", chain, "-inkey", client.files.key, "-out", file],
    ...["-passout", "pass:geheim"],
  ]);
  const eilpost = await startEilpost({ test: t });
  const destination = await createDestination(eilpost, "https://bank.example/", {
    tls: {
      client_pkcs12: (await readFile(file)).toString("base64"), client_pkcs12_password: "geheim",
    },
  });
  assert.equal(destination.tls.client_certificate, client.chain);
  assert.equal(destination.tls.client_pkcs12, undefined);

  const env = { EILPOST_PKCS12_PASSWORD: "geheim" };
  const good = await runEilpost(["check-certificate", file], { env });
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^CN=client\.example\n {2}issued by CN=Intermediate of the tests\n/);
  assert.match(good.stdout, /The chain is complete, and the key belongs to it\.\n$/);
  const { leaf, key } = client.files;
  const bad = await runEilpost(["check-certificate", leaf, "--key", key]);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /the issuer of "CN=client\.example" is missing/);
  // The root of the machine ends a chain, too.
  const trusting = await runEilpost(["check-certificate", client.files.chain], {
    env: { SSL_CERT_FILE: all.authority.root },
  });
  assert.equal(trusting.code, 0, trusting.stderr);
});
