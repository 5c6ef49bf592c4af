// Drives one user of one of Tencent's own Web SDKs, unmodified: lines of JSON in, lines of JSON out.
//
//   in:  {"id": 1, "call": "createGroup", "args": [...]}
//   out: {"id": 1, "result": ...} or {"id": 1, "result": {"refused": {"code", "message"}}}, and {"event": "...", "data": ...}
//
// The SDK is one of a kind in its process, so each user has a process of their own. Node.js 20 has no WebSocket, so one
// is given, and older SDKs find what they touch of a browser; nothing of an SDK itself is changed.
'use strict';

const readline = require('node:readline');
const { createRequire } = require('node:module');
const { gunzipSync } = require('node:zlib');

// the folder of the packages, the SDK's package, and for an SDK whose host is a constant where that host is mapped to
const [, , modules, name = '@tencentcloud/chat', mapped] = process.argv;
const load = createRequire(modules + '/package.json');

// the network of this client: its connections, how many requests of which command it sent, and what it does to them
const sockets = [];
const sent = [];
let cutAt;
let isDeaf = false;
const { WebSocket } = load('ws');
const asText = (data) => (typeof data === 'string' ? data : Buffer.from(data.buffer ?? data, data.byteOffset, data.byteLength).toString());
/** A frame of the gateway: text, or the mark of a compressed one and a gzip stream. */
const unpacked = (frame) => {
  const isCompressed = frame.subarray(0, 4).toString() === 'COMP';
  if (isCompressed) compressed += 1;
  return (isCompressed ? gunzipSync(frame.subarray(4)) : frame).toString();
};
let compressed = 0;
globalThis.WebSocket = class extends WebSocket {
  constructor(url, ...rest) {
    super(mapped ? mapped + new URL(url).pathname + new URL(url).search : url, ...rest);
    sockets.push(this);
    this.addEventListener('message', (event) => {
      const { head, body } = JSON.parse(unpacked(Buffer.from(event.data)));
      if (head.servcmd === 'openim.getmsg') say({ event: 'FETCHED', data: body });
    });
  }
  set onmessage(listen) {
    super.onmessage = (event) => {
      const isPush = isDeaf && JSON.parse(unpacked(Buffer.from(event.data))).head.servcmd === 'im_open_push.msg_push';
      if (!isPush) listen.call(this, event);
    };
  }
  get onmessage() { return super.onmessage; }
  send(data, ...rest) {
    const command = JSON.parse(asText(data)).head.servcmd;
    sent.push(command);
    super.send(data, ...rest);
    // the request reaches the gateway, and the answer does not come back
    if (cutAt && command.endsWith('.' + cutAt)) { cutAt = undefined; setImmediate(() => this.terminate()); }
  }
};
if (name !== '@tencentcloud/chat') {
  const none = () => {};
  const storage = new Map();
  globalThis.window = globalThis;
  globalThis.document = { addEventListener: none, removeEventListener: none, createElement: () => ({}), hidden: false, charset: 'utf-8', characterSet: 'utf-8' };
  globalThis.location = { protocol: 'http:', host: 'localhost', hostname: 'localhost', href: 'http://localhost/', origin: 'http://localhost' };
  globalThis.navigator ??= { userAgent: 'node', platform: 'node', language: 'en' };
  globalThis.addEventListener ??= none;
  globalThis.removeEventListener ??= none;
  globalThis.localStorage = {
    getItem: (key) => storage.get(key) ?? null, setItem: (key, value) => storage.set(key, value),
    removeItem: (key) => storage.delete(key), clear: () => storage.clear(),
  };
}

const stdout = process.stdout.write.bind(process.stdout);
const say = (line) => stdout(JSON.stringify(line) + '\n');
// the SDK's own log does not belong between the lines
for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = (...args) => process.stderr.write(args.join(' ') + '\n');
process.on('unhandledRejection', (error) => say({ event: 'UNHANDLED_REJECTION', data: String(error?.stack ?? error) }));

const loaded = load(name);
const Sdk = loaded.default ?? loaded;
let chat;
const received = new Map();

const FIELDS = ['ID', 'type', 'conversationID', 'from', 'to', 'flow', 'sequence', 'nick', 'avatar', 'nameCard', 'payload', 'isRevoked', 'cloudCustomData'];
const message = (whole) => ({
  ...Object.fromEntries(FIELDS.map((field) => [field, whole[field]])),
  // of messages that mention somebody
  ...(whole.atUserList?.length ? { atUserList: whole.atUserList } : {}),
});
const MESSAGES = ['MESSAGE_RECEIVED', 'MESSAGE_REVOKED', 'MESSAGE_MODIFIED'];

const known = (id) => received.get(id) ?? chat.findMessage?.(id);

/** The text of a message that is mentioned in others, and what makes it. */
const made = (kind, groupID, payload, more) =>
  chat[`create${kind}Message`]({ to: groupID, conversationType: 'GROUP', payload, ...more });

