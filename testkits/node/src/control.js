// The control API over HTTP: one connection for each request, so that no idle one is closed under a test.

import http from 'node:http';

/** A request that the gateway refused, with the control API's own code, message and status. */
export class ControlError extends Error {
  /**
   * @param {string} request the method and the path
   * @param {number} status
   * @param {string} code stable, to be compared by programs
   * @param {string} message
   */
  constructor(request, status, code, message) {
    super(`${message} (${code}, ${request})`);
    this.name = 'ControlError';
    this.code = code;
    this.status = status;
  }
}

/** A client of the control API. */
export class Control {
  /**
   * @param {string} url such as http://127.0.0.1:9091
   * @param {string} [token]
   */
  constructor(url, token) {
    this.url = new URL(url.includes('://') ? url : `http://${url}`);
    this.token = token;
  }

  /** Sends a request; objects are sent as JSON, texts and bytes as JSON Lines. Returns the body: parsed if it is JSON. */
  async call(method, path, body) {
    const isText = typeof body === 'string' || body instanceof Uint8Array;
    const sent = body === undefined ? undefined : isText ? body : JSON.stringify(body);
    const { status, type, text } = await this.#send(method, path, sent, isText ? 'application/jsonl' : 'application/json');
    if (status < 200 || status > 299) {
      const { code, message } = errorOf(text);
      throw new ControlError(`${method} ${path}`, status, code, message);
    }
    if (text === '') return undefined;
    return type.startsWith('application/json') && !type.startsWith('application/jsonl') ? JSON.parse(text) : text;
  }

  #send(method, path, body, type) {
    const headers = {};
    if (body !== undefined) Object.assign(headers, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    return new Promise((resolve, reject) => {
      const failed = (error) =>
        reject(new Error(`the control API at ${this.url.origin} does not answer: ${error.message || error.code}`, { cause: error }));
      const request = http.request(new URL(path, this.url), { method, headers, agent: false }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', failed);
        response.on('end', () => resolve({
          status: response.statusCode,
          type: response.headers['content-type'] ?? '',
          text: Buffer.concat(chunks).toString(),
        }));
      });
      request.on('error', failed);
      request.end(body);
    });
  }
}

/** The error in a refusal; an answer of something else than a control API is shown as it is. */
function errorOf(text) {
  try {
    const { error } = JSON.parse(text);
    if (typeof error?.code === 'string' && typeof error?.message === 'string') return error;
  } catch {
    // not JSON
  }
  return { code: 'not_a_control_api', message: text.slice(0, 200) || 'an empty answer' };
}

/** A path with its parts encoded. */
export const path = (...parts) => '/v1/' + parts.map(encodeURIComponent).join('/');
