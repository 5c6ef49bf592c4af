// Drives one user of RongCloud's own Web SDK, unmodified: lines of JSON in, lines of JSON out.
//
//   in:  {"id": 1, "call": "createGroup", "args": [...]}
//   out: {"id": 1, "result": ...} or {"id": 1, "thrown": "..."}, and {"event": "GROUP_OPERATION", "data": ...}
//
// The SDK is one of a kind in its process, so each user has a process of their own. It expects a page around it;
// what it takes from one is given here, and nothing of the SDK itself is changed.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const { createRequire } = require('node:module');

const [, , modules, storageFile] = process.argv;
const load = createRequire(modules + '/package.json');

class Storage {
  constructor(file) {
    this.file = file;
    this.kept = new Map(file && fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : []);
  }
  get length() { return this.kept.size; }
  key(index) { return [...this.kept.keys()][index] ?? null; }
  getItem(key) { return this.kept.get(String(key)) ?? null; }
  setItem(key, value) { this.kept.set(String(key), String(value)); this.keep(); }
  removeItem(key) { this.kept.delete(String(key)); this.keep(); }
  clear() { this.kept.clear(); this.keep(); }
  keep() { if (this.file) fs.writeFileSync(this.file, JSON.stringify([...this.kept])); }
}

const give = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
give('window', globalThis);
give('location', { protocol: 'http:', host: 'localhost', hostname: 'localhost', href: 'http://localhost/' });
give('navigator', { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36', onLine: true });
give('localStorage', new Storage(storageFile));
give('sessionStorage', new Storage());
give('XMLHttpRequest', load('xmlhttprequest-ssl').XMLHttpRequest);
const sockets = [];
const { WebSocket } = load('ws');
give('WebSocket', class extends WebSocket {
  constructor(...args) { super(...args); sockets.push(this); }
});
give('addEventListener', () => {});
give('removeEventListener', () => {});

const stdout = process.stdout.write.bind(process.stdout);
const say = (line) => stdout(JSON.stringify(line) + '\n');
// the SDK's own log does not belong between the lines
for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = (...args) => process.stderr.write(args.join(' ') + '\n');
process.on('unhandledRejection', (error) => say({ event: 'UNHANDLED_REJECTION', data: String(error?.stack ?? error) }));

const RongIMLib = load('@rongcloud/imlib-next');
const types = new Map();

/** Arguments that JSON cannot say: {"$text": {...}}, {"$message": ["App:Type", {...}]}. */
function argument(value) {
  if (Array.isArray(value)) return value.map(argument);
  if (value === null || typeof value !== 'object') return value;
  if ('$undefined' in value) return undefined;
  if ('$text' in value) return new RongIMLib.TextMessage(value.$text);
  if ('$message' in value) {
    const [name, content, persisted = true, counted = true] = value.$message;
    if (!types.has(name)) types.set(name, RongIMLib.registerMessageType(name, persisted, counted, [], false));
    return new (types.get(name))(content);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, argument(inner)]));
}

const own = {
  init(options) {
    RongIMLib.init({ logLevel: 4, ...options });
    for (const [name, event] of Object.entries(RongIMLib.Events)) {
      RongIMLib.addEventListener(event, (data) => say({ event: name, data }));
    }
  },
  /** As if the network went away. */
  cut() { for (const socket of sockets) socket.terminate(); },
};

async function answer({ id, call, args = [] }) {
  try {
    const method = own[call] ?? RongIMLib[call];
    if (typeof method !== 'function') throw new Error(`the SDK has no ${call}`);
    const result = await method.apply(RongIMLib, args.map(argument));
    say({ id, result: result === undefined ? null : result });
  } catch (error) {
    say({ id, thrown: String(error?.stack ?? error) });
  }
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => void answer(JSON.parse(line)))
  .on('close', () => process.exit(0));
