// The console. Everything it shows and does is in the control API; nothing is made from text as HTML.

const $ = (id) => document.getElementById(id);
/** Entries of the stream that are kept on the page. */
const KEPT = 500;
/** How long a request waits for news, in milliseconds. */
const WAIT = 20_000;
const PAUSE = 1000;

let token = sessionStorage.getItem('control-token') ?? '';
let realms = [];
let entries = [];
let shown;

const realm = () => $('realm').value;
const part = encodeURIComponent;
const below = (path, of = realm()) => `/v1/realms/${part(of)}${path}`;

class Refused extends Error {
  constructor(status, { code, message }) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function call(method, path, body, signal) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  const value = text ? JSON.parse(text) : undefined;
  if (response.ok) return value;
  if (response.status === 401) $('token-form').hidden = false;
  throw new Refused(response.status, value.error);
}

function say(text, isBad = false) {
  $('status').textContent = text;
  $('status').className = isBad ? 'bad' : '';
}

/** An element with these children: texts, elements, or nothing. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('aria')) made.setAttribute(key, value); else made[key] = value;
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const row = (...cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, cell ?? '')));
const button = (text, label, action) => element('button', { type: 'button', textContent: text, 'aria-label': label, onclick: attempt(action) });
const nothing = (columns) => element('tr', {}, element('td', { colSpan: columns, textContent: 'none' }));

function fill(id, rows, columns) {
  $(id).replaceChildren(...(rows.length ? rows : [nothing(columns)]));
}

/** Replaces the options of a list, and keeps what is selected. */
function options(id, values, label = (value) => value) {
  const list = $(id);
  const before = list.value;
  list.replaceChildren(...values.map((value) => element('option', { value, textContent: label(value) })));
  if (values.includes(before)) list.value = before;
}

/** An action of the user: what it returns or why it failed is announced. */
function attempt(action) {
  return async (event) => {
    event?.preventDefault();
    try {
      say((await action(event)) ?? '');
    } catch (error) {
      say(error.message, true);
    }
  };
}

const time = (ms) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

async function readRealms(select) {
  ({ realms } = await call('GET', '/v1/realms'));
  options('realm', realms.map(({ name }) => name));
  if (select) $('realm').value = select;
  const current = realms.find(({ name }) => name === realm());
  const vendors = ['', ...(current?.vendors ?? [])];
  for (const id of ['fault-vendor', 'filter-vendor']) options(id, vendors, (vendor) => vendor || 'all');
  $('delete-realm').disabled = current?.origin !== 'created';
  $('reset-realm').disabled = current?.data !== 'memory';
  for (const id of ['freeze', 'resume', 'advance']) $(id).disabled = current?.data !== 'memory';
}

async function readGroup(signal) {
  const { groups } = await call('GET', below('/groups'), undefined, signal);
  options('groups', groups.map(({ id }) => id), (id) => {
    const { name } = groups.find((group) => group.id === id);
    return name && name !== id ? `${id}: ${name}` : id;
  });
  const { sessions } = await call('GET', below('/sessions'), undefined, signal);
  fill('sessions', sessions.map(({ id, user, vendor, device, since }) => row(user, vendor, device, since,
    button('Disconnect', `Disconnect ${user}, ${vendor}`, async () => {
      await call('POST', below('/sessions/disconnect'), { session: id });
      await refresh();
      return `${user} was disconnected.`;
    }))), 5);
  $('no-group').hidden = groups.length > 0;
  const id = $('groups').value;
  if (!id) {
    $('vendors').replaceChildren();
    fill('members', [], 3);
    return;
  }
  const group = await call('GET', below(`/groups/${part(id)}`), undefined, signal);
  const at = (user) => sessions.filter((session) => session.user === user).map(({ vendor }) => vendor).join(', ');
  fill('members', group.list.map(({ user, role }) => row(user, role, at(user) || 'no')), 3);
  $('vendors').replaceChildren(...group.vendors.map(({ vendor, title, reads }) => element('article', { id: `vendor-${vendor}`, 'aria-label': title },
    element('h3', { textContent: title }),
    ...reads.flatMap(({ request, status, body }) => [
      element('p', { className: status < 300 ? '' : 'bad' }, element('code', { textContent: request }), ` ${status}`),
      element('pre', { tabIndex: 0, 'aria-label': `Answer of ${request}`, textContent: typeof body === 'string' ? body : JSON.stringify(body, null, 2) }),
    ]))));
}

