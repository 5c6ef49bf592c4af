// The kit against a gateway of its own: CONCLAVE_BINARY names the binary.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ControlError, join, start, startOrJoin } from 'conclave-testkit';

let gateway;
before(async () => { gateway = await start(); });
after(() => gateway.stop());

test('a realm belongs to one test', async (t) => {
  let name;
  await t.test('inner', async (inner) => {
    const realm = await gateway.realmFor(inner, { limits: { groups_per_user: 1 } });
    name = realm.name;
    assert.deepEqual(realm.vendors, ['agora', 'tencent', 'rong']);
    const ended = [];
    realm.defer(() => ended.push('first'));
    realm.defer(async () => ended.push((await gateway.realm(name)).name));
    inner.after(() => assert.deepEqual(ended, [name, 'first']));
  });
  await assert.rejects(gateway.realm(name), (error) => {
    assert.ok(error instanceof ControlError);
    assert.deepEqual([error.code, error.status], ['no_such_realm', 404]);
    assert.match(error.message, new RegExp(name));
    return true;
  });
  assert.equal(await gateway.withRealm((realm) => realm.name, { name: 'mine' }), 'mine');
  assert.deepEqual((await gateway.realms()).map((realm) => realm.name), ['dev']);
  await assert.rejects(gateway.withRealm(() => { throw new Error('of the test'); }, { name: 'mine' }), /of the test/);
  assert.deepEqual((await gateway.realms()).map((realm) => realm.name), ['dev']);
});

test('a realm may have an app at one vendor only', async (t) => {
  const realm = await gateway.realmFor(t, { vendors: ['rong'] });
  assert.deepEqual([realm.agora, realm.tencent], [undefined, undefined]);
  assert.equal((await realm.rong.call('/user/getToken.json', { userId: 'ann', name: 'Ann' })).code, 200);
  await assert.rejects(gateway.createRealm({ vendors: ['nobody'] }), { code: 'bad_request', message: /nobody/ });
});

