// The widget in a real browser, on a page with a strict policy and a stylesheet that spoils everything it reaches.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { openBed } from './bed.js';

const hostile = `<img src=x onerror="window.canary=1">`;
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'";
let bed, browser, page;

before(async () => {
  bed = await openBed('widget');
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  const context = await browser.newContext();
  await context.route('**/shop.css', (route) =>
    route.fulfill({ contentType: 'text/css', body: '*{display:none!important;color:red!important}html,body{display:block!important}' }));
  await context.route('**/shop', (route) =>
    route.fulfill({
      contentType: 'text/html',
      headers: { 'Content-Security-Policy': policy },
      body: '<!doctype html><html lang="zh-CN"><link rel="stylesheet" href="/shop.css"><body><script src="/widget.js" data-channel="site" async></script>',
    }));
  page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(`the page failed: ${error.stack}`));
  await page.goto(`${bed.base}/shop`);
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

const line = (where, text) => where.locator('li').filter({ hasText: text });

test('a visitor and an agent talk, and another tab has the same conversation', async () => {
  await page.getByRole('button', { name: '在线咨询' }).click();
  await page.getByLabel('输入消息').fill(hostile);
  await page.keyboard.press('Enter');
  await line(page, '已发送').waitFor();
  const item = await bed.claim();
  await bed.reply(item.conversation, '您好');
  await line(page, '您好').waitFor();
  assert.equal(await page.evaluate(() => window.canary), undefined);
  assert.equal(await line(page, hostile).count(), 1, 'nothing is shown twice');
  const other = await page.context().newPage();
  await other.goto(`${bed.base}/shop`);
  await other.getByRole('button', { name: '在线咨询' }).click();
  await line(other, '您好').waitFor();
  assert.equal(await line(other, hostile).count(), 1);
});
