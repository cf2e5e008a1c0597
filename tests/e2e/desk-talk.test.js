// Writing together: drafts that go on elsewhere, notes that name somebody, who else is here.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { openBrowser, openDesk, said, setPassword } from './deskbed.js';

let bed, browser, page, bobs;
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
const openItem = (desk, name) => desk.locator('#mine, #waiting').getByText(name).first().click();

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

async function openBob() {
  if (bobs) return;
  await setPassword(bed, 'bob', 'bobs-password-1');
  bobs = await openDesk(browser, bed, 'bob', 'bobs-password-1');
  await bobs.locator('header select').first().selectOption('away');
}

test('a note names a colleague, who finds it in the header', async () => {
  await openBob();
  await pull('names');
  await page.locator('#text').fill('');
  await page.locator('#text').pressSequentially('请看 @bo');
  const list = page.getByRole('listbox', { name: 'Name a colleague' });
  await list.getByRole('option', { name: 'Bob' }).waitFor();
  assert.equal(await page.locator('#text').getAttribute('aria-activedescendant'), 'naming-0');
  // Enter of the input method is not the list's.
  await page.locator('#text').evaluate((area) => area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, isComposing: true })));
  assert.equal(await page.locator('#text').inputValue(), '请看 @bo');
  await page.locator('#text').press('Enter');
  assert.equal(await page.locator('#text').inputValue(), '请看 @Bob ');
  await page.locator('#text').pressSequentially('and mail bob@example.test');
  assert.equal(await list.count(), 0);
  await page.locator('#text').press('Control+Alt+Enter');
  await page.locator('#messages li.note[data-message]').getByText('请看 @Bob').waitFor();
  await bobs.locator('#bell .badge').getByText('1', { exact: true }).waitFor();
  await bobs.locator('#mine-title').click();
  await bobs.keyboard.press('m');
  await bobs.locator('#mentions').getByText('Alice named you in a note').waitFor();
  await bobs.keyboard.press('Enter');
  await bobs.locator('#messages li.note').getByText('names you').waitFor();
  await bobs.locator('#bell .badge').waitFor({ state: 'detached' });
  assert.deepEqual((await bed.call('GET', '/v1/me/mentions', undefined, bed.bob)).json.data, []);
  // What is before one's eyes is seen.
  await page.locator('#text').fill('@Bob once more');
  await page.locator('#text').press('Control+Alt+Enter');
  await bobs.locator('#messages li.note').getByText('@Bob once more').waitFor();
  await until('it to be seen', async () => !(await bed.call('GET', '/v1/me/mentions', undefined, bed.bob)).json.data.length);
  await page.locator('#text').fill('@Bob to the customer');
  await page.locator('#text').press('Control+Enter');
  await said(bobs, '@Bob to the customer').waitFor();
  assert.deepEqual((await bed.call('GET', '/v1/me/mentions', undefined, bed.bob)).json.data, []);
});

test('who looks on and who writes is shown above the editor', async () => {
  await openBob();
  const talk = await pull('company');
  const { work_item } = (await bed.call('GET', `/v1/conversations/${talk}`)).json;
  assert.equal(await page.locator('#company').textContent(), '');
  // Bob comes by a note that names him.
  await page.locator('#text').fill('@Bob');
  await page.locator('#text').press('Control+Alt+Enter');
  await bobs.locator('#bell .badge').waitFor();
  await bobs.locator('#bell').click();
  await bobs.locator('#mentions button').first().click();
  await bobs.locator('#thread-title').getByText('Customer company').waitFor();
  await page.locator('#company').getByText('Bob is looking at this').waitFor();
  await bobs.locator('#company').getByText('Alice is looking at this').waitFor();
  await page.locator('#text').pressSequentially('Dear');
  await bobs.locator('#company').getByText('Alice is writing a reply').waitFor();
  await page.locator('#text').press('Control+Enter');
  await bobs.locator('#company').getByText('Alice is looking at this').waitFor();
  await openItem(page, 'Customer names');
  await until('Alice to have left', async () => (await bobs.locator('#company').textContent()) === '');
  assert.ok(work_item);
});
