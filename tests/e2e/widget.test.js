// The widget in a real browser, on a page with a strict policy and a stylesheet that spoils everything it reaches.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { openBed, until } from './bed.js';
import { openDesk, violations } from './deskbed.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const hostile = `<img src=x onerror="window.canary=1">`;
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'";
let bed, browser, page;

/** A page of somebody else's at /shop, with the widget on it. */
const putShop = (context, language, more = '', channel = 'site') =>
  context.route('**/shop', (route) =>
    route.fulfill({
      contentType: 'text/html',
      headers: { 'Content-Security-Policy': policy },
      body: `<!doctype html><html lang="${language}"><title>shop</title><link rel="stylesheet" href="/shop.css"><body><main><h1>Shop</h1></main>` +
        `<script src="/widget.js" data-channel="${channel}" ${more} async></script>`,
    }));

async function openShop(context) {
  const page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(`the page failed: ${error.stack}`));
  await page.goto(`${bed.base}/shop`);
  return page;
}

before(async () => {
  bed = await openBed('widget');
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  const context = await browser.newContext();
  await context.route('**/shop.css', (route) =>
    route.fulfill({ contentType: 'text/css', body: '*{display:none!important;color:red!important}html,body{display:block!important}' }));
  await putShop(context, 'zh-CN');
  page = await openShop(context);
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

test('each side knows what the other has read', async () => {
  const context = await browser.newContext({ locale: 'en-US' });
  await putShop(context, 'en');
  const shop = await openShop(context);
  await shop.getByRole('button', { name: 'Chat with us' }).click();
  await shop.getByLabel('Write a message').fill('anybody there?');
  await shop.keyboard.press('Enter');
  await line(shop, 'anybody there?Sent').waitFor();
  const item = await bed.claim();
  await until('the read mark', async () => {
    await bed.call('POST', `/v1/conversations/${item.conversation}/viewing`, {});
    return (await line(shop, 'anybody there?Read').count()) === 1;
  });
  const messages = async () => (await bed.call('GET', `/v1/conversations/${item.conversation}/messages`)).json.data;
  await bed.reply(item.conversation, 'yes');
  await line(shop, 'yes').waitFor();
  await until('the answer to be read', async () => (await messages())[1].delivery.state === 'read');
  await shop.getByRole('button', { name: 'Close the chat' }).click();
  await bed.reply(item.conversation, 'still there?');
  await until('the second answer to be sent', async () => (await messages())[2].delivery.state === 'sent');
  await shop.getByRole('button', { name: 'Chat with us' }).click();
  await until('the second answer to be read', async () => (await messages())[2].delivery.state === 'read');
  await context.close();
});

/** What the page's own server would sign. */
function signed(sub, name) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, name, aud: 'member', exp: Math.floor(Date.now() / 1000) + 600 })}`;
  return `${text}.${createHmac('sha256', "the page's own server and nobody else knows it").update(text).digest('base64url')}`;
}

test('a signed identity is asked for anew when the session ends, and may change', async () => {
  const context = await browser.newContext({ locale: 'en-US', bypassCSP: true });
  let asked = 0;
  await context.route('**/who', (route) => {
    asked++;
    return route.fulfill({ contentType: 'text/plain', body: signed('c-4711', 'Meng') });
  });
  await context.route('**/shop', (route) => route.fulfill({
    contentType: 'text/html',
    body: `<!doctype html><html lang="en"><title>shop</title><body>
      <script>window.converge = function (...given) { (converge.q = converge.q || []).push(given); };
      converge('on', 'identity', () => fetch('/who').then((answer) => answer.text()));</script>
      <script src="/widget.js" data-channel="member" async></script>`,
  }));
  const shop = await openShop(context);
  await until('the widget', () => shop.evaluate(() => window.converge.q === undefined));
  await shop.evaluate(() => converge('open'));
  await shop.getByLabel('Write a message').fill('it is me');
  await shop.keyboard.press('Enter');
  await line(shop, 'it is meSent').waitFor();
  assert.equal(asked, 1);
  await context.route('**/chat/member/messages', (route) => route.fulfill({ status: 401, body: '{}' }), { times: 1 });
  await shop.getByLabel('Write a message').fill('still me');
  await shop.keyboard.press('Enter');
  await line(shop, 'still meSent').waitFor();
  assert.equal(asked, 2, 'the page was asked again');
  const item = await bed.claim();
  assert.equal(item.customer.name, 'Meng');
  const { json: thread } = await bed.call('GET', `/v1/conversations/${item.conversation}/messages`);
  assert.deepEqual(thread.data.map((one) => one.text), ['it is me', 'still me']);
  await shop.evaluate((token) => converge('identify', token), signed('c-4712', 'Hana'));
  await until('an empty chat', async () => (await line(shop, 'it is me').count()) === 0);
  await shop.getByLabel('Write a message').fill('and now I');
  await shop.keyboard.press('Enter');
  await line(shop, 'and now ISent').waitFor();
  assert.equal((await bed.claim()).customer.name, 'Hana');
  await context.close();
});

test('what is left while nobody is there becomes a mail conversation', async () => {
  for (const [language, open, fields, leave, thanks] of [
    ['zh-CN', '在线咨询', ['您的姓名', '您的邮箱', '留言内容'], '提交留言', '感谢您的留言'],
    ['en', 'Chat with us', ['Your name', 'Your email', 'Your message'], 'Leave the message', 'Thank you'],
  ]) {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, bypassCSP: true });
    await putShop(context, language, '', 'night');
    const shop = await openShop(context);
    await shop.getByRole('button', { name: open }).click();
    await shop.getByLabel(fields[0]).fill('孟 Meng');
    await shop.getByLabel(fields[1]).fill(`meng-${language}@customer.test`);
    await shop.getByLabel(fields[2]).fill('订单还没到\nwhere is it?');
    await shop.evaluate(() => document.querySelector('link').remove());
    await shop.evaluate(axe);
    const found = await shop.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }));
    assert.deepEqual(found.violations.map((one) => one.id), []);
    // The first try's answer is lost: the second is the same message.
    await context.route('**/chat/night/offline', async (route) => {
      await route.fetch();
      await route.abort();
    }, { times: 1 });
    await shop.getByRole('button', { name: leave }).click();
    await shop.getByText(/未能提交|Not sent\./).waitFor();
    await shop.getByRole('button', { name: leave }).click();
    await shop.getByText(thanks).waitFor();
    const item = await bed.claim();
    assert.deepEqual([item.channel, item.customer.name], ['support', '孟 Meng']);
    const { json: thread } = await bed.call('GET', `/v1/conversations/${item.conversation}/messages`);
    assert.deepEqual(thread.data.map((one) => one.text.trim()), ['订单还没到\nwhere is it?']);
    await bed.reply(item.conversation, '明天送达');
    await until('the answer by mail', async () => (await bed.mails()).some((mail) => mail.to.includes(`meng-${language}@customer.test`)));
    await context.close();
  }
});

test('who comes while nobody is there sees when they are back, by their own clock, and later that they are', async () => {
  // "night" opens Mondays at 00:00 UTC.
  for (const [language, timezoneId, opens, shown] of [
    ['en', 'America/New_York', '在线咨询|Chat with us', /We are open again Sunday(, \w+ \d+ at)? (19|20):00\./],
    ['zh-CN', 'Asia/Shanghai', '在线咨询|Chat with us', /(\d+月\d+日)?周一 08:00 恢复服务。/],
  ]) {
    const context = await browser.newContext({ timezoneId });
    await putShop(context, language, '', 'night');
    const shop = await openShop(context);
    await shop.getByRole('button', { name: new RegExp(opens) }).click();
    await shop.getByText(shown).waitFor();
    // The session is kept, and it opens meanwhile: what is kept of the hours does not count.
    await context.route('**/chat/night/sessions', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), closed: null, opens_at: null } });
    });
    const later = await openShop(context);
    const settled = later.waitForRequest('**/chat/night/events?*');
    await later.getByRole('button', { name: new RegExp(opens) }).click();
    await settled;
    assert.ok(await later.getByLabel(/输入消息|Write a message/).isVisible());
    assert.equal(await later.getByText(shown).count(), 0);
    await context.close();
  }
});

test('a day more than a week off has its date', async () => {
  const context = await browser.newContext({ timezoneId: 'Asia/Shanghai' });
  await context.route('**/chat/night/sessions', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), opens_at: '2099-01-05T01:00:00.000Z' } });
  });
  for (const [language, open, shown] of [
    ['zh-CN', '在线咨询', '1月5日周一 09:00 恢复服务。'],
    ['en', 'Chat with us', 'We are open again Monday, January 5 at 09:00.'],
  ]) {
    await context.unroute('**/shop');
    await putShop(context, language, '', 'night');
    const shop = await openShop(context);
    await shop.getByRole('button', { name: open }).click();
    await shop.getByText(shown).waitFor();
    await shop.close();
  }
  await context.close();
});

test('what the page says of its visitor stands beside the conversation, and is said to be unproven', async () => {
  const context = await browser.newContext({ bypassCSP: true });
  await context.route('**/shop', (route) => route.fulfill({
    contentType: 'text/html',
    body: `<!doctype html><html lang="en"><title>shop</title><body>
      <script>window.converge = function (...given) { (converge.q = converge.q || []).push(given); };
      converge('setAttributes', { order: '4711', page: '/cart' });</script>
      <script src="/widget.js" data-channel="site" async></script>`,
  }));
  const shop = await openShop(context);
  await shop.getByRole('button', { name: 'Chat with us' }).click();
  await shop.getByLabel('Write a message').fill('Where is it?');
  await shop.keyboard.press('Enter');
  await line(shop, 'Where is it?Sent').waitFor();
  const item = await bed.claim();
  const told = async () => (await bed.call('GET', `/v1/conversations/${item.conversation}`)).json.page_attributes;
  await until('the first message to bring it along', async () => (await told()).order === '4711');
  const desk = await openDesk(browser, bed, 'alice', bed.password);
  await desk.locator('#mine').getByText(`#${item.number} `).first().click();
  await desk.locator('#facts').getByText('order: 4711').waitFor();
  // Merged, and shown while the agent looks on.
  await shop.evaluate(() => converge('setAttributes', { plan: '<img src=x onerror="window.canary=1">', order: null }));
  const plan = desk.locator('#facts dd').filter({ hasText: 'plan: <img' });
  await plan.waitFor();
  assert.match(await plan.textContent(), /not proved|claimed/);
  assert.equal(await desk.locator('#facts').getByText('order: 4711').count(), 0);
  assert.equal(await desk.evaluate(() => window.canary), undefined);
  assert.deepEqual(Object.keys(await told()).sort(), ['page', 'plan']);
  // Whoever writes the page is told what is wrong, and what stood there stays.
  const complaint = shop.waitForEvent('console', (one) => one.type() === 'error' && one.text().startsWith('converge:'));
  await shop.evaluate(() => converge('setAttributes', { 'two words': 1 }));
  assert.match((await complaint).text(), /setAttributes: #\/body\/attributes: a name has 1 to 40/);
  assert.deepEqual(Object.keys(await told()).sort(), ['page', 'plan']);
  await desk.context().close();
  await context.close();
});

