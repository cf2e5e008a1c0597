// With half a second in front of every answer each action shows in the next frame, and is undone in sight where it is refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { openBrowser, openDesk } from './deskbed.js';

const ADDED_MS = 500;
let bed, browser, page;
let refuses = false; // or else it is let through, late
let asked = 0;

before(async () => {
  bed = await openBed('desk-slow');
  browser = await openBrowser();
  page = await openDesk(browser, bed, 'alice', bed.password);
  await page.locator('header select').first().selectOption('away');
  await page.route('**/v1/**', async (route) => {
    const request = route.request();
    if (request.method() === 'GET' || /\/(typing|viewing|draft|ticket)$/.test(request.url())) return route.continue();
    asked++;
    await new Promise((resolve) => setTimeout(resolve, ADDED_MS));
    return refuses ? route.fulfill({ status: 409, json: { status: 409, code: 'illegal_state', title: 'no', detail: 'no' } }) : route.continue();
  });
  assert.equal((await bed.post({ id: 'slow', from: { id: 'slow', name: 'Customer slow' }, text: 'hello' })).status, 200);
  await page.locator('#waiting').getByText('Customer slow').waitFor();
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

/** What the page shows two frames after act(): the first may belong to what was before. */
async function atOnce(what, act, shows) {
  const before = asked;
  await act();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  assert.ok(await shows(), `${what} is not shown at once`);
  await until(`${what} to be asked`, () => asked > before);
}

const isSeen = (locator) => async () => (await locator.count()) > 0;
const problem = () => page.locator('#problem').getByText('Undone');

async function inDialog(button, fill = async () => {}) {
  await page.getByRole('button', { name: button, exact: true }).first().click();
  await page.getByRole('dialog').waitFor();
  await fill(page.getByRole('dialog'));
  await page.getByRole('dialog').locator('button.primary').click();
}

test('each action shows at once, and is done', async () => {
  await atOnce('pull', () => page.locator('#pull').click(), isSeen(page.locator('#pull[aria-busy=true]')));
  await page.locator('#thread-title').getByText('Customer slow').waitFor();
  await page.locator('#text').fill('a slow answer');
  await atOnce('reply', () => page.keyboard.press('Control+Enter'), isSeen(page.locator('#messages li.pending', { hasText: 'a slow answer' })));
  await page.locator('#messages li.out[data-message]', { hasText: 'a slow answer' }).waitFor();
  await page.locator('#text').fill('a slow note');
  await atOnce('note', () => page.locator('#note').click(), isSeen(page.locator('#messages li.note.pending', { hasText: 'a slow note' })));
  await page.locator('#messages li.note[data-message]', { hasText: 'a slow note' }).waitFor();
  await page.getByLabel('Add a tag').fill('vip');
  await atOnce('tag', () => page.keyboard.press('Enter'), isSeen(page.getByRole('button', { name: 'Remove: vip' })));
  await page.locator('#about').fill('likes tea');
  await atOnce('note about the customer', () => page.keyboard.press('Enter'), isSeen(page.locator('#customer').getByText('likes tea')));
  await page.getByText('Note added.').waitFor();
  await atOnce('presence', () => page.locator('header select').first().selectOption('busy'), async () => (await page.locator('header select').first().inputValue()) === 'busy');
});

test('what is refused is undone in sight', async () => {
  refuses = true;
  for (const [button, doing, fill] of [
    ['Transfer', 'Handing on…', (dialog) => dialog.locator('select').first().selectOption('agent:bob')],
    ['Ask for help', 'Asking for help…', (dialog) => dialog.locator('select').first().selectOption('agent:bob')],
    ['Escalate', 'Escalating…'],
    ['Snooze', 'Putting aside…'],
  ]) {
    await atOnce(button, () => inDialog(button, fill), isSeen(page.locator('.doing', { hasText: doing })));
    await problem().waitFor();
    await page.locator('.doing').waitFor({ state: 'detached' });
  }
  await page.getByLabel('Add a tag').fill('rude');
  await atOnce('tag', () => page.keyboard.press('Enter'), isSeen(page.getByRole('button', { name: 'Remove: rude' })));
  await page.getByRole('button', { name: 'Remove: rude' }).waitFor({ state: 'detached' });
  await page.locator('#about').fill('never stored');
  await atOnce('note about the customer', () => page.keyboard.press('Enter'), isSeen(page.locator('#customer').getByText('never stored')));
  await until('the text to come back', async () => (await page.locator('#about').inputValue()) === 'never stored');
  for (const name of ['Give back', 'Resolve']) {
    const act = name === 'Resolve' ? () => inDialog('Resolve') : () => page.getByRole('button', { name }).click();
    await atOnce(name, act, async () => (await page.locator('#items .item').count()) === 0);
    await page.locator('#items').getByText('Customer slow').waitFor();
    await page.locator('#thread-title').getByText('Customer slow').waitFor();
  }
  refuses = false;
});

test('resolving shows at once, and stays', async () => {
  await atOnce('resolve', () => inDialog('Resolve'), async () => (await page.locator('#items .item').count()) === 0);
  await page.getByText('Resolved.').waitFor();
});
