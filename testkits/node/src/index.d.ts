import type { TestContext } from 'node:test';

/** A refused request, with the control API's own code, message and status. */
export class ControlError extends Error {
  /** Stable: programs may compare it. */
  readonly code: string;
  readonly status: number;
}

export interface StartOptions {
  /** The conclave binary. CONCLAVE_BINARY, that of the package conclave-gateway, or conclave on the PATH, when not given. */
  binary?: string;
  /** Further arguments. */
  args?: string[];
  /** Further environment variables. Those named CONCLAVE_… are not inherited. */
  env?: Record<string, string>;
  /** Called with what the gateway logs. */
  onLog?: (text: string) => void;
  /** How long the start may take; 30,000 when not given. */
  timeoutMs?: number;
}

export interface JoinOptions {
  /** The address of the control API. CONCLAVE_CONTROL, or 127.0.0.1:9091, when not given. */
  control?: string;
  /** Its token. CONCLAVE_CONTROL_TOKEN when not given. */
  token?: string;
}

/** Starts a gateway on free ports with its data in memory. It ends with `stop()`, and with this process. */
export function start(options?: StartOptions): Promise<Gateway>;
/** Joins a gateway that runs already. */
export function join(options?: JoinOptions): Promise<Gateway>;
/** Joins the gateway at CONCLAVE_CONTROL if that is set; starts one if not. */
export function startOrJoin(options?: StartOptions): Promise<Gateway>;

export type Vendor = 'agora' | 'tencent' | 'rong';

export interface RealmOptions {
  /** 1 to 40 of a-z, 0-9, - and _; random when not given. */
  name?: string;
  /** The vendors at which it has an app; all when not given. */
  vendors?: Vendor[];
  /** Keys of `[realm.<name>.<vendor>]` in the configuration: settings, webhooks or credentials. */
  sections?: Partial<Record<Vendor, Record<string, unknown>>>;
  /** Keys of `[realm.<name>.limits]` in the configuration. */
  limits?: Record<string, unknown>;
  /** Whether its journal is kept, or how many entries of it. */
  journal?: boolean | { entries: number };
}

export class Gateway {
  /** The address of its control API. */
  readonly url: string;
  /** Creates a realm with accounts, groups and credentials of its own. */
  createRealm(options?: RealmOptions): Promise<Realm>;
  /** Creates a realm for one test of node:test, and deletes it when the test ends. */
  realmFor(t: Pick<TestContext, 'after'>, options?: RealmOptions): Promise<Realm>;
  /** Calls a function with a realm, which is deleted afterwards. */
  withRealm<T>(work: (realm: Realm) => Promise<T> | T, options?: RealmOptions): Promise<T>;
  /** A realm that exists. */
  realm(name: string): Promise<Realm>;
  realms(): Promise<Realm[]>;
  /** The errors of a vendor that faults can answer with. */
  errors(vendor: Vendor): Promise<{ code: string; status?: number; text: string }[]>;
  /** Stops the gateway if it was started here. */
  stop(): Promise<void>;
}

export class Realm {
  readonly name: string;
  readonly vendors: Vendor[];
  /** Everything that clients are configured with, under the names that `conclave env` prints. */
  readonly settings: Record<string, string>;
  /** undefined where the realm has no app at the vendor. */
  readonly agora: Agora | undefined;
  readonly tencent: Tencent | undefined;
  readonly rong: Rong | undefined;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly snapshots: Snapshots;
  readonly sessions: Sessions;
  /** Deletes all data; credentials stay. */
  reset(): Promise<void>;
  /** Deletes a group as if it had never existed. */
  resetGroup(group: string): Promise<void>;
  /** All data, as JSON Lines. */
  export(): Promise<string>;
  exportTo(file: string): Promise<void>;
  /** Replaces all data by exported ones. */
  seed(lines: string | Uint8Array): Promise<{ rows: number; files: number; disconnected: number }>;
  seedFrom(file: string): Promise<{ rows: number; files: number; disconnected: number }>;
  /** Calls a function before the realm is deleted, the last one first. */
  defer(work: () => unknown): void;
  /** Deletes the realm and disconnects its clients. */
  delete(): Promise<void>;
}

export interface Agora {
  appKey: string;
  org: string;
  app: string;
  clientId: string;
  clientSecret: string;
  apiUrl: string;
  wsUrl: string;
  sockjsUrl: string;
  /** The base of the REST API of this app. */
  restUrl: string;
  /** For `new websdk.connection(...)` of agora-chat and easemob-websdk. */
  webSdk(): { appKey: string; apiUrl: string; url: string; isHttpDNS: false };
  appToken(): Promise<string>;
  registerUser(username: string, password?: string): Promise<void>;
  /** A token of a user, who is registered if necessary. */
  userToken(username: string, lifetimeSeconds?: number): Promise<string>;
}

export interface Tencent {
  sdkAppId: number;
  secretKey: string;
  admin: string;
  apiUrl: string;
  wsUrl: string;
  /** For `TencentCloudChat.create(...)` of @tencentcloud/chat and tim-js-sdk. */
  webSdk(): { SDKAppID: number; proxyServer: string };
  /** A UserSig, valid from the time of the realm's clock. */
  userSig(user: string, lifetimeSeconds?: number): Promise<string>;
  /** Calls a command of the server API as the app's admin, such as v4/group_open_http_svc/create_group. */
  call(command: string, body?: object): Promise<any>;
}

