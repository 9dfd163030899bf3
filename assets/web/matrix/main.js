/** Events told when the page opens. */
const HISTORY = 100;

/** A page that nobody has looked at for so long lets go of its connection, unless something is being deployed. */
const UNSEEN = 120000;

let loading = null, stale = false;

/** Loads how everything stands. */
async function load() {
  const [me, status, list] = await Promise.all([
    call("GET", "api/me"), call("GET", "api/status"), call("GET", `api/deployments?limit=${PAGE}`),
  ]);
  const cut = status.cursor.lastIndexOf("-"), seq = Number(status.cursor.slice(cut + 1));
  // Two answers may overtake each other.
  if (model.status && seq < model.seq) return;
  Object.assign(model, { me, status, seq });
  const oldest = list.deployments[list.deployments.length - 1]?.id ?? "";
  const kept = model.history.filter(one => one.id < oldest);
  model.history = [...list.deployments, ...kept];
  if (!kept.length) model.older = list.deployments.length === PAGE;
  draw();
  learnTitles();
}

/** The same while events come in: one load at a time, and one more for what came meanwhile. */
function refresh() {
  if (loading) { stale = true; return loading; }
  const again = () => {
    loading = null;
    if (stale) { stale = false; return refresh(); }
  };
  // What goes wrong here is seen by the connection, too, which deals with it.
  return loading = load().catch(error => { if (error.status === 401) door(); }).then(again);
}

function draw() {
  const { status, me } = model;
  show("door", false); show("room", true); show("leave", true); show("who", true);
  say("project", status.project);
  const { repository } = status;
  say("branch", [
    [repository.branch, short(repository.head)].filter(Boolean).join(" "),
    repository.changes && `${counted(repository.changes, "file")} not committed`,
    status.proposals.length && `${counted(status.proposals.length, "proposal")} to review`,
  ].filter(Boolean).join(" · "));
  say("me", `${me.actor}, ${me.role}`);
  show("deploy", may("deployer"));
  say("may", may("deployer") ? "" : `As ${me.role} you see everything; deploying takes the role of a deployer.`);
  takeJobs(status.deployments);
  drawEnvironments();
  drawHistory();
}

/** Who is here, by place. */
let places = {};

function presence(told) {
  places = told.all ? told.places : { ...places, ...told.places };
  const names = new Set();
  for (const list of Object.values(places)) for (const one of list) if (one?.name) names.add(line(one.name));
  names.delete(model.me?.actor);
  say("here", names.size ? ` · also here: ${[...names].sort().join(", ")}` : "");
}

/** Asks for the token. */
function door(problem) {
  link.end("signed out");
  if (at("dialog").open) at("dialog").close();
  for (const id of ["room", "leave", "who"]) show(id, false);
  jobs.clear();
  Object.assign(model, { me: null, status: null, history: [], older: false });
  say("branch", "");
  show("door", true);
  say("door-problem", problem ?? "");
  at("token").focus();
}

function begin() {
  link.begin({
    event(e) {
      drawEvent(e);
      if (e.seq > model.born) {
        if (followJob(e) && e.seq > model.seq) refresh();
        drawNow();
      } else if (e.type === "commit" && e.data?.commit) {
        model.titles.set(e.data.commit, line(e.data.message).split("\n")[0]);
      }
    },
    async load(cursor) {
      // Of another log nothing is kept.
      if (cursor === null) Object.assign(model, { status: null, history: [], older: false });
      await load();
      if (cursor !== null) return cursor;
      model.born = model.seq;
      at("timeline").replaceChildren();
      show("empty", true);
      const { cursor: now, oldest } = model.status, cut = now.lastIndexOf("-");
      return `${now.slice(0, cut)}-${Math.max(oldest - 1, model.seq - HISTORY, 0)}`;
    },
    presence,
    out: () => door(),
  });
}

/** Compact or full: as the address says, else as it was left. */
function view(chosen) {
  const compact = chosen === "compact";
  document.documentElement.dataset.view = compact ? "compact" : "full";
  at("view").setAttribute("aria-pressed", String(compact));
}

function remembered() {
  const asked = new URLSearchParams(location.search).get("view");
  if (asked) return asked;
  try { return localStorage.getItem("sayso.view"); } catch { return null; }
}

at("view").addEventListener("click", () => {
  const chosen = document.documentElement.dataset.view === "compact" ? "full" : "compact";
  view(chosen);
  try { localStorage.setItem("sayso.view", chosen); } catch { /* not remembered, then */ }
  // The address says the same, for a bookmark, a small window or a frame.
  const address = new URL(location.href);
  address.searchParams.set("view", chosen);
  history.replaceState(null, "", address);
});

at("sign-in").addEventListener("submit", async event => {
  event.preventDefault();
  const token = at("token").value;
  at("enter").disabled = true;
  try {
    await call("POST", "api/session", { token });
    at("token").value = "";
    say("door-problem", "");
    begin();
    at("project").focus();
  } catch (error) { door(error.message); }
  at("enter").disabled = false;
});

at("leave").addEventListener("click", async () => {
  try { await call("DELETE", "api/session"); } catch { /* gone anyway */ }
  door();
});

at("again").addEventListener("click", () => link.again());
at("deploy").addEventListener("click", () => askToDeploy());
at("more").addEventListener("click", loadOlder);

let unseen = null;
document.addEventListener("visibilitychange", () => {
  clearTimeout(unseen);
  if (document.hidden) {
    // Browsers allow six connections to one server, and pages in the background would use them up.
    const rest = () => { if (jobs.size) unseen = setTimeout(rest, UNSEEN); else if (model.me) link.rest(); };
    unseen = setTimeout(rest, UNSEEN);
  } else if (link.state === "resting" || link.state === "waiting") link.again();
});
addEventListener("online", () => { if (link.state === "waiting") link.again(); });

view(remembered());
begin();
