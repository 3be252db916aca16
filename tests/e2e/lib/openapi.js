// Holds what the program answers against its own description (OpenAPI 3.1).
//
//   const description = await describeApi(eilpost);
//   const answer = await description.call("GET", "/api/v1/webhooks");  // throws if it is not as said
//   description.uncalled();  // operations whose success nobody has seen

import assert from "node:assert/strict";

import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

class Description {
  constructor(eilpost, document) {
    this.eilpost = eilpost;
    this.document = document;
    this.seen = new Set();
    this.ajv = new Ajv({ strict: false, validateSchema: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addSchema(document, "openapi");
  }

  // The operation of a request: {template, method, operation}; null if none is described.
  find(method, target) {
    const pathname = target.split("?")[0];
    const templates = Object.keys(this.document.paths).filter((template) =>
      new RegExp(`^${template.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(pathname),
    );
    // What is written out counts before what is a parameter.
    const template = templates.sort((a, b) => a.split("{").length - b.split("{").length)[0];
    const operation = this.document.paths[template]?.[method.toLowerCase()];
    return operation ? { template, method: method.toLowerCase(), operation } : null;
  }

  check(pointer, value, what) {
    const steps = pointer.map((step) =>
      encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1")),
    );
    const validate = this.ajv.compile({ $ref: `openapi#/${steps.join("/")}` });
    assert.ok(
      validate(value),
      `${what}: ${this.ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`,
    );
  }

  // A response may stand at its operation, or be one of those that many share.
  checkAnswer({ template, method, operation }, answer, what) {
    const status = String(answer.status) in operation.responses ? String(answer.status) : "default";
    const response = operation.responses[status];
    assert.ok(response, `${what}: ${answer.status} is not described`);
    const shared = response.$ref?.slice(2).split("/");
    const place = shared ?? ["paths", template, method, "responses", status];
    const { content } = place.reduce((value, step) => value[step], this.document);
    if (content === undefined) return assert.equal(answer.body, "", what);
    const type = (answer.headers.get("content-type") ?? "").split(";")[0];
    assert.ok(type in content, `${what}: ${type} is not described`);
    this.check([...place, "content", type, "schema"], answer.body, what);
    const isTagged = response.headers?.ETag !== undefined && answer.body.version !== undefined;
    if (isTagged) assert.equal(answer.headers.get("etag"), `"${answer.body.version}"`, what);
  }

  async call(method, target, body, headers = {}) {
    const what = `${method} ${target}`;
    const found = this.find(method, target);
    assert.ok(found, `${what} is not described`);
    const answer = await this.eilpost.api(method, target, body, headers);
    this.checkAnswer(found, answer, `the answer to ${what}`);
    if (answer.status < 300) {
      this.seen.add(found.operation.operationId);
      if (body !== undefined && found.operation.requestBody !== undefined) {
        const type = Object.keys(found.operation.requestBody.content)[0];
        const steps = ["requestBody", "content", type, "schema"];
        this.check(["paths", found.template, found.method, ...steps], body, `the body of ${what}`);
      }
    }
    return answer;
  }

  uncalled() {
    return Object.values(this.document.paths)
      .flatMap((methods) => Object.values(methods))
      .map((operation) => operation.operationId)
      .filter((id) => !this.seen.has(id));
  }
}

export async function describeApi(eilpost) {
  const answer = await eilpost.request("GET", "/api/v1/openapi.json");
  assert.equal(answer.status, 200);
  return new Description(eilpost, answer.body);
}
