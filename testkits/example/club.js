// The app's server: a book club is a group. It uses RongCloud's server SDK.

import { createRequire } from 'node:module';

const rongcloud = createRequire(import.meta.url)('rongcloud-sdk');
/** This SDK's code for too many requests. */
const TOO_MANY = '20001';
/** What it returns when the connection was closed without an answer. */
const LOST = 'ECONNRESET';
const TRIES = 3;

export class Club {
  #sdk;

  /** @param {{ appkey: string, secret: string, api: string }} settings */
  constructor(settings) {
    this.#sdk = rongcloud(settings);
  }

  /** Creates a club; when the vendor is busy or the answer is lost, again. */
  async create(id, name, members) {
    for (let attempt = 1; ; attempt++) {
      // the SDK changes what it is given
      const answer = await this.#sdk.Group.create({ id, name, members: members.map((user) => ({ id: user })) });
      if (answer.code === 200) return attempt;
      const isWorthIt = answer.code === TOO_MANY || answer.msg?.code === LOST;
      if (!isWorthIt || attempt === TRIES) throw new Error(`the club ${id} cannot be created: ${JSON.stringify(answer.msg)}`);
    }
  }

  async members(id) {
    const { members } = await this.#sdk.Group.get({ id });
    return members.map((member) => member.id).sort();
  }

  /** A member cannot write for some minutes. */
  async mute(id, user, minute) {
    await this.#sdk.Group.Gag.add({ id, members: [{ id: user }], minute });
  }

  async close(id, user) {
    await this.#sdk.Group.dismiss({ id, member: { id: user } });
  }
}