test('who is asked before writes a file, gets one, and says how it was', async () => {
  const context = await browser.newContext({ locale: 'en-US', timezoneId: 'America/St_Johns' });
  await putShop(context, 'en', 'data-ask="name,email"');
  const shop = await openShop(context);
  await shop.getByRole('button', { name: 'Chat with us' }).click();
  await shop.getByLabel('Your name').fill('Ann Lee');
  await shop.getByLabel('Your email').fill('ann@customer.test');
  await shop.getByRole('button', { name: 'Start the chat' }).click();
  await shop.getByLabel('Write a message').fill('It is broken');
  await shop.keyboard.press('Enter');
  await line(shop, 'Sent').waitFor();
  await shop.locator('input[type=file]').setInputFiles({ name: 'broken.txt', mimeType: 'text/plain', buffer: Buffer.from('crack') });
  await line(shop, 'broken.txtSent').waitFor();
  const item = await bed.claim();
  assert.equal(item.customer.name, 'Ann Lee');
  const { json: thread } = await bed.call('GET', `/v1/conversations/${item.conversation}/messages`);
  assert.deepEqual(thread.data.map((one) => [one.text, one.attachments.map((file) => file.name)]), [['It is broken', []], ['', ['broken.txt']]]);
  await bed.reply(item.conversation, 'A new one is on its way');
  await line(shop, 'A new one is on its way').waitFor();
  for (const act of ['resolve', 'close']) assert.equal((await bed.call('POST', `/v1/work-items/${item.id}/${act}`, {})).status, 200);
  await shop.getByRole('button', { name: '4 of 5' }).click();
  await shop.getByText('Thank you!').waitFor();
  await shop.getByLabel('Send me this conversation by email').fill('ann@customer.test');
  await shop.locator('form.mail button').click();
  await shop.getByText('Sent to ann@customer.test').waitFor();
  const mail = await until('the transcript', async () => (await bed.mails()).find((one) => one.to.includes('ann@customer.test')));
  assert.match(mail.raw.toString(), /Subject: Your conversation with us/);
  assert.match(mail.raw.toString(), /times in America\/St_Johns/);
  const { json: customer } = await bed.call('GET', `/v1/customers/${item.customer.id}`);
  assert.deepEqual([customer.csat.count, customer.csat.last.score], [1, 4]);
  // What was sent comes again as a link in a later visit; nobody is asked twice.
  const later = await openShop(context);
  await later.getByRole('button', { name: 'Chat with us' }).click();
  await line(later, 'It is broken').waitFor();
  assert.equal(await later.getByLabel('Your name').count(), 0);
  const href = await later.getByRole('link', { name: 'broken.txt' }).getAttribute('href');
  assert.equal(await (await fetch(new URL(href, bed.base))).text(), 'crack');
  await context.close();
});

