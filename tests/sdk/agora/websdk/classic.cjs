// easemob-websdk (npm) of 2021 (its package is the argument): the group calls by the names they had then, over HTTP, each
// with its user's own token. It finds a page around it; nothing of the SDK is changed.

const assert = require('node:assert/strict');
const { report, pause, setting } = require('../../reporting.cjs');

require('./page.cjs');

const { default: WebIM } = require(process.argv[2]);
WebIM.logger.disableAll();

const app = { appKey: setting('AGORA_APPKEY'), apiUrl: setting('AGORA_API_URL') };

/// A user, registered and with a token.
async function person(username) {
  const connection = new WebIM.connection({ ...app, url: setting('AGORA_WS_URL'), isHttpDNS: false });
  connection.listen({});
  await report(`register ${username}`, new Promise((success, error) => {
    connection.registerUser({ ...app, username, password: 'secret', nickname: username, success, error });
  }));
  await new Promise((success, error) => connection.open({ ...app, user: username, pwd: 'secret', success, error }));
  assert.ok(connection.token, `${username} gets a token`);
  return connection;
}

/// Reports the data of a call's response. This SDK needs callbacks, too.
const does = async (step, connection, method, given) => {
  const called = connection[method]({ success() {}, error() {}, ...given });
  return report(step, called.then(({ data, entities }) => data ?? entities ?? null));
};
const refused = (step, connection, method, given) => {
  const called = connection[method]({ success() {}, error() {}, ...given });
  return report(step, called.then(
    (answer) => { throw new Error(`${step} was answered: ${JSON.stringify(answer)}`); },
    ({ type, data }) => ({ type, data }),
  ));
};
const quiet = async (connection, method, given) => (await connection[method]({ success() {}, error() {}, ...given })).data;
const memberIds = async (connection, group) => {
  const members = await quiet(connection, 'listGroupMember', { ...group, pageNum: 1, pageSize: 10 });
  return members.map((one) => one.member ?? one.owner).sort();
};

async function membership(sea, sky, sun) {
  const data = { groupname: 'Wetter', desc: 'all kinds', members: ['sky'], public: true, approval: true,
    allowinvites: false, inviteNeedConfirm: false };
  const groupId = (await does('create', sea, 'createGroupNew', { data })).groupid;
  const group = { groupId };
  await does('modify', sea, 'modifyGroup', { ...group, groupName: 'Weather', description: 'all of it' });
  const [info] = await does('info', sky, 'getGroupInfo', group);
  assert.deepEqual([info.name, info.description, info.owner, info.affiliations_count], ['Weather', 'all of it', 'sea', 2]);
  const open = await does('public groups', sun, 'listGroups', { limit: 10 });
  assert.deepEqual(open.map((one) => one.groupid), [groupId]);

  await does('ask to join', sun, 'joinGroup', { ...group, message: 'please' });
  await does('refuse', sea, 'rejectJoinGroup', { ...group, applicant: 'sun', reason: 'not now' });
  assert.deepEqual(await memberIds(sea, group), ['sea', 'sky']);
  await does('ask again', sun, 'joinGroup', { ...group, message: 'please' });
  await does('let in', sea, 'agreeJoinGroup', { ...group, applicant: 'sun' });
  assert.deepEqual(await memberIds(sea, group), ['sea', 'sky', 'sun']);
  await does('leave', sun, 'quitGroup', group);
  await does('invite', sea, 'inviteToGroup', { ...group, users: ['sun'] });
  assert.deepEqual(await memberIds(sea, group), ['sea', 'sky', 'sun']);
  const joined = await does('joined', sun, 'getGroup', {});
  assert.deepEqual(joined.map((one) => [one.groupid, one.groupname]), [[groupId, 'Weather']]);
  return group;
}

/// A group whose invitees are asked.
async function invitations(sea, sky, sun) {
  const data = { groupname: 'Asked', desc: '', members: [], public: false, approval: true, allowinvites: true,
    inviteNeedConfirm: true };
  const group = { groupId: (await does('create one that asks', sea, 'createGroupNew', { data })).groupid };
  await does('ask both', sea, 'inviteToGroup', { ...group, users: ['sky', 'sun'] });
  assert.deepEqual(await memberIds(sea, group), ['sea']);
  await does('accept', sky, 'agreeInviteIntoGroup', { ...group, invitee: 'sky' });
  await does('decline', sun, 'rejectInviteIntoGroup', { ...group, invitee: 'sun' });
  assert.deepEqual(await memberIds(sea, group), ['sea', 'sky']);
}

