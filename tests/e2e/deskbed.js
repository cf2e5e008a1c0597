// The desk in a real browser: signing in, and what must never happen on any page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The page is our own, and CI runs as root, where Chromium's sandbox cannot. */
export const openBrowser = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

/** A browser of its own with the desk open; fails where a script fails, a dialog opens or something is asked of others. */
export async function openDesk(browser, bed, agent, password, options = {}) {
  const context = await browser.newContext({ locale: 'en-US', reducedMotion: 'reduce', viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(`the page failed: ${error.stack}`));
  page.on('dialog', () => assert.fail('a dialog was opened'));
  const foreign = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(bed.base) && !/^(data|blob|about):/.test(url)) foreign.push(url);
  });
  await page.goto(`${bed.base}/`);
  await page.locator('#login input').first().fill(agent);
  await page.locator('#login input[type=password]').fill(password);
  await page.keyboard.press('Enter');
  await page.locator('#live.live').waitFor();
  return Object.assign(page, { foreign });
}

export async function setPassword(bed, agent, password) {
  const { status } = await bed.call('PUT', `/v1/agents/${agent}/password`, { password }, bed.admin);
  assert.equal(status, 204);
}

/** Changes an agent, or makes one. */
export async function setAgent(bed, agent, change) {
  const { status: known, json } = await bed.call('GET', `/v1/agents/${agent}`, undefined, bed.admin);
  const { version: _, ...before } = known === 200 ? json : { id: agent };
  const { status } = await bed.call('PUT', `/v1/agents/${agent}`, { ...before, ...change }, bed.admin);
  assert.equal(status, 200);
}

/** A line of each message that the thread shows. */
export const messages = (page) => page.locator('#messages li[data-message]');
export const said = (page, text) => page.locator('#messages li').filter({ has: page.locator('bdi.text', { hasText: text }) });

/** What axe finds fault with. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: { region: { enabled: false } } }));
  return found.violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`);
}

/** Must one scroll sideways? */
export async function isWide(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

/** What is open now is right in both themes and languages, and at 320 pixels; the language is English before and after. */
export async function lookAtAll(page) {
  const size = page.viewportSize();
  for (const language of ['中文', 'English'])
    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await violations(page), [], `${colorScheme}, before ${language}`);
      await page.setViewportSize({ width: 320, height: 700 });
      assert.equal(await isWide(page), false, `${colorScheme}, before ${language}`);
      await page.setViewportSize(size);
      if (colorScheme === 'light') await page.locator('header button', { hasText: language }).evaluate((button) => button.click());
    }
}
