// Three pages side by side in a headless Chromium, each with the web SDK of another vendor on it: lines of JSON in and out
// as the other drivers have them, where the `client` is the page: agora, tencent or rong. `look` returns what a page shows,
// and `shot` saves a picture of all three.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { createRequire } = require('node:module');
const { open } = require('../chromium.cjs');

// the folders of the packages, and the browser
const [, , agora, tencent, rong, executablePath] = process.argv;
const { chromium } = createRequire(rong + '/package.json')('playwright-core');
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

const SIZE = { width: 1020, height: 400 };
const STYLE = `
  body { margin: 0; font: 14px/1.4 sans-serif; background: #fff; color: #222; }
  header { padding: 8px 12px; color: #fff; background: var(--of); }
  header b { display: block; font-size: 15px; }
  header span { font-size: 12px; opacity: .9; }
  ul { list-style: none; margin: 0; padding: 8px 12px; }
  li { margin: 0 0 6px; }
  li b { color: var(--of); }
  li.tip { color: #666; font-size: 12px; font-style: italic; }
  li.gone { color: #999; text-decoration: line-through; }
  img { display: block; height: 48px; border-radius: 4px; }`;

/** What the app of each page does: it shows messages, and what becomes of them, by the id that the SDK has for each. */
const APP = `
  const shown = new Map();
  const line = (kind, id) => {
    const item = document.createElement('li');
    item.className = kind;
    document.querySelector('ul').append(item);
    if (id) shown.set(id, item);
    return item;
  };
  window.tip = (text) => { line('tip').textContent = text; };
  const fill = (item, from, text, url) => {
    item.replaceChildren(Object.assign(document.createElement('b'), { textContent: from + ': ' }), text);
    if (url) item.append(Object.assign(document.createElement('img'), { src: url }));
  };
  window.message = (id, from, text, url) => fill(shown.get(id) ?? line('message', id), from, text, url);
  window.gone = (id) => { shown.get(id)?.classList.add('gone'); };
  window.look = async () => {
    const pictures = [...document.images];
    await Promise.all(pictures.map((one) => one.complete || new Promise((done) => { one.onload = one.onerror = done; })));
    return [...document.querySelectorAll('li')].map((item) => (item.classList.contains('gone') ? '(recalled) ' : '') + item.textContent
      + [...item.querySelectorAll('img')].map((one) => '[' + one.naturalWidth + ' x ' + one.naturalHeight + ']').join(''));
  };`;

const page = (colour, vendor, sdk, user, script) => `<!doctype html><meta charset="utf-8"><title>${vendor}</title>
<style>:root { --of: ${colour}; }${STYLE}</style>
<header><b>${vendor}: ${user}</b><span>${sdk}</span></header><ul></ul>
<script>${APP}</script>
${script}`;

const AGORA = page('#0a66c2', 'Agora Chat', 'agora-chat 1.4.0', 'ann', `<script src="/agora.js"></script>
<script>
  const WebIM = window.websdk.default ?? window.websdk;
  WebIM.logger.disableAll?.();
  let connection;
  const own = {
    start(options) {
      connection = new WebIM.connection({ isHttpDNS: false, ...options });
      connection.addEventHandler('app', {
        onConnected: () => { window.connected = true; },
        onGroupEvent: (event) => tip(event.operation + (event.userId ? ': ' + event.userId : '') + (event.name ? ' ' + event.name : '')),
        onTextMessage: ({ id, from, msg }) => message(id, from, msg),
        onImageMessage: ({ id, from, url }) => message(id, from, '', url),
        onModifiedMessage: ({ id, from, msg }) => message(id, from, msg + ' (edited)'),
        onRecallMessage: ({ mid }) => gone(mid),
      });
    },
    async open(user) {
      await connection.open(user);
      while (!window.connected) await new Promise((later) => setTimeout(later, 10));
    },
    async send(options, from) {
      const { serverMsgId } = await connection.send(WebIM.message.create(options));
      message(serverMsgId, from, options.msg ?? '', options.url);
      return serverMsgId;
    },
  };
  window.perform = async (call, args) => {
    try {
      return await (own[call] ?? connection[call].bind(connection))(...args);
    } catch (error) {
      if (error?.type === undefined) throw error;
      tip('refused: ' + error.type);
      return { refused: { type: error.type } };
    }
  };
  window.ready = true;
</script>`);

