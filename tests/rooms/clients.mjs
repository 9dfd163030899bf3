// Clients of rooms that nobody here wrote: yjs and y-websocket, told what to do on stdin, one JSON object a line, and answering on
// stdout with its `n`. `{op, n, id, …}`: `id` names one client.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const require = createRequire(new URL('../services/package.json', import.meta.url))
const Y = require('yjs')
const { WebsocketProvider } = require('y-websocket')
const { WebSocket } = require('ws')

const clients = new Map()

// A socket that can be killed without a goodbye, as a broken network does.
class Mortal extends WebSocket {
  constructor (url, protocols) {
    super(url, protocols)
    this.binaryType = 'arraybuffer'
  }
}

const base64 = (bytes) => Buffer.from(bytes).toString('base64')

const files = (client) => client.doc.getMap('files')
const text = (client, path) => {
  const found = files(client).get(path)
  if (!(found instanceof Y.Text)) throw new Error(`no text ${path}`)
  return found
}

const ops = {
  open ({ id, url, room, token, connect = true }) {
    const doc = new Y.Doc()
    const provider = new WebsocketProvider(url, room, doc, {
      WebSocketPolyfill: Mortal,
      protocols: token === undefined ? [] : ['sayso.v1', `bearer.${token}`],
      disableBc: true,
      maxBackoffTime: 400,
      connect
    })
    const client = { doc, provider, closes: [], denied: 0, chosen: null }
    provider.on('connection-close', (event) => client.closes.push(event === null ? null : event.code))
    provider.on('status', ({ status }) => {
      if (status === 'connected') client.chosen = provider.ws.protocol
    })
    clients.set(id, client)
    return { client: doc.clientID }
  },
  make ({ client, path, text }) {
    files(client).set(path, new Y.Text(text))
  },
  edit ({ client, path, at, remove = 0, insert = '' }) {
    client.doc.transact(() => {
      const it = text(client, path)
      if (remove > 0) it.delete(at, remove)
      if (insert !== '') it.insert(at, insert)
    })
  },
  // Writes `count` numbered marks at random places, one each `every` milliseconds.
  write ({ client, id, path, count, every }) {
    client.written = 0
    const timer = setInterval(() => {
      const found = files(client).get(path)
      if (!(found instanceof Y.Text)) return
      const before = found.toString()
      // Between two marks, so that each stays whole.
      const gaps = [0]
      for (let at = before.indexOf(']'); at >= 0; at = before.indexOf(']', at + 1)) gaps.push(at + 1)
      found.insert(gaps[Math.floor(Math.random() * gaps.length)], `[${id}.${client.written}]`)
      client.written += 1
      if (client.written >= count) clearInterval(timer)
    }, every)
  },
  state ({ client }) {
    const texts = {}
    for (const [path, value] of files(client)) {
      if (value instanceof Y.Text) texts[path] = value.toString()
    }
    const others = {}
    for (const [number, state] of client.provider.awareness.getStates()) {
      if (number !== client.doc.clientID) others[number] = state
    }
    return {
      texts,
      others,
      synced: client.provider.synced,
      connected: client.provider.wsconnected,
      closes: client.closes,
      chosen: client.chosen,
      written: client.written ?? 0,
      highlights: client.doc.getMap('highlights').toJSON(),
      vector: base64(Y.encodeStateVector(client.doc)),
      clock: client.provider.awareness.meta.get(client.doc.clientID)?.clock ?? 0
    }
  },
  present ({ client, state }) {
    client.provider.awareness.setLocalState(state)
  },
  highlight ({ client, id: _, key, file, at, until }) {
    const it = text(client, file)
    const place = (index) => JSON.stringify(Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(it, index)))
    const mark = new Y.Map(Object.entries({
      id: key, file, from: place(at), to: place(until), colour: 'sky', author: 'js', created: '', updated: ''
    }))
    client.doc.getMap('highlights').set(key, mark)
  },
  resolve ({ client, position }) {
    const found = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(JSON.parse(position)), client.doc)
    return { index: found === null ? null : found.index }
  },
  position ({ client, path, at }) {
    return { position: JSON.stringify(Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text(client, path), at))) }
  },
  disconnect ({ client }) {
    client.provider.disconnect()
  },
  connect ({ client }) {
    client.provider.connect()
  },
  // The network breaks: no close frame; the client notices and comes back by itself.
  kill ({ client }) {
    client.provider.ws?.terminate()
  },
  // Nothing is read any more, nothing answered: as a stopped machine.
  freeze ({ client }) {
    client.provider.ws._socket.pause()
  },
  thaw ({ client }) {
    client.provider.ws?._socket?.resume()
  },
  close ({ client, id }) {
    client.provider.destroy()
    client.doc.destroy()
    clients.delete(id)
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line)
  let answer
  try {
    const client = clients.get(command.id)
    if (client === undefined && command.op !== 'open') throw new Error(`no client ${command.id}`)
    answer = ops[command.op]({ ...command, client }) ?? {}
  } catch (error) {
    answer = { error: String(error) }
  }
  process.stdout.write(JSON.stringify({ n: command.n, ...answer }) + '\n')
}).on('close', () => process.exit(0))
