// What Agora Chat's web SDK takes from the page around it, for tests in Node.js. The SDK itself is unmodified.

import { createRequire } from 'node:module';
import WebSocket from 'ws';

const { XMLHttpRequest } = createRequire(import.meta.url)('xmlhttprequest-ssl');
const give = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

class Storage {
  #kept = new Map();
  get length() { return this.#kept.size; }
  key(index) { return [...this.#kept.keys()][index] ?? null; }
  getItem(key) { return this.#kept.get(String(key)) ?? null; }
  setItem(key, value) { this.#kept.set(String(key), String(value)); }
  removeItem(key) { this.#kept.delete(String(key)); }
  clear() { this.#kept.clear(); }
}

give('self', globalThis);
give('window', globalThis);
give('location', { protocol: 'http:', host: 'localhost', hostname: 'localhost', href: 'http://localhost/', origin: 'http://localhost' });
give('navigator', { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36', onLine: true });
give('document', { addEventListener() {}, removeEventListener() {}, cookie: '' });
give('addEventListener', () => {});
give('removeEventListener', () => {});
give('localStorage', new Storage());
give('sessionStorage', new Storage());
give('XMLHttpRequest', XMLHttpRequest);
give('WebSocket', WebSocket);