const TENCENT = page('#00875a', 'Tencent Chat', '@tencentcloud/chat 3.6.6', 'tim', `<script src="/tencent.js"></script>
<script>
  const TIPS = { 1: 'joined', 2: 'left', 3: 'was removed', 4: 'is an admin', 5: 'is no admin', 6: 'group changed', 7: 'muted or unmuted' };
  let chat;
  const known = new Map();
  const show = (one) => {
    known.set(one.ID, one);
    const { payload } = one;
    if (one.type === 'TIMTextElem') message(one.ID, one.from, payload.text + (one.version ? ' (edited)' : ''));
    // the SDK asks for every picture by https, which the page's own server does not have
    else if (one.type === 'TIMImageElem') message(one.ID, one.from, '', payload.imageInfoArray[0].imageUrl.replace(/^https/, 'http'));
    else if (one.type === 'TIMGroupTipElem') {
      tip(TIPS[payload.operationType] + ': ' + (payload.newGroupProfile?.groupName ?? (payload.userIDList ?? []).join(', ')));
    } else if (one.type === 'TIMGroupSystemNoticeElem') tip('notice ' + payload.operationType + ': ' + (payload.groupProfile.name ?? ''));
  };
  const own = {
    create(options) {
      chat = TencentCloudChat.create(options);
      chat.setLogLevel(4);
      chat.on(TencentCloudChat.EVENT.SDK_READY, () => { window.connected = true; });
      chat.on(TencentCloudChat.EVENT.MESSAGE_RECEIVED, ({ data }) => data.forEach(show));
      chat.on(TencentCloudChat.EVENT.MESSAGE_MODIFIED, ({ data }) => data.forEach(show));
      chat.on(TencentCloudChat.EVENT.MESSAGE_REVOKED, ({ data }) => data.forEach(({ ID }) => gone(ID)));
    },
    async login(user) {
      await chat.login(user);
      while (!window.connected) await new Promise((later) => setTimeout(later, 10));
    },
    async sendText(groupID, text) {
      const { data } = await chat.sendMessage(chat.createTextMessage({ to: groupID, conversationType: 'GROUP', payload: { text } }));
      show(data.message);
      return data.message.ID;
    },
    async edit(id, text) {
      const one = known.get(id);
      one.payload.text = text;
      show((await chat.modifyMessage(one)).data.message);
    },
    async recall(id) { await chat.revokeMessage(known.get(id)); gone(id); },
  };
  window.perform = async (call, args) => {
    try {
      const answer = await (own[call] ?? chat[call].bind(chat))(...args);
      return answer?.data ? null : answer ?? null;
    } catch (error) {
      if (error?.code === undefined) throw error;
      tip('refused: ' + error.code);
      return { refused: { code: error.code } };
    }
  };
  window.ready = true;
</script>`);

const RONG = page('#a03c00', 'RongCloud', '@rongcloud/imlib-next 5.38.0', 'ron', `
<script type="importmap">{"imports": {"@rongcloud/engine": "/engine.mjs", "@rongcloud/imlib-next": "/imlib.mjs"}}</script>
<script type="module">
  import * as RongIMLib from '@rongcloud/imlib-next';
  const OPERATIONS = ['created', 'joined', 'was removed', 'left', 'dismissed', 'is a manager', 'is no manager', 'is the owner'];
  const show = ({ messageUId, senderUserId, messageType, content, isModifyMessage }) => {
    if (messageType === 'RC:TxtMsg') message(messageUId, senderUserId, content.content + (isModifyMessage ? ' (edited)' : ''));
    else if (messageType === 'RC:ImgMsg') message(messageUId, senderUserId, '', content.imageUri);
    else if (messageType === 'RC:RcCmd') gone(content.messageUId);
  };
  const own = {
    init(options) {
      RongIMLib.init({ logLevel: 4, ...options });
      const { Events } = RongIMLib;
      const on = (event, listener) => RongIMLib.addEventListener(event, listener);
      on(Events.PULL_OFFLINE_MESSAGE_FINISHED, () => { window.connected = true; });
      on(Events.MESSAGES, ({ messages }) => messages.forEach(show));
      on(Events.MESSAGE_MODIFIED, (messages) => messages.forEach(show));
      on(Events.GROUP_OPERATION, ({ operation, memberInfos }) => tip(OPERATIONS[operation] + ': ' + (memberInfos ?? []).map(({ userId }) => userId).join(', ')));
      on(Events.GROUP_INFO_CHANGED, ({ changedGroupInfo }) => tip('group changed: ' + (changedGroupInfo.groupName ?? '')));
    },
    async connect(token) {
      await RongIMLib.connect(token);
      while (!window.connected) await new Promise((later) => setTimeout(later, 10));
    },
    async send(groupId, text, imageUri) {
      const content = imageUri ? new RongIMLib.ImageMessage({ content: '', imageUri }) : new RongIMLib.TextMessage({ content: text });
      const { code, data } = await RongIMLib.sendMessage({ conversationType: 3, targetId: groupId }, content);
      if (code !== 0) { tip('refused: ' + code); return { refused: { code } }; }
      show(data);
      return data.messageUId;
    },
  };
  window.perform = async (call, args) => JSON.parse(JSON.stringify((await (own[call] ?? RongIMLib[call])(...args)) ?? null));
  window.ready = true;
</script>`);