const own = {
  create(options) {
    chat = Sdk.create(options);
    chat.setLogLevel?.(4);
    for (const [event, code] of Object.entries(Sdk.EVENT)) {
      chat.on(code, ({ data }) => {
        const messages = MESSAGES.includes(event);
        if (messages) for (const one of data) received.set(one.ID, one);
        const isPin = event === 'PINNED_GROUP_MESSAGE_UPDATED';
        if (isPin) return say({ event, data: { ...data, message: { ID: data.message.ID, payload: data.message.payload } } });
        say({ event, data: messages ? data.map(message) : data });
      });
    }
  },
  /** Sends a text into a group. */
  sendText: (groupID, text) => own.send('Text', groupID, { text }),
  /** Sends a message of some kind. */
  async send(kind, groupID, payload, more, options) {
    const { data } = await chat.sendMessage(made(kind, groupID, payload, more), options);
    received.set(data.message.ID, data.message);
    return message(data.message);
  },
  /** Decides an application that came as a notice. */
  handleNotice: (id, options) => chat.handleGroupApplication({ ...options, message: known(id) }),
  async history(groupID) {
    const { data } = await chat.getMessageList({ conversationID: 'GROUP' + groupID });
    for (const one of data.messageList) received.set(one.ID, one);
    return data.messageList.map(message);
  },
  /** A page of the history from a number, 0 towards older messages and 1 towards newer ones. */
  async hop(groupID, sequence, direction, count) {
    const { data } = await chat.getMessageListHopping({ conversationID: 'GROUP' + groupID, sequence, direction, count });
    return data.messageList.map(message);
  },
  /** Decides a user's application to join a group. */
  async decideApplication(groupID, userID, handleAction) {
    const { data } = await chat.getGroupApplicationList();
    const application = data.applicationList.find((one) => one.groupID === groupID && one.applicant === userID);
    return chat.handleGroupApplication({ handleAction, application });
  },
  /** The user's latest invitation to a group, from its notice. */
  async decideInvitation(groupID, handleAction) {
    const isInvitation = ({ type, payload }) =>
      type === 'TIMGroupSystemNoticeElem' && payload.groupProfile?.groupID === groupID && payload.authentication;
    const message = [...received.values()].filter(isInvitation).at(-1);
    return chat.callExperimentalAPI('handleGroupInvitation', { message, handleAction });
  },
  recall: async (id) => message((await chat.revokeMessage(known(id))).data.message),
  async edit(id, text) {
    const one = known(id);
    one.payload.text = text;
    return message((await chat.modifyMessage(one)).data.message);
  },
  extend: async (id, pairs) => (await chat.setMessageExtensions(known(id), pairs)).data,
  shrink: async (id, keys) => (await chat.deleteMessageExtensions(known(id), keys)).data,
  extensions: async (id) => (await chat.getMessageExtensions(known(id))).data,
  readReceipt: (ids) => chat.sendMessageReadReceipt(ids.map(known)),
  async receipts(ids) {
    const { data } = await chat.getMessageReadReceiptList(ids.map(known));
    return data.messageList.map((one) => one.readReceiptInfo);
  },
  readers: async (id, filter) => (await chat.getGroupMessageReadMemberList({ message: known(id), filter, cursor: '', count: 10 })).data,
  pin: (groupID, id, isPinned) => chat.pinGroupMessage({ groupID, message: known(id), isPinned }),
  async pinned(groupID) {
    const { data } = await chat.getPinnedGroupMessageList(groupID);
    return data.messageList.map((one) => ({ ...message(one), pinnerInfo: one.pinnerInfo }));
  },
  /** Several messages as one. */
  async merge(groupID, ids) {
    const payload = { messageList: ids.map(known), title: 'history', abstractList: ['one', 'two'], compatibleText: 'please update' };
    const { data } = await chat.sendMessage(chat.createMergerMessage({ to: groupID, conversationType: 'GROUP', payload }));
    received.set(data.message.ID, data.message);
    return message(data.message);
  },
  /** A message once more. */
  async forward(groupID, id) {
    const one = chat.createForwardMessage({ to: groupID, conversationType: 'GROUP', payload: known(id) });
    const { data } = await chat.sendMessage(one);
    return message(data.message);
  },
  /** A message with a file of this client. */
  async upload(groupID) {
    chat.registerPlugin({ 'tim-upload-plugin': class { uploadFile(_, done) { done(new Error('nothing is uploaded')); } static getVersion() { return '1.0.0'; } } });
    // as a file input of a page has it
    const file = { files: [{ name: 'a.txt', size: 3, type: 'text/plain' }] };
    const one = chat.createFileMessage({ to: groupID, conversationType: 'GROUP', payload: { file }, onProgress() {} });
    return message((await chat.sendMessage(one)).data.message);
  },
  /** The messages in a merged one. */
  merged: (id) => known(id).payload.messageList.map(({ from, messageBody }) => ({ from, messageBody })),
  async conversations() {
    const { data } = await chat.getConversationList();
    return data.conversationList.map(({ conversationID, unreadCount, lastMessage, messageRemindType, groupAtInfoList, subType }) =>
      ({ conversationID, subType, unreadCount, last: lastMessage?.payload, lastSequence: lastMessage?.lastSequence, isRevoked: lastMessage?.isRevoked, messageRemindType, groupAtInfoList }));
  },
  total: () => chat.getTotalUnreadMessageCount(),
  /** As if the network went away. */
  cut() { for (const socket of sockets) socket.terminate(); },
  /** As if it went away when the next request of this command is on its way. */
  cutAt(command) { cutAt = command; },
  /** Pushes do not arrive any more. */
  deaf(is) { isDeaf = is; },
  /** How many frames came compressed. */
  compressed: () => compressed,
  /** Where it has connected to. */
  paths: () => sockets.map((socket) => new URL(socket.url).pathname),
  /** The commands that were sent, in their order. */
  sent: () => sent.splice(0),
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
