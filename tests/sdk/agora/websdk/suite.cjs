// The web SDKs, easemob-websdk and agora-chat (npm; which of them is the argument), of today and older: the group calls
// that they make over HTTP, each with its user's own token. They find a page around them; nothing of the SDK is changed.

const assert = require('node:assert/strict');
const { report, pause, setting } = require('../../reporting.cjs');

require('./page.cjs');

const sdk = require(process.argv[2]);
const WebIM = sdk.default ?? sdk;
WebIM.logger.disableAll();

/// A user, registered and with a token.
async function person(user) {
  const connection = new WebIM.connection({
    appKey: setting('AGORA_APPKEY'),
    apiUrl: setting('AGORA_API_URL'),
    url: setting('AGORA_WS_URL'),
    isHttpDNS: false,
  });
  await report(`register ${user}`, connection.registerUser({ username: user, password: 'secret', nickname: user }));
  connection.open({ user, pwd: 'secret' }).catch(() => {});
  for (let tries = 0; !connection.token; tries += 1) {
    assert.ok(tries < 500, `${user} gets no token`);
    await new Promise((later) => setTimeout(later, 10));
  }
  return connection;
}

/// What older versions do not have; what a suite drives is written down, so nothing falls out of here unseen.
const newer = async (connection, method, work) => {
  if (connection[method]) await work();
  else await report(`no ${method}`, null);
};
/// Who is in a group.
const memberIds = async (connection, group) => {
  const { data } = await connection.listGroupMembers({ ...group, pageNum: 1, pageSize: 10 });
  return data.map((one) => one.member ?? one.owner).sort();
};
/// Reports the data of a call's response.
const does = async (step, call) => (await report(step, call.then((answer) => answer?.data ?? answer?.entities ?? null)));
/// Reports how a call is refused.
const refused = (step, call) => report(step, call.then(
  (answer) => { throw new Error(`${step} was answered: ${JSON.stringify(answer)}`); },
  (error) => ({ type: error.type, message: error.message, data: error.data }),
));

async function membership(sea, sky, sun) {
  const data = { groupname: 'Wetter', desc: 'all kinds', members: ['sky'], public: true, approval: true,
    allowinvites: false, inviteNeedConfirm: false, maxusers: 50 };
  const groupId = (await does('create', sea.createGroup({ data }))).groupid;
  const group = { groupId };
  await does('modify', sea.modifyGroup({ ...group, groupName: 'Weather', description: 'all of it', ext: 'more' }));
  const [info] = await does('info', sky.getGroupInfo(group));
  assert.deepEqual([info.name, info.description, info.owner, info.affiliations_count], ['Weather', 'all of it', 'sea', 2]);
  const open = await does('public groups', sun.getPublicGroups({ limit: 10 }));
  assert.deepEqual(open.map((one) => one.groupid), [groupId]);

  await does('ask to join', sun.joinGroup({ ...group, message: 'please' }));
  await does('refuse', sea.rejectGroupJoinRequest({ ...group, applicant: 'sun', reason: 'not now' }));
  await does('ask again', sun.joinGroup({ ...group, message: 'please' }));
  await does('let in', sea.acceptGroupJoinRequest({ ...group, applicant: 'sun' }));
  const members = await does('members', sea.listGroupMembers({ ...group, pageNum: 1, pageSize: 10 }));
  assert.deepEqual(members.map((one) => one.member ?? one.owner).sort(), ['sea', 'sky', 'sun']);
  await does('leave', sun.leaveGroup(group));
  await does('invite', sea.inviteUsersToGroup({ ...group, users: ['sun'] }));
  assert.equal((await sea.listGroupMembers({ ...group, pageNum: 1, pageSize: 10 })).data.length, 3);

  const wanted = { pageNum: 0, pageSize: 10, needAffiliations: true, needRole: true };
  const joined = await does('joined', sky.getJoinedGroups(wanted));
  assert.deepEqual(joined.map((one) => one.groupId ?? one.groupid), [groupId]);
  const brief = await does('joined, in brief', sky.getJoinedGroups({ pageNum: 0, pageSize: 10 }));
  assert.deepEqual(brief.map((one) => [one.groupid, one.groupname]), [[groupId, 'Weather']]);
  await newer(sky, 'getJoinedGroupsCount', async () => {
    assert.equal(await does('joined, counted', sky.getJoinedGroupsCount()), 1);
  });
  return group;
}

