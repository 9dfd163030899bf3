/**
 * How the page hears of events: by an event stream, or, where something on the way breaks those, by asking again and again.
 *
 * A browser gives an EventSource up for good after one bad answer (a proxy's 502 in a restart, say), and tells nothing of
 * comments. So a stream is used for one connection only, its server sends heartbeats as events, and everything else is
 * decided here: the cursor is kept, the delays are 1, 2, 4, 8 and 16 s, and after three streams that brought nothing, or
 * one that is held back, the events come by long-polling, with a new try of the stream every minute.
 */
const link = (() => {
  /** Without a sign of life for so long, a new stream is held back on the way, and an old one is dead. */
  const PATIENCE = 20000, SILENCE = 35000;
  const LONGEST = 16000, BROKEN = 3, TRY_AGAIN = 60000;
  const CHANNELS = "project:*,presence";

  let cursor = null, seq = 0;
  let source = null, polling = null, timer = null, watchdog = null;
  let delay = 1000, broken = 0, tried = 0, turn = 0, told = null, lost = null;
  let handlers = {};

  /** Shows how the connection is; only what lasts is read out. */
  function tell(state, text) {
    at("link-mark").textContent = { live: "●", polling: "◍", out: "○" }[state] ?? "○";
    at("link").className = `push ${{ live: "good", polling: "good", waiting: "bad" }[state] ?? ""}`;
    document.documentElement.dataset.link = state;
    say("link-text", text);
    show("again", state === "waiting");
    const well = state === "live" || state === "polling";
    if (well && told === "lost") announce("Connected again");
    if (well) told = "well";
    clearTimeout(lost);
    if (state === "waiting" && told === "well") {
      lost = setTimeout(() => { told = "lost"; announce("The connection is lost; trying again"); }, 3000);
    }
  }

  function close() {
    turn += 1;
    source?.close();
    polling?.abort();
    source = polling = null;
    clearTimeout(timer);
    clearTimeout(watchdog);
  }

  /** Every sign of life puts the end of patience off. */
  function alive(ms = SILENCE) {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => failed(ms === PATIENCE ? BROKEN : 1, "the connection is silent"), ms);
  }

  /** An event, unless it came before; a hole means that this page's picture is wrong. */
  function take(event, id) {
    const before = event.prev ?? event.seq - 1;
    if (event.seq <= seq) return;
    if (before > seq) return anew();
    seq = event.seq;
    cursor = id || `${cursor.slice(0, cursor.lastIndexOf("-"))}-${seq}`;
    handlers.event(event);
  }

  /** What is known is of another log, or there is a hole in it: everything from the beginning. */
  function anew() {
    cursor = null;
    begin();
  }

  function stream() {
    close();
    const asked = new URLSearchParams({ beats: "1", channel: CHANNELS, after: cursor });
    const mine = source = new EventSource(new URL(`api/realtime-sync?${asked}`, HERE));
    tried = Date.now();
    alive(PATIENCE);
    const heard = () => {
      if (source !== mine) return false;
      delay = 1000;
      broken = 0;
      alive();
      tell("live", "live");
      return true;
    };
    mine.addEventListener("beat", heard);
    mine.addEventListener("presence", message => { if (heard()) handlers.presence(JSON.parse(message.data)); });
    mine.addEventListener("reset", () => { if (heard()) anew(); });
    for (const name of NAMES) {
      mine.addEventListener(name, message => {
        if (message instanceof MessageEvent && heard()) take(JSON.parse(message.data), message.lastEventId);
      });
    }
    // Events of the log may be called `error`, too; those have data and are no end of anything.
    mine.addEventListener("error", event => {
      if (source === mine && !(event instanceof MessageEvent)) failed(1, "the connection was lost");
    });
  }

  /** `times` streams that brought nothing. */
  function failed(times, why) {
    close();
    broken += times;
    later(why);
  }

  /** Tries again after a while, from where it was. */
  function later(why, least = 0) {
    close();
    const pause = Math.max(least * 1000, delay * (0.5 + Math.random() / 2));
    delay = Math.min(delay * 2, LONGEST);
    tell("waiting", `${why}; trying again in ${Math.ceil(pause / 1000)} s`);
    timer = setTimeout(begin, pause);
  }

  async function poll() {
    close();
    const mine = polling = new AbortController();
    tell("polling", "live, by asking again and again");
    while (polling === mine) {
      const asked = new URLSearchParams({ after: cursor, limit: "500", wait: "20", channel: CHANNELS });
      let page;
      try { page = await call("GET", `api/events?${asked}`, undefined, mine.signal); }
      catch (error) {
        if (polling !== mine) return;
        if (error.status === 401) return handlers.out();
        return later(line(error.message), error.retry);
      }
      if (polling !== mine) return;
      delay = 1000;
      if (page.reset) return anew();
      for (const event of page.events) {
        take(event, null);
        if (polling !== mine) return;
      }
      cursor = page.next;
      if (page.presence) handlers.presence({ places: page.presence, all: true });
      if (Date.now() - tried > TRY_AGAIN) {
        // One try: another failure leads straight back here.
        broken = BROKEN - 1;
        return stream();
      }
    }
  }

  /** Loads the present state, then follows the events. */
  async function begin() {
    close();
    const mine = turn;
    try {
      const from = await handlers.load(cursor);
      if (mine !== turn) return;
      cursor = from;
    } catch (error) {
      if (mine !== turn) return;
      if (error.status === 401) return handlers.out();
      return later(line(error.message), error.retry);
    }
    seq = Number(cursor.slice(cursor.lastIndexOf("-") + 1));
    if (broken >= BROKEN) poll();
    else stream();
  }

  return {
    /**
     * Begins. `load(cursor)` loads the state and answers the cursor to go on from: the one given, or with null one of its
     * choice; `event`, `presence` and `out` are told what comes.
     */
    begin(given) { handlers = given; delay = 1000; begin(); },
    /** At once, whatever the delay. */
    again() { delay = 1000; begin(); },
    /** Ends; nothing is followed any more. */
    end(text) { close(); cursor = null; told = null; tell("out", text); },
    /** Lets go for a while: nobody looks. */
    rest() { close(); tell("resting", "resting"); },
    get state() { return document.documentElement.dataset.link; },
  };
})();
