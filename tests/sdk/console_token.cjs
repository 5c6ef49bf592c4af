// The console where a control token is configured: it asks for it. It is given the address of the control API, the browser and the token.
'use strict';

const { chromium } = require('playwright-core');
const { report } = require('./reporting.cjs');

const [, , url, executablePath, token] = process.argv;

async function main() {
  const browser = await chromium.launch({ executablePath, headless: true, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(url);
  const input = page.getByLabel('Control token');
  await input.fill('another-token');
  await input.press('Enter');
  await page.locator('#status.bad').waitFor();
  await report('refused', page.locator('#status').textContent());
  await input.fill(token);
  await input.press('Enter');
  await page.locator('#realm option').first().waitFor({ state: 'attached' });
  await input.waitFor({ state: 'hidden' });
  await report('realms', page.locator('#realm option').allTextContents());
  // kept for this tab, also across a reload
  await page.reload();
  await page.locator('#realm option').first().waitFor({ state: 'attached' });
  await report('asked again', input.isVisible());
  await browser.close();
}

main().catch((error) => {
  process.stderr.write(String(error?.stack ?? error) + '\n');
  process.exit(1);
});