/// A group whose invitees are asked.
async function invitations(sea, sky, sun) {
  const data = { groupname: 'Asked', desc: '', members: [], public: false, approval: true, allowinvites: true,
    inviteNeedConfirm: true, maxusers: 50 };
  const group = { groupId: (await does('create one that asks', sea.createGroup({ data }))).groupid };
  await does('ask both', sea.inviteUsersToGroup({ ...group, users: ['sky', 'sun'] }));
  assert.deepEqual(await memberIds(sea, group), ['sea']);
  await does('accept', sky.acceptGroupInvite({ ...group, invitee: 'sky' }));
  await does('decline', sun.rejectGroupInvite({ ...group, invitee: 'sun' }));
  assert.deepEqual(await memberIds(sea, group), ['sea', 'sky']);
  await refused('accept what was declined', sun.acceptGroupInvite({ ...group, invitee: 'sun' }));
  assert.deepEqual(await memberIds(sea, group), ['sea', 'sky']);
  return group;
}

/// What a connection asks about its user.
async function account(sea) {
  await newer(sea, 'getTokenExpireTimestamp', async () => {
    const expires = await report('expiry of a token', sea.getTokenExpireTimestamp(sea.token));
    assert.ok(expires.expire_timestamp > Date.now(), JSON.stringify(expires));
  });
  await report('a nickname', sea.updateCurrentUserNick('The sea & more'));
}

async function roles(group, sea, sky) {
  await does('make an admin', sea.setGroupAdmin({ ...group, username: 'sky' }));
  assert.deepEqual(await does('admins', sea.getGroupAdmin(group)), ['sky']);
  await does('no admin', sea.removeGroupAdmin({ ...group, username: 'sky' }));
  assert.deepEqual((await sea.getGroupAdmin(group)).data, []);
  await does('hand over', sea.changeGroupOwner({ ...group, newOwner: 'sky' }));
  assert.equal((await sea.getGroupInfo(group)).data[0].owner, 'sky');
  await refused('hand over what is not mine', sea.changeGroupOwner({ ...group, newOwner: 'sun' }));
  await does('hand back', sky.changeGroupOwner({ ...group, newOwner: 'sea' }));
  await does('an admin again', sea.setGroupAdmin({ ...group, username: 'sky' }));
}

async function moderation(group, sea, sun) {
  await does('mute', sea.muteGroupMember({ ...group, username: 'sun', muteDuration: 3600000 }));
  assert.deepEqual((await does('muted', sea.getGroupMutelist(group))).map((one) => one.user), ['sun']);
  await newer(sun, 'isInGroupMutelist', async () => {
    assert.equal(await does('am I muted', sun.isInGroupMutelist(group)), true);
  });
  await does('unmute', sea.unmuteGroupMember({ ...group, username: 'sun' }));
  assert.deepEqual((await sea.getGroupMutelist(group)).data, []);
  if (sun.isInGroupMutelist) {
    assert.equal((await sun.isInGroupMutelist(group)).data, false);
  }
  await does('mute again', sea.muteGroupMember({ ...group, username: 'sun', muteDuration: 3600000 }));
  await does('mute all', sea.disableSendGroupMsg(group));
  await does('unmute all', sea.enableSendGroupMsg(group));

  await does('allow', sea.addUsersToGroupAllowlist({ ...group, users: ['sun'] }));
  assert.ok((await does('allowed', sea.getGroupAllowlist(group))).includes('sun'));
  assert.equal((await does('am I allowed', sun.isInGroupAllowlist({ ...group, userName: 'sun' }))).white, true);
  await does('disallow', sea.removeGroupAllowlistMember({ ...group, userName: 'sun' }));
  assert.ok(!(await sea.getGroupAllowlist(group)).data.includes('sun'));

  await does('block', sea.blockGroupMember({ ...group, username: 'rain' }));
  assert.deepEqual(await does('blocked', sea.getGroupBlocklist(group)), ['rain']);
  await does('unblock', sea.unblockGroupMember({ ...group, username: 'rain' }));
  await does('invite the rain', sea.inviteUsersToGroup({ ...group, users: ['rain'] }));
  await does('block several', sea.blockGroupMembers({ ...group, usernames: ['rain'] }));
  await does('unblock several', sea.unblockGroupMembers({ ...group, usernames: ['rain'] }));
  assert.deepEqual((await sea.getGroupBlocklist(group)).data, []);
}

