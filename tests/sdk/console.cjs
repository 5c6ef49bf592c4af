// The gateway's console in a headless Chromium: what a person sees and does with a keyboard.
//
// It is given the address of the control API, the browser, and where a picture is to be stored, if at all. The test made a realm
// `shop` with a group `readers` of ann, bob and cat, of whom ann is connected.
'use strict';

const assert = require('node:assert/strict');
const { chromium } = require('playwright-core');
const { pause, report } = require('./reporting.cjs');

const [, , url, executablePath, picture] = process.argv;
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const VENDORS = ['agora', 'tencent', 'rong'];

async function main() {
  const browser = await chromium.launch({ executablePath, headless: true, args: ARGUMENTS });
  const page = await browser.newPage({ viewport: { width: 1440, height: 1100 }, colorScheme: 'light' });
  page.setDefaultTimeout(30_000);
  const wrong = [];
  const requested = new Set();
  page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()); });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('request', (request) => requested.add(new URL(request.url()).origin));
  page.on('dialog', (dialog) => dialog.accept());
  const shows = (selector, text) => page.locator(selector).filter({ hasText: text }).first().waitFor();
  /** Moves the focus with the Tab key until it is on an element. */
  const tabTo = async (id) => {
    await page.evaluate(() => document.activeElement?.blur());
    for (let steps = 0; steps < 80; steps++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((wanted) => document.activeElement?.id === wanted, id)) return;
    }
    assert.fail(`the Tab key does not reach ${id}`);
  };

  await page.goto(url);
  await page.getByLabel('Realm', { exact: true }).selectOption('shop');

  // one group as each vendor's API returns it
  for (const vendor of VENDORS) await shows(`#vendor-${vendor} pre`, 'Readers');
  await report('group', page.evaluate(() => Object.fromEntries([...document.querySelectorAll('#vendors article')].map((article) =>
    [article.id, [...article.querySelectorAll('p')].map((request) => request.textContent)]))));
  await report('members', page.locator('#members tr').allTextContents());
  await report('sessions', page.locator('#sessions tr td:nth-child(1)').allTextContents());

  // for screen readers: landmarks, one first heading, labels of everything, names of tables' columns
  await report('unnamed', page.evaluate(() => [...document.querySelectorAll('input, select, button, section, nav, article, pre, [role=region]')]
    .filter((one) => !(one.labels?.length || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || (one.matches('button') && one.textContent.trim())))
    .map((one) => one.outerHTML)));
  for (const landmark of ['banner', 'navigation', 'main']) assert.equal(await page.getByRole(landmark).count(), 1, landmark);
  assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
  assert.equal(await page.locator('th:not([scope=col])').count(), 0);
  assert.equal(await page.getByRole('status').count(), 1);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');

  // with the keyboard alone: the journal, the clock, a fault
  await tabTo('begin-journal');
  await page.keyboard.press('Enter');
  await shows('#status', 'The journal was started.');
  pause('journal');
  await shows('#stream tr', 'group/create');
  for (const kind of ['event', 'request', 'push']) await page.locator('#stream td:nth-child(2)', { hasText: kind }).first().waitFor();
  await shows('#unread tr', 'nonsense');
  await shows('#stream tr', 'unread: nonsense');
  await page.getByLabel('Kind').selectOption('push');
  await report('kinds', page.evaluate(() => [...new Set([...document.querySelectorAll('#stream tr')].map((row) => row.cells[1].textContent))]));
  await page.getByLabel('Kind').selectOption('');
  await page.getByLabel('Contains').fill('no such text');
  await shows('#stream tr', 'none');
  await page.getByLabel('Contains').fill('');

  await tabTo('freeze');
  await page.keyboard.press('Enter');
  await shows('#clock-state', 'frozen');
  const before = await page.locator('#now').textContent();
  await tabTo('advance');
  await page.keyboard.press('Enter');
  await shows('#status', 'advanced by 10 minutes');
  await report('advanced', (async () => Date.parse(await page.locator('#now').textContent()) - Date.parse(before))());

  await tabTo('fault-vendor');
  await page.locator('#fault-vendor').selectOption('rong');
  await page.locator('#fault-operation').fill('group/create');
  await page.locator('#fault-effect').selectOption('error');
  await page.locator('#fault-value').fill('1008');
  await page.locator('#fault-value').press('Enter');
  await shows('#status', 'The rule was added.');
  await shows('#faults tr', 'group/create');
  pause('fault');
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.locator('#faults tr td:nth-child(3)', { hasText: '1' }).waitFor();
  await page.locator('#fault-operation').fill('no/such/operation');
  await page.locator('#fault-operation').press('Enter');
  await shows('#status.bad', 'no/such/operation');

  if (picture) {
    await page.locator('#fault-operation').fill('');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await shows('#status', 'Everything was read again.');
    await page.screenshot({ path: picture, fullPage: true });
  }

  await page.getByRole('button', { name: /^Delete rule/ }).click();
  await shows('#faults tr', 'none');
  await page.getByRole('button', { name: 'Disconnect ann, rong' }).click();
  await shows('#sessions tr', 'none');

  // both colour schemes can be read: the contrast of text and ground, as WCAG counts it
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await report(`contrast in ${colorScheme}`, page.evaluate(() => {
      const light = (css) => {
        const [r, g, b] = css.match(/[\d.]+/g).map((part) => { const c = part / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = light(getComputedStyle(document.querySelector('section')).backgroundColor);
      const least = ['#members td', 'thead th', '#vendors p', '#status'].map((selector) => {
        const text = light(getComputedStyle(document.querySelector(selector)).color);
        return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
      });
      return [ground > 0.5 ? 'light' : 'dark', Math.min(...least) >= 4.5];
    }));
  }

  // a realm that is made and deleted here
  await page.getByRole('button', { name: 'Create a realm' }).click();
  await shows('#status', 'was created.');
  await page.getByRole('button', { name: 'Delete it' }).click();
  await shows('#status', 'was deleted.');

  const refusals = /Failed to load resource: the server responded with a status of (400|404|408|409)/;
  await report('wrong', wrong.filter((text) => !refusals.test(text)));
  await report('requested', [...requested]);
  await browser.close();
}

main().catch((error) => {
  process.stderr.write(String(error?.stack ?? error) + '\n');
  process.exit(1);
});
