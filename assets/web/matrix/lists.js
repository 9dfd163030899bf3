/** Rows of the timeline. */
const SHOWN = 200;

/** Deployments asked for at a time. */
const PAGE = 20;

/** A term and what it is. */
const pair = (term, ...inside) => [make("dt", { text: term }), make("dd", {}, ...inside)];

/** What the environments were drawn from: what has not changed is not drawn again under somebody who reads it. */
let drawn = "";

function drawEnvironments() {
  const { environments, live, deployments, environment: usual } = model.status;
  const waiting = deployments.filter(one => one.state === "waiting");
  const from = JSON.stringify([environments, live, waiting, usual, model.me, live.map(one => model.titles.get(one.commit))]);
  if (from === drawn && at("environments").hasChildNodes()) return;
  drawn = from;
  const rows = environments.map(one => {
    const now = live.find(release => release.environment === one.name);
    const title = make("h3", { text: one.name + (one.name === usual ? " (usual)" : "") });
    const facts = make("dl");
    facts.append(...pair("live", now ? make("span", { text: `${titled(now.commit)}, since ${when(now.since)} ` }) : "nothing yet", now && linked(now.url)));
    if (one.branch) facts.append(...pair("branch", one.branch));
    const gates = [rule(one.approval), one.checks?.length && `checks: ${one.checks.join(", ")}`].filter(Boolean);
    if (gates.length) facts.append(...pair("gate", gates.join("; ")));
    if (one.promote_to) facts.append(...pair("then", `goes on to ${one.promote_to}`));
    if (one.frozen_until) facts.append(...pair("frozen", `nothing new until ${when(one.frozen_until)}`));
    if (one.lock) facts.append(...pair("at work", `${one.lock.owner}, since ${when(one.lock.since)}`));
    if (one.queued) facts.append(...pair("next", one.queued.owner));
    const row = make("li", { "data-name": one.name }, title, facts);
    for (const lock of one.waiting ?? []) {
      const waiting = deployments.find(deployment => deployment.id === lock.deployment);
      if (waiting?.gate) row.append(waits(waiting));
    }
    if (may("deployer")) {
      const press = () => askToDeploy(one.name);
      row.append(make("p", { class: "row" }, make("button", { type: "button", "data-act": "deploy", "aria-label": `Deploy to ${one.name}`, text: "Deploy …", press })));
    }
    return row;
  });
  swap(at("environments"), rows, row => row.dataset.name);
}

/** What waits before an environment, with what may be done about it. */
function waits(deployment) {
  const { gate } = deployment;
  const box = make("div", { class: "wait", "data-id": deployment.id },
    make("p", {}, make("strong", { text: "Waits: " }), subject(deployment)),
    make("p", { class: "dim", text: `asked for by ${deployment.actor}; ${awaited(gate)}; changes ${counted(gate.changed, "file")}` }));
  if (may("deployer")) {
    const row = make("p", { class: "row" });
    const needed = { none: 0, ask: 1, "two people": 2 }[gate.rule] > gate.given.length;
    const given = gate.given.some(one => one.actor === model.me.actor);
    if (needed && !given) row.append(make("button", { type: "button", class: "main", "data-act": "approve", text: "Approve …", press: () => askToApprove(deployment) }));
    if (needed && given) row.append(make("span", { class: "dim", text: "You approved it; someone else must, too." }));
    row.append(make("button", { type: "button", "data-act": "decline", text: "Decline …", press: () => askToStop(deployment) }));
    box.append(row);
  }
  return box;
}

/** Exchanges the rows of a list, and gives the focus back to the same button of the same row. */
function swap(list, rows, key) {
  const focused = document.activeElement;
  const row = list.contains(focused) ? [...list.children].find(child => child.contains(focused)) : null;
  const act = focused?.dataset?.act, under = focused?.closest?.("[data-id]")?.dataset.id;
  list.replaceChildren(...rows);
  if (!row) return;
  const same = rows.find(one => key(one) === key(row));
  const candidates = [...(same?.querySelectorAll("[data-act]") ?? [])].filter(one => one.dataset.act === act);
  (candidates.find(one => one.closest("[data-id]")?.dataset.id === under) ?? candidates[0])?.focus();
}

/** Rows of the history that are open stay as they are; the others are made anew. */
function drawHistory() {
  const list = at("history");
  const old = new Map([...list.children].map(row => [row.dataset.id, row]));
  let refocus = null;
  const rows = model.history.filter(one => one.state !== "waiting").map(one => {
    const mark = [one.state, titled(one.commit), one.ended_at].join(" ");
    const known = old.get(one.id);
    if (known?.dataset.mark === mark) return known;
    const row = historyRow(one, mark);
    if (known?.firstElementChild.open) row.firstElementChild.open = true;
    if (known?.contains(document.activeElement)) refocus = row;
    return row;
  });
  // Moving a row that stays where it is would take the focus away.
  rows.forEach((row, place) => { if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null); });
  while (list.childElementCount > rows.length) list.lastElementChild.remove();
  refocus?.querySelector("summary").focus();
  show("history-empty", rows.length === 0);
  show("more", model.older);
}

