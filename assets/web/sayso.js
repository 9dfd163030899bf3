// Shows at the bottom right of a page that its site is being deployed. One script tag, no cookies, nothing else loaded:
//   <script src="//HOST/sayso.js" data-environment="production" data-name="Our shop" async></script>
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector('script[src*="/sayso.js"]');
  if (!script || !window.EventSource || window.__saysoNotice) return;
  window.__saysoNotice = true;

  const LINGER = 5000, FIRST = 3000, LONGEST = 300000;
  const { environment, name } = script.dataset;
  const server = new URL("notice", script.src);
  if (environment) server.searchParams.set("environment", environment);

  const STYLE = `
:host{all:initial!important;position:fixed!important;right:16px!important;bottom:16px!important;z-index:2147483647!important}
.box{color-scheme:light dark;--fg:#1c1c1e;--bg:#fff;--edge:#8e8e93;--bar:#1d4ed8;box-sizing:border-box;width:280px;max-width:calc(100vw - 32px);
padding:10px 12px;border:1px solid var(--edge);border-radius:8px;background:var(--bg);color:var(--fg);
box-shadow:0 4px 16px #0004;font:14px/1.4 system-ui,sans-serif}
.box[hidden]{display:none}
.row{display:flex;gap:8px;align-items:start}
.what{flex:1;overflow-wrap:anywhere}
.much{font-variant-numeric:tabular-nums}
.track{height:6px;margin-top:8px;border-radius:3px;background:#8e8e9355;overflow:hidden}
.fill{height:100%;width:0;background:var(--bar);transition:width .3s}
.good{--bar:#15803d}.bad{--bar:#b91c1c}
button{all:unset;cursor:pointer;min-width:24px;line-height:24px;margin:-3px -5px -3px 0;text-align:center;border-radius:4px}
button:focus-visible{outline:2px solid var(--bar)}
@media (prefers-color-scheme:dark){.box{color-scheme:light dark;--fg:#f2f2f4;--bg:#1c1c1e;--bar:#60a5fa}.good{--bar:#4ade80}.bad{--bar:#f87171}}
@media (prefers-reduced-motion:reduce){.fill{transition:none}}
@media print{.box{display:none}}`;

  const SAYS = {
    running: "A new version of # is going live",
    live: "The new version of # is live",
    failed: "The new version of # did not go live; the one before it stays",
    canceled: "The new version of # was stopped; the one before it stays",
    rolled_back: "An earlier version of # is live again",
  };
  const MARKS = { running: "◐", live: "✓", failed: "✗", canceled: "○", rolled_back: "↩" };

  let box, source, timer, retry, wait = FIRST, shown = "", closed = false;

  const make = (tag, style, into) => {
    const made = document.createElement(tag);
    made.className = style;
    if (into) into.append(made);
    return made;
  };

  const build = () => {
    const host = make("sayso-notice", "");
    const root = host.attachShadow({ mode: "open" });
    // Not a style element: a page with a strict policy would refuse that.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const frame = make("div", "box", root);
    const row = make("div", "row", frame);
    const mark = make("span", "", row);
    const what = make("span", "what", row);
    what.setAttribute("role", "status");
    what.setAttribute("aria-live", "polite");
    const much = make("span", "much", row);
    const close = make("button", "", row);
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", "Close");
    close.onclick = () => { closed = true; hide(); };
    const track = make("div", "track", frame);
    // What was said is read out once; a number that changes all the time would never stop talking.
    for (const silent of [mark, much, track]) silent.setAttribute("aria-hidden", "true");
    (document.body || document.documentElement).append(host);
    return { frame, mark, what, much, fill: make("div", "fill", track) };
  };

  const hide = () => {
    clearTimeout(timer);
    shown = "";
    if (box) box.frame.hidden = true;
  };

  const leave = () => {
    // Not from under somebody who is about to read or close it.
    if (box.frame.matches(":hover,:focus-within")) timer = setTimeout(leave, 1000);
    else hide();
  };

  const show = (stand) => {
    const text = SAYS[stand.state];
    if (!text) return;
    const runs = stand.state === "running";
    // Closed is closed for this deployment, not for the next one.
    if (closed) {
      closed = runs;
      return;
    }
    box = box || build();
    clearTimeout(timer);
    shown = stand.state;
    box.frame.hidden = false;
    box.frame.className = "box " + (stand.state === "live" ? "good" : runs ? "" : "bad");
    const words = text.replace("#", name || stand.environment);
    // A screen reader hears what changes in a place that it knows already.
    setTimeout(() => { if (box.what.textContent !== words) box.what.textContent = words; }, 50);
    box.mark.textContent = MARKS[stand.state];
    box.much.textContent = stand.percent + " %";
    box.fill.style.width = stand.percent + "%";
    if (!runs) timer = setTimeout(leave, LINGER);
  };

  const open = () => {
    clearTimeout(retry);
    if (source || document.hidden) return;
    source = new EventSource(server);
    // How it stands: an end is news only to those who saw the beginning.
    source.addEventListener("now", (event) => {
      wait = FIRST;
      for (const stand of JSON.parse(event.data)) if (shown || stand.state === "running") show(stand);
    });
    source.addEventListener("notice", (event) => show(JSON.parse(event.data)));
    source.onerror = () => {
      let_go();
      if (shown === "running") {
        clearTimeout(timer);
        timer = setTimeout(hide, 60000);
      }
      retry = setTimeout(open, wait * (0.5 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST);
    };
  };

  // A page that nobody looks at lets go: browsers allow six connections to one server.
  const let_go = () => {
    if (source) source.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? let_go() : open()));
  addEventListener("pagehide", let_go);
  addEventListener("pageshow", open);
  open();
})();
