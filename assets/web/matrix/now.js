/** What runs now, by deployment: as the last status said, brought up to date by events. */
const jobs = new Map();

/** What the live region was told of each deployment, so that nothing is told twice. */
const heardOf = new Map();

/** Takes over what a status says of deployments. */
function takeJobs(deployments) {
  const open = deployments.filter(one => one.state === "running" || one.state === "queued");
  for (const id of jobs.keys()) if (!open.some(one => one.id === id)) jobs.delete(id);
  for (const one of open) {
    const known = jobs.get(one.id);
    if (known && known.progress.percent > one.progress.percent) one.progress = known.progress;
    jobs.set(one.id, { ...one, entered: known?.entered ?? new Map([[one.progress.stage, one.started_at]]) });
  }
  drawNow();
}

/** What an event changes about what runs; true when the lists must be loaded anew. What the status tells already is not new. */
function followJob(e) {
  const d = e.data ?? {}, job = jobs.get(e.deployment), fresh = e.seq > model.seq;
  switch (e.type) {
    case "deploy_start":
      if (fresh) jobs.set(e.deployment, {
        id: e.deployment, environment: line(e.environment), commit: line(d.commit), target: line(d.target), actor: e.actor,
        promotion: d.promotion, state: "queued", started_at: e.at, entered: new Map([["queue", e.at]]), stages: {},
        progress: { percent: 0, stage: "queue", message: "" },
      });
      tellOnce(e.deployment, "start", `Deploying to ${line(e.environment)}`);
      return true;
    case "deploy_progress":
      if (!job) return false;
      job.progress = { ...d, percent: Math.max(job.progress.percent, Number(d.percent) || 0) };
      if (d.stage !== "queue") job.state = "running";
      if (!job.entered.has(d.stage)) job.entered.set(d.stage, e.at);
      return false;
    case "deploy_complete":
      jobs.delete(e.deployment);
      tellOnce(e.deployment, "end", `Live: ${line(e.environment)}`);
      return true;
    case "deploy_error":
      jobs.delete(e.deployment);
      tellOnce(e.deployment, "end", `The deployment to ${line(e.environment)} failed: ${line(d.message)}`);
      return true;
    case "canceled":
      if (!e.deployment) return false;
      jobs.delete(e.deployment);
      tellOnce(e.deployment, "end", `The deployment to ${line(e.environment)} was stopped`);
      return true;
    case "notice":
      if (d.waits) tellOnce(e.deployment, "waits", `Waiting for approval: ${line(e.environment)}`);
      return Boolean(d.waits);
    case "rollback":
      tellOnce(`${e.seq}`, "end", `${line(e.environment)} went back to an earlier release`);
      return true;
    case "commit":
      if (d.commit) model.titles.set(d.commit, line(d.message).split("\n")[0]);
      return true;
    case "proposal": case "approved": case "rejected": case "promote": return true;
    default: return false;
  }
}

function tellOnce(id, what, text) {
  if (heardOf.get(id) === what) return;
  heardOf.set(id, what);
  announce(text);
}

/** The stages of a deployment, those behind it with their time. */
function steps(job) {
  const passed = [...job.entered.keys()];
  const ahead = STAGES.filter(stage => !passed.includes(stage) && stage !== "check" && stage !== "queue");
  const began = [...job.entered.values()].map(text => new Date(text).getTime());
  return [...passed.filter(stage => stage !== "queue" || passed.length === 1), ...ahead].map(stage => {
    const place = passed.indexOf(stage), here = stage === job.progress.stage;
    const ms = began[place + 1] - began[place];
    const done = place >= 0 && !here;
    const text = `${done ? "✓ " : here ? "● " : "○ "}${stage}${done && ms >= 0 ? ` ${span(ms)}` : ""}`;
    return make("li", { class: here ? "at" : "", "aria-current": here && "step", text });
  });
}

