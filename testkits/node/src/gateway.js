// A gateway: a process of its own that ends with the test process, or one that runs already.

import { spawn } from 'node:child_process';
import { Control, path } from './control.js';
import { Realm } from './realm.js';

const CONTROL = 'http://127.0.0.1:9091';
const START_MS = 30_000;
const STOP_MS = 10_000;
/** How much of the log is kept for error messages. */
const LOG_CHARACTERS = 20_000;

/**
 * Starts a gateway on free ports with its data in memory. It ends with `stop()`, and with this process.
 *
 * @param {import('./index.d.ts').StartOptions} [options]
 */
export async function start({ binary, args = [], env = {}, onLog, timeoutMs = START_MS } = {}) {
  const command = binary ?? process.env.CONCLAVE_BINARY ?? (await packaged()) ?? 'conclave';
  const own = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('CONCLAVE_')));
  const child = spawn(command, [
    '--memory', '--listen', '127.0.0.1:0', '--admin', 'off', '--control', '127.0.0.1:0', '--until-stdin-closes', ...args,
  ], { env: { ...own, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const url = await greeted(child, command, onLog, timeoutMs);
  // a test run that forgets to stop it can end all the same
  child.unref();
  for (const stream of child.stdio) stream.unref();
  return new Gateway(new Control(url), child);
}

/** The binary of the package conclave-gateway, where that is installed. */
async function packaged() {
  try {
    return (await import('conclave-gateway')).binary;
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Reads the output until the address of the control API is in it. */
function greeted(child, command, onLog, timeoutMs) {
  return new Promise((resolve, reject) => {
    let printed = '';
    let log = '';
    const failed = (why) => {
      clearTimeout(timer);
      child.kill();
      reject(new Error(`${command} did not start: ${why}${log && `\n${log}`}`));
    };
    const timer = setTimeout(() => failed(`it printed no control address within ${timeoutMs} ms`), timeoutMs);
    child.on('error', (error) => {
      const hint = error.code === 'ENOENT' ? '; set CONCLAVE_BINARY to the conclave binary, or add its folder to PATH' : '';
      failed(error.message + hint);
    });
    child.on('exit', (code, signal) => failed(`it ended with ${signal ?? code}`));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-LOG_CHARACTERS);
      onLog?.(text);
    });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      const address = /^ +control +(http:\/\/\S+?)\/v1\/realms$/m.exec(printed);
      if (!address || !/^ +data /m.test(printed)) return;
      clearTimeout(timer);
      child.removeAllListeners('exit').removeAllListeners('error').on('error', () => {});
      child.stdout.removeAllListeners('data').resume();
      resolve(address[1]);
    });
  });
}

/**
 * Joins a gateway that runs already, at CONCLAVE_CONTROL or 127.0.0.1:9091 unless said otherwise.
 *
 * @param {import('./index.d.ts').JoinOptions} [options]
 */
export async function join({ control, token } = {}) {
  const url = control ?? process.env.CONCLAVE_CONTROL ?? CONTROL;
  const gateway = new Gateway(new Control(url, token ?? process.env.CONCLAVE_CONTROL_TOKEN));
  await gateway.realms();
  return gateway;
}

/** Joins the gateway at CONCLAVE_CONTROL if that is set; starts one if not. */
export function startOrJoin(options) {
  return process.env.CONCLAVE_CONTROL ? join() : start(options);
}

/** A gateway with a control API. */
export class Gateway {
  #child;

  constructor(control, child) {
    this.control = control;
    this.#child = child;
  }

  /** The address of its control API. */
  get url() {
    return this.control.url.origin;
  }

  /**
   * Creates a realm with accounts, groups and credentials of its own. Its journal is kept unless `journal` is false.
   *
   * @param {import('./index.d.ts').RealmOptions} [options]
   */
  async createRealm({ journal = true, ...realm } = {}) {
    const created = new Realm(this.control, await this.control.call('POST', path('realms'), realm));
    if (journal) await created.journal.begin(journal === true ? {} : journal);
    return created;
  }

  /** Creates a realm for one test, and deletes it when the test ends: `t` is the context of node:test. */
  async realmFor(t, options) {
    const realm = await this.createRealm(options);
    t.after(() => realm.delete());
    return realm;
  }

  /** Calls a function with a realm, which is deleted afterwards. */
  async withRealm(work, options) {
    const realm = await this.createRealm(options);
    try {
      return await work(realm);
    } finally {
      await realm.delete();
    }
  }

  /** A realm that exists. */
  async realm(name) {
    return new Realm(this.control, await this.control.call('GET', path('realms', name)));
  }

  /** All realms. */
  async realms() {
    const { realms } = await this.control.call('GET', path('realms'));
    return realms.map((realm) => new Realm(this.control, realm));
  }

  /** The errors of a vendor that faults can answer with. */
  async errors(vendor) {
    return (await this.control.call('GET', path('vendors', vendor, 'errors'))).errors;
  }

  /** Stops the gateway if it was started here; one that was joined keeps running. */
  async stop() {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill();
    await ended;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.stop();
  }
}
