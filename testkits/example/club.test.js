// The app's tests, against the three vendors' own SDKs and a gateway of this run. `npm test` runs them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from 'conclave-testkit';
import { Club } from './club.js';
import { AgoraReader, TencentReader } from './readers.js';

// SDKs log a lot
for (const level of ['log', 'info', 'warn', 'debug']) console[level] = () => {};

let gateway;
before(async () => { gateway = await start(); });
after(() => gateway.stop());

async function club(t) {
  const realm = await gateway.realmFor(t);
  const club = new Club(realm.rong.serverSdk());
  await realm.agora.registerUser('ann');
  assert.equal(await club.create('readers', 'Readers', ['ann', 'tim', 'ron']), 1);
  return { realm, club };
}

test('readers of all vendors are in one club', async (t) => {
  const { realm } = await club(t);
  const ann = await AgoraReader.connect(realm, 'ann');
  const tim = await TencentReader.connect(realm, 'tim');
  await ann.write('readers', 'Which book?');
  assert.equal(await tim.hasRead('Which book?'), 'ann');
  await tim.write('readers', 'The long one.');
  assert.equal(await ann.hasRead('The long one.'), 'tim');
  assert.deepEqual((await realm.sessions.list()).map(({ user, vendor }) => [user, vendor]), [['ann', 'agora'], ['tim', 'tencent']]);
});

test('a club is created although the vendor is busy', async (t) => {
  const { realm, club: app } = await club(t);
  const busy = { on: 'call', vendor: 'rong', operation: 'group/create', effect: { error: '1008' } };
  const fault = await realm.faults.add({ ...busy, first: 2 });
  assert.equal(await app.create('writers', 'Writers', ['ann']), 3);
  assert.deepEqual(await fault.counts(), { matched: 3, hits: 2 });
  await realm.faults.add(busy);
  await assert.rejects(app.create('cooks', 'Cooks', ['ann']), /cannot be created/);
});

test('a club whose creation was not answered is created once', async (t) => {
  const { realm, club: app } = await club(t);
  await realm.faults.add({ on: 'call', vendor: 'rong', operation: 'group/create', first: 1, when: 'after', effect: { drop: true } });
  assert.equal(await app.create('writers', 'Writers', ['ann']), 2);
  assert.deepEqual(await app.members('writers'), ['ann']);
  assert.equal((await realm.journal.requested('group/create', {}, { count: 3 })).length, 3);
});

test('a muted reader can write again when the time is over', async (t) => {
  const { realm, club: app } = await club(t);
  const tim = await TencentReader.connect(realm, 'tim');
  await realm.clock.freeze();
  await app.mute('readers', 'tim', 10);
  await assert.rejects(tim.write('readers', 'But …'), { code: 10017 });
  await realm.clock.advance({ minutes: 10 });
  await tim.write('readers', 'As I said:');
});

test('a closed club comes back with a snapshot', async (t) => {
  const { realm, club: app } = await club(t);
  await realm.snapshots.take('a club of three');
  await app.close('readers', 'ann');
  assert.equal((await realm.tencent.call('v4/group_open_http_svc/get_group_info', { GroupIdList: ['readers'] })).GroupInfo[0].ErrorCode, 10010);
  await realm.snapshots.restore('a club of three');
  assert.deepEqual(await app.members('readers'), ['ann', 'ron', 'tim']);
});
