'use strict';

const express = require('express');

/** Proxies close connections on which nothing happens for a minute or less. */
const HEARTBEAT_MS = 15_000;
/** Events kept for pages that connect again. */
const KEPT = 200;
/** A page that is this many bytes behind is let go; it connects again and catches up. */
const BEHIND_MOST = 1024 * 1024;

/**
 * Everything that goes over the channel; add a member for each kind of event.
 * @typedef {{ type: 'message', text: string, at: string } | { type: 'changed', what: string, id?: string }} RealtimeEvent
 */

let next = Date.now();
/** @type {{ id: number, event: RealtimeEvent }[]} */
const recent = [];
/** @type {Set<import('express').Response>} */
const pages = new Set();

/**
 * Sends an event to every page that listens.
 * @param {RealtimeEvent} event
 */
function publish(event) {
  const published = { id: next++, event };
  recent.push(published);
  if (recent.length > KEPT) recent.shift();
  for (const page of [...pages]) send(page, text(published));
}

/** @param {{ id: number, event: RealtimeEvent }} published */
function text({ id, event }) {
  return `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`;
}

/**
 * @param {import('express').Response} page
 * @param {string} words
 */
function send(page, words) {
  if (page.writableLength > BEHIND_MOST) page.destroy();
  else page.write(words);
  // Compression would hold events back.
  if (typeof page.flush === 'function') page.flush();
}

const realtime = express.Router();

realtime.get(%{path:json}, (request, response) => {
  response.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    Connection: 'keep-alive',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  response.write('retry: 2000\n\n');
  const said = request.get('last-event-id') ?? request.query.after;
  const last = said === undefined ? NaN : Number(said);
  if (Number.isSafeInteger(last)) {
    for (const published of recent) {
      if (published.id > last) response.write(text(published));
    }
  }
  pages.add(response);
  const heartbeat = setInterval(() => send(response, ': alive\n\n'), HEARTBEAT_MS);
  const leave = () => {
    clearInterval(heartbeat);
    pages.delete(response);
  };
  response.on('close', leave);
  response.on('error', leave);
});

module.exports = { realtime, publish };
