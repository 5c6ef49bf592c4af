// Drives users of Agora Chat's or Easemob's own Web SDK in a headless Chromium, each on a page of an origin that is not the
// gateway's: the same lines of JSON as `driver.cjs`. `requests` tells what the browser has asked the network for,
// preflights included.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const { chromium } = require('playwright-core');
const { open } = require('../../chromium.cjs');

const [, , sdk, executablePath] = process.argv;
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

const PAGE = `<!doctype html><title>an app</title>
<script>
  // what networks do to WebSockets: there are none, they fail, or they never open
  const socket = location.hash.slice(1);
  if (socket === 'none') delete window.WebSocket;
  if (socket === 'refused' || socket === 'silent') {
    window.WebSocket = class extends EventTarget {
      constructor() {
        super();
        this.readyState = 0;
        if (socket === 'refused') setTimeout(() => { this.readyState = 3; this.onerror?.(new Event('error')); this.onclose?.({ code: 1006, reason: '', wasClean: false }); });
      }
      send() {}
      close() {}
    };
  }
</script>
<script src="/sdk.js"></script>
<script>
  const WebIM = window.websdk.default ?? window.websdk;
  WebIM.logger?.disableAll?.();
  const EVENTS = [
    'onConnected', 'onDisconnected', 'onReconnecting', 'onOnline', 'onOffline', 'onError', 'onTokenWillExpire', 'onTokenExpired',
    'onGroupEvent', 'onGroupChange', 'onMultiDeviceEvent', 'onTextMessage', 'onFileMessage', 'onPictureMessage', 'onImageMessage',
    'onReadMessage', 'onRecallMessage',
  ];
  let connection, given = {}, app = {}, legacy = false;
  const plain = (value) => JSON.parse(JSON.stringify(value ?? null));
  const refusal = (error) => ({ type: error?.type, message: error?.message, reason: error?.reason });
  const file = (name, text) => new File([text], name, { type: 'text/plain' });
  let lastRequest;
  const sending = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function send(body) {
    if (body instanceof FormData) lastRequest = this;
    return sending.call(this, body);
  };
  const upload = ({ name, text, size, cancel, ...options }) => new Promise((done) => {
    const progress = [];
    connection.uploadGroupSharedFile({
      ...options,
      file: { data: file(name, text ?? 'x'.repeat(size)), filename: name },
      onFileUploadProgress: ({ loaded, total }) => {
        progress.push([loaded, total]);
        if (cancel) lastRequest.abort();
      },
      onFileUploadComplete: (answer) => done({ answer: plain(answer), progress }),
      onFileUploadError: (error) => done({ refused: refusal(error) }),
      onFileUploadCanceled: () => done({ canceled: true, progress }),
    });
  });
  const own = {
    start(options, isLegacy) {
      connection = new WebIM.connection({ isHttpDNS: false, ...options });
      legacy = isLegacy;
      given = legacy ? { success() {}, error() {} } : {};
      app = legacy ? { appKey: options.appKey, apiUrl: options.apiUrl } : {};
      const handler = {};
      const listen = (name, as = name) => { handler[name] = (data) => window.tell(as, JSON.stringify(plain(data))); };
      EVENTS.forEach((name) => listen(name));
      if (legacy) { listen('onOpened'); listen('onPresence'); return connection.listen(handler); }
      connection.addEventHandler('driver', handler);
      connection.listen({ onPresence: (data) => window.tell('alsoPresence', JSON.stringify(plain(data))) });
    },
    open: (user) => connection.open({ ...app, ...given, ...user }),
    say: (options) => {
      const { upload: { name, text } = {}, ...rest } = options;
      return connection.send(WebIM.message.create(name ? { ...rest, file: { data: file(name, text), filename: name, filetype: 'txt' } } : rest));
    },
    /** Sends a large file; or begins to, and abandons the request that carries it. */
    sayLarge: ({ upload: { name, size, cancel }, ...options }) => new Promise((done) => {
      const progress = [];
      const data = file(name, 'x'.repeat(size));
      connection.send(WebIM.message.create({
        ...options, file: { data, filename: name, filetype: 'txt' },
        onFileUploadProgress: ({ loaded, total }) => {
          progress.push([loaded, total]);
          // the newest release reports nothing then
          if (cancel && loaded > 0) { lastRequest.abort(); done({ abandoned: true }); }
        },
      })).then((sent) => done({ sent: plain(sent), progress }), (error) => done({ refused: refusal(error), progress }));
    }),
    uploadGroupSharedFile: upload,
    downloadGroupSharedFile: (options) => new Promise((done) => {
      connection.downloadGroupSharedFile({
        ...options,
        onFileDownloadComplete: async (answer) => done(await answer.text()),
        onFileDownloadError: (error) => done({ refused: refusal(error) }),
      });
    }),
    fetch: async (url, headers = {}) => { const answer = await fetch(url, { headers }); return [answer.status, await answer.text()]; },
  };
  window.perform = async (call, args) => {
    const method = own[call] ?? connection[call]?.bind(connection);
    if (typeof method !== 'function') throw new Error('the SDK has no ' + call);
    try {
      return plain(await method(...args.map((arg, index) => (index === 0 && arg?.constructor === Object ? { ...given, ...arg } : arg))));
    } catch (error) {
      if (error instanceof Error && error.type === undefined) throw error;
      return { refused: refusal(error) };
    }
  };
  window.ready = true;
</script>`;

async function main() {
  const files = { '/': ['text/html', PAGE], '/sdk.js': ['text/javascript', fs.readFileSync(require.resolve(sdk))] };
  const { another, requests, end } = await open({ chromium, executablePath, files });
  const clients = new Map();
  /// The page of a client; `socket` is what becomes of WebSockets on it.
  const page = (client, socket = '') => {
    if (!clients.has(client)) {
      const prepare = async (made) => {
        await made.exposeFunction('tell', (event, data) => say({ client, event, data: JSON.parse(data) }));
        made.on('pageerror', (error) => say({ client, event: 'UNHANDLED_REJECTION', data: String(error) }));
      };
      clients.set(client, another(socket && `#${socket}`, prepare));
    }
    return clients.get(client);
  };
  const own = {
    requests: () => requests,
    load: async (client, socket) => { await page(client, socket); return true; },
    /** Bytes a second that the page may send. */
    slow: async (client, uploadThroughput) => {
      const { network } = await page(client);
      await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
      return true;
    },
  };
  const answer = async ({ id, client, call, args = [] }) => {
    try {
      if (own[call]) return say({ id, result: await own[call](client, ...args) });
      const { page: made } = await page(client);
      say({ id, result: await made.evaluate(([name, values]) => window.perform(name, values), [call, args]) });
    } catch (error) {
      say({ id, thrown: String(error?.stack ?? error) });
    }
  };
  readline.createInterface({ input: process.stdin })
    .on('line', (line) => void answer(JSON.parse(line)))
    .on('close', () => void end());
}

main().catch((error) => {
  process.stderr.write(String(error?.stack ?? error) + '\n');
  process.exit(1);
});
