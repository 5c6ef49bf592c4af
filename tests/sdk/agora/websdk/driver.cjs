// Drives users of Agora Chat's or Easemob's own Web SDK, unmodified: lines of JSON in, lines of JSON out.
//
//   in:  {"id": 1, "client": "ann", "call": "createGroup", "args": [...]}
//   out: {"id": 1, "result": ...} or {"id": 1, "thrown": "..."}, and {"client": "ann", "event": "onGroupEvent", "data": ...}
//
// Each client is a connection of its own; `open` and the other methods are the connection's. A refused promise is a result too:
// `{"refused": {type, message}}`. The SDK expects a page around it; what it takes from one is given here, and nothing of the
// SDK itself is changed.
'use strict';

const readline = require('node:readline');
const { AsyncLocalStorage } = require('node:async_hooks');
const { WebSocket } = require('ws');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
// the SDK's own log does not belong between the lines
for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = (...args) => process.stderr.write(args.join(' ') + '\n');
// which client is at work, also in what it has set off
const at = new AsyncLocalStorage();
const stray = (event) => (error) => {
  const client = at.getStore() ?? null;
  const data = String(error?.stack ?? JSON.stringify(error));
  if (client) say({ client, event, data });
  else process.stderr.write(data + '\n');
};
process.on('unhandledRejection', stray('UNHANDLED_REJECTION'));
process.on('uncaughtException', stray('UNCAUGHT'));

require('./page.cjs');
// older SDKs look whether there are frames and scripts to fall back to
const element = () => ({ setAttribute() {}, style: {}, appendChild() {}, insertBefore() {}, parentNode: { removeChild() {} } });
Object.assign(globalThis.document, {
  removeEventListener() {}, createElement: element, body: element(), domain: 'localhost', getElementsByTagName: () => [element()],
});
globalThis.location.origin = 'http://localhost';

/// What browsers keep for a page, for each client by itself.
class Storage {
  constructor() { this.all = new Map(); }
  get kept() {
    const client = at.getStore() ?? '';
    if (!this.all.has(client)) this.all.set(client, new Map());
    return this.all.get(client);
  }
  get length() { return this.kept.size; }
  key(index) { return [...this.kept.keys()][index] ?? null; }
  getItem(key) { return this.kept.get(String(key)) ?? null; }
  setItem(key, value) { this.kept.set(String(key), String(value)); }
  removeItem(key) { this.kept.delete(String(key)); }
  clear() { this.kept.clear(); }
}
globalThis.localStorage = new Storage();
globalThis.sessionStorage = new Storage();

// reads what a refused download says
globalThis.FileReader = class {
  addEventListener(name, listener) { if (name === 'loadend') this.listener = listener; }
  async readAsText(data) {
    this.result = data instanceof Blob ? await data.text() : String(data);
    this.listener?.({ target: this });
  }
  async readAsArrayBuffer(data) {
    this.result = await data.arrayBuffer();
    this.listener?.({ target: this });
  }
};

// requests that carry forms, as browsers send them
const Request = globalThis.XMLHttpRequest;
globalThis.XMLHttpRequest = function XMLHttpRequest() {
  const request = new Request();
  const send = request.send.bind(request);
  request.upload = { addEventListener: (name, listener) => { if (name === 'progress') request.onProgress = listener; } };
  request.send = (body) => {
    if (!(body instanceof FormData)) return send(body);
    const form = new Response(body);
    return void form.arrayBuffer().then((bytes) => {
      request.setRequestHeader('content-type', form.headers.get('content-type'));
      request.onProgress?.({ lengthComputable: true, loaded: bytes.byteLength, total: bytes.byteLength });
      send(Buffer.from(bytes));
    });
  };
  return request;
};

const sockets = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(...args) { super(...args); sockets.push([at.getStore(), this]); }
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
  'onCustomMessage', 'onCombineMessage', 'onRecallMessage', 'onModifiedMessage', 'onMessagePinEvent', 'onReadMessage', 'onDeliveredMessage',
];
// older SDKs name some otherwise
const OLDER = ['onOpened', 'onPresence', 'onPictureMessage', 'onMutedMessage'];

const connections = new Map();
// older SDKs call these whatever they answer otherwise
let given = {};
const plain = (value) => JSON.parse(JSON.stringify(value ?? null));
const refusal = (error) => ({ type: error?.type, message: error?.message, reason: error?.reason });

/// Calls a method of a connection, or one of the driver's own.
function perform(client, call, args) {
  const connection = connections.get(client);
  const method = own[call] ? own[call].bind(null, client) : connection?.connection[call]?.bind(connection.connection);
  if (typeof method !== 'function') throw new Error(`the SDK has no ${call}`);
  return method(...args.map((arg, index) => (index === 0 && arg?.constructor === Object ? { ...given, ...arg } : arg)));
}

