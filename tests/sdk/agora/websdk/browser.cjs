// The web SDKs, easemob-websdk and agora-chat (npm; which of them is the argument), in a headless Chromium: the calls
// that need a browser, which are those on shared files.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { chromium } = require('playwright-core');
const { open } = require('../../chromium.cjs');
const { report, pause, setting } = require('../../reporting.cjs');

const [, , sdk, executablePath] = process.argv;

const PAGE = `<!doctype html><title>an app</title>
<script src="/sdk.js"></script>
<script>
  const WebIM = window.websdk.default ?? window.websdk;
  WebIM.logger.disableAll?.();
  const people = {};
  const settle = (start) => new Promise((done) => start(
    (answer) => done({ answer }),
    (error) => done({ error: { type: error.type, status: error.xhr?.status ?? error.data?.status } }),
  ));
  window.person = async (user, { appKey, apiUrl, url }) => {
    const connection = new WebIM.connection({ appKey, apiUrl, url, isHttpDNS: false });
    await connection.registerUser({ username: user, password: 'secret' });
    connection.open({ user, pwd: 'secret' }).catch(() => {});
    while (!connection.token) await new Promise((later) => setTimeout(later, 10));
    people[user] = connection;
  };
  window.does = (user, call, args) => people[user][call](args).then(
    (answer) => ({ answer: { data: answer.data } }),
    (error) => ({ error: { type: error.type, message: error.message } }),
  );
  window.upload = async (user, groupId, name, text) => {
    const progress = [];
    const data = new File([text], name, { type: 'text/plain' });
    const { answer, error } = await settle((onFileUploadComplete, onFileUploadError) => people[user].uploadGroupSharedFile({
      groupId, file: { data }, onFileUploadComplete, onFileUploadError,
      onFileUploadProgress: ({ loaded, total }) => progress.push([loaded, total]),
    }));
    return { answer, error, progress };
  };
  window.download = async (user, groupId, fileId) => {
    const { answer, error } = await settle((onFileDownloadComplete, onFileDownloadError) => people[user]
      .downloadGroupSharedFile({ groupId, fileId, onFileDownloadComplete, onFileDownloadError }));
    return error ? { error } : { text: await answer.text() };
  };
  window.ready = true;
</script>`;

async function main() {
  const files = { '/': ['text/html', PAGE], '/sdk.js': ['text/javascript', fs.readFileSync(require.resolve(sdk))] };
  const { page, requests, end } = await open({ chromium, executablePath, files });
  const call = (name, ...args) => page.evaluate(([given, values]) => window[given](...values), [name, args]);
  const does = async (step, user, method, args) => {
    const { answer, error } = await call('does', user, method, args);
    assert.ok(answer, `${step}: ${JSON.stringify(error)}`);
    return report(step, answer.data);
  };
  // the socket leads nowhere: these calls need none
  const settings = { appKey: setting('AGORA_APPKEY'), apiUrl: setting('AGORA_API_URL'), url: 'ws://127.0.0.1:9/' };
  for (const user of ['sea', 'sky', 'sun']) await call('person', user, settings);
  const data = { groupname: 'Files', desc: '', members: ['sky'], public: true, approval: false, allowinvites: false,
    inviteNeedConfirm: false };
  const groupId = (await does('create', 'sea', 'createGroup', { data })).groupid;
  const list = async (step, user, more) => does(step, user, 'getGroupSharedFilelist', { groupId, ...more });

  const text = 'a forecast: 晴 & warm\n'.repeat(2000);
  const first = await report('upload', call('upload', 'sky', groupId, 'forecast 晴.txt', text));
  assert.deepEqual(first.error, undefined);
  const [loaded, total] = first.progress.at(-1);
  assert.ok(loaded === total && total > text.length, JSON.stringify(first.progress));
  await call('upload', 'sea', groupId, 'notes.txt', 'notes');
  const found = await list('files', 'sea', { pageNum: 1, pageSize: 10 });
  assert.deepEqual(found.map((file) => [file.file_name, file.file_owner]).sort(),
    [['forecast 晴.txt', 'sky'], ['notes.txt', 'sea']]);
  const file = found.find((one) => one.file_owner === 'sky');
  assert.equal(file.file_size, Buffer.byteLength(text));
  assert.equal((await list('a page', 'sea', { pageNum: 1, pageSize: 1 })).length, 1);

  const read = await call('download', 'sea', groupId, file.file_id);
  assert.equal(read.text, text);
  const stranger = await report('a stranger downloads', call('download', 'sun', groupId, file.file_id));
  assert.ok(stranger.error, 'a stranger gets nothing');
  const foreign = await report('a stranger uploads', call('upload', 'sun', groupId, 'spam.txt', 'spam'));
  assert.equal(foreign.answer?.data?.file_id, undefined);
  assert.equal((await list('files after that', 'sky', { pageNum: 1, pageSize: 10 })).length, 2);

  await does('delete', 'sky', 'deleteGroupSharedFile', { groupId, fileId: file.file_id });
  const left = await list('files left', 'sky', { pageNum: 1, pageSize: 10 });
  assert.deepEqual(left.map((one) => one.file_name), ['notes.txt']);
  const gone = await report('download what is gone', call('download', 'sea', groupId, file.file_id));
  assert.ok(gone.error, 'what is deleted is gone');

  // the page is not of the gateway's origin, so the browser asks before it calls
  const files_ = `${settings.apiUrl}/${settings.appKey.replace('#', '/')}/chatgroups/${groupId}/share_files`;
  for (const begin of [`OPTIONS ${files_}`, `POST ${files_}`, `OPTIONS ${files_}/${file.file_id}`, `DELETE ${files_}`]) {
    assert.ok(requests.some((request) => request.startsWith(begin)), `${begin} is not among ${requests.join('\n')}`);
  }
  await report('group', groupId);
  pause('built');
  await end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
