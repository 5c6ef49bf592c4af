// A realm: its credentials, data, clock, faults and journal.

import { readFile, writeFile } from 'node:fs/promises';
import { path } from './control.js';
import { agora, rong, tencent } from './vendors.js';

/** A realm of a gateway. */
export class Realm {
  #deferred = [];

  constructor(control, view) {
    this.control = control;
    this.name = view.name;
    this.vendors = view.vendors;
    this.settings = view.settings ?? {};
    this.agora = agora(this);
    this.tencent = tencent(this);
    this.rong = rong(this);
    this.clock = new Clock(this);
    this.faults = new Faults(this);
    this.journal = new Journal(this);
    this.snapshots = new Snapshots(this);
    this.sessions = new Sessions(this);
  }

  /** Calls the control API below this realm. */
  call(method, parts, body) {
    return this.control.call(method, path('realms', this.name, ...parts), body);
  }

  /** Deletes all data; credentials stay. */
  async reset() {
    await this.call('POST', ['reset']);
  }

  /** Deletes a group as if it had never existed. */
  async resetGroup(group) {
    await this.call('POST', ['groups', group, 'reset']);
  }

  /** All data, as JSON Lines. */
  export() {
    return this.call('GET', ['export']);
  }

  /** Writes all data into a file. */
  async exportTo(file) {
    await writeFile(file, await this.export());
  }

  /** Replaces all data by exported ones, also by those of another realm. */
  async seed(lines) {
    return this.call('POST', ['seed'], lines);
  }

  /** Replaces all data by those of a file. */
  async seedFrom(file) {
    return this.seed(await readFile(file));
  }

  /** Calls a function before the realm is deleted, the last one first: to sign out a client, for example. */
  defer(work) {
    this.#deferred.push(work);
  }

  /** Deletes the realm and disconnects its clients. */
  async delete() {
    while (this.#deferred.length > 0) await this.#deferred.pop()();
    await this.control.call('DELETE', path('realms', this.name));
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.delete();
  }
}

const UNITS = { milliseconds: 1, seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

/** A duration in milliseconds: a number of them, or an object such as { minutes: 10 }. */
function milliseconds(duration) {
  if (typeof duration === 'number') return duration;
  return Object.entries(duration).reduce((sum, [unit, count]) => {
    if (!(unit in UNITS)) throw new TypeError(`${unit} is no unit of time: there are ${Object.keys(UNITS).join(', ')}`);
    return sum + UNITS[unit] * count;
  }, 0);
}

const time = (at) => (at === undefined ? {} : typeof at === 'string' ? { at } : { at_ms: Number(at) });

/** The clock of a realm. It only moves forward. */
class Clock {
  #realm;
  constructor(realm) { this.#realm = realm; }

  /** The time, and whether and how it was changed. */
  get() { return this.#realm.call('GET', ['clock']); }
  /** The time, as a Date. */
  async now() { return new Date((await this.get()).now_ms); }
  /** Stops the clock, now or at a time: a Date, milliseconds since 1970 or RFC 3339. */
  freeze(at) { return this.#realm.call('POST', ['clock', 'freeze'], time(at)); }
  /** Moves the clock to a time. */
  set(at) { return this.#realm.call('POST', ['clock', 'set'], time(at)); }
  /** Moves the clock forward; returns when everything that is due has happened. */
  advance(duration) { return this.#realm.call('POST', ['clock', 'advance'], { by_ms: milliseconds(duration) }); }
  /** Lets so many milliseconds pass in one. */
  scale(pace) { return this.#realm.call('POST', ['clock', 'scale'], { pace }); }
  /** Lets the clock run at its usual pace. */
  resume() { return this.#realm.call('POST', ['clock', 'resume']); }
}

/** The fault rules of a realm. */
class Faults {
  #realm;
  constructor(realm) { this.#realm = realm; }

  /** Adds a rule. */
  async add(rule) { return new Fault(this.#realm, await this.#realm.call('POST', ['faults'], rule)); }
  /** All rules, with their counts. */
  async list() { return (await this.#realm.call('GET', ['faults'])).faults; }
  /** Deletes all rules. */
  async clear() { await this.#realm.call('DELETE', ['faults']); }
}

/** One fault rule. */
class Fault {
  #realm;
  constructor(realm, { id }) {
    this.#realm = realm;
    this.id = id;
  }

  /** How often it matched and applied: { matched, hits }. */
  async counts() {
    const { faults } = await this.#realm.call('GET', ['faults']);
    const rule = faults.find(({ id }) => id === this.id);
    if (!rule) throw new Error(`fault ${this.id} was deleted`);
    return { matched: rule.matched, hits: rule.hits };
  }

  /** Deletes it. */
  async delete() { await this.#realm.call('DELETE', ['faults', String(this.id)]); }
}

/** What a realm was asked, and what it sent. */
class Journal {
  #realm;
  constructor(realm) { this.#realm = realm; }

  /** Begins to keep it, from the start. */
  async begin({ entries } = {}) { await this.#realm.call('POST', ['journal'], { entries }); }
  /** Stops keeping it. */
  async end() { await this.#realm.call('DELETE', ['journal']); }
  /** The entries that match, oldest first. */
  async query(filter = {}) { return (await this.#realm.call('POST', ['journal', 'query'], filter)).entries; }
  /** The number of the last entry: with { after } only later entries match. */
  async mark() { return (await this.#realm.call('POST', ['journal', 'query'], {})).last; }
  /** Waits until so many entries match, and returns them. */
  async wait(filter = {}, { count, timeoutMs } = {}) {
    const answer = await this.#realm.call('POST', ['journal', 'wait'], { filter, count, timeout_ms: timeoutMs });
    return answer.entries;
  }
  /** Waits until a user has been sent an event. */
  pushed(user, filter = {}, options) { return this.wait({ ...filter, kind: 'push', user }, options); }
  /** Waits until an operation has been requested, over HTTP. */
  requested(operation, filter = {}, options) { return this.wait({ ...filter, kind: 'request', operation }, options); }
  /** Waits until an operation has been called over a client protocol. */
  called(operation, filter = {}, options) { return this.wait({ ...filter, kind: 'call', operation }, options); }
  /** Waits until the app's server has been notified. */
  notified(filter = {}, options) { return this.wait({ ...filter, kind: 'webhook' }, options); }
}

/** The snapshots of a realm's data. */
class Snapshots {
  #realm;
  constructor(realm) { this.#realm = realm; }

  /** Keeps all data under a name. */
  async take(name, { replace } = {}) { return this.#realm.call('POST', ['snapshots', name], { replace }); }
  /** Makes the data what they were. */
  async restore(name) { return this.#realm.call('POST', ['snapshots', name, 'restore']); }
  /** All snapshots. */
  async list() { return (await this.#realm.call('GET', ['snapshots'])).snapshots; }
  /** Deletes one. */
  async delete(name) { await this.#realm.call('DELETE', ['snapshots', name]); }
}

/** The connected users of a realm. */
class Sessions {
  #realm;
  constructor(realm) { this.#realm = realm; }

  /** All sessions. */
  async list() { return (await this.#realm.call('GET', ['sessions'])).sessions; }
  /** Ends those of a user, a vendor, or one; returns how many. */
  async disconnect(which = {}) { return (await this.#realm.call('POST', ['sessions', 'disconnect'], which)).disconnected; }
}
