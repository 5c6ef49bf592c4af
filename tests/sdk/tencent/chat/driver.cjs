// Drives one user of Tencent's own Web SDK, unmodified: lines of JSON in, lines of JSON out.
//
//   in:  {"id": 1, "call": "createGroup", "args": [...]}
//   out: {"id": 1, "result": ...} or {"id": 1, "result": {"refused": {"code", "message"}}}, and {"event": "...", "data": ...}
//
// The SDK is one of a kind in its process, so each user has a process of their own. Node.js 20 has no WebSocket, so one
// is given; nothing of the SDK itself is changed.
'use strict';

const readline = require('node:readline');
const { createRequire } = require('node:module');

const [, , modules] = process.argv;
const load = createRequire(modules + '/package.json');

const sockets = [];
const { WebSocket } = load('ws');
globalThis.WebSocket = class extends WebSocket {
  constructor(...args) { super(...args); sockets.push(this); }
};

const stdout = process.stdout.write.bind(process.stdout);
const say = (line) => stdout(JSON.stringify(line) + '\n');
// the SDK's own log does not belong between the lines
for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = (...args) => process.stderr.write(args.join(' ') + '\n');
process.on('unhandledRejection', (error) => say({ event: 'UNHANDLED_REJECTION', data: String(error?.stack ?? error) }));

const TencentCloudChat = load('@tencentcloud/chat');
let chat;
const received = new Map();

const FIELDS = ['ID', 'type', 'conversationID', 'from', 'to', 'flow', 'sequence', 'nick', 'avatar', 'nameCard', 'payload', 'isRevoked', 'cloudCustomData'];
const message = (whole) => Object.fromEntries(FIELDS.map((field) => [field, whole[field]]));

const own = {
  create(options) {
    chat = TencentCloudChat.create(options);
    chat.setLogLevel(4);
    for (const [name, event] of Object.entries(TencentCloudChat.EVENT)) {
      chat.on(event, ({ data }) => {
        const messages = name === 'MESSAGE_RECEIVED' || name === 'MESSAGE_REVOKED';
        if (messages) for (const one of data) received.set(one.ID, one);
        say({ event: name, data: messages ? data.map(message) : data });
      });
    }
  },
  /** Sends a text into a group. */
  async sendText(groupID, text) {
    const made = chat.createTextMessage({ to: groupID, conversationType: 'GROUP', payload: { text } });
    const { data } = await chat.sendMessage(made);
    return message(data.message);
  },
  /** Decides an application that came as a notice. */
  handleNotice: (id, options) => chat.handleGroupApplication({ ...options, message: received.get(id) }),
  async history(groupID) {
    const { data } = await chat.getMessageList({ conversationID: 'GROUP' + groupID });
    return data.messageList.map(message);
  },
  /** As if the network went away. */
  cut() { for (const socket of sockets) socket.terminate(); },
};

async function answer({ id, call, args = [] }) {
  try {
    const method = own[call] ?? chat[call];
    if (typeof method !== 'function') throw new Error(`the SDK has no ${call}`);
    const result = await method.apply(chat, args);
    say({ id, result: result === undefined ? null : result });
  } catch (error) {
    if (error?.code === undefined) return say({ id, thrown: String(error?.stack ?? error) });
    say({ id, result: { refused: { code: error.code, message: error.message } } });
  }
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => void answer(JSON.parse(line)))
  .on('close', () => process.exit(0));
