// Shows a running deployment at the bottom right of the page and loads the page anew when a release goes live.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || window.__sayso || !window.EventSource) return;
  window.__sayso = true;
  const KEY = "__sayso_scroll";
  const LINGER = 5000;
  let release = script.dataset.release || null;
  let source, box, timer, retry = 500;

  // The place on the page, kept over a reload of ours.
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
    if (kept && kept.at === location.pathname) {
      const back = () => scrollTo({ left: kept.x, top: kept.y, behavior: "instant" });
      if (document.readyState === "complete") back();
      else addEventListener("load", back, { once: true });
    }
  } catch {}

  const style = `
:host{all:initial;position:fixed;right:16px;bottom:16px;z-index:2147483647;color-scheme:light dark}
.box{--fg:#1c1c1e;--bg:#fff;--edge:#d5d5da;--bar:#2563eb;font:13px/1.4 system-ui,sans-serif;color:var(--fg);
background:var(--bg);border:1px solid var(--edge);border-radius:8px;padding:10px 12px;width:240px;
max-width:calc(100vw - 32px);box-sizing:border-box;box-shadow:0 4px 16px #0003;transition:opacity .2s}
.box[hidden]{display:none}
.row{display:flex;justify-content:space-between;gap:8px}
.what{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.much{font-variant-numeric:tabular-nums}
.track{height:4px;margin-top:8px;border-radius:2px;background:var(--edge);overflow:hidden}
.fill{height:100%;width:0;background:var(--bar);transition:width .2s}
.box.good{--bar:#15803d}.box.bad{--bar:#b91c1c}
button{font:inherit;color:inherit;margin-top:8px;padding:4px 10px;border:1px solid;border-radius:6px;background:none;cursor:pointer}
@media (prefers-color-scheme:dark){.box{--fg:#f2f2f4;--bg:#1c1c1e;--edge:#48484c;--bar:#60a5fa}
.box.good{--bar:#4ade80}.box.bad{--bar:#f87171}}
@media (prefers-reduced-motion:reduce){.box,.fill{transition:none}}
@media print{:host{display:none}}`;

  const make = (tag, name, into) => {
    const made = document.createElement(tag);
    made.className = name;
    if (into) into.append(made);
    return made;
  };

  const notice = () => {
    if (box) return box;
    const host = make("sayso-notice", "");
    const root = host.attachShadow({ mode: "closed" });
    const sheet = make("style", "", root);
    sheet.textContent = style;
    const frame = make("div", "box", root);
    frame.setAttribute("role", "status");
    const row = make("div", "row", frame);
    const what = make("span", "what", row);
    const much = make("span", "much", row);
    const track = make("div", "track", frame);
    // Only the stage is read out; a percentage that changes all the time would never stop talking.
    much.setAttribute("aria-hidden", "true");
    track.setAttribute("aria-hidden", "true");
    box = { frame, what, much, track, fill: make("div", "fill", track) };
    (document.body || document.documentElement).append(host);
    return box;
  };

  const say = (text) => {
    const { what } = notice();
    if (what.textContent !== text) what.textContent = text;
    what.title = text;
  };

  const hideIn = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(() => { if (box) box.frame.hidden = true; }, Math.max(0, ms));
  };

  const ENDS = {
    live: ["good", "Live"],
    failed: ["bad", "Deployment failed"],
    canceled: ["bad", "Deployment canceled"],
    rolled_back: ["bad", "Rolled back"],
  };
  const STAGES = {
    queue: "Waiting", fetch: "Fetching", build: "Building",
    upload: "Uploading", activate: "Activating", verify: "Verifying",
  };

  const progress = (data) => {
    const end = ENDS[data.state];
    const { frame, much, fill, track } = notice();
    clearTimeout(timer);
    frame.hidden = track.hidden = false;
    frame.className = "box " + (end ? end[0] : "");
    const percent = data.state === "live" ? 100 : data.percent;
    say(end ? end[1] : (STAGES[data.stage] || data.stage) + "…");
    much.textContent = percent + " %";
    fill.style.width = percent + "%";
    if (end && !box.button) hideIn(LINGER - (data.ended_ms || 0));
  };

  const reload = () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ at: location.pathname, x: scrollX, y: scrollY }));
    } catch {}
    location.reload();
  };

  // Words that someone is typing are worth more than the newest page.
  const typing = () => {
    const at = document.activeElement;
    return at && (at.isContentEditable || (/^(INPUT|TEXTAREA)$/.test(at.tagName) &&
      at.value !== at.defaultValue));
  };

  const offer = () => {
    const { frame, much, track } = notice();
    clearTimeout(timer);
    frame.hidden = false;
    say("A new version is live");
    much.textContent = "";
    track.hidden = true;
    if (box.button) return;
    box.button = make("button", "", frame);
    box.button.textContent = "Reload";
    box.button.onclick = reload;
  };

  const connect = () => {
    if (source || document.hidden) return;
    source = new EventSource("/__sayso/events");
    source.onopen = () => { retry = 500; };
    source.addEventListener("progress", (event) => progress(JSON.parse(event.data)));
    source.addEventListener("release", (event) => {
      const now = JSON.parse(event.data).release;
      if (!now || now === release) return;
      if (typing()) offer();
      else reload();
      release = now;
    });
    source.onerror = () => {
      close();
      setTimeout(connect, retry);
      retry = Math.min(retry * 2, 10000);
    };
  };

  // A hidden page lets go: browsers allow six connections to one host, and streams would use them up.
  const close = () => {
    if (source) source.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : connect()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", connect);
  connect();
})();