export interface Rong {
  appKey: string;
  appSecret: string;
  apiUrl: string;
  navigator: string;
  /** For `RongIMLib.init(...)` of @rongcloud/imlib-next. */
  webSdk(): { appkey: string; navigators: string[] };
  /** For `require('rongcloud-sdk')(...)`. */
  serverSdk(): { appkey: string; secret: string; api: string };
  /** Calls the server API, such as /group/create.json. */
  call(path: string, form?: Record<string, string>): Promise<any>;
  /** A token of a user, who is registered if necessary. */
  userToken(userId: string, name?: string): Promise<string>;
}

export interface ClockState {
  now_ms: number;
  now: string;
  frozen: boolean;
  pace: number;
  controlled: boolean;
  /** Whether everything has happened that was due. */
  settled: boolean;
}

/** A Date, milliseconds since 1970, or RFC 3339. */
export type Time = Date | number | string;
/** Milliseconds, or their sum in units. */
export type Duration = number | { milliseconds?: number; seconds?: number; minutes?: number; hours?: number; days?: number };

export interface Clock {
  get(): Promise<ClockState>;
  now(): Promise<Date>;
  /** Stops the clock, now or at a time. */
  freeze(at?: Time): Promise<ClockState>;
  set(at: Time): Promise<ClockState>;
  /** Moves the clock forward; returns when everything that is due has happened. */
  advance(duration: Duration): Promise<ClockState>;
  /** Lets so many milliseconds pass in one. */
  scale(pace: number): Promise<ClockState>;
  resume(): Promise<ClockState>;
}

/** A fault rule, as docs/control.md describes it. */
export interface FaultRule {
  on: 'call' | 'sign_in' | 'push' | 'webhook';
  vendor?: Vendor;
  operation?: string;
  user?: string;
  group?: string;
  first?: number;
  every?: number;
  probability?: number;
  seed?: number;
  when?: 'before' | 'after';
  /** One of `{ error }`, `{ delay_ms }`, `{ drop: true }` and the others of docs/control.md. */
  effect: Record<string, unknown>;
}

export interface Faults {
  add(rule: FaultRule): Promise<Fault>;
  list(): Promise<(FaultRule & { id: number; matched: number; hits: number })[]>;
  clear(): Promise<void>;
}

export interface Fault {
  readonly id: number;
  counts(): Promise<{ matched: number; hits: number }>;
  delete(): Promise<void>;
}

export interface JournalEntry {
  number: number;
  at_ms: number;
  kind: 'request' | 'call' | 'push' | 'webhook';
  vendor: Vendor;
  operation?: string;
  path?: string;
  actor?: string;
  user?: string;
  group?: string;
  status?: number;
  error?: string;
  unread?: string[];
}

export interface JournalFilter {
  kind?: JournalEntry['kind'];
  vendor?: Vendor;
  operation?: string;
  user?: string;
  group?: string;
  /** The vendor's error; "" is none. */
  error?: string;
  /** Only entries after this number. */
  after?: number;
}

export interface WaitOptions {
  /** How many entries; 1 when not given. */
  count?: number;
  /** How long; 5,000 when not given, 60,000 at most. */
  timeoutMs?: number;
}

export interface Journal {
  /** Begins to keep it, from the start. */
  begin(options?: { entries?: number }): Promise<void>;
  end(): Promise<void>;
  query(filter?: JournalFilter): Promise<JournalEntry[]>;
  /** The number of the last entry. */
  mark(): Promise<number>;
  /** Waits until so many entries match. */
  wait(filter?: JournalFilter, options?: WaitOptions): Promise<JournalEntry[]>;
  /** Waits until a user has been sent an event. */
  pushed(user: string, filter?: JournalFilter, options?: WaitOptions): Promise<JournalEntry[]>;
  /** Waits until an operation has been requested over HTTP. */
  requested(operation: string, filter?: JournalFilter, options?: WaitOptions): Promise<JournalEntry[]>;
  /** Waits until an operation has been called over a client protocol. */
  called(operation: string, filter?: JournalFilter, options?: WaitOptions): Promise<JournalEntry[]>;
  /** Waits until the app's server has been notified. */
  notified(filter?: JournalFilter, options?: WaitOptions): Promise<JournalEntry[]>;
}

export interface Snapshot {
  name: string;
  at: string;
  at_ms: number;
  rows: number;
}

export interface Snapshots {
  take(name: string, options?: { replace?: boolean }): Promise<Snapshot>;
  restore(name: string): Promise<{ disconnected: number }>;
  list(): Promise<Snapshot[]>;
  delete(name: string): Promise<void>;
}

export interface Session {
  id: string;
  vendor: Vendor;
  user: string;
  device: string;
  platform: string;
  since: string;
}

export interface Sessions {
  list(): Promise<Session[]>;
  /** Ends sessions; returns how many. */
  disconnect(which?: { user?: string; vendor?: Vendor; session?: string; reason?: string }): Promise<number>;
}
