// Writing together: drafts that go on elsewhere.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { openBrowser, openDesk, said } from './deskbed.js';

let bed, browser, page;
const write = (id, text) => bed.post({ id: `m-${id}-${text}`, from: { id, name: `Customer ${id}` }, text });
const draft = async (conversation) => (await bed.call('GET', `/v1/conversations/${conversation}/draft`, undefined, bed.alice)).json.text;

async function pull(id) {
  await write(id, `hello from ${id}`);
  await page.locator('#waiting').getByText(`Customer ${id}`).waitFor();
  await page.locator('#pull').click();
  await page.locator('#thread-title').getByText(`Customer ${id}`).waitFor();
  const { json } = await bed.call('GET', '/v1/work-items?state=assigned', undefined, bed.alice);
  return json.data.find((one) => one.customer.name === `Customer ${id}`).conversation;
}

before(async () => {
  bed = await openBed('desk-talk');
  browser = await openBrowser();
  page = await openDesk(browser, bed, 'alice', bed.password);
  await page.locator('header select').first().selectOption('away');
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

test('a draft goes on in another browser, and ends with the message', async () => {
  const talk = await pull('draft');
  await page.locator('#text').fill('Dear customer');
  await page.locator('#reply-hint').getByText('draft saved').waitFor();
  assert.equal(await draft(talk), 'Dear customer');
  const other = await openDesk(browser, bed, 'alice', bed.password);
  await other.locator('header select').first().selectOption('away');
  await other.locator('#mine').getByText('Customer draft').click();
  await until('the draft to be there', async () => (await other.locator('#text').inputValue()) === 'Dear customer');
  await other.locator('#text').press('End');
  await other.locator('#text').pressSequentially(', thank you.');
  await other.locator('#text').press('Control+Enter');
  await said(other, 'Dear customer, thank you.').waitFor();
  await until('it to be gone here, too', async () => (await page.locator('#text').inputValue()) === '');
  assert.equal(await draft(talk), '');
  await other.context().close();
});

test('a reload loses nothing, and what is emptied stays empty', async () => {
  const talk = await pull('reload');
  await page.locator('#text').fill('half a sent');
  await page.reload();
  await page.locator('#live.live').waitFor();
  await page.locator('#mine').getByText('Customer reload').click();
  await until('the draft to be there', async () => (await page.locator('#text').inputValue()) === 'half a sent');
  await until('the draft to be kept', async () => (await draft(talk)) === 'half a sent');
  await page.locator('#text').fill('');
  await until('the draft to be dropped', async () => (await draft(talk)) === '');
});

test('what was written without a connection is kept when it is back', async () => {
  const talk = await pull('offline');
  await page.context().setOffline(true);
  const failed = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/draft'));
  await page.locator('#text').fill('written in a tunnel');
  await failed;
  await page.context().setOffline(false);
  await until('the draft to be kept', async () => (await draft(talk)) === 'written in a tunnel');
});