async function moderation(group, sea, sky) {
  await does('an admin', sea, 'setAdmin', { ...group, username: 'sky' });
  assert.deepEqual(await does('admins', sea, 'getGroupAdmin', group), ['sky']);
  await does('no admin', sea, 'removeAdmin', { ...group, username: 'sky' });
  assert.deepEqual(await quiet(sea, 'getGroupAdmin', group), []);
  await does('an admin again', sea, 'setAdmin', { ...group, username: 'sky' });

  const mute = { ...group, username: 'sun', muteDuration: 3600000 };
  await does('mute', sky, 'mute', mute);
  assert.deepEqual((await does('muted', sea, 'getMuted', group)).map((one) => one.user), ['sun']);
  await does('unmute', sky, 'removeMute', { ...group, username: 'sun' });
  assert.deepEqual(await quiet(sea, 'getMuted', group), []);
  await does('mute again', sea, 'mute', mute);
  await does('mute all', sea, 'disableSendGroupMsg', group);
  await does('unmute all', sea, 'enableSendGroupMsg', group);

  await does('allow', sea, 'addUsersToGroupWhitelist', { ...group, users: ['sun'] });
  assert.ok((await does('allowed', sea, 'getGroupWhitelist', group)).includes('sun'));
  assert.equal((await does('is allowed', sea, 'isGroupWhiteUser', { ...group, userName: 'sun' })).white, true);
  await does('disallow', sea, 'rmUsersFromGroupWhitelist', { ...group, userName: 'sun' });
  assert.ok(!(await quiet(sea, 'getGroupWhitelist', group)).includes('sun'));

  await does('invite to block', sea, 'inviteToGroup', { ...group, users: ['rain'] });
  await does('block', sea, 'groupBlockSingle', { ...group, username: 'rain' });
  assert.deepEqual(await does('blocked', sea, 'getGroupBlacklistNew', group), ['rain']);
  await does('unblock', sea, 'removeGroupBlockSingle', { ...group, username: 'rain' });
  await does('invite the rain', sea, 'inviteToGroup', { ...group, users: ['rain'] });
  await does('block several', sea, 'groupBlockMulti', { ...group, usernames: ['rain'] });
  await does('unblock several', sea, 'removeGroupBlockMulti', { ...group, usernames: ['rain'] });
  assert.deepEqual(await quiet(sea, 'getGroupBlacklistNew', group), []);
}

async function texts(group, sea, sun) {
  await does('announce', sea, 'updateGroupAnnouncement', { ...group, announcement: 'sunny & 晴' });
  assert.equal((await does('announcement', sun, 'fetchGroupAnnouncement', group)).announcement, 'sunny & 晴');
  assert.deepEqual(await does('files', sun, 'fetchGroupSharedFileList', group), []);
  await does('no push of this group', sun, 'blockGroup', group);
}

async function leaving(group, sea) {
  await does('invite both', sea, 'inviteToGroup', { ...group, users: ['rain', 'hail'] });
  await does('remove', sea, 'removeSingleGroupMember', { ...group, username: 'rain' });
  await does('remove several', sea, 'removeMultiGroupMember', { ...group, users: ['hail'] });
  assert.deepEqual(await memberIds(sea, group), ['sea', 'sky', 'sun']);
}

async function main() {
  const [sea, sky, sun] = [await person('sea'), await person('sky'), await person('sun')];
  for (const user of ['rain', 'hail']) await person(user);
  const group = await membership(sea, sky, sun);
  await invitations(sea, sky, sun);
  await moderation(group, sea, sky);
  await texts(group, sea, sun);
  await leaving(group, sea);
  await report('group', Promise.resolve(group.groupId));
  pause('built');
  await refused('end what is not mine', sun, 'dissolveGroup', group);
  await does('end', sea, 'dissolveGroup', group);
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
