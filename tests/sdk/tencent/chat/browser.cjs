// Drives one of Tencent's own Web SDKs in a headless Chromium, on a page of an origin of its own: the same lines of JSON
// as `driver.cjs`. The vendor's hosts lead to the gateway, whose certificate is trusted, and the SDK needs no option.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const tls = require('node:tls');
const { createHash } = require('node:crypto');
const { createRequire } = require('node:module');
const { open } = require('../../chromium.cjs');

// the folder of the packages, the browser, the gateway with the authority that its certificate is of, and the SDK: its
// file, and its name on a page; then the file of the vendor's plugin for uploads, if the page has it
const [, , modules, executablePath, gateway, authority, file, name, plugin] = process.argv;
const { chromium } = createRequire(modules + '/package.json')('playwright-core');
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

/** The hosts that the SDK knows, under the vendor's domains. */
const HOSTS = ['*.my-imcloud.com', '*.my-cpaas.com', '*.im.qcloud.com', '*.tim.qq.com', '*.im.tencent.cn'];

const PAGE = `<!doctype html><title>an app</title>
<script src="/chat.js"></script>
<script src="/plugin.js"></script>
<script>
  const FIELDS = ['ID', 'type', 'conversationID', 'from', 'to', 'flow', 'sequence', 'payload'];
  const message = (whole) => Object.fromEntries(FIELDS.map((field) => [field, whole[field]]));
  const Sdk = ${name};
  let chat;
  const received = new Map();
  window.addEventListener('unhandledrejection', ({ reason }) => window.tell('UNHANDLED_REJECTION', JSON.stringify(String(reason))));
  const own = {
    create(options) {
      chat = Sdk.create(options);
      if (window.TIMUploadPlugin) chat.registerPlugin({ 'tim-upload-plugin': window.TIMUploadPlugin });
      chat.setLogLevel(4);
      for (const [name, event] of Object.entries(Sdk.EVENT)) {
        chat.on(event, ({ data }) => {
          const isMessages = ['MESSAGE_RECEIVED', 'MESSAGE_REVOKED', 'MESSAGE_MODIFIED'].includes(name);
          if (isMessages) for (const one of data) received.set(one.ID, one);
          window.tell(name, JSON.stringify((isMessages ? data.map(message) : data) ?? null));
        });
      }
    },
    handleNotice: (id, options) => chat.handleGroupApplication({ ...options, message: received.get(id) }),
    /** All messages: the SDK returns 15 at a time. */
    async history(groupID) {
      const all = [];
      let nextReqMessageID;
      for (;;) {
        const { data } = await chat.getMessageList({ conversationID: 'GROUP' + groupID, nextReqMessageID });
        all.unshift(...data.messageList.map(message));
        if (data.isCompleted || data.messageList.length === 0) return all;
        nextReqMessageID = data.nextReqMessageID;
      }
    },
    async sendText(groupID, text) {
      const made = chat.createTextMessage({ to: groupID, conversationType: 'GROUP', payload: { text } });
      return message((await chat.sendMessage(made)).data.message);
    },
    /** Sends a file that the SDK uploads, and reports how far it has come. */
    async sendFile(kind, groupID, { name, type, base64 }) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const file = new File([bytes], name, { type });
      const progress = [];
      const made = chat['create' + kind + 'Message']({
        to: groupID, conversationType: 'GROUP', payload: { file }, onProgress: (done) => progress.push(done),
      });
      const sent = message((await chat.sendMessage(made)).data.message);
      return { ...sent, progress: progress.at(-1) };
    },
    /** The status, the type and the content of a file. */
    async fetch(url) {
      const answer = await fetch(url);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return [answer.status, answer.headers.get('content-type'), btoa(String.fromCharCode(...bytes))];
    },
  };
  window.perform = async (call, args) => {
    try {
      const result = await (own[call] ?? chat[call]).apply(chat, args);
      return JSON.parse(JSON.stringify(result ?? null));
    } catch (error) {
      if (error?.code === undefined) throw error;
      return { refused: { code: error.code, message: error.message } };
    }
  };
  window.ready = true;
</script>`;

const files = {
  '/': ['text/html', PAGE],
  '/chat.js': ['text/javascript', fs.readFileSync(path.join(modules, 'node_modules', file))],
  ...(plugin ? { '/plugin.js': ['text/javascript', fs.readFileSync(path.join(modules, 'node_modules', plugin))] } : {}),
};

/** What has the browser find the gateway under the vendor's hosts, and trust its certificate there. */
async function mapped() {
  const [host, port] = gateway.split(':');
  const socket = tls.connect({ host, port, servername: 'localhost', ca: fs.readFileSync(authority) });
  await new Promise((done, failed) => { socket.once('secureConnect', done); socket.once('error', failed); });
  const key = socket.getPeerX509Certificate().publicKey.export({ type: 'spki', format: 'der' });
  socket.end();
  const rules = HOSTS.map((name) => `MAP ${name}:443 ${gateway}`).join(', ');
  return [`--host-resolver-rules=${rules}`, `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`];
}

async function main() {
  const prepare = async (page) => {
    await page.exposeFunction('tell', (event, data) => say({ event, data: JSON.parse(data) }));
    page.on('pageerror', (error) => say({ event: 'UNHANDLED_REJECTION', data: String(error) }));
  };
  const { page, end } = await open({ chromium, executablePath, files, prepare, more: gateway ? await mapped() : [] });

  const answer = async ({ id, call, args = [] }) => {
    try {
      say({ id, result: await page.evaluate(([name, given]) => window.perform(name, given), [call, args]) });
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