async function readClock(signal) {
  const clock = await call('GET', below('/clock'), undefined, signal);
  $('now').textContent = clock.now;
  $('now').dateTime = clock.now;
  $('clock-state').textContent = clock.frozen ? 'frozen' : clock.controlled ? `changed, pace ${clock.pace}` : 'the gateway’s';
}

async function readFaults(signal) {
  const { faults } = await call('GET', below('/faults'), undefined, signal);
  fill('faults', faults.map(({ id, matched, hits, ...rule }) => row(
    element('code', { textContent: JSON.stringify(rule) }), matched, hits,
    button('Delete', `Delete rule ${id}`, async () => {
      await call('DELETE', below(`/faults/${id}`));
      await refresh();
      return 'The rule was deleted.';
    }))), 4);
}

async function readUnread(signal) {
  const { fields } = await call('GET', '/v1/unread-fields', undefined, signal);
  fill('unread', fields.map(({ vendor, operation, field, count }) => row(vendor, operation, field, count)), 4);
}

let refreshing;

/** Reads everything but the stream again; a later call ends an earlier one. */
async function refresh() {
  refreshing?.abort();
  const { signal } = (refreshing = new AbortController());
  try {
    await Promise.all([readGroup, readClock, readFaults, readUnread].map((read) => read(signal)));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

let due;

/** After something has happened: soon, and once for many events. */
function refreshSoon() {
  due ??= setTimeout(() => {
    due = undefined;
    refresh().catch((error) => say(error.message, true));
  }, 300);
}

function matches(entry) {
  const [kind, vendor, text] = [$('filter-kind').value, $('filter-vendor').value, $('filter-text').value.toLowerCase()];
  return (!kind || entry.kind === kind) && (!vendor || entry.vendor === vendor)
    && (!text || JSON.stringify(entry).toLowerCase().includes(text));
}

function streamRow(entry) {
  const answer = [entry.status, entry.error && `error ${entry.error}`, entry.unread?.length && `unread: ${entry.unread.join(', ')}`];
  const made = row(element('time', { textContent: time(entry.at_ms) }), entry.kind, entry.vendor, entry.operation ?? entry.path,
    entry.kind === 'push' ? entry.user : entry.actor, entry.group, answer.filter(Boolean).join(', '));
  made.className = 'new';
  if (entry.what) made.cells[6].append(element('code', { textContent: JSON.stringify(entry.what) }));
  return made;
}

function showStream() {
  if (!$('paused').checked) fill('stream', entries.filter(matches).map(streamRow), 7);
}

function arrive(news) {
  if (!news.length) return;
  entries = [...news.reverse(), ...entries].slice(0, KEPT);
  const seen = news.filter(matches);
  if (!$('paused').checked && seen.length) {
    if (seen.length === entries.filter(matches).length) $('stream').replaceChildren();
    $('stream').prepend(...seen.map(streamRow));
    while ($('stream').rows.length > KEPT) $('stream').lastElementChild.remove();
    $('arrived').textContent = seen.length === 1
      ? `${seen[0].kind} ${seen[0].operation ?? ''} ${seen[0].vendor ?? ''}` : `${seen.length} new entries`;
  }
  refreshSoon();
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Reads one kind of news until another realm is selected. */
async function follow(signal, read) {
  let after;
  while (!signal.aborted) {
    try {
      after = await read(after);
    } catch (error) {
      if (signal.aborted) return;
      if (error.code !== 'no_journal') say(error.message, true);
      if (error.code === 'no_such_realm') await readRealms().then(select, () => {});
      await sleep(PAUSE);
    }
  }
}

async function events(signal, after) {
  const { events: read, last } = await call('POST', below('/events', shown.realm), { after, timeout_ms: WAIT }, signal);
  arrive(read.map(({ kind, ...event }) => ({ ...event, kind: 'event', operation: kind })));
  return last;
}

async function journal(signal, after) {
  let answer;
  try {
    answer = await call('POST', below('/journal/wait', shown.realm), { filter: { after: after ?? 0 }, timeout_ms: WAIT }, signal);
  } catch (error) {
    $('begin-journal').disabled = error.code !== 'no_journal';
    if (error.code === 'timed_out') {
      // one that was begun again counts from the start
      const { last } = await call('POST', below('/journal/query', shown.realm), { after: Number.MAX_SAFE_INTEGER }, signal);
      return Math.min(after ?? 0, last);
    }
    throw error;
  }
  $('begin-journal').disabled = true;
  arrive(answer.entries);
  return answer.entries.at(-1).number;
}

/** Shows the selected realm. */
async function select() {
  shown?.ended.abort();
  const ended = new AbortController();
  shown = { realm: realm(), ended };
  entries = [];
  showStream();
  if (!shown.realm) return;
  follow(ended.signal, (after) => events(ended.signal, after));
  follow(ended.signal, (after) => journal(ended.signal, after));
  await refresh();
}

function value() {
  const [effect, given] = [$('fault-effect').value, $('fault-value').value];
  return { [effect]: effect === 'drop' ? true : effect === 'delay_ms' ? Number(given) : given };
}

async function begin() {
  await readRealms();
  await select();
}

$('realm').onchange = attempt(() => readRealms().then(select));
$('groups').onchange = attempt(refresh);
$('refresh').onclick = attempt(async () => { await readRealms(); await refresh(); return 'Everything was read again.'; });
$('create-realm').onclick = attempt(async () => {
  const { name } = await call('POST', '/v1/realms');
  await readRealms(name);
  await select();
  return `Realm ${name} was created.`;
});
$('reset-realm').onclick = attempt(async () => {
  if (!confirm(`Delete all data of realm ${realm()}?`)) return undefined;
  await call('POST', below('/reset'));
  await select();
  return 'All data of the realm was deleted.';
});
$('delete-realm').onclick = attempt(async () => {
  const name = realm();
  if (!confirm(`Delete realm ${name} with all its data?`)) return undefined;
  shown.ended.abort();
  await call('DELETE', below('', name));
  await begin();
  return `Realm ${name} was deleted.`;
});
$('freeze').onclick = attempt(async () => { await call('POST', below('/clock/freeze')); await readClock(); return 'The clock is frozen.'; });
$('resume').onclick = attempt(async () => { await call('POST', below('/clock/resume')); await readClock(); return 'The clock runs.'; });
$('advance-form').onsubmit = attempt(async () => {
  const minutes = Number($('advance').value);
  await call('POST', below('/clock/advance'), { by_ms: Math.round(minutes * 60_000) });
  await refresh();
  return `The clock was advanced by ${minutes} minutes.`;
});
$('fault-effect').onchange = () => { $('fault-value').disabled = $('fault-effect').value === 'drop'; };
$('fault-form').onsubmit = attempt(async () => {
  const given = { on: $('fault-on').value, effect: value() };
  for (const key of ['vendor', 'operation', 'user']) if ($(`fault-${key}`).value) given[key] = $(`fault-${key}`).value;
  if ($('fault-first').value) given.first = Number($('fault-first').value);
  await call('POST', below('/faults'), given);
  await readFaults();
  return 'The rule was added.';
});
$('begin-journal').onclick = attempt(async () => {
  await call('POST', below('/journal'));
  $('begin-journal').disabled = true;
  return 'The journal was started.';
});
for (const id of ['filter-kind', 'filter-vendor', 'paused']) $(id).onchange = showStream;
$('filter-text').oninput = showStream;
$('filter').onsubmit = (event) => event.preventDefault();
$('clear').onclick = () => { entries = []; showStream(); };
$('token-form').onsubmit = attempt(async () => {
  token = $('token').value;
  sessionStorage.setItem('control-token', token);
  await begin();
  $('token-form').hidden = true;
});

attempt(begin)();
