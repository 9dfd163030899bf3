/** What the open dialog does when it is answered with yes. */
let answered = null;

/**
 * Asks in a dialog that names what will happen; `run` does it and may refuse, which is told where the question stands.
 * Esc and “Cancel” do nothing.
 */
function ask({ title, body, yes, run }) {
  say("dialog-title", title);
  at("dialog-body").replaceChildren(...body);
  say("dialog-problem", "");
  say("dialog-yes", yes);
  at("dialog-yes").disabled = false;
  answered = run;
  if (!at("dialog").open) at("dialog").showModal();
  // The careful answer first: who presses Enter too soon has lost nothing.
  at("dialog-no").focus();
}

async function answer() {
  const button = at("dialog-yes"), run = answered;
  if (button.disabled || !run) return;
  button.disabled = true;
  say("dialog-problem", "");
  try {
    if (await run() !== false) at("dialog").close();
  } catch (error) {
    say("dialog-problem", error.message);
    if (error.status === 401) { at("dialog").close(); door(error.message); }
  }
  button.disabled = false;
}

const text = (words, name) => make("p", { class: name ?? "", text: words });

/** A box to tick for what a freeze window would refuse. */
function freeze(until) {
  const box = make("input", { type: "checkbox", id: "during-freeze" });
  return { box, row: make("p", {}, make("label", {}, box, ` Although nothing new should go there until ${when(until)}; the log will say so`)) };
}

/** What would go to an environment, as far as the status tells. */
function goes(name) {
  const { repository, environments, live } = model.status;
  const environment = environments.find(one => one.name === name);
  const own = environment?.branch && environment.branch !== repository.branch ? environment.branch : null;
  return {
    environment,
    branch: own ?? (repository.branch || "the commit checked out"),
    commit: own ? null : repository.head,
    live: live.find(one => one.environment === name),
  };
}

/** Deploy now: which environment, what goes there, and what is there. */
function askToDeploy(wanted) {
  const { environments, environment: usual } = model.status;
  const names = environments.length ? environments.map(one => one.name) : [usual];
  const choice = make("select", { id: "target" });
  for (const name of names) choice.append(make("option", { value: name, text: name }));
  choice.value = names.includes(wanted) ? wanted : usual;
  const facts = make("div", { id: "plan" });
  const pick = make("p", {}, make("label", { for: "target", text: "To " }), choice);
  let shown = null;
  const draw = () => {
    const plan = shown = goes(choice.value), name = choice.value;
    const what = plan.commit ? `${plan.branch} at ${titled(plan.commit)}` : `the tip of ${plan.branch}`;
    const same = plan.live && plan.live.commit === plan.commit;
    const lines = [text(`${sentence(what)} goes to ${name}${plan.environment?.url ? ` (${plan.environment.url})` : ""}.`)];
    const changes = make("div");
    if (!plan.live) lines.push(text("Nothing is live there yet."));
    else if (same) lines.push(text("That is what is live there: it is built and put there once more."));
    else lines.push(text(`Live there now: ${titled(plan.live.commit)}, since ${when(plan.live.since)}.`), changes);
    const who = rule(plan.environment?.approval);
    if (who) lines.push(text(`It waits there until ${who}.`));
    plan.freeze = plan.environment?.frozen_until ? freeze(plan.environment.frozen_until) : null;
    if (plan.freeze) lines.push(plan.freeze.row);
    if (model.status.repository.changes && plan.commit) {
      lines.push(text(`${counted(model.status.repository.changes, "file")} with changes that are not committed stay behind.`, "dim"));
    }
    plan.same = same;
    facts.replaceChildren(...lines);
    if (plan.live && plan.commit && !same) changed(changes, plan.live.commit, plan.commit, "What it brings:");
    say("dialog-yes", same ? `Deploy to ${name} again` : `Deploy to ${name}`);
  };
  choice.addEventListener("change", draw);
  ask({
    title: "Deploy now",
    body: [pick, facts],
    yes: "Deploy",
    run: async () => {
      const seen = shown;
      await refresh();
      const now = goes(choice.value);
      // What is confirmed is what goes: when the branch moved meanwhile, it is asked again.
      if (now.commit !== seen.commit || now.live?.commit !== seen.live?.commit) {
        draw();
        say("dialog-problem", "This changed meanwhile. Look at it once more, then deploy.");
        return false;
      }
      const body = { environment: choice.value };
      if (seen.freeze) body.during_freeze = seen.freeze.box.checked;
      await call("POST", seen.same ? "api/sync/redeploy" : "api/sync/deploy", body);
      refresh();
      return true;
    },
  });
  draw();
  choice.focus();
  // Commits of the last minutes made no event.
  refresh().then(() => { if (answered && shown && at("dialog").contains(facts)) draw(); });
}

/** The yes to what waits before an environment, with what it changes there. */
function askToApprove(deployment) {
  const { gate } = deployment;
  const body = [
    text(`${sentence(subject(deployment))}, asked for by ${deployment.actor}.`),
    text(gate.over ? `Live there now: ${gate.over}${gate.since ? ` (${titled(gate.since)})` : ""}.` : "Nothing is live there yet."),
  ];
  if (gate.commits.length) body.push(text("It brings:"), make("ul", {}, ...gate.commits.map(commit => make("li", { text: `${commit.title} (${commit.author})` }))));
  const files = gate.files.slice(0, 20).map(file => make("li", { text: `${file.path} +${file.added} −${file.removed}` }));
  if (gate.changed > files.length) files.push(make("li", { text: `and ${gate.changed - files.length} more` }));
  if (files.length) body.push(text(`It changes ${counted(gate.changed, "file")}:`), make("ul", {}, ...files));
  const held = gate.frozen_until ? freeze(gate.frozen_until) : null;
  if (held) body.push(held.row);
  ask({
    title: `Approve for ${deployment.environment}`,
    body,
    yes: `Approve for ${deployment.environment}`,
    run: async () => {
      const said = {};
      if (gate.over) said.expected = gate.over;
      if (held) said.during_freeze = held.box.checked;
      await call("POST", `api/deployments/${encodeURIComponent(deployment.id)}/approve`, said);
      announce(`Approved for ${deployment.environment}`);
      refresh();
    },
  });
}

/** Stops what runs, or declines what waits. */
function askToStop(deployment) {
  const waiting = deployment.state === "waiting";
  ask({
    title: waiting ? "Decline" : "Stop the deployment",
    body: [text(`${sentence(subject(deployment))}, asked for by ${deployment.actor}.`), text("What is live there now stays live.", "dim")],
    yes: waiting ? "Decline it" : "Stop it",
    run: async () => {
      await call("POST", `api/deployments/${encodeURIComponent(deployment.id)}/cancel`);
      refresh();
    },
  });
}

at("dialog-yes").addEventListener("click", answer);
at("dialog-no").addEventListener("click", () => at("dialog").close());
at("dialog").addEventListener("close", () => { answered = null; });