test('what is written without a connection is sent once, when it is back', async () => {
  const context = await browser.newContext({ locale: 'en-US' });
  await putShop(context, 'en');
  const shop = await openShop(context);
  await shop.getByRole('button', { name: 'Chat with us' }).click();
  await shop.getByLabel('Write a message').fill('first');
  await shop.keyboard.press('Enter');
  await line(shop, 'firstSent').waitFor();
  const item = await bed.claim();
  await context.route('**/chat/**', (route) => route.abort());
  await shop.getByLabel('Write a message').fill('second');
  await shop.keyboard.press('Enter');
  await line(shop, 'Not sent').waitFor();
  await context.unroute('**/chat/**');
  await shop.getByRole('button', { name: 'Send' }).click();
  await line(shop, 'secondSent').waitFor();
  const { json: thread } = await bed.call('GET', `/v1/conversations/${item.conversation}/messages`);
  assert.deepEqual(thread.data.map((one) => one.text), ['first', 'second']);
  // What the server will never take does not hold up what is behind it.
  await context.route('**/chat/site/messages', (route) => route.fulfill({ status: 413, body: '{}' }), { times: 1 });
  await shop.getByLabel('Write a message').fill('too much');
  await shop.keyboard.press('Enter');
  await line(shop, 'not accepted').waitFor();
  await shop.getByLabel('Write a message').fill('third');
  await shop.keyboard.press('Enter');
  await line(shop, 'thirdSent').waitFor();
  await context.close();
});

