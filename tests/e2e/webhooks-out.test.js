// Webhooks out: the reference implementation of Standard Webhooks verifies what an endpoint is told, and the desk's page shows it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { openBed, until } from './bed.js';
import { openBrowser, openDesk, setAgent, setPassword } from './deskbed.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let bed, browser, endpoint;

/** Keeps what is posted to it, and answers with `status`. */
async function openEndpoint() {
  const received = [];
  const own = { received, status: 204 };
  own.server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      received.push({ headers: request.headers, raw: Buffer.concat(parts).toString(), status: own.status });
      response.writeHead(own.status).end();
    });
  });
  await new Promise((resolve) => own.server.listen(0, '127.0.0.1', resolve));
  own.url = `http://127.0.0.1:${own.server.address().port}/events`;
  return own;
}

before(async () => {
  bed = await openBed('webhooks-out', 'limits: { api_per_second: 100000, visitor_messages_per_minute: 10000, private_webhooks: true }');
  browser = await openBrowser();
  endpoint = await openEndpoint();
  await setAgent(bed, 'dora', { name: '陆敏', role: 'admin', queues: ['support'], capacity: 100 });
  await setPassword(bed, 'dora', 'doras-password-1');
});
after(async () => {
  await browser?.close();
  endpoint?.server.closeAllConnections();
  endpoint?.server.close();
  await bed?.close();
});

const heard = (type) => endpoint.received.filter((one) => JSON.parse(one.raw).type === type);

test('an endpoint is made in the desk, and standardwebhooks verifies what it is told with the secret shown once', { timeout: 120_000 }, async () => {
  const page = await openDesk(browser, bed, 'dora', 'doras-password-1');
  await page.goto(`${bed.base}/#/settings/webhooks`);
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.locator('#field-id').fill('crm');
  await page.locator('#field-name').fill('CRM');
  await page.locator('#field-url').fill(endpoint.url);
  for (const type of ['message.created', 'work_item.created']) await page.getByLabel(type, { exact: true }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  const secret = await page.locator('#made-secret').inputValue();
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  await page.getByRole('button', { name: 'I have kept it' }).click();
  assert.equal(await page.locator('#made-secret').count(), 0);

  const posted = await bed.post({ id: 'w1', from: { id: 'u1', name: '李雷' }, text: 'hello' });
  const { message } = await posted.json();
  await until('both events', () => heard('message.created').length && heard('work_item.created').length);
  for (const one of endpoint.received) {
    const event = new Webhook(secret).verify(one.raw, one.headers);
    assert.equal(event.id, one.headers['webhook-id']);
    assert.equal(event.message, message);
    assert.doesNotMatch(one.raw, /hello|李雷/);
  }
  await page.locator('.things .item', { hasText: 'CRM' }).click();
  await page.locator('.webhook tbody tr').nth(1).waitFor();
  await page.locator('.webhook').first().getByText('It takes events').waitFor();
  assert.match(await page.locator('#field-secret').inputValue(), /^set:/);

  await page.getByRole('button', { name: 'New secret' }).click();
  const next = await page.locator('#made-secret').inputValue();
  assert.notEqual(next, secret);
  await page.getByRole('button', { name: 'Send a test event' }).click();
  const one = await until('the test event', () => heard('webhook.test')[0]);
  for (const key of [secret, next]) assert.equal(new Webhook(key).verify(one.raw, one.headers).endpoint, 'crm');
  await page.locator('.webhook tbody tr', { hasText: 'webhook.test' }).getByText('delivered').waitFor();
  await page.context().close();
});

test('an endpoint that is gone says so, is tried again, and gets what it missed', { timeout: 120_000 }, async () => {
  const page = await openDesk(browser, bed, 'dora', 'doras-password-1', { locale: 'zh-CN' });
  endpoint.status = 410;
  await bed.post({ id: 'w2', from: { id: 'u2' }, text: 'hello' });
  await page.goto(`${bed.base}/#/settings/webhooks`);
  await page.locator('.things .item', { hasText: 'CRM' }).click();
  await page.locator('.webhook').first().getByText('对方应答已不存在（410）').waitFor();
  endpoint.status = 204;
  await page.getByRole('button', { name: '立即重试' }).click();
  await page.locator('.webhook').first().getByText('正常接收').waitFor();
  await page.locator('.webhook select').selectOption('dead');
  const dead = page.locator('.webhook tbody tr');
  await dead.first().waitFor();
  const [id] = (await dead.first().locator('th bdi').textContent()).split(' ');
  const before = endpoint.received.filter((one) => one.headers['webhook-id'] === id).length;
  assert.ok(before >= 1);
  await dead.first().getByRole('button', { name: /^重新发送/ }).click();
  await until('it comes again, with its id', () => endpoint.received.some((one) => one.headers['webhook-id'] === id && one.status === 204));
  await page.locator('.webhook select').selectOption('delivered');
  await page.locator('.webhook tbody tr', { hasText: id }).waitFor();
  await page.context().close();
});

test('the page passes axe in both themes and languages, and fits into 320 pixels', { timeout: 120_000 }, async () => {
  for (const colorScheme of ['light', 'dark'])
    for (const locale of ['en-US', 'zh-CN']) {
      const page = await openDesk(browser, bed, 'dora', 'doras-password-1', { colorScheme, locale });
      await page.goto(`${bed.base}/#/settings/webhooks`);
      await page.locator('.things .item', { hasText: 'CRM' }).click();
      await page.locator('.webhook tbody tr').first().waitFor();
      await page.getByRole('button', { name: /^(New secret|更换密钥)$/ }).click();
      await page.locator('#made-secret').waitFor();
      await page.evaluate(axe);
      const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: { region: { enabled: false } } }));
      assert.deepEqual(found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 200)}`), [], `${colorScheme} ${locale}`);
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${colorScheme}-${locale}.png`, fullPage: true });
      await page.setViewportSize({ width: 320, height: 640 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth), false, locale);
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/narrow-${colorScheme}-${locale}.png`, fullPage: true });
      assert.deepEqual(page.foreign, []);
      await page.context().close();
    }
});