function historyRow(one, mark) {
  const [sign, colour, word] = STATES[one.state] ?? ["?", "", one.state];
  const took = one.ended_at ? span(new Date(one.ended_at) - new Date(one.started_at)) : "";
  const what = one.promotion ? `${line(one.promotion.release)}${one.promotion.from ? ` from ${one.promotion.from}` : ""}` : titled(one.commit);
  const summary = make("summary", {},
    make("span", { class: `result ${colour}`, text: `${sign} ${word}` }),
    make("span", { class: "what", text: what }),
    make("span", { text: one.environment }),
    make("span", { class: "dim", text: one.actor }),
    make("span", { class: "dim" }, moment(one.started_at)),
    took && make("span", { class: "dim number", text: took }));
  const inside = make("div", { class: "inside" });
  const details = make("details", {}, summary, inside);
  details.addEventListener("toggle", () => { if (details.open && !inside.hasChildNodes()) fillIn(inside, one); });
  return make("li", { "data-id": one.id, "data-mark": mark }, details);
}

/** What is told of one deployment when somebody opens it; what it changed is asked for then. */
async function fillIn(inside, one) {
  const facts = [
    one.release && `release ${one.release}`,
    `commit ${one.commit}`,
    one.gate?.given?.length && `approved by ${one.gate.given.map(given => given.actor).join(", ")}`,
    Object.entries(one.stages).map(([stage, ms]) => `${stage} ${span(ms)}`).join(" · "),
  ];
  for (const text of facts) if (text) inside.append(make("p", { class: "dim", text }));
  if (one.url) inside.append(make("p", {}, linked(one.url)));
  if (one.problem) inside.append(make("p", { class: "bad", text: [line(one.problem.detail), line(one.problem.hint)].filter(Boolean).join(". What to do: ") }));
  if (one.log_tail.length && one.state !== "live") inside.append(make("pre", { tabindex: "0", "aria-label": "The end of its log", text: one.log_tail.join("\n") }));
  const before = model.history.find(other => other.environment === one.environment && other.id < one.id && other.state === "live");
  if (!before || before.commit === one.commit) return;
  const changes = make("div", {}, make("p", { class: "dim", text: "What it changed: …" }));
  inside.append(changes);
  await changed(changes, before.commit, one.commit, `What it changed since ${short(before.commit)}:`);
}

/** Lists in `box` what differs between two commits. */
async function changed(box, from, to, title) {
  let known;
  try { known = await call("GET", `api/deployments/compare?${new URLSearchParams({ a: from, b: to, patch: "0" })}`); }
  catch (error) { return box.replaceChildren(make("p", { class: "dim", text: `${title} not known. ${error.message}` })); }
  learn(known.commits);
  const lines = known.commits.slice(0, 8).map(commit => make("li", { text: `${commit.title} (${commit.author})` }));
  if (known.commits.length > 8) lines.push(make("li", { text: `and ${known.commits.length - 8} more` }));
  if (known.lost.length) lines.push(make("li", { class: "bad", text: `and takes ${counted(known.lost.length, "commit")} back` }));
  const list = lines.length ? make("ul", {}, ...lines) : make("p", { class: "dim", text: "no commits" });
  box.replaceChildren(make("p", { text: title }), list);
}

function learn(commits) {
  for (const commit of commits) model.titles.set(commit.commit, commit.title);
}

/** The titles of commits in the history that are not known yet, with one question; without an answer the numbers must do. */
async function learnTitles() {
  const unknown = model.history.map(one => one.commit).filter(commit => !model.titles.has(commit));
  if (!unknown.length) return;
  for (const commit of unknown) model.titles.set(commit, "");
  const asked = new URLSearchParams({ b: unknown[0], patch: "0" });
  try { learn((await call("GET", `api/deployments/compare?${asked}`)).commits); }
  catch { return; }
  if (model.status) { drawHistory(); drawEnvironments(); drawNow(); }
}

/** The next page of older deployments. */
async function loadOlder() {
  const button = at("more"), last = model.history[model.history.length - 1];
  button.disabled = true;
  try {
    const list = await call("GET", `api/deployments?${new URLSearchParams({ before: last.id, limit: PAGE })}`);
    model.history.push(...list.deployments);
    model.older = list.deployments.length === PAGE;
    const first = list.deployments.find(one => one.state !== "waiting");
    drawHistory();
    announce(`${counted(list.deployments.length, "older deployment")}`);
    // Whoever pressed it goes on reading where the new rows begin.
    const row = [...at("history").children].find(child => child.dataset.id === first?.id);
    row?.querySelector("summary").focus();
    learnTitles();
  } catch (error) { announce(error.message); say("link-text", error.message); }
  button.disabled = false;
}

/** Puts an event at the head of the timeline. */
function drawEvent(e) {
  if (e.type === "deploy_progress") return;
  const text = make("span", { class: `what ${tone(e)}`, text: words(e) });
  at("timeline").prepend(make("li", {}, moment(e.at, true), text));
  while (at("timeline").childElementCount > SHOWN) at("timeline").lastElementChild.remove();
  show("empty", false);
}
