// The first view of the desk takes one round trip: what it needs is asked for at once, and nothing waits for another's answer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { openBrowser, openDesk } from './deskbed.js';

const NEEDED = [
  '/v1/me', '/v1/work-items?agent=me', '/v1/work-items?state=queued', '/v1/live', '/v1/me/offers', '/v1/me/mentions',
  '/v1/queues', '/v1/agents', '/v1/departments',
];

let bed, browser, page;

before(async () => {
  bed = await openBed('desk-first');
  browser = await openBrowser();
  page = await openDesk(browser, bed, 'alice', bed.password);
  await page.locator('header select').first().selectOption('away');
  await bed.post({ id: 'm-mine', from: { id: 'mine', name: 'Customer mine' }, text: 'first' });
  await page.locator('#waiting').getByText('Customer mine').waitFor();
  await page.locator('#pull').click();
  await page.locator('#items').getByText('Customer mine').waitFor();
  await bed.post({ id: 'm-waits', from: { id: 'waits', name: 'Customer waits' }, text: 'second' });
  await page.locator('#waiting').getByText('Customer waits').waitFor();
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

/** Holds every answer but the session's: those of the first trip until all of it is asked for, later ones until the view is seen. */
async function firstView(act) {
  const asked = [];
  let isFirst = true;
  let letFirst, letLater;
  const first = new Promise((resolve) => (letFirst = resolve));
  const later = new Promise((resolve) => (letLater = resolve));
  await page.route(/\/v1\/(?!session)/, async (route) => {
    asked.push(route.request().url().slice(bed.base.length));
    await (isFirst ? first : later);
    await route.continue().catch(() => null);
  });
  const missing = () => NEEDED.filter((path) => !asked.some((one) => one === path || one.startsWith(`${path}&`) || one.startsWith(`${path}?`)));
  try {
    await act();
    await until('all of the first view to be asked for', () => !missing().length).catch(() => null);
    assert.deepEqual(missing(), [], 'these wait for the answer of another');
    assert.equal(new Set(asked).size, asked.length, 'nothing is asked for twice');
    isFirst = false;
    letFirst();
    await page.locator('#items').getByText('Customer mine').waitFor();
    await page.locator('#waiting').getByText('Customer waits').waitFor();
    await page.locator('#queues tr').first().waitFor();
    await page.locator('#pull').waitFor();
  } finally {
    letFirst();
    letLater();
    await page.unroute(/\/v1\/(?!session)/);
  }
  await page.locator('#live.live').waitFor();
}

test('a page that is signed in asks for all of its first view at once', () => firstView(() => page.reload()));

test('so does one that has just signed in', async () => {
  await page.context().clearCookies();
  await page.evaluate(() => localStorage.removeItem('csrf'));
  await page.goto(`${bed.base}/`);
  await page.locator('#login input').first().fill('alice');
  await page.locator('#login input[type=password]').fill(bed.password);
  await firstView(() => page.keyboard.press('Enter'));
});
