// Drives one user of Agora Chat's or Easemob's own Web SDK, unmodified: lines of JSON in, lines of JSON out.
//
//   in:  {"id": 1, "call": "createGroup", "args": [...]}
//   out: {"id": 1, "result": ...} or {"id": 1, "thrown": "..."}, and {"event": "onGroupEvent", "data": ...}
//
// `open` and the other methods are the connection's own. A refused promise is a result too: `{"refused": {type, message}}`.
// The SDK expects a page around it; what it takes from one is given here, and nothing of the SDK itself is changed.
'use strict';

const readline = require('node:readline');
const { WebSocket } = require('ws');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
// the SDK's own log does not belong between the lines
for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = (...args) => process.stderr.write(args.join(' ') + '\n');
process.on('unhandledRejection', (error) => say({ event: 'UNHANDLED_REJECTION', data: String(error?.stack ?? JSON.stringify(error)) }));
process.on('uncaughtException', (error) => say({ event: 'UNCAUGHT', data: String(error?.stack ?? error) }));

require('./page.cjs');
// older SDKs look whether there are frames and scripts to fall back to
const element = () => ({ setAttribute() {}, style: {}, appendChild() {}, insertBefore() {}, parentNode: { removeChild() {} } });
Object.assign(globalThis.document, {
  removeEventListener() {}, createElement: element, body: element(), domain: 'localhost', getElementsByTagName: () => [element()],
});
globalThis.location.origin = 'http://localhost';

class Storage {
  constructor() { this.kept = new Map(); }
  get length() { return this.kept.size; }
  key(index) { return [...this.kept.keys()][index] ?? null; }
  getItem(key) { return this.kept.get(String(key)) ?? null; }
  setItem(key, value) { this.kept.set(String(key), String(value)); }
  removeItem(key) { this.kept.delete(String(key)); }
  clear() { this.kept.clear(); }
}
globalThis.localStorage = new Storage();
globalThis.sessionStorage = new Storage();

const sockets = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(...args) { super(...args); sockets.push(this); }
};

const sdk = require(process.argv[2]);
const WebIM = sdk.default ?? sdk;
WebIM.logger?.disableAll?.();

// what apps are called with, but for what only says that something is under way
const EVENTS = [
  'onConnected', 'onDisconnected', 'onReconnecting', 'onOnline', 'onOffline', 'onError', 'onTokenWillExpire', 'onTokenExpired',
  'onOfflineMessageSyncStart', 'onOfflineMessageSyncFinish', 'onStatisticMessage',
  'onGroupEvent', 'onGroupChange', 'onMultiDeviceEvent',
  'onTextMessage', 'onImageMessage', 'onVideoMessage', 'onAudioMessage', 'onFileMessage', 'onLocationMessage', 'onCmdMessage',
  'onCustomMessage', 'onCombineMessage', 'onRecallMessage', 'onModifiedMessage', 'onReadMessage', 'onDeliveredMessage',
];

let connection;
// older SDKs call these whatever they answer otherwise
let given = {};
// and want to be told again where the app is when they sign in
let app = {};
const plain = (value) => JSON.parse(JSON.stringify(value ?? null));

const own = {
  start(options, legacy) {
    connection = new WebIM.connection({ isHttpDNS: false, ...options });
    given = legacy ? { success() {}, error() {} } : {};
    app = legacy ? { appKey: options.appKey, apiUrl: options.apiUrl } : {};
    const handler = {};
    for (const name of EVENTS) handler[name] = (data) => say({ event: name, data: plain(data) });
    if (!legacy) connection.addEventHandler('driver', handler);
    else connection.listen({ ...handler, onOpened: () => say({ event: 'onOpened', data: null }), onPresence: (data) => say({ event: 'onPresence', data: plain(data) }) });
    return true;
  },
  open: (user) => connection.open({ ...app, ...given, ...user }),
  resource: () => connection.clientResource ?? connection.context?.jid?.clientResource ?? null,
  /** Makes a message with the SDK and sends it. */
  say: (options) => connection.send(WebIM.message.create(options)),
  /** Says something else than was said. */
  edit: ({ messageId, ...options }) => connection.modifyMessage({ messageId, modifiedMessage: WebIM.message.create(options) }),
  /** As if the network went away. */
  cut() { for (const socket of sockets) socket.terminate(); return true; },
};

async function answer({ id, call, args = [] }) {
  try {
    const method = own[call] ?? connection[call]?.bind(connection);
    if (typeof method !== 'function') throw new Error(`the SDK has no ${call}`);
    let result;
    try {
      result = await method(...args.map((arg, index) => (index === 0 && arg?.constructor === Object ? { ...given, ...arg } : arg)));
    } catch (error) {
      if (error instanceof Error && error.type === undefined) throw error;
      result = { refused: { type: error?.type, message: error?.message, reason: error?.reason } };
    }
    say({ id, result: plain(result) });
  } catch (error) {
    say({ id, thrown: String(error?.stack ?? JSON.stringify(error)) });
  }
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => void answer(JSON.parse(line)))
  .on('close', () => process.exit(0));
