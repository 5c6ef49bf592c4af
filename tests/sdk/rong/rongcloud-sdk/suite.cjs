// rongcloud-sdk (npm; which version of it is the argument): every call on users, groups and group messages that the
// gateway serves.

const assert = require('node:assert/strict');
const { report, pause, setting } = require('../../reporting.cjs');

const { User, Group, Message } = require(process.argv[2])({
  appkey: setting('RONG_APPKEY'),
  secret: setting('RONG_APPSECRET'),
  api: setting('RONG_API'),
});

const ids = (...names) => names.map((id) => ({ id }));
const done = { code: 200 };

/// Reports a step that succeeded and has no result.
async function does(step, work) {
  assert.deepEqual(await report(step, work), done, step);
}

async function memberIds(group) {
  const { members } = await Group.get({ id: group });
  return members.map((member) => member.id).sort();
}

async function people() {
  for (const id of ['sea', 'sky', 'sun']) {
    const portrait = `http://pictures.example.com/${id}.png`;
    const value = await report(`register ${id}`, User.register({ id, name: `Name of ${id}`, portrait }));
    assert.equal(value.code, 200);
    assert.equal(value.userId, id);
    assert.ok(value.token.length > 20, 'a token');
  }
  await does('update', User.update({ id: 'sea', name: '大海', portrait: 'http://pictures.example.com/new.png' }));
}

async function membership() {
  await does('create', Group.create({ id: 'water', name: '水 & Wasser = water', members: ids('sea', 'sky') }));
  assert.deepEqual(await memberIds('water'), ['sea', 'sky']);
  await does('join', Group.join({ id: 'water', name: 'Water', member: { id: 'sun' } }));
  await does('update the group', Group.update({ id: 'water', name: 'Water & more' }));
  const got = await report('get', Group.get({ id: 'water' }));
  assert.deepEqual(got.members.map((member) => member.id), ['sea', 'sky', 'sun'], 'in the order of joining');
  await does('quit', Group.quit({ id: 'water', member: { id: 'sky' } }));
  assert.deepEqual(await memberIds('water'), ['sea', 'sun']);
  const groups = [{ id: 'water', name: 'Water & more' }, { id: 'fire', name: 'Fire' }];
  await does('sync', Group.sync({ id: 'sky', groups }));
  assert.deepEqual(await memberIds('water'), ['sea', 'sky', 'sun']);
  assert.deepEqual(await memberIds('fire'), ['sky']);
}

async function moderation() {
  const { Gag, Mute } = Group;
  // an older version has only the first
  for (const [name, list] of [['gag', Gag], ['mute', Mute?.Member]].filter(([, list]) => list)) {
    await does(`${name} add`, list.add({ id: 'water', members: ids('sea', 'sun'), minute: 50 }));
    const muted = await report(`${name} list`, list.getList({ id: 'water' }));
    assert.deepEqual(muted.members.map((member) => member.id).sort(), ['sea', 'sun']);
    await does(`${name} remove`, list.remove({ id: 'water', members: ids('sea', 'sun') }));
    assert.deepEqual((await list.getList({ id: 'water' })).members, []);
  }
  await does('mute for long', (Mute?.Member ?? Gag).add({ id: 'water', members: ids('sun'), minute: 43200 }));
  if (!Mute) return;

  await does('mute all', Mute.All.add({ groups: ids('water', 'fire') }));
  await does('unmute all', Mute.All.remove({ groups: ids('fire') }));
  const all = await report('mute all list', Mute.All.getList());
  assert.deepEqual(all.groups, [{ id: 'water', isMuted: 1 }]);

  await does('allow', Mute.Whitelist.add({ id: 'water', members: ids('sky', 'sea') }));
  await does('disallow', Mute.Whitelist.remove({ id: 'water', members: ids('sky') }));
  const allowed = await report('allow list', Mute.Whitelist.getList({ id: 'water' }));
  assert.deepEqual(allowed.members, ids('sea'));
}

async function messages() {
  const content = { content: '你好 & hello', extra: '' };
  const plain = { senderId: 'sea', targetId: 'water', objectName: 'RC:TxtMsg', content };
  assert.equal((await report('send', Message.Group.send(plain))).code, 200);
  const mentionedInfo = { type: 2, userIds: ['sky'], pushContent: 'look' };
  const mention = { ...plain, content: { content: '@sky look', mentionedInfo }, type: 2, userIds: ['sky'] };
  assert.equal((await report('mention', Message.Group.sendMention(mention))).code, 200);

  const { messageUIDs } = await Message.Group.send({ ...plain, content: { content: 'no' } });
  const sent = { senderId: 'sea', targetId: 'water', uId: messageUIDs[0].messageUID, sentTime: Date.now() };
  const foreign = await report('recall what another said', Message.Group.recall({ ...sent, senderId: 'sky' }));
  assert.equal(foreign.code, 1002);
  await does('recall', Message.Group.recall(sent));
}

async function refusals() {
  // the SDK answers with the error instead of throwing it
  const gone = await report('get a group that is not there', Group.get({ id: 'nowhere' }));
  assert.deepEqual({ code: gone.code, members: gone.members }, { code: 200, members: [] });
  const long = await report('mute for too long', request('group/user/gag/add', { groupId: 'water', userId: 'sea', minute: 43201 }));
  assert.equal(long.code, 1002);
}

/// Past the SDK's own checks, through the SDK's own sender.
async function request(url, data) {
  const { request } = require(`${process.argv[2]}/lib/request`);
  return request({ url, data }).then((answer) => answer.text, (error) => JSON.parse(error.response.text));
}

async function main() {
  await people();
  await membership();
  await moderation();
  await messages();
  await refusals();
  pause('built');
  await does('dismiss', Group.dismiss({ id: 'fire', member: { id: 'sky' } }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