async function texts(group, sea, sun) {
  await does('announce', sea.updateGroupAnnouncement({ ...group, announcement: 'sunny & 晴' }));
  assert.equal((await does('announcement', sun.fetchGroupAnnouncement(group))).announcement, 'sunny & 晴');
  await newer(sun, 'setGroupMemberAttributes', () => attributes(group, sea, sun));
  await newer(sun, 'unblockGroupMessage', async () => {
    await does('shield', sun.blockGroupMessage(group));
    await does('unshield', sun.unblockGroupMessage(group));
  });
}

async function attributes(group, sea, sun) {
  const memberAttributes = { nick: 'Sunny', place: 'south' };
  await does('attributes', sun.setGroupMemberAttributes({ ...group, userId: 'sun', memberAttributes }));
  const own = await does('own attributes', sea.getGroupMemberAttributes({ ...group, userId: 'sun' }));
  assert.deepEqual(own, memberAttributes);
  const some = await does('some', sea.getGroupMembersAttributes({ ...group, userIds: ['sun'], keys: ['nick'] }));
  assert.deepEqual(some, { sun: { nick: 'Sunny' } });
  // error types by which the SDK distinguishes a limit, a missing right and an existing member from other refusals
  const type = async (step, call) => (await refused(step, call)).type;
  const place = (length) => ({ ...group, userId: 'sun', memberAttributes: { place: 'x'.repeat(length) } });
  assert.equal(await type('too long an attribute', sun.setGroupMemberAttributes(place(513))), 50);
  assert.equal(await type('the attributes of another', sun.setGroupMemberAttributes({ ...place(1), userId: 'sea' })), 52);
  assert.equal(await type('invite a member', sea.inviteUsersToGroup({ ...group, users: ['sun'] })), 601);
}

/// Who has read what sea has said elsewhere.
async function receipts(group, sea) {
  await newer(sea, 'getGroupMsgReadUser', async () => {
    const read = await does('who has read', sea.getGroupMsgReadUser({ ...group, msgId: pause('said') }));
    assert.deepEqual([read.userlist, read.total], [['sun'], 1]);
  });
}

async function leaving(group, sea) {
  await does('invite both', sea.inviteUsersToGroup({ ...group, users: ['rain', 'hail'] }));
  await does('remove', sea.removeGroupMember({ ...group, username: 'rain' }));
  await does('remove several', sea.removeGroupMembers({ ...group, users: ['hail'] }));
  assert.equal((await sea.listGroupMembers({ ...group, pageNum: 1, pageSize: 10 })).data.length, 3);
}

async function main() {
  const [sea, sky, sun] = [await person('sea'), await person('sky'), await person('sun')];
  for (const user of ['rain', 'hail']) await sea.registerUser({ username: user, password: 'secret' });
  const group = await membership(sea, sky, sun);
  const asked = await invitations(sea, sky, sun);
  await account(sea);
  await roles(group, sea, sky);
  await sea.inviteUsersToGroup({ ...group, users: ['rain'] });
  await moderation(group, sea, sun);
  await texts(group, sea, sun);
  await report('group', Promise.resolve(group.groupId));
  await receipts(group, sea);
  await leaving(group, sea);
  await report('asked', Promise.resolve(asked.groupId));
  pause('built');
  await refused('end what is not mine', sun.destroyGroup(group));
  await does('end', sea.destroyGroup(group));
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