const own = {
  start(client, options, legacy) {
    const connection = new WebIM.connection({ isHttpDNS: false, ...options });
    given = legacy ? { success() {}, error() {} } : {};
    // older SDKs need the app's address again when they sign in
    connections.set(client, { connection, app: legacy ? { appKey: options.appKey, apiUrl: options.apiUrl } : {} });
    const handler = {};
    const listen = (name) => {
      handler[name] = (data) => {
        // the oldest reports some refusals as events only
        if (name === 'onError' || name === 'onMutedMessage') connections.get(client).failed?.(data);
        // after the SDK has acknowledged the page, and before it reads what is answered
        if (name === 'onTextMessage' && --connections.get(client).texts === 0) setImmediate(() => own.cut(client));
        say({ client, event: name, data: plain(data) });
      };
    };
    EVENTS.forEach(listen);
    if (legacy) OLDER.forEach(listen);
    if (!legacy) {
      connection.addEventHandler('driver', handler);
      connection.listen({ onPresence: (data) => say({ client, event: 'alsoPresence', data: plain(data) }) });
    } else connection.listen(handler);
    return true;
  },
  open: (client, user) => connections.get(client).connection.open({ ...connections.get(client).app, ...given, ...user }),
  resource: (client) => {
    const { connection } = connections.get(client);
    return connection.clientResource ?? connection.context?.jid?.clientResource ?? null;
  },
  /** Makes a message with the SDK and sends it. */
  say: (client, options) => connections.get(client).connection.send(WebIM.message.create(message(options))),
  /** The same of a large file, with the progress and the result of its upload: older SDKs report a failure to the callback only. */
  async sayLarge(client, options) {
    const progress = [];
    let failed;
    const failure = new Promise((done) => { failed = done; });
    const sent = connections.get(client).connection.send(WebIM.message.create(message({
      ...options,
      onFileUploadProgress: ({ loaded, total }) => progress.push([loaded, total]),
      onFileUploadError: (error) => failed({ refused: refusal(error) }),
    }))).catch((error) => ({ refused: refusal(error) }));
    return { sent: plain(await Promise.race([sent, failure])), progress };
  },
  /** Says something else than was said. */
  edit: (client, { messageId, ...options }) =>
    connections.get(client).connection.modifyMessage({ messageId, modifiedMessage: WebIM.message.create(options) }),
  /** As if the network went away. */
  cut(client) { for (const [by, socket] of sockets) if (by === client) socket.terminate(); return true; },
  /** The same while a queue is read: when so many texts were received, before the end of their queue is. */
  cutAfter(client, texts) { connections.get(client).texts = texts; return true; },
  /**
   * What becomes of each of these calls, made one after another, within so many milliseconds each. `bare` calls pass no
   * callbacks, so that only the promises report; an older SDK that reports to `onError` alone counts as pending then.
   */
  async settle(client, calls, limit, bare = false) {
    const one = async ([call, ...args]) => {
      let timer;
      const late = new Promise((done) => { timer = setTimeout(() => done('PENDING'), limit); });
      const outcome = (error) => (error instanceof Error && error.type === undefined ? `threw ${error.message}` : refusal(error));
      // older SDKs report some refusals to these only
      const called = new Promise((done) => {
        const failed = (error) => done(outcome(error));
        if (bare) return;
        connections.get(client).failed = failed;
        if (given.error && args[0]?.constructor === Object) {
          args[0] = { ...args[0], success: () => {}, error: failed, fail: failed };
        }
      });
      const made = (async () => perform(client, call, args))().then((answer) => answer?.refused ?? 'answered', outcome);
      const came = await Promise.race([made, called, late]);
      clearTimeout(timer);
      return [call, came];
    };
    const outcomes = [];
    const before = given;
    if (bare) {
      given = {};
      connections.get(client).failed = undefined;
    }
    for (const call of calls) {
      outcomes.push(await one(call));
      // enough to know
      if (!bare && outcomes.filter(([, outcome]) => outcome === 'PENDING').length > 2) break;
    }
    given = before;
    return outcomes;
  },
  /** The methods of the connection. */
  methods(client) {
    const names = new Set();
    const { connection } = connections.get(client);
    for (let level = connection; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
      for (const name of Object.getOwnPropertyNames(level)) if (typeof connection[name] === 'function') names.add(name);
    }
    return [...names].sort();
  },
  /** Uploads a shared file: what the callbacks come to. */
  uploadGroupSharedFile: (client, { name, text, ...options }) => new Promise((done) => {
    const progress = [];
    connections.get(client).connection.uploadGroupSharedFile({
      ...options,
      file: { data: file(name, text), filename: name },
      onFileUploadProgress: ({ loaded, total }) => progress.push([loaded, total]),
      onFileUploadComplete: (answer) => done({ answer: plain(answer), progress }),
      onFileUploadError: (error) => done({ refused: refusal(error) }),
    });
  }),
  /** Downloads a shared file as a text. */
  downloadGroupSharedFile: (client, options) => new Promise((done) => {
    connections.get(client).connection.downloadGroupSharedFile({
      ...options,
      onFileDownloadComplete: async (answer) => done(typeof answer?.text === 'function' ? await answer.text() : String(answer)),
      onFileDownloadError: (error) => done({ refused: refusal(error) }),
    });
  }),
};

/** The length of a file, and what its parts are. */
own.fetchLong = async (client, url) => {
  const answer = await fetch(url);
  const text = await answer.text();
  return [answer.status, text.length, text === long(text.length)];
};
own.fetch = async (client, url, headers = {}) => {
  const answer = await fetch(url, { headers });
  return [answer.status, await answer.text()];
};

const file = (name, text) => new File([text], name, { type: 'text/plain' });
/// A text in which no two parts are the same.
const long = (size) => Array.from({ length: Math.ceil(size / 8) }, (_, line) => String(line).padStart(7, '0') + '\n').join('').slice(0, size);

/// The options of a message; `upload` becomes the file in it.
function message({ upload, ...options }) {
  if (!upload) return options;
  return { ...options, file: { data: file(upload.name, upload.text ?? long(upload.size)), filename: upload.name, filetype: 'txt' } };
}

async function answer({ id, client, call, args = [] }) {
  try {
    let result;
    try {
      result = await perform(client, call, args);
    } catch (error) {
      if (error instanceof Error && error.type === undefined) throw error;
      result = { refused: refusal(error) };
    }
    say({ id, result: plain(result) });
  } catch (error) {
    say({ id, thrown: String(error?.stack ?? JSON.stringify(error)) });
  }
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const asked = JSON.parse(line);
    at.run(asked.client, () => void answer(asked));
  })
  .on('close', () => process.exit(0));
