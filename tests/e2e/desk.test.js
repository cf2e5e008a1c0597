// The desk in a real browser: what an agent does with it, in both languages, with a hostile customer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { openBed, until } from './bed.js';

const hostile = `<img src=x onerror="window.canary=1"><script>window.canary=2</script>`;
let bed, browser, page;

before(async () => {
  bed = await openBed('desk');
  // The page is our own, and CI runs as root, where Chromium's sandbox cannot.
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1200, height: 800 } });
  page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(`the page failed: ${error.stack}`));
  page.on('dialog', () => assert.fail('a customer opened a dialog'));
  await page.goto(`${bed.base}/`);
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

const button = (name) => page.getByRole('button', { name, exact: true });
const messages = () => page.locator('#messages li[data-message]');
const said = (text) => page.locator('#messages li').filter({ has: page.locator('bdi.text', { hasText: text }) });
const write = (id, text, from = { id: 'evil', name: hostile }) => bed.post({ id, from, text });

async function signIn(password) {
  await page.getByLabel('坐席').fill('alice');
  await page.getByLabel('密码').fill(password);
  await page.keyboard.press('Enter');
}

test('a wrong password is refused in the language of the page', async () => {
  await signIn('wrong');
  await page.getByText('坐席或密码不正确。').waitFor();
  await signIn(bed.password);
  await page.getByRole('heading', { name: '我的工单' }).waitFor();
  await page.getByText('实时').waitFor();
});

test('a hostile name and text are shown and never run', async () => {
  await page.getByRole('combobox', { name: '我的状态' }).selectOption('away');
  assert.equal((await write('1', hostile)).status, 200);
  // Until an offer made before is taken back, there may be nothing to pull.
  await until('the work item', async () => {
    if (await button('接受').isVisible()) await button('接受').click();
    else await button('领取下一个').click();
    return said(hostile).first().isVisible();
  });
  assert.equal(await messages().count(), 1);
  assert.match(await page.locator('#thread-title').textContent(), /<img src=x/);
  assert.match(await page.locator('#items').textContent(), /处理中/);
  assert.match(await page.locator('#facts').textContent(), /<script>/);
  assert.equal(await page.locator('#desk img, #desk script').count(), 0);
  assert.equal(await page.evaluate(() => window.canary), undefined);
});

test('a reply reaches the customer, a note does not', async () => {
  await page.getByRole('textbox', { name: '回复或备注' }).fill('马上处理');
  await page.keyboard.press('Control+Enter');
  await said('马上处理').getByText('已发送').waitFor();
  assert.deepEqual(bed.sink.received.map((one) => JSON.parse(one.raw).data.text), ['马上处理']);
  await page.getByRole('textbox', { name: '回复或备注' }).fill('内部：小心');
  await button('备注').click();
  await said('内部：小心').waitFor();
  assert.equal(bed.sink.received.length, 1);
});

test('what was said is found, shown as text, and opened', async () => {
  const hits = page.locator('#hits button');
  const search = async (text) => {
    await page.getByRole('searchbox', { name: '搜索' }).fill(text);
    const answered = text && page.waitForResponse((one) => one.url().includes('/v1/search'));
    await button('搜索').click();
    await answered;
  };
  // The answer is there; a moment for the page to show it.
  const shown = () => hits.first().waitFor({ timeout: 1000 }).then(() => true, () => false);
  await until('the history to have it', async () => {
    await search('馬上處理');
    return shown();
  });
  assert.equal(await hits.locator('mark').textContent(), '马上处理');
  await until('the hostile one', async () => {
    await search('onerror');
    return shown();
  });
  assert.match(await hits.first().textContent(), /<img src=x onerror/);
  assert.equal(await page.locator('#found img, #found script').count(), 0);
  await hits.first().click();
  await said(hostile).first().waitFor();
  await search('没有这样的话');
  await page.getByText('没有找到。').waitFor();
  await search('"');
  await page.locator('#problem').getByText('请求无法理解').waitFor();
  await search('');
  assert.equal(await page.locator('#found').isVisible(), false);
});

test('the language changes everywhere and at once', async () => {
  await button('English').click();
  await page.getByRole('heading', { name: 'My work' }).waitFor();
  await said('马上处理').getByText('sent').waitFor();
  await page.getByRole('combobox', { name: 'My presence' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
  await button('中文').click();
});

test('another tab is signed in too, and names a day that is not today', async () => {
  const later = await page.context().newPage();
  await later.clock.setFixedTime(Date.now() + 3 * 86_400_000);
  await later.goto(`${bed.base}/`);
  await later.locator('#items button').first().click();
  const time = later.locator('#messages li[data-message] time').first();
  await time.waitFor();
  assert.match(await time.textContent(), new RegExp(String(new Date().getFullYear())));
  await later.close();
  await page.getByText('实时').waitFor();
});

test('what came while the connection was away is shown after it', async () => {
  await bed.ask('restart');
  await write('2', '断线时写的');
  await said('断线时写的').waitFor({ timeout: 30_000 });
  await page.getByText('实时').waitFor();
});

test('a long thread shows its end first, and the rest on demand', async () => {
  for (let number = 0; number < 110; number++) await write(`long-${number}`, `第 ${number} 条`);
  await said('第 109 条').waitFor();
  await page.reload();
  await page.locator('#items button').first().click();
  await button('加载更早的消息').click();
  await said(hostile).waitFor();
  assert.equal(await messages().count(), 1 + 2 + 1 + 110);
  assert.match(await messages().first().textContent(), /<img/);
});

test('it works without a mouse and in 320 pixels', async () => {
  await page.setViewportSize({ width: 320, height: 640 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
  await page.locator('#text').focus();
  for (const id of ['', 'note', 'resolve']) {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), id);
  }
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: '会话小结' }).waitFor();
  await page.keyboard.press('Control+Enter');
  await page.getByText('已解决。').waitFor();
  await page.getByText('您没有工单。').waitFor();
  await page.getByText('没有等待的工单。').waitFor();
  assert.equal(await page.locator('#text').isVisible(), false);
});

test('a session that ended leads back to the sign-in', async () => {
  await page.context().clearCookies();
  // What the page asks by itself may be the first to be refused; then the button is gone.
  await button('领取下一个').click({ timeout: 3000 }).catch(() => null);
  await page.getByText('登录已失效，请重新登录。').waitFor();
  await signIn(bed.password);
  await page.getByRole('heading', { name: '我的工单' }).waitFor();
});

test('work that is offered or handed over is held out, and taken or left', async () => {
  await page.setViewportSize({ width: 1200, height: 800 });
  await write('calm', '还在吗', { id: 'calm', name: '王小红' });
  await page.getByText(/派单给您.*王小红/).waitFor();
  await button('拒绝').click();
  const item = await bed.claim(bed.bob);
  assert.equal(item.customer.name, '王小红');
  const handed = await bed.call('POST', `/v1/work-items/${item.id}/transfer`, { target: 'agent:alice' }, bed.bob);
  assert.equal(handed.status, 200);
  await page.getByText(/转给您.*王小红/).waitFor();
  await page.reload();
  await page.getByText(/转给您.*王小红/).waitFor();
  await button('接受').click();
  await said('还在吗').waitFor();
  assert.match(await page.locator('#items button').textContent(), /王小红.*处理中/);
});