/** A deployment at work: made once, then only what changes is changed, so that the focus stays where it is. */
function card(job) {
  const part = (name, tag = "span", fields = {}) => (parts[name] = make(tag, fields));
  const parts = {};
  const title = make("p", { class: "state busy" }, make("span", { "aria-hidden": "true", text: "◐" }), part("what"));
  parts.bar = make("progress", { max: "100", value: "0", "aria-label": `Deployment to ${job.environment}` });
  const facts = make("p", { class: "row dim" }, part("message"), part("left", "span", { class: "push number" }));
  const who = make("p", { class: "row wide" }, part("who", "span", { class: "dim" }));
  parts.stop = make("button", { type: "button", class: "push", text: "Stop …", press: () => askToStop(jobs.get(job.id) ?? job) });
  who.append(parts.stop);
  parts.steps = make("ol", { class: "steps wide", "aria-label": "Stages" });
  const root = make("article", { class: "job", "data-id": job.id }, title, parts.bar, facts, parts.steps, who);
  root.parts = parts;
  return root;
}

function drawJob(root, job) {
  const { what, bar, message, left, who, stop, steps: list } = root.parts;
  const { percent, stage, eta_ms } = job.progress;
  const full = Math.floor(Math.max(0, Math.min(100, percent)));
  what.textContent = job.state === "queued" ? `Next for ${job.environment}` : `Deploying to ${job.environment}: ${full} %`;
  bar.value = percent;
  message.textContent = [stage, line(job.progress.message)].filter(Boolean).join(": ");
  left.textContent = eta_ms == null || job.state === "queued" ? "" : `about ${Math.max(1, Math.ceil(eta_ms / 1000))} s left`;
  const since = span(Date.now() - new Date(job.started_at).getTime());
  who.textContent = `${job.promotion ? line(job.promotion.release) : titled(job.commit)} · by ${job.actor} · ${since}`;
  stop.hidden = !may("deployer");
  list.replaceChildren(...steps(job));
}

let ticking = null;

/** The first card: what runs, or how the last deployment ended. */
function drawNow() {
  const box = at("jobs");
  for (const old of [...box.children]) if (!jobs.has(old.dataset.id)) old.remove();
  const order = [...jobs.values()].sort((a, b) => (a.state === b.state ? a.id.localeCompare(b.id) : a.state === "running" ? -1 : 1));
  for (const job of order) {
    let root = [...box.children].find(child => child.dataset.id === job.id);
    if (!root) box.append(root = card(job));
    drawJob(root, job);
  }
  show("rest", jobs.size === 0);
  if (jobs.size === 0) drawRest();
  drawTitle(order[0]);
  if (jobs.size && ticking === null) ticking = setInterval(() => { if (!document.hidden) drawNow(); }, 1000);
  if (!jobs.size) { clearInterval(ticking); ticking = null; }
}

function drawRest() {
  const status = model.status;
  const last = model.history.find(one => !["waiting", "queued", "running"].includes(one.state));
  const usual = status?.live.find(one => one.environment === (last?.environment ?? status.environment)) ?? status?.live[0];
  const [mark, colour] = last ? STATES[last.state] ?? ["?", ""] : usual ? STATES.live : ["○", ""];
  const to = last?.environment ?? usual?.environment;
  const state = {
    live: `Live: ${to}`,
    failed: `The last deployment to ${to} failed; the one before it still serves`,
    canceled: `The last deployment to ${to} was stopped; the one before it still serves`,
    rolled_back: `The last deployment to ${to} was taken back; the one before it serves`,
    unknown: `Nobody can say whether the last deployment to ${to} went live`,
  };
  say("mark", mark);
  at("rest").firstElementChild.className = `state ${colour}`;
  say("state", last ? state[last.state] : usual ? `Live: ${to}` : "Nothing deployed yet");
  const problem = last && last.state !== "live" ? last.problem : null;
  show("why", Boolean(problem));
  say("why", problem ? [line(problem.detail), line(problem.hint)].filter(Boolean).join("\n") : "");
  const href = address(usual?.url);
  show("site", href !== null);
  if (href !== null) { at("site").href = href; say("site", href); }
  say("release", usual ? `${titled(usual.commit)} · since ${when(usual.since)}` : "");
}

function drawTitle(job) {
  const project = model.status?.project ?? "Sayso";
  const last = model.history[0]?.state;
  const sign = job ? `${Math.floor(job.progress.percent / 10) * 10} % · ` : last === "live" ? "✓ " : last === "failed" ? "✗ " : "";
  const title = `${sign}${project} · Sayso`;
  if (document.title !== title) document.title = title;
}
