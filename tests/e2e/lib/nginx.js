// nginx in front of a receiver, speaking HTTPS with certificates that openssl makes.
//
//   const authority = await makeAuthority(folder);
//   const nginx = await startNginx({ test, folder, upstream: receiver.url, certificates: {...} });

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { freePort } from "./eilpost.js";
import { until } from "./until.js";

const run = promisify(execFile);
const searchPath = `${process.env.PATH}:/usr/sbin`;
const ecKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

// A root, and an intermediate that it has signed: {root, issue}. `root` is the file to trust.
export async function makeAuthority(folder) {
  const at = (name) => path.join(folder, name);
  const openssl = (...args) => run("openssl", args);
  await openssl(
    ...["req", "-x509", ...ecKey, "-keyout", at("root.key"), "-out", at("root.pem")],
    ...["-subj", "/CN=Root of the tests", "-days", "2"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  );
  const sign = async (name, subject, issuer, extensions) => {
    await writeFile(at(`${name}.ext`), extensions);
    await openssl(
      ...["req", "-new", ...ecKey, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`)],
      ...["-subj", subject],
    );
    await openssl(
      ...["x509", "-req", "-in", at(`${name}.csr`), "-out", at(`${name}.pem`), "-days", "2"],
      ...["-CA", at(`${issuer}.pem`), "-CAkey", at(`${issuer}.key`), "-CAcreateserial"],
      ...["-extfile", at(`${name}.ext`)],
    );
  };
  await sign(
    ...["intermediate", "/CN=Intermediate of the tests", "root"],
    "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n",
  );

  // A server's certificate for this host: {chain, leaf, key}, files.
  async function issue(name, host) {
    await sign(name, `/CN=${host}`, "intermediate", `subjectAltName=DNS:${host}\n`);
    const texts = [await readFile(at(`${name}.pem`)), await readFile(at("intermediate.pem"))];
    await writeFile(at(`${name}-chain.pem`), Buffer.concat(texts));
    return { chain: at(`${name}-chain.pem`), leaf: at(`${name}.pem`), key: at(`${name}.key`) };
  }
  return { root: at("root.pem"), issue };
}

function demanding(root) {
  return `ssl_client_certificate ${root}; ssl_verify_client on; ssl_verify_depth 3;
    proxy_set_header x-client-verify $ssl_client_verify;
    proxy_set_header x-client-subject $ssl_client_s_dn;
    proxy_set_header x-session-reused $ssl_session_reused;`;
}

// `certificates`: {name: {certificate, key}}; answers {name: "https://localhost:port"}. One with
// `clientRoot` demands a client's certificate that leads to this root, and tells the upstream in
// headers what it saw: x-client-verify, x-client-subject, x-session-reused ("r" or "."). One with
// `closes` ends each connection after its answer. One with `http2` speaks that too. The upstream
// sees in x-protocol and x-connection how and on which connection a request came.
export async function startNginx({ test, folder, upstream, certificates }) {
  const urls = {};
  let servers = "";
  for (const [name, each] of Object.entries(certificates)) {
    const { certificate, key, clientRoot, closes, http2 } = each;
    const port = await freePort();
    urls[name] = `https://localhost:${port}`;
    servers += `server { listen 127.0.0.1:${port} ssl ${http2 ? "http2" : ""};
      ssl_certificate ${certificate}; ssl_certificate_key ${key};
      proxy_set_header x-protocol $server_protocol; proxy_set_header x-connection $connection;
      ${closes ? "keepalive_timeout 0;" : ""} ${clientRoot ? demanding(clientRoot) : ""}
      location / { proxy_pass ${upstream}; } }\n`;
  }
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${path.join(folder, kind)};`);
  await writeFile(
    path.join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${path.join(folder, "nginx.pid")};
     error_log stderr; events {}
     http { access_log off; ${temporary.join(" ")} ${servers} }`,
  );
  const args = ["-p", folder, "-c", path.join(folder, "nginx.conf"), "-e", "stderr"];
  const child = spawn("nginx", args, {
    env: { ...process.env, PATH: searchPath },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  child.on("error", (error) => (log += error.message));
  const ended = once(child, "close").catch(() => {});
  test.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const plainUrl = Object.values(urls).at(-1).replace("https://localhost", "http://127.0.0.1");
  await until(
    async () => {
      if (child.exitCode !== null || child.pid === undefined) throw new Error(`nginx: ${log}`);
      // Plain HTTP to it is answered 400: it listens.
      const answer = await fetch(plainUrl).catch(() => null);
      return answer?.status === 400;
    },
    { what: () => `nginx to listen; it said ${log}` },
  );
  return urls;
}
