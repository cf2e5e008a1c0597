// What asks for an agent who looks elsewhere: marks that stay until something was read, a sound, a notification.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { openBrowser, openDesk, violations } from './deskbed.js';

let bed, browser, page;
const write = (id, text) => bed.post({ id: `m-${id}-${text}`, from: { id, name: `Customer ${id}` }, text });
const row = (desk, id) => desk.locator('#items .item').filter({ hasText: `Customer ${id}` });

/** The page keeps what would be heard and shown, and may be sent out of view. */
function watch() {
  window.told = [];
  window.Notification = class {
    static permission = 'granted';
    static requestPermission = async () => 'granted';
    constructor(title, { body }) {
      window.told.push(`${title}: ${body}`);
      window.last = this;
    }
    close() {}
  };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...more) {
    window.told.push('tone');
    return start.apply(this, more);
  };
  window.isHidden = false;
  Object.defineProperty(document, 'visibilityState', { get: () => (window.isHidden ? 'hidden' : 'visible') });
}
const hide = (desk, isHidden) =>
  desk.evaluate((is) => {
    window.isHidden = is;
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
const told = (desk) => desk.evaluate(() => window.told.splice(0));

before(async () => {
  bed = await openBed('desk-attention');
  browser = await openBrowser();
  page = await openDesk(browser, bed, 'alice', bed.password);
  await page.context().addInitScript(watch);
  await page.reload();
  await page.locator('#live.live').waitFor();
  await page.locator('header select').first().selectOption('away');
  for (const id of ['ann', 'ben']) {
    await write(id, 'hello');
    await page.locator('#waiting').getByText(`Customer ${id}`).waitFor();
    await page.locator('#pull').click();
    await page.locator('#thread-title').getByText(`Customer ${id}`).waitFor();
  }
  await page.getByRole('button', { name: 'My settings' }).click();
  await page.getByLabel('Make a sound').check();
  await page.getByLabel('Show a notification').check();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Escape');
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

test('work whose customer wrote is marked until it was read, over a reload too', async () => {
  assert.equal(await page.title(), 'Converge', 'both were before her');
  await told(page);
  await write('ann', 'are you there?');
  await row(page, 'ann').getByText('new', { exact: true }).waitFor();
  assert.equal(await page.title(), '(1) Converge');
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(await told(page), ['tone', 'tone'], 'in view there is a sound and no notification');
  await page.reload();
  await row(page, 'ann').getByText('new', { exact: true }).waitFor();
  await row(page, 'ann').click();
  await until('the mark to go', async () => (await page.title()) === 'Converge');
  assert.equal(await page.locator('.unread').count(), 0);
  await page.reload();
  await row(page, 'ann').waitFor();
  assert.equal(await page.locator('.unread').count(), 0);
});

test('a page out of view says who wrote, and not what, and leads there', async () => {
  await row(page, 'ann').click();
  await page.locator('#messages').getByText('are you there?').waitFor();
  await hide(page, true);
  await told(page);
  await write('ben', 'my secret');
  await until('the notification', async () => /Customer ben/.test(await page.evaluate(() => window.told.join())));
  assert.deepEqual(await told(page), ['tone', 'tone', 'New message: #2 Customer ben · shop']);
  await write('ann', 'me again');
  await until('that of the open one', async () => /Customer ann/.test(await page.evaluate(() => window.told.join())));
  assert.equal(await page.title(), '(2) Converge', 'what is open and out of view was not read');
  await page.evaluate(() => window.last.onclick());
  await hide(page, false);
  await until('both to be read', async () => (await page.title()) === 'Converge' || (await row(page, 'ben').click(), false));
});

test('one of two tabs tells', async () => {
  const other = await page.context().newPage();
  await other.goto(`${bed.base}/`);
  await other.locator('#live.live').waitFor();
  await row(page, 'ann').click();
  await row(other, 'ann').click();
  await Promise.all([told(page), told(other)]);
  await write('ben', 'once');
  for (const desk of [page, other]) await row(desk, 'ben').getByText('new', { exact: true }).waitFor();
  assert.equal([...(await told(page)), ...(await told(other))].length, 2, 'two tones');
  await row(other, 'ben').click();
  await until('the other tab to know', async () => (await page.locator('.unread').count()) === 0);
  await other.close();
});

test('who switches it off is left in peace', async () => {
  await page.getByRole('button', { name: 'My settings' }).click();
  await page.getByLabel('Make a sound').uncheck();
  await page.getByLabel('Show a notification').uncheck();
  await page.keyboard.press('Escape');
  await row(page, 'ann').click();
  await hide(page, true);
  await told(page);
  await write('ben', 'quiet');
  await row(page, 'ben').getByText('new', { exact: true }).waitFor();
  assert.deepEqual(await told(page), []);
});