test('the same words as once before are sent again', async () => {
  const context = await browser.newContext({ locale: 'en-US' });
  await putShop(context, 'en');
  const open = async () => {
    const shop = await openShop(context);
    await shop.getByRole('button', { name: 'Chat with us' }).click();
    return shop;
  };
  const say = async (shop, text) => {
    await shop.getByLabel('Write a message').fill(text);
    await shop.keyboard.press('Enter');
  };
  const before = await open();
  await say(before, 'anybody there?');
  await line(before, 'anybody there?Sent').waitFor();
  const item = await bed.claim();
  await before.close();
  // The next visit: both are written before the history has come.
  let release;
  await context.route('**/chat/site/events*', (route) => route.abort());
  await context.route('**/chat/site/messages', async (route) => {
    await new Promise((resolve) => (release = resolve));
    await route.continue();
  });
  const shop = await open();
  await say(shop, 'hello again');
  await say(shop, 'anybody there?');
  await until('the first to be asked', () => release);
  await context.unroute('**/chat/site/events*');
  await bed.reply(item.conversation, 'yes');
  await line(shop, 'yes').waitFor({ timeout: 20_000 });
  await context.unroute('**/chat/site/messages');
  release();
  await until('all to be sent', async () => (await line(shop, 'Sending').count()) === 0);
  const { json: thread } = await bed.call('GET', `/v1/conversations/${item.conversation}/messages`);
  assert.deepEqual(thread.data.map((one) => one.text), ['anybody there?', 'yes', 'hello again', 'anybody there?']);
  assert.equal(await line(shop, 'anybody there?').count(), 2);
  await context.close();
});