test('the credentials of each vendor are accepted', async (t) => {
  const realm = await gateway.realmFor(t);
  const { agora, tencent, rong } = realm;
  assert.ok(await rong.userToken('ann'));
  await agora.registerUser('ben');
  const token = await agora.userToken('cat');
  const users = await fetch(`${agora.restUrl}/users/cat/joined_chatgroups`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(users.status, 200);
  const group = { Owner_Account: 'ann', Type: 'Public', GroupId: 'g', Name: 'G', MemberList: [{ Member_Account: 'ben' }] };
  assert.equal((await tencent.call('v4/group_open_http_svc/create_group', group)).ErrorCode, 0);
  assert.deepEqual((await rong.call('/group/user/query.json', { groupId: 'g' })).users.map(({ id }) => id), ['ann', 'ben']);
  // valid by the realm's clock, which is years ahead
  await realm.clock.advance({ days: 1000 });
  const info = await tencent.call('v4/group_open_http_svc/get_group_info', { GroupIdList: ['g'] });
  assert.equal(info.GroupInfo[0].Name, 'G');
});

test('data can be reset, restored, exported and seeded', async (t) => {
  const [realm, other] = [await gateway.realmFor(t), await gateway.realmFor(t)];
  const create = (id) => realm.rong.call('/group/create.json', { userId: 'ann', groupId: id, groupName: id });
  const members = async (of, id) => (await of.rong.call('/group/user/query.json', { groupId: id })).users?.length;
  await create('a');
  assert.equal((await realm.snapshots.take('one group')).name, 'one group');
  await assert.rejects(realm.snapshots.take('one group'), { code: 'snapshot_exists' });
  await realm.snapshots.take('one group', { replace: true });
  await create('b');
  await realm.resetGroup('a');
  await assert.rejects(realm.resetGroup('a'), { code: 'no_such_group' });
  await realm.snapshots.restore('one group');
  assert.equal(await members(realm, 'a'), 1);
  assert.deepEqual((await realm.snapshots.list()).map(({ name }) => name), ['one group']);
  await realm.snapshots.delete('one group');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'conclave-testkit-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'realm.jsonl');
  await realm.exportTo(file);
  await other.seedFrom(file);
  assert.equal(await members(other, 'a'), 1);
  assert.equal(await other.export(), await realm.export());
  await realm.reset();
  assert.equal((await realm.export()).trim(), '{"version":1}');
  await assert.rejects(realm.seed('nonsense'), { code: 'bad_seed' });
});

test('the clock moves as a test says', async (t) => {
  const { clock } = await gateway.realmFor(t);
  assert.equal((await clock.get()).controlled, false);
  const frozen = await clock.freeze('2040-01-31T12:00:00Z');
  assert.deepEqual([frozen.frozen, frozen.now_ms], [true, Date.UTC(2040, 0, 31, 12)]);
  assert.equal((await clock.advance({ hours: 1, seconds: 1 })).now_ms, frozen.now_ms + 3_601_000);
  assert.equal((await clock.set(new Date(Date.UTC(2041, 0)))).now_ms, Date.UTC(2041, 0));
  assert.deepEqual(await clock.now(), new Date(Date.UTC(2041, 0)));
  await assert.rejects(clock.set(0), { code: 'clock_backwards' });
  await assert.rejects(async () => clock.advance({ fortnights: 1 }), /fortnights/);
  assert.equal((await clock.scale(60)).pace, 60);
  assert.equal((await clock.resume()).frozen, false);
});

test('faults count, and the journal is waited for', async (t) => {
  const realm = await gateway.realmFor(t);
  const create = () => realm.rong.call('/group/create.json', { userId: 'ann', groupId: 'g', groupName: 'G' });
  const fault = await realm.faults.add({ on: 'call', vendor: 'rong', operation: 'group/create', first: 1, effect: { error: '1008' } });
  await assert.rejects(create(), /1008/);
  const mark = await realm.journal.mark();
  const waiting = realm.journal.requested('group/create', { after: mark });
  await create();
  const [entry] = await waiting;
  assert.deepEqual([entry.vendor, entry.status, entry.kind], ['rong', 200, 'request']);
  assert.deepEqual(await fault.counts(), { matched: 2, hits: 1 });
  assert.equal((await realm.faults.list()).length, 1);
  await fault.delete();
  await assert.rejects(fault.delete(), { code: 'no_such_fault' });
  await realm.faults.clear();
  assert.deepEqual(await realm.faults.list(), []);
  assert.deepEqual((await realm.journal.query({ error: '1008' })).map(({ status }) => status), [429]);
  await assert.rejects(realm.journal.pushed('ann', {}, { timeoutMs: 20 }), { code: 'timed_out', message: /0 of 1/ });
  await assert.rejects(realm.faults.add({ on: 'call', vendor: 'rong', operation: 'nothing', effect: { drop: true } }),
    { code: 'no_such_operation' });
  assert.ok((await gateway.errors('rong')).some(({ code }) => code === '1008'));
  assert.deepEqual(await realm.sessions.list(), []);
  assert.equal(await realm.sessions.disconnect({ user: 'ann' }), 0);
});

test('a gateway that runs already is joined, and not stopped', async (t) => {
  const before = process.env.CONCLAVE_CONTROL;
  t.after(() => { if (before === undefined) delete process.env.CONCLAVE_CONTROL; else process.env.CONCLAVE_CONTROL = before; });
  process.env.CONCLAVE_CONTROL = new URL(gateway.url).host;
  const joined = await startOrJoin();
  assert.equal(joined.url, gateway.url);
  await joined.stop();
  assert.equal((await join({ control: gateway.url })).url, gateway.url);
  const free = net.createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  await assert.rejects(join({ control: `127.0.0.1:${port}` }), /control API at http:\/\/127.0.0.1:\d+ does not answer/);
});

test('a start that fails says why', async () => {
  await assert.rejects(start({ binary: '/nowhere/conclave' }), /set CONCLAVE_BINARY/);
  await assert.rejects(start({ args: ['--nonsense'] }), /--nonsense/);
});

test('the gateway ends with the process that started it, however that ends', async () => {
  const script = `import { start } from 'conclave-testkit'; const { url } = await start(); console.log(url); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = await once(child.stdout, 'data');
  await join({ control: String(url).trim() });
  child.kill('SIGKILL');
  await once(child, 'exit');
  for (;;) {
    // until nothing answers: the test's own limit ends this
    try { await join({ control: String(url).trim() }); } catch { return; }
  }
});
