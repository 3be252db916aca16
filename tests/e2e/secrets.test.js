// Goal: no secret stands where somebody could read it: no log line, no answer of the API, no file of
// the data folder holds one. And the key that seals them can be replaced and kept elsewhere.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { runEilpost, startEilpost } from "./lib/eilpost.js";
import { startReceiver } from "./lib/receiver.js";
import { createDestination, createSource, createWebhook, deliveries, send } from "./lib/setup.js";

const run = promisify(execFile);
const survey = (id) => ({ id, type: "survey.submitted", subject: "jane", data: { nps: 9 } });
const newKey = (id, fill) => `${id}:${Buffer.alloc(32, fill).toString("base64")}`;

async function filesBelow(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = await Promise.all(
    entries.map((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(file) : [file];
    }),
  );
  return lists.flat();
}

// A secret as it is, and as base64 and hexadecimal have it wherever it begins.
function formsOf(secret) {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map((blanks) => {
    const text = Buffer.concat([Buffer.alloc(blanks), bytes]).toString("base64");
    return text.slice(blanks === 0 ? 0 : 4, -4);
  });
  return [secret, ...shifted, bytes.toString("hex")].filter((form) => form.length >= 8);
}

function assertNowhere(secrets, text, where) {
  for (const [name, secret] of Object.entries(secrets)) {
    for (const form of formsOf(secret)) {
      assert.ok(!text.includes(form), `${where} holds ${name}`);
    }
  }
}

// The address of everything that can be read through the API.
async function readableTargets(eilpost) {
  const { body } = await eilpost.request("GET", "/api/v1/openapi.json");
  const targets = [];
  for (const [template, methods] of Object.entries(body.paths)) {
    if (!methods.get || template.endsWith("/stream")) continue;
    if (!template.includes("{")) {
      targets.push(template);
      continue;
    }
    const [list] = template.split("/{");
    const found = await eilpost.api("GET", list);
    for (const item of found.body.data ?? []) {
      const id = item.id ?? item.code ?? item.number;
      targets.push(template.replace(/\{\w+\}/, encodeURIComponent(id)));
    }
  }
  return targets.filter((target) => !target.includes("{"));
}

async function makeClientKey(t) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "eilpost-secrets-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [key, certificate] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-keyout", key, "-out", certificate, "-subj", "/CN=client", "-days", "2"],
  ]);
  return { key: await readFile(key, "utf8"), certificate: await readFile(certificate, "utf8") };
}

test("no log line, no answer and no file holds a secret", async (t) => {
  const receiver = await startReceiver({ test: t });
  receiver.answer = ({ number }) => ({ status: number % 2 ? 500 : 204 });
  const eilpost = await startEilpost({ test: t, env: { EILPOST_LOG_LEVEL: "debug" } });
  const source = await createSource(eilpost);
  const client = await makeClientKey(t);
  const secrets = {
    "the bearer token": "bearer-4f9c1d7a2e8b",
    "the password": "password-77aa01bc93fe",
    "the HMAC key": "hmac-key-5b1e9d3c7f20",
    "the sent secret": "sent-secret-c8d2e4f6a1b3",
    "the client key": client.key.split("\n")[1],
    "the API key": eilpost.apiKey,
    "the source's key": source.key,
  };
  const drafts = [
    { authentication: { type: "bearer", token: secrets["the bearer token"] } },
    {
      authentication: { type: "basic", username: "u", password: secrets["the password"] },
      signing: { scheme: "hmac", header: "X-Sign", secret: secrets["the HMAC key"] },
    },
    { signing: { scheme: "secret", header: "X-Token", secret: secrets["the sent secret"] } },
    { signing: { scheme: "standard-webhooks-ed25519" } },
    { tls: { client_certificate: client.certificate, client_key: client.key } },
  ];
  for (const [i, draft] of drafts.entries()) {
    const destination = await createDestination(eilpost, receiver.url, draft);
    if (i === 0) secrets["the signing secret"] = destination.signing.secret.slice(6);
    await createWebhook(eilpost, destination, { name: `Webhook ${i}` });
    const change = await eilpost.api("PATCH", `/api/v1/destinations/${destination.id}`, {
      name: `Changed ${i}`,
    });
    assert.equal(change.status, 200);
    await eilpost.api("POST", `/api/v1/destinations/${destination.id}/test`, {});
  }
  await send(eilpost, source, survey("one"));
  await deliveries(eilpost, "", drafts.length);

  const targets = await readableTargets(eilpost);
  assert.ok(targets.length > 30, `${targets}`);
  for (const target of targets) {
    const answer = await eilpost.api("GET", target);
    assertNowhere(secrets, JSON.stringify(answer.body), `the answer to ${target}`);
  }
  const check = async (when) => {
    assertNowhere(secrets, eilpost.log, `the log ${when}`);
    const files = await filesBelow(eilpost.options.data);
    assert.ok(files.length > 3);
    for (const file of files) {
      assertNowhere(secrets, await readFile(file, "latin1"), `${file} ${when}`);
    }
  };
  await check("while it runs");
  assert.equal(await eilpost.stop(), 0);
  await check("after it stopped");
});

