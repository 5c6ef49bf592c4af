// Opens a page of the README, with the SDK that it loads, in a headless Chromium, and reports that it has connected.
'use strict';

const fs = require('node:fs');
const { chromium } = require('playwright-core');
const { open } = require('../../chromium.cjs');

const [, , html, executablePath] = process.argv;

async function main() {
  const files = {
    '/': ['text/html', fs.readFileSync(html)],
    '/node_modules/agora-chat/Agora-chat.js': ['text/javascript', fs.readFileSync(require.resolve('agora-chat'))],
  };
  const prepare = (page) => page.addInitScript('window.ready = true');
  const { page, end } = await open({ chromium, executablePath, files, prepare });
  await page.waitForFunction(() => document.body?.textContent.includes('connected'));
  process.stdout.write('connected\n');
  await end();
}

main().catch((error) => {
  process.stderr.write(String(error?.stack ?? error) + '\n');
  process.exit(1);
});
