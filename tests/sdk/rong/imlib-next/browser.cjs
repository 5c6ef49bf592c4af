// Drives RongCloud's own Web SDK in a headless Chromium, on a page of an origin of its own: the same lines of JSON
// as `driver.cjs`. `requests` lists the browser's network requests, preflights included.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { createRequire } = require('node:module');
const { open } = require('../../chromium.cjs');

const [, , modules, executablePath] = process.argv;
const { chromium } = createRequire(modules + '/package.json')('playwright-core');
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

const PAGE = `<!doctype html><title>an app</title>
<script type="importmap">{"imports": {"@rongcloud/engine": "/engine.mjs", "@rongcloud/imlib-next": "/imlib.mjs"}}</script>
<script type="module">
  import * as RongIMLib from '@rongcloud/imlib-next';
  const argument = (value) => {
    if (Array.isArray(value)) return value.map(argument);
    if (value === null || typeof value !== 'object') return value;
    if ('$text' in value) return new RongIMLib.TextMessage(value.$text);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, argument(inner)]));
  };
  window.perform = async (call, args) => {
    if (call === 'init') {
      RongIMLib.init({ logLevel: 4, ...args[0] });
      for (const [name, event] of Object.entries(RongIMLib.Events)) {
        RongIMLib.addEventListener(event, (data) => window.report(name, JSON.stringify(data ?? null)));
      }
      return null;
    }
    return JSON.parse(JSON.stringify((await RongIMLib[call](...args.map(argument))) ?? null));
  };
  window.ready = true;
</script>`;

const module_ = (name) => fs.readFileSync(path.join(modules, 'node_modules/@rongcloud', name, 'index.mjs'));
const files = {
  '/': ['text/html', PAGE],
  '/engine.mjs': ['text/javascript', module_('engine')],
  '/imlib.mjs': ['text/javascript', module_('imlib-next')],
};

async function main() {
  const prepare = async (page) => {
    await page.exposeFunction('report', (event, data) => say({ event, data: JSON.parse(data) }));
    page.on('pageerror', (error) => say({ event: 'UNHANDLED_REJECTION', data: String(error) }));
  };
  const { page, requests, end } = await open({ chromium, executablePath, files, prepare });

  const answer = async ({ id, call, args = [] }) => {
    try {
      const asked = call === 'requests';
      say({ id, result: asked ? requests : await page.evaluate(([name, given]) => window.perform(name, given), [call, args]) });
    } catch (error) {
      say({ id, thrown: String(error?.stack ?? error) });
    }
  };
  readline.createInterface({ input: process.stdin })
    .on('line', (line) => void answer(JSON.parse(line)))
    .on('close', () => void end());
}

main().catch((error) => {
  process.stderr.write(String(error?.stack ?? error) + '\n');
  process.exit(1);
});
