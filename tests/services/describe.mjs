// Keeps what the tests need of GitHub's published API description, and drops the rest: it is large.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";

const folder = new URL("node_modules/@octokit/openapi/generated/", import.meta.url);
const full = JSON.parse(readFileSync(new URL("api.github.com.deref.json", folder)));
const wanted = /^\/(user|rate_limit|repos\/\{owner\}\/\{repo\}(\/(git|branches|compare|commits|contents|actions|statuses)(\/.*)?)?)$/;
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
writeFileSync(new URL("node_modules/github-api.json", import.meta.url), JSON.stringify(paths));
for (const name of readdirSync(folder)) {
  if (name.endsWith(".json")) rmSync(new URL(name, folder));
}
