/** The types of events, which are the names of the stream's messages. */
const NAMES = ["transcript", "intent", "proposal", "proposal_updated", "approved", "rejected", "check", "commit",
  "deploy_start", "deploy_progress", "deploy_complete", "deploy_error", "health", "promote", "rollback", "canceled",
  "notice", "error"];

/** How deployments end or stand: mark, colour, word. */
const STATES = {
  waiting: ["◇", "busy", "waiting"],
  queued: ["○", "busy", "queued"],
  running: ["◐", "busy", "running"],
  live: ["✓", "good", "live"],
  failed: ["✗", "bad", "failed"],
  canceled: ["○", "", "stopped"],
  rolled_back: ["↩", "bad", "taken back"],
  unknown: ["?", "bad", "unknown"],
};

/** The stages in their usual order; some services have another one. */
const STAGES = ["queue", "check", "fetch", "build", "upload", "activate", "verify"];

/** What an event says, in one line of plain text. */
function words(e) {
  const d = e.data ?? {}, to = e.environment ? ` to ${line(e.environment)}` : "";
  switch (e.type) {
    case "transcript": return `Heard: “${line(d.text)}”`;
    case "intent": return line(d.reading) || line(d.text);
    case "proposal": return `Proposed: ${line(d.title)}`;
    case "proposal_updated": return `Changed: ${line(d.title)}`;
    case "approved": return e.deployment ? `${line(e.actor)} approved the deployment${to}` : `Approved by ${line(e.actor)}`;
    case "rejected": return `Declined by ${line(e.actor)}${d.reason ? `: ${line(d.reason)}` : ""}`;
    case "check": return `${d.ok ? "✓" : "✗"} ${line(d.name)}${d.message ? `: ${line(d.message)}` : ""}`;
    case "commit": return `Committed ${short(d.commit)}: ${line(d.message)}`;
    case "deploy_start": return `${line(e.actor)} deploys ${short(d.commit)}${to}`;
    case "deploy_complete": return `LIVE at ${line(d.url)}${d.total_ms == null ? "" : ` after ${span(d.total_ms)}`}`;
    case "deploy_error": return `Not deployed${to} (${line(d.stage)}): ${line(d.message)}${d.hint ? `\n${line(d.hint)}` : ""}`;
    case "health": return `${d.ok ? "✓ healthy" : "✗ unwell"}: ${line(d.message)}`;
    case "promote": return `Promoted ${line(d.release)}${d.from ? ` from ${line(d.from)}` : ""} to ${line(d.to)}`;
    case "rollback": return `Back${to} from ${line(d.from)} to ${line(d.to)}${d.reason ? `: ${line(d.reason)}` : ""}`;
    case "canceled": return `Stopped by ${line(e.actor)}${d.reason ? `: ${line(d.reason)}` : ""}`;
    default: return [line(d.message), line(d.hint)].filter(Boolean).join("\n") || e.type;
  }
}

function tone(e) {
  if (e.type === "deploy_complete") return "good";
  if (e.type === "deploy_error" || e.type === "error") return "bad";
  if (e.type === "check" || e.type === "health") return e.data && e.data.ok ? "" : "bad";
  return "";
}

/** What a deployment takes where, in words. */
function subject(deployment) {
  const { promotion, commit, environment } = deployment;
  return promotion ? `the promotion of ${line(promotion.release)} to ${environment}` : `the deployment of ${titled(commit)} to ${environment}`;
}

/** Who must say yes, in words. */
function rule(name) {
  return { none: "", ask: "one person approves", "two people": "two people approve" }[name] ?? line(name);
}

/** What a deployment that waits is waiting for. */
function awaited(gate) {
  const missing = { none: 0, ask: 1, "two people": 2 }[gate.rule] - gate.given.length;
  const given = gate.given.map(one => one.actor).join(", ");
  const parts = [];
  if (missing > 0) parts.push(given ? `one more person must approve (${given} did)` : `${missing === 1 ? "one person" : "two people"} must approve`);
  if (gate.frozen_until) parts.push(`nothing new goes there until ${when(gate.frozen_until)}`);
  return parts.join("; ");
}

/** “1 file”, “2 files”. */
const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
