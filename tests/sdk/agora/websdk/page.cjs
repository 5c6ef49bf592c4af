// What the web SDKs take from the page they expect around them. Their socket stays unconnected.

const give = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
give('self', globalThis);
give('window', globalThis);
give('location', { protocol: 'http:', host: 'localhost', hostname: 'localhost', href: 'http://localhost/' });
give('navigator', { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36', onLine: true });
give('document', { addEventListener() {}, cookie: '' });
give('addEventListener', () => {});
give('XMLHttpRequest', require('xmlhttprequest-ssl').XMLHttpRequest);
give('WebSocket', class { constructor() { this.readyState = 0; } close() {} send() {} });
