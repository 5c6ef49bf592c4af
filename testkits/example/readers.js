// The app's clients: readers, some with Tencent's web SDK and some with Agora Chat's.

import TencentCloudChat from '@tencentcloud/chat';
import './page.js';
import agora from 'agora-chat';

const websdk = agora.default ?? agora;
websdk.logger.disableAll();

/** What readers have in common: the messages that they have received, and waiting for one. */
class Reader {
  #messages = [];
  #waiting = [];

  received(from, text) {
    this.#messages.push([from, text]);
    for (const look of this.#waiting.splice(0)) look();
  }

  /** Waits for a message with this text; returns who sent it. */
  async hasRead(text) {
    for (;;) {
      const found = this.#messages.find(([, read]) => read === text);
      if (found) return found[0];
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
  }
}

export class TencentReader extends Reader {
  #chat;

  static async connect(realm, user) {
    const reader = new TencentReader();
    const chat = (reader.#chat = TencentCloudChat.create(realm.tencent.webSdk()));
    chat.setLogLevel(4);
    chat.on(TencentCloudChat.EVENT.MESSAGE_RECEIVED, ({ data }) => {
      for (const { from, type, payload } of data) if (type === TencentCloudChat.TYPES.MSG_TEXT) reader.received(from, payload.text);
    });
    const ready = new Promise((resolve) => chat.on(TencentCloudChat.EVENT.SDK_READY, resolve));
    await chat.login({ userID: user, userSig: await realm.tencent.userSig(user) });
    await ready;
    realm.defer(() => chat.destroy());
    return reader;
  }

  /** Writes into a club; throws the SDK's error with its code when the vendor refuses. */
  async write(club, text) {
    const message = this.#chat.createTextMessage({ to: club, conversationType: TencentCloudChat.TYPES.CONV_GROUP, payload: { text } });
    await this.#chat.sendMessage(message);
  }
}

export class AgoraReader extends Reader {
  #connection;

  static async connect(realm, user) {
    const reader = new AgoraReader();
    const connection = (reader.#connection = new websdk.connection(realm.agora.webSdk()));
    connection.addEventHandler('reader', { onTextMessage: ({ from, msg }) => reader.received(from, msg) });
    await connection.open({ user, accessToken: await realm.agora.userToken(user) });
    realm.defer(() => connection.close());
    return reader;
  }

  async write(club, text) {
    await this.#connection.send(websdk.message.create({ chatType: 'groupChat', type: 'txt', to: club, msg: text }));
  }
}