test("rotate-key replaces the key, and what it sealed", async (t) => {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t });
  const source = await createSource(eilpost);
  const token = "bearer-4f9c1d7a2e8b";
  const destination = await createDestination(eilpost, receiver.url, {
    authentication: { type: "bearer", token },
  });
  await createWebhook(eilpost, destination);
  const rotate = () => runEilpost(["rotate-key", "--data", eilpost.options.data]);
  const running = await rotate();
  assert.equal(running.code, 1);
  assert.match(running.stderr, /Stop the server first/);
  await eilpost.stop();

  const keyFile = path.join(eilpost.options.data, "secret.key");
  const before = await readFile(keyFile, "utf8");
  const rotated = await rotate();
  assert.equal(rotated.code, 0, rotated.stderr);
  const after = await readFile(keyFile, "utf8");
  assert.notEqual(after, before);
  assert.equal(after.trim().split("\n").length, 1, "the old key is gone");
  await eilpost.start();
  await send(eilpost, source, survey("one"));
  const [request] = await receiver.waitFor(1);
  assert.equal(request.headers.authorization, `Bearer ${token}`);

  await eilpost.stop();
  await chmod(keyFile, 0o644);
  const open = await runEilpost(["serve", "--data", eilpost.options.data]);
  assert.equal(open.code, 2);
  assert.match(open.stderr, /may be read or changed by others: `chmod 600/);
});

test("the key comes from a variable, a systemd credential or a file elsewhere", async (t) => {
  const receiver = await startReceiver({ test: t });
  const eilpost = await startEilpost({ test: t, env: { EILPOST_SECRET_KEY: newKey(1, 1) } });
  const token = "bearer-4f9c1d7a2e8b";
  const source = await createSource(eilpost);
  const destination = await createDestination(eilpost, receiver.url, {
    authentication: { type: "bearer", token },
  });
  await createWebhook(eilpost, destination);
  const { data } = eilpost.options;
  assert.ok(!(await readdir(data)).includes("secret.key"), "no key beside what it seals");
  await eilpost.stop();

  const restart = async (env, args = []) => {
    Object.assign(eilpost.options, { env, args });
    await eilpost.start();
    assert.equal(await eilpost.stop(), 0);
  };
  // Rotated by whoever gives it: the new one before the old one, once; then alone.
  await restart({ EILPOST_SECRET_KEY: `${newKey(2, 2)},${newKey(1, 1)}` });
  const folder = await mkdtemp(path.join(os.tmpdir(), "eilpost-credentials-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(path.join(folder, "eilpost.secret-key"), `${newKey(2, 2)}\n`);
  await restart({ CREDENTIALS_DIRECTORY: folder });
  const file = path.join(folder, "elsewhere.key");
  await writeFile(file, `${newKey(2, 2)}\n`, { mode: 0o600 });
  const args = ["--secret-key-file", file];
  const rotated = await runEilpost(["rotate-key", "--data", data, ...args]);
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.match(await readFile(file, "utf8"), /^1:/);
  Object.assign(eilpost.options, { env: {}, args });
  await eilpost.start();
  await send(eilpost, source, survey("one"));
  const requests = await receiver.waitFor(1);
  assert.equal(requests[0].headers.authorization, `Bearer ${token}`);

  const next = await runEilpost(["rotate-key", "--data", data], {
    env: { EILPOST_SECRET_KEY: newKey(2, 2) },
  });
  assert.equal(next.code, 0);
  assert.match(next.stdout, /^1:[\w+/]{43}=\n$/);
});
