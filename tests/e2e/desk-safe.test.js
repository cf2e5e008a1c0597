// Hostile customers, every view for everybody: what the desk shows is safe and can be read.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import nodemailer from 'nodemailer';
import { openBed, until } from './bed.js';
import { isWide, openBrowser, openDesk, setAgent, setPassword, violations } from './deskbed.js';
import { hostile } from './hostile.js';

const settingsKinds = ['channels', 'agents', 'queues', 'rules', 'canned-replies', 'sla-policies'];
let bed, browser;

before(async () => {
  bed = await openBed('desk-safe');
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

test('a corpus of hostile mails and names neither runs nor calls home', { timeout: 200_000 }, async () => {
  assert.ok(hostile.length >= 60, `${hostile.length} hostile texts`);
  const ids = new Set(hostile);
  assert.equal(ids.size, hostile.length);
  await setAgent(bed, 'alice', { capacity: 1000 });
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: bed.lmtp, lmtp: true, secure: false, ignoreTLS: true });
  for (const [number, text] of hostile.entries()) {
    await transport.sendMail({
      from: { name: text.replaceAll(/[\r\n\t]/g, ' '), address: `evil${number}@customer.test` }, to: 'support@example.test',
      subject: text.replaceAll(/[\r\n\t]/g, ' '), text, html: `<p>before ${number}</p>${text}<p>after</p>`,
      attachments: [{ filename: text.replaceAll(/[\r\n\t/]/g, ' '), content: 'x' }],
    });
    assert.equal((await bed.post({ id: `h${number}`, from: { id: `h${number}`, name: text }, text })).status, 200);
  }
  const page = await openDesk(browser, bed, 'alice', bed.password);
  await page.locator('header select').first().selectOption('away');
  const items = [];
  for (;;) {
    const item = await bed.claim(bed.alice, items.length < 2 * hostile.length ? 5 : 0);
    if (!item) break;
    items.push(item);
  }
  assert.ok(items.length >= 2 * hostile.length - 5, `${items.length} items`);
  let frames = 0;
  await page.reload();
  for (const item of items.slice(-100)) {
    const row = page.locator(`[data-item="${item.id}"]`);
    await row.click();
    await page.locator(`[data-item="${item.id}"][aria-current="true"]`).waitFor();
    await page.locator('#messages li[data-message]').first().waitFor();
    const formatted = page.getByRole('button', { name: 'Show as the sender formatted it' });
    if (await formatted.count()) {
      await formatted.first().click();
      await page.frameLocator('iframe.mail').first().getByText(/before \d+/).first().waitFor();
      const inside = page.frames().find((one) => one !== page.mainFrame());
      assert.equal(await inside.evaluate(() => document.querySelectorAll('script,form,input,iframe,object,embed,link,meta,base,svg,math').length), 0, item.id);
      assert.equal(await inside.evaluate(() => [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some((a) => /^on/i.test(a.name) || /javascript:/i.test(a.value))).length), 0);
      frames++;
    }
    assert.equal(await page.evaluate(() => window.canary), undefined, item.customer.name);
  }
  assert.ok(frames >= 40, `${frames} formatted mails were looked at`);
  assert.equal(await page.locator('#app script, #app object, #app embed').count(), 0);
  assert.deepEqual(page.foreign, []);
  await page.context().close();
});

test('every view passes axe in both themes and languages, and fits into 320 pixels', { timeout: 200_000 }, async () => {
  await setAgent(bed, 'carol', { name: '王小红', role: 'supervisor', queues: ['support'], capacity: 100 });
  await setPassword(bed, 'carol', 'carols-password-1');
  await bed.post({ id: 'calm', from: { id: 'calm', name: '王小红' }, text: 'still there?' });
  for (const colorScheme of ['light', 'dark'])
    for (const locale of ['en-US', 'zh-CN']) {
      const page = await openDesk(browser, bed, 'carol', 'carols-password-1', { colorScheme, locale });
      const look = async (what) => assert.deepEqual(await violations(page), [], `${what} ${colorScheme} ${locale}`);
      await page.locator('header select').first().selectOption('busy');
      const accept = page.getByRole('button', { name: /^(Accept|接受)$/ });
      await until('an item', async () => {
        // It was offered while she was online for a moment.
        if (await accept.count()) await accept.first().click();
        return page.locator('#items button, #waiting button').count();
      });
      await page.locator('#items button, #waiting button').first().click();
      await page.locator('#messages li[data-message]').first().waitFor();
      await look('the desk');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.locator('dialog').waitFor();
      await look('the list of keys');
      await page.keyboard.press('Escape');
      await page.goto(`${bed.base}/#/wall`);
      await page.locator('#wall .chart canvas').waitFor();
      await look('the wallboard');
      for (const kind of settingsKinds) {
        await page.goto(`${bed.base}/#/settings/${kind}`);
        await page.locator('#settings table tbody tr, #settings .things .item, #settings .things .list .quiet:text-matches("^(empty|空)$")').first().waitFor();
        if (await page.locator('.things .item').count()) await page.locator('.things .item').first().click();
        await look(`settings ${kind}`);
      }
      await page.setViewportSize({ width: 320, height: 640 });
      for (const hash of ['#/', '#/wall', '#/settings/channels', '#/settings/queues']) {
        await page.goto(`${bed.base}/${hash}`);
        await page.locator('main').waitFor();
        assert.equal(await isWide(page), false, `${hash} ${locale}`);
        if (hash === '#/settings/channels') {
          await page.locator('.scroll thead th').first().waitFor();
          const lines = await page.locator('.scroll thead th').evaluateAll((all) => all.map((one) => one.clientHeight / parseFloat(getComputedStyle(one).fontSize)));
          assert.ok(Math.max(...lines) < 4, `words of a table are broken: ${lines} ${locale}`);
        }
      }
      assert.deepEqual(page.foreign, []);
      await page.context().close();
    }
});

test('an admin changes a queue in the form, and is told what is wrong', async () => {
  const page = await openDesk(browser, bed, 'carol', 'carols-password-1');
  await page.goto(`${bed.base}/#/settings/queues`);
  await page.locator('.things .item').first().click();
  assert.equal(await page.locator('#field-offer_timeout').inputValue(), '30s');
  assert.equal(await page.locator('#field-offer_timeout').isDisabled(), true, 'a supervisor only reads');
  await page.context().close();
  await setAgent(bed, 'carol', { role: 'admin' });
  await setPassword(bed, 'carol', 'carols-password-1'); // the login takes the role of the moment
  const admin = await openDesk(browser, bed, 'carol', 'carols-password-1');
  await admin.goto(`${bed.base}/#/settings/queues`);
  await admin.locator('.things .item').first().click();
  await admin.locator('#field-offer_timeout').fill('soon');
  await admin.getByRole('button', { name: 'Save' }).click();
  await admin.locator('.field', { has: admin.locator('#field-offer_timeout') }).getByText(/not a time/).waitFor();
  await admin.locator('#field-offer_timeout').fill('45s');
  await admin.getByRole('button', { name: 'Save' }).click();
  await admin.getByText('Saved.').waitFor();
  const queues = (await bed.call('GET', '/v1/queues', undefined, bed.admin)).json.data;
  assert.ok(queues.some((one) => one.offer_timeout_ms === 45_000));
  await admin.context().close();
});
