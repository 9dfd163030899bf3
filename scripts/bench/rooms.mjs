// People in a room, by hand: plain sockets and the least of WebSocket, so that what is measured is the server. Prints one JSON object.
//
//   node rooms.mjs latency HOST PORT PATH TOKEN PEOPLE EDITS   an edit each 20 ms: how long until each other person has it
//   node rooms.mjs flood   HOST PORT PATH TOKEN PEOPLE EDITS   edits as fast as all others have them: deliveries a second
//   node rooms.mjs back    HOST PORT PATH TOKEN RUNS           y-websocket: how long until a person is seen again after the line broke
import { createRequire } from 'node:module'
import { randomBytes } from 'node:crypto'
import net from 'node:net'

const require = createRequire(new URL('../../tests/services/package.json', import.meta.url))
const Y = require('yjs')

const [mode, host, port, path, token, ...rest] = process.argv.slice(2)
const now = () => Number(process.hrtime.bigint()) / 1e6

/** Updates of one writer: `count` times ten letters at the end of a text. */
const edits = (count) => {
  const doc = new Y.Doc()
  const made = []
  doc.on('update', (update) => made.push(update))
  const text = doc.getText('bench')
  for (let n = 0; n < count; n++) text.insert(text.length, 'abcdefghi ')
  return made
}

/** A sync frame with an update, masked as clients must. */
const framed = (update) => {
  const length = []
  for (let left = update.length; ; left = Math.floor(left / 128)) {
    length.push(left >= 128 ? (left % 128) | 128 : left)
    if (left < 128) break
  }
  const body = Buffer.concat([Buffer.from([0, 2, ...length]), update])
  const head = body.length < 126 ? Buffer.from([0x82, 0x80 | body.length]) : Buffer.from([0x82, 0xfe, body.length >> 8, body.length & 255])
  return Buffer.concat([head, Buffer.alloc(4), body])
}

class Person {
  constructor (heard) {
    this.heard = heard
    this.count = 0
    this.rest = null
    this.socket = net.connect(Number(port), host)
    this.socket.setNoDelay(true)
    this.open = new Promise((resolve, reject) => {
      this.socket.on('error', reject)
      this.socket.on('close', () => reject(new Error('the server closed a connection')))
      let text = ''
      const upgrade = (chunk) => {
        text += chunk.toString('latin1')
        const end = text.indexOf('\r\n\r\n')
        if (end < 0) return
        if (!text.startsWith('HTTP/1.1 101')) return reject(new Error(text.split('\r\n')[0]))
        this.socket.off('data', upgrade)
        this.socket.on('data', (more) => this.data(more))
        const more = Buffer.from(text.slice(end + 4), 'latin1')
        if (more.length > 0) this.data(more)
        resolve()
      }
      this.socket.on('data', upgrade)
      const authorization = token === '' ? '' : `Authorization: Bearer ${token}\r\n`
      this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${authorization}\r\n`)
    })
  }

  data (chunk) {
    let bytes = this.rest === null ? chunk : Buffer.concat([this.rest, chunk])
    let at = 0
    for (;;) {
      if (bytes.length - at < 2) break
      let length = bytes[at + 1]
      let head = 2
      if (length === 126) {
        if (bytes.length - at < 4) break
        length = bytes.readUInt16BE(at + 2)
        head = 4
      } else if (length === 127) {
        if (bytes.length - at < 10) break
        length = Number(bytes.readBigUInt64BE(at + 2))
        head = 10
      }
      if (bytes.length - at < head + length) break
      const kind = bytes[at] & 15
      if (kind === 2 && bytes[at + head] === 0 && bytes[at + head + 1] === 2) {
        this.heard(this, this.count)
        this.count += 1
      } else if (kind === 9) {
        this.socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]))
      }
      at += head + length
    }
    this.rest = at === bytes.length ? null : bytes.subarray(at)
  }
}

const people = async (count, heard) => {
  const all = []
  for (let n = 0; n < count; n++) {
    all.push(new Person(heard))
    if (n % 20 === 19) await Promise.all(all.map((one) => one.open))
  }
  await Promise.all(all.map((one) => one.open))
  return all
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

const latency = async (count, times) => {
  const sent = new Float64Array(times)
  const took = []
  let writer = null
  const all = await people(count, (person, n) => {
    if (person !== writer && n < times) took.push(now() - sent[n])
  })
  writer = all[0]
  const wanted = times * (count - 1)
  const frames = edits(times).map(framed)
  await new Promise((resolve) => setTimeout(resolve, 500))
  console.error('begin')
  for (let n = 0; n < times; n++) {
    sent[n] = now()
    writer.socket.write(frames[n])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  for (let wait = 0; took.length < wanted && wait < 200; wait++) await new Promise((resolve) => setTimeout(resolve, 50))
  console.error('end')
  // Exactly once: no more and no less.
  const wrong = all.slice(1).filter((one) => one.count !== times).length
  took.sort((a, b) => a - b)
  return { p50: at(took, 0.5), p99: at(took, 0.99), deliveries: took.length, wrong }
}

const flood = async (count, times) => {
  let writer = null
  let wake = () => {}
  let done = 0
  const all = await people(count, (person) => {
    if (person !== writer) {
      done += 1
      wake()
    }
  })
  writer = all[0]
  const frames = edits(times).map(framed)
  await new Promise((resolve) => setTimeout(resolve, 500))
  console.error('begin')
  const began = now()
  const others = count - 1
  // Never more under way than a server may hold for one person.
  const window = 400
  let next = 0
  await new Promise((resolve) => {
    wake = () => {
      if (done >= times * others) return resolve()
      const heard = Math.floor(done / others)
      if (next < times && next - heard < window / 2) {
        const end = Math.min(times, heard + window)
        writer.socket.write(Buffer.concat(frames.slice(next, end)))
        next = end
      }
    }
    wake()
  })
  const seconds = (now() - began) / 1000
  console.error('end')
  const wrong = all.slice(1).filter((one) => one.count !== times).length
  return { seconds, deliveries: done, perSecond: done / seconds, wrong }
}

const back = async (runs) => {
  const { WebsocketProvider } = require('y-websocket')
  const { WebSocket } = require('ws')
  const url = `ws://${host}:${port}`
  const room = path.slice(1)
  const open = () => {
    const doc = new Y.Doc()
    return new WebsocketProvider(url, room, doc, {
      WebSocketPolyfill: WebSocket,
      disableBc: true,
      maxBackoffTime: 100,
      protocols: token === '' ? [] : ['sayso.v1', `bearer.${token}`]
    })
  }
  const [ada, bob] = [open(), open()]
  const id = ada.doc.clientID
  const until = async (what, good) => {
    const began = now()
    while (!good()) {
      if (now() - began > 60000) throw new Error(`never: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  ada.awareness.setLocalState({ user: { name: 'Ada' } })
  const seen = () => bob.awareness.getStates().has(id)
  await until('seen at first', seen)
  const times = []
  for (let run = 0; run < runs; run++) {
    ada.ws.terminate()
    await until('gone', () => !seen())
    await until('connected again', () => ada.wsconnected)
    const began = now()
    await until('seen again', seen)
    times.push(now() - began)
  }
  return { times }
}

const run = {
  latency: () => latency(Number(rest[0]), Number(rest[1])),
  flood: () => flood(Number(rest[0]), Number(rest[1])),
  back: () => back(Number(rest[0]))
}
console.log(JSON.stringify(await run[mode]()))
process.exit(0)
