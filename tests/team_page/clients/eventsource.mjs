// Follows an event stream with npm's `eventsource` and writes what it hears, one JSON object a line.
// node eventsource.mjs PACKAGE URL TOKEN AFTER
const [, , where, url, token, after] = process.argv;
const { EventSource } = await import(where);

const say = told => process.stdout.write(`${JSON.stringify(told)}\n`);
let cursor = after;

function open() {
  const asked = new URL(url);
  if (cursor) asked.searchParams.set("after", cursor);
  const source = new EventSource(asked, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }),
  });
  source.onopen = () => say({ open: true });
  source.addEventListener("notice", message => {
    cursor = message.lastEventId;
    const event = JSON.parse(message.data);
    say({ id: message.lastEventId, seq: event.seq, message: JSON.stringify(event.data.message) });
  });
  source.addEventListener("reset", message => {
    cursor = message.lastEventId;
    say({ reset: message.lastEventId });
  });
  source.onerror = () => {
    // Any status but 200 ends it for good, as in a browser: then it is made anew, from where it was.
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    setTimeout(open, 200);
  };
}
// While it waits to come back, its timers do not keep the program alive.
setInterval(() => {}, 1000);
open();
