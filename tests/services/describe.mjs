// Keeps what the tests need of the published descriptions of GitHub's and Vercel's interfaces, and drops the rest: it is
// large. A description is { path: { method: { query: [name], body: schema or null, required: whether a body must be } } }.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";

const modules = new URL("node_modules/", import.meta.url);

function keep(name, description) {
  writeFileSync(new URL(name, modules), JSON.stringify(description));
}

// GitHub publishes its OpenAPI description as a package.
function github() {
  const folder = new URL("@octokit/openapi/generated/", modules);
  const full = JSON.parse(readFileSync(new URL("api.github.com.deref.json", folder)));
  const wanted = /^\/(user|rate_limit|repos\/\{owner\}\/\{repo\}(\/(git|branches|compare|commits|contents|actions|statuses|deployments)(\/.*)?)?)$/;
  const paths = {};
  for (const [path, methods] of Object.entries(full.paths)) {
    if (!wanted.test(path)) continue;
    paths[path] = {};
    for (const [method, operation] of Object.entries(methods)) {
      const schema = operation.requestBody?.content?.["application/json"]?.schema;
      const query = (operation.parameters ?? [])
        .filter((parameter) => parameter.in === "query")
        .map((parameter) => parameter.name);
      paths[path][method] = { query, body: schema ?? null, required: operation.requestBody?.required ?? false };
    }
  }
  keep("github-api.json", paths);
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".json")) rmSync(new URL(name, folder));
  }
}

// Vercel's SDK ships no OpenAPI file, but is generated from one: each of its functions has a path, a method, the names of
// the query and, as a type, the fields of the body.
function vercel() {
  const source = new URL("@vercel/sdk/src/", modules);
  const types = new Map();
  for (const name of readdirSync(new URL("models/", source))) {
    const text = readFileSync(new URL(`models/${name}`, source), "utf8");
    for (const [, type, fields] of text.matchAll(/^export type (\w+RequestBody) = \{\n([\s\S]*?)^\};/gm)) {
      types.set(type, [...fields.matchAll(/^  (?:"([^"]+)"|(\w+))\??:/gm)].map(([, quoted, plain]) => quoted ?? plain));
    }
  }
  const paths = {};
  for (const name of readdirSync(new URL("funcs/", source))) {
    const text = readFileSync(new URL(`funcs/${name}`, source), "utf8");
    const path = text.match(/pathToFunc\(\s*"([^"]+)"/)?.[1];
    const method = text.match(/method: "([A-Z]+)"/)?.[1];
    if (!path || !method) continue;
    const query = text.match(/encodeFormQuery\(\{([\s\S]*?)\}/)?.[1] ?? "";
    const request = text.match(/\b(\w+)Request\$outboundSchema\.parse/)?.[1];
    const fields = types.get(`${request}RequestBody`);
    const sends = /encodeJSON\("body"/.test(text);
    paths[path] ??= {};
    paths[path][method.toLowerCase()] = {
      query: [...query.matchAll(/"([^"]+)":/g)].map(([, parameter]) => parameter),
      body: sends ? { properties: Object.fromEntries((fields ?? []).map((field) => [field, {}])) } : null,
      required: false,
    };
  }
  keep("vercel-api.json", paths);
  rmSync(new URL("@vercel/sdk/", modules), { recursive: true });
}

github();
vercel();
