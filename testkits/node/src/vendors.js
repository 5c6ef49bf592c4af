// What each vendor's SDKs are configured with, and the credentials that an app's server gives its users.

import { createHash, createHmac, randomInt } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** How long signatures and tokens are valid unless a test says otherwise. */
const LIFETIME_SECONDS = 86_400;

async function json(url, options) {
  const response = await fetch(url, { ...options, headers: { connection: 'close', ...options.headers } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${options.method} ${url}: ${response.status} ${text}`);
  return JSON.parse(text);
}

const at = (realm, vendor, settings) => (realm.vendors.includes(vendor) && settings ? settings : undefined);

/** Agora Chat and Easemob. */
export function agora(realm) {
  const of = realm.settings;
  if (!at(realm, 'agora', of.AGORA_APPKEY)) return undefined;
  const [org, app] = of.AGORA_APPKEY.split('#');
  const restUrl = `${of.AGORA_API_URL}/${org}/${app}`;
  const post = (below, body, token) => json(restUrl + below, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  return {
    appKey: of.AGORA_APPKEY,
    org,
    app,
    clientId: of.AGORA_CLIENT_ID,
    clientSecret: of.AGORA_CLIENT_SECRET,
    apiUrl: of.AGORA_API_URL,
    wsUrl: of.AGORA_WS_URL,
    sockjsUrl: of.AGORA_SOCKJS_URL,
    /** The base of the REST API of this app. */
    restUrl,
    /** For `new websdk.connection(...)` of agora-chat and easemob-websdk. */
    webSdk: () => ({ appKey: of.AGORA_APPKEY, apiUrl: of.AGORA_API_URL, url: of.AGORA_WS_URL, isHttpDNS: false }),
    async appToken() {
      const credentials = { client_id: of.AGORA_CLIENT_ID, client_secret: of.AGORA_CLIENT_SECRET };
      return (await post('/token', { grant_type: 'client_credentials', ...credentials })).access_token;
    },
    async registerUser(username, password = 'secret') {
      await post('/users', { username, password }, await this.appToken());
    },
    /** A token of a user, who is registered if necessary. */
    async userToken(username, lifetimeSeconds = LIFETIME_SECONDS) {
      const credentials = { client_id: of.AGORA_CLIENT_ID, client_secret: of.AGORA_CLIENT_SECRET };
      const body = { grant_type: 'inherit', username, autoCreateUser: true, ttl: lifetimeSeconds, ...credentials };
      return (await post('/token', body, await this.appToken())).access_token;
    },
  };
}

/** Tencent Chat. */
export function tencent(realm) {
  const of = realm.settings;
  if (!at(realm, 'tencent', of.TENCENT_SDKAPPID)) return undefined;
  const sdkAppId = Number(of.TENCENT_SDKAPPID);
  return {
    sdkAppId,
    secretKey: of.TENCENT_SECRET_KEY,
    admin: of.TENCENT_ADMIN,
    apiUrl: of.TENCENT_API_URL,
    wsUrl: of.TENCENT_WS_URL,
    /** For `TencentCloudChat.create(...)` of @tencentcloud/chat and tim-js-sdk. */
    webSdk: () => ({ SDKAppID: sdkAppId, proxyServer: of.TENCENT_WS_URL }),
    /** A UserSig, valid from the time of the realm's clock. */
    async userSig(user, lifetimeSeconds = LIFETIME_SECONDS) {
      const { now_ms: now } = await realm.clock.get();
      return userSig(sdkAppId, of.TENCENT_SECRET_KEY, user, Math.floor(now / 1000), lifetimeSeconds);
    },
    /** Calls a command of the server API as the app's admin, such as v4/group_open_http_svc/create_group. */
    async call(command, body = {}) {
      const query = new URLSearchParams({
        sdkappid: of.TENCENT_SDKAPPID, identifier: of.TENCENT_ADMIN, usersig: await this.userSig(of.TENCENT_ADMIN),
        random: String(randomInt(2 ** 31)), contenttype: 'json',
      });
      return json(`${of.TENCENT_API_URL}/${command}?${query}`, { method: 'POST', body: JSON.stringify(body) });
    },
  };
}

/** A UserSig, version 2.0: a signed document, deflated, in base64 with characters that URLs accept. */
function userSig(sdkappid, key, identifier, now, expire) {
  const content = `TLS.identifier:${identifier}\nTLS.sdkappid:${sdkappid}\nTLS.time:${now}\nTLS.expire:${expire}\n`;
  const document = {
    'TLS.ver': '2.0',
    'TLS.identifier': identifier,
    'TLS.sdkappid': sdkappid,
    'TLS.time': now,
    'TLS.expire': expire,
    'TLS.sig': createHmac('sha256', key).update(content).digest('base64'),
  };
  const replaced = { '+': '*', '/': '-', '=': '_' };
  return deflateSync(JSON.stringify(document)).toString('base64').replace(/[+/=]/g, (character) => replaced[character]);
}

/** RongCloud. */
export function rong(realm) {
  const of = realm.settings;
  if (!at(realm, 'rong', of.RONG_APPKEY)) return undefined;
  return {
    appKey: of.RONG_APPKEY,
    appSecret: of.RONG_APPSECRET,
    apiUrl: of.RONG_API,
    navigator: of.RONG_NAVI,
    /** For `RongIMLib.init(...)` of @rongcloud/imlib-next. */
    webSdk: () => ({ appkey: of.RONG_APPKEY, navigators: [of.RONG_NAVI] }),
    /** For `require('rongcloud-sdk')(...)`. */
    serverSdk: () => ({ appkey: of.RONG_APPKEY, secret: of.RONG_APPSECRET, api: of.RONG_API }),
    /** Calls the server API, such as /group/create.json. */
    async call(path, form = {}) {
      const [nonce, timestamp] = [String(randomInt(2 ** 31)), String((await realm.clock.get()).now_ms)];
      const signature = createHash('sha1').update(of.RONG_APPSECRET + nonce + timestamp).digest('hex');
      return json(of.RONG_API + path, {
        method: 'POST',
        headers: { 'app-key': of.RONG_APPKEY, nonce, timestamp, signature },
        body: new URLSearchParams(form),
      });
    },
    /** A token of a user, who is registered if necessary. */
    async userToken(userId, name = userId) {
      return (await this.call('/user/getToken.json', { userId, name })).token;
    },
  };
}