test('the page to try it on shows the line to paste, runs the widget, and is there only where it is wanted', async () => {
  for (const colorScheme of ['light', 'dark'])
    for (const [lang, title, open, write] of [['en', 'The chat widget', 'Chat with us', 'Write a message'], ['zh', '聊天挂件', '在线咨询', '输入消息']]) {
      const context = await browser.newContext({ colorScheme, viewport: { width: 320, height: 640 } });
      const demo = await context.newPage();
      demo.on('pageerror', (error) => assert.fail(error.stack));
      demo.on('console', (one) => one.type() === 'error' && assert.fail(one.text())); // what the policy refuses is said there
      demo.on('request', (request) => assert.ok(request.url().startsWith(bed.base) || request.url().startsWith('data:'), request.url()));
      const answer = await demo.goto(`${bed.base}/widget/demo/open?lang=${lang}`);
      assert.match(answer.headers()['content-security-policy'], /default-src 'none'; script-src 'self'; style-src 'self'/);
      await demo.getByRole('heading', { name: title }).waitFor();
      assert.equal(await demo.locator('pre').textContent(), `<script src="${bed.base}/widget.js" data-channel="open" async></script>`);
      assert.ok(await demo.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
      await demo.getByRole('button', { name: open }).click();
      await demo.getByLabel(write).fill('hello from the demo');
      await demo.keyboard.press('Enter');
      await line(demo, /hello from the demo(Sent|已发送)/).waitFor();
      await demo.keyboard.press('Escape');
      assert.deepEqual(await violations(demo), [], `${colorScheme} ${lang}`);
      await context.close();
    }
  for (const [channel, code] of [['site', 'no_demo_page'], ['support', 'no_visitors'], ['none', 'unknown_channel']]) {
    const answer = await fetch(`${bed.base}/widget/demo/${channel}`);
    assert.deepEqual([answer.status, (await answer.json()).code], [404, code]);
  }
});

test('it passes axe in both themes and languages, fits into 320 pixels, and is left by Escape', async () => {
  for (const colorScheme of ['light', 'dark'])
    for (const [language, open, write] of [['en', 'Chat with us', 'Write a message'], ['zh-CN', '在线咨询', '输入消息']]) {
      const context = await browser.newContext({ colorScheme, viewport: { width: 320, height: 640 }, bypassCSP: true });
      await putShop(context, language);
      const shop = await openShop(context);
      await shop.getByRole('button', { name: open }).click();
      await shop.getByLabel(write).fill('hello');
      await shop.keyboard.press('Enter');
      await line(shop, 'hello').waitFor();
      await shop.evaluate(() => document.querySelector('link').remove()); // what is judged is the widget
      await shop.evaluate(axe);
      const found = await shop.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }));
      assert.deepEqual(found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target)}`), [], `${colorScheme} ${language}`);
      const box = await shop.getByRole('dialog').boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 320, JSON.stringify(box));
      await shop.getByLabel(write).press('Escape');
      assert.equal(await shop.evaluate(() => document.querySelector('div').shadowRoot.activeElement.textContent), open);
      await context.close();
    }
});
