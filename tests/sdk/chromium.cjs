// A headless Chromium with a page of an app on it, which lies on an origin of its own.

const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/// Opens the page `/` of these files, each a type and a body, as soon as it says that it is ready. `requests` grows
/// with what the browser asks the network for, preflights included; `prepare` comes before the page is loaded, and
/// `more` are further switches of the browser. `another` opens one more such page.
exports.open = async function open({ chromium, executablePath, files, prepare = () => {}, more = [] }) {
  const app = http.createServer((request, response) => {
    const [type, body] = files[request.url] ?? ['text/plain', ''];
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  await new Promise((done) => app.listen(0, '127.0.0.1', done));
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'conclave-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: [...ARGUMENTS, ...more] });
  const requests = [];
  const another = async (hash = '', prepareThis = prepare) => {
    const page = await browser.newPage();
    const network = await browser.newCDPSession(page);
    await network.send('Network.enable');
    network.on('Network.requestWillBeSent', ({ request }) => requests.push(`${request.method} ${request.url}`));
    network.on('Network.webSocketCreated', ({ url }) => requests.push(`SOCKET ${url}`));
    await prepareThis(page);
    await page.goto(`http://127.0.0.1:${app.address().port}/${hash}`);
    await page.waitForFunction('window.ready');
    return { page, network };
  };
  const { page } = await another();
  const end = async () => {
    await browser.close().catch(() => {});
    fs.rmSync(profile, { recursive: true, force: true });
    process.exit(0);
  };
  return { page, another, requests, end };
};
