"use strict";
// The page is one document; these files are put into it one after the other and share their names.

/** What the page knows. */
const model = {
  /** Who is signed in: `{actor, role}`. */
  me: null,
  /** The last answer of /api/status. */
  status: null,
  /** Deployments, newest first, and whether there are older ones. */
  history: [],
  older: false,
  /** The sequence number that `status` reflects, and the one that it reflected when the page began to follow. */
  seq: 0,
  born: 0,
  /** First lines of commits' messages, by commit. */
  titles: new Map(),
};

/** From the least to the most. */
const ROLES = ["viewer", "author", "deployer", "admin"];

/** The folder that the page is in: the server may be below a path of its own. */
const HERE = new URL(".", location.href);

/** The element with this id. */
const at = id => document.getElementById(id);
const show = (id, on) => { at(id).hidden = !on; };
const say = (id, text) => { if (at(id).textContent !== text) at(id).textContent = text; };
const line = value => String(value ?? "");
const short = commit => line(commit).slice(0, 7);

/** True when who is signed in may do what `role` may. */
const may = role => ROLES.indexOf(model.me?.role) >= ROLES.indexOf(role);

/** An element with attributes, text and what is in it; nothing is ever read as markup. */
function make(tag, fields = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name === "class") made.className = value;
    else if (name === "press") made.addEventListener("click", value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...inside.filter(part => part !== null && part !== undefined && part !== false));
  return made;
}

/** What the server refused, in its words. */
class Refusal extends Error {
  constructor(status, problem) {
    super([line(problem.detail), line(problem.hint)].filter(Boolean).join(". What to do: "));
    this.status = status;
    this.retry = 0;
  }
}

/**
 * One call of the server; `path` is below the page's folder. Throws a `Refusal`; one without a status when the server
 * could not be reached.
 */
async function call(method, path, body, signal) {
  const headers = { Accept: "application/json" };
  // The cookie alone changes nothing: a foreign page could send that.
  if (method !== "GET") headers["X-Sayso-Request"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(new URL(path, HERE), { method, headers, body: body && JSON.stringify(body), signal, cache: "no-store" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal(0, { detail: "The server cannot be reached" });
  }
  if (answer.status === 204) return null;
  const json = await answer.json().catch(() => null);
  if (answer.ok && json !== null) return json;
  // A proxy's own page, say.
  const refusal = new Refusal(answer.status, json?.detail ? json : { detail: `The server answered ${answer.status}` });
  refusal.retry = Number(answer.headers.get("retry-after")) || 0;
  throw refusal;
}

/** A web address that is safe to link to, or null. */
function address(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch { return null; }
}

/** A link to an address of the web, or its text. */
function linked(text, fields = {}) {
  const href = address(text);
  return href ? make("a", { ...fields, href, rel: "noreferrer", text: href }) : make("span", { ...fields, text: line(text) });
}

/** Milliseconds for people. */
function span(ms) {
  if (!(ms >= 0)) return "";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.round(ms / 1000);
  return s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
}

/** A moment for people: the time, and the day unless it is today. */
function when(text, seconds) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return "";
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(seconds && { second: "2-digit" }) };
  if (date.toDateString() === new Date().toDateString()) return date.toLocaleTimeString([], time);
  return date.toLocaleString([], { day: "numeric", month: "short", ...(seconds ? {} : time) });
}

/** The element of a moment. */
const moment = (text, seconds) =>
  make("time", { datetime: line(text), title: new Date(text).toLocaleString(), text: when(text, seconds) });

/** Tells people who hear the page; what is looked at all the time (percentages) is not told. */
function announce(text) {
  sayings.push(text);
  if (sayings.length === 1) sayNext();
}

const sayings = [];

function sayNext() {
  // The same words again are heard again only after the place was empty.
  say("said", "");
  setTimeout(() => say("said", sayings[0]), 50);
  setTimeout(() => { sayings.shift(); if (sayings.length) sayNext(); }, 800);
}

/** Words as a sentence begins. */
const sentence = words => words.slice(0, 1).toUpperCase() + words.slice(1);

/** A commit with the first line of its message, where that is known. */
function titled(commit) {
  const title = model.titles.get(commit);
  return title ? `${short(commit)} ${title}` : short(commit);
}