const SIDES = ['agora', 'tencent', 'rong'];
const OUTER = `<!doctype html><title>one group</title><style>
  body { margin: 0; display: flex; gap: 6px; background: #ccc; } iframe { flex: 1; height: ${SIZE.height}px; border: 0; }</style>
${SIDES.map((side) => `<iframe name="${side}" src="/${side}"></iframe>`).join('')}
<script>
  const wait = () => { window.ready = ${JSON.stringify(SIDES)}.every((side) => frames[side]?.ready); if (!window.ready) setTimeout(wait, 20); };
  wait();
</script>`;

// a small picture, of 64 x 40 points
const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAEAAAAAoCAIAAADBrGu+AAAA2UlEQVR42tXCDUcDAQCA4fcnJkmSJKlMH9e2rm1d27q2dW3r2ta1MpWIiIiIiIiIiIiIfky/4308jA3/1Bk/+VVnIvtRZ/L4W52pwZc60/1PdWZ6H+rMHr2rM5e+qTN/+KrOQvdFncXOszrL7Sd1cgeP6qwkD+qs7d+rE7Tu1Mk3b9UpNm7UCfeu1SnFV+pUdi/Uieojdaq1U3Xq1UydeKevTiNK1Wltd9RJKok67XJTnW4pVifdqqnTCyN1BptldbJiqM6wUFDnLB+oM9pYVec8yKlzub6k/g9bvw7xyDIgJQAAAABJRU5ErkJggg==';

const installed = (folder, name) => fs.readFileSync(path.join(folder, 'node_modules', name));
const files = {
  '/': ['text/html', OUTER],
  '/agora': ['text/html', AGORA],
  '/tencent': ['text/html', TENCENT],
  '/rong': ['text/html', RONG],
  '/agora.js': ['text/javascript', installed(agora, 'agora-chat/Agora-chat.js')],
  '/tencent.js': ['text/javascript', installed(tencent, '@tencentcloud/chat/index.js')],
  '/engine.mjs': ['text/javascript', installed(rong, '@rongcloud/engine/index.mjs')],
  '/imlib.mjs': ['text/javascript', installed(rong, '@rongcloud/imlib-next/index.mjs')],
  '/picture.png': ['image/png', Buffer.from(PICTURE, 'base64')],
};

async function main() {
  const prepare = async (outer) => {
    await outer.setViewportSize(SIZE);
    outer.on('pageerror', (error) => say({ event: 'UNHANDLED_REJECTION', data: String(error) }));
  };
  const { page: outer, end } = await open({ chromium, executablePath, files, prepare });

  const perform = async ({ client, call, args = [] }) => {
    if (call === 'shot') return void await outer.screenshot({ path: args[0] });
    if (call === 'address') return outer.url();
    const side = outer.frame({ name: client });
    if (call === 'look') return side.evaluate(() => window.look());
    return side.evaluate(([name, given]) => window.perform(name, given), [call, args]);
  };
  readline.createInterface({ input: process.stdin })
    .on('line', async (line) => {
      const asked = JSON.parse(line);
      try {
        say({ id: asked.id, result: (await perform(asked)) ?? null });
      } catch (error) {
        say({ id: asked.id, thrown: String(error?.stack ?? error) });
      }
    })
    .on('close', () => void end());
}

main().catch((error) => {
  process.stderr.write(String(error?.stack ?? error) + '\n');
  process.exit(1);
});
