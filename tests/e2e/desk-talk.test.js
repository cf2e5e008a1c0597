// Writing together: drafts that go on elsewhere, notes that name somebody, who else is here, over which channel.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { lookAtAll, openBrowser, openDesk, said, setPassword, violations } from './deskbed.js';

let bed, browser, page, bobs;
const write = (id, text, more = {}) => bed.post({ id: `m-${id}-${text}`, from: { id, name: `Customer ${id}`, ...more }, text });
const draft = async (conversation) => (await bed.call('GET', `/v1/conversations/${conversation}/draft`, undefined, bed.alice)).json.text;

async function pull(id, more) {
  await write(id, `hello from ${id}`, more);
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
  assert.deepEqual(await violations(page), []);
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
  await lookAtAll(bobs);
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
  await lookAtAll(bobs);
  await page.locator('#text').pressSequentially('Dear');
  await bobs.locator('#company').getByText('Alice is writing a reply').waitFor();
  await page.locator('#text').press('Control+Enter');
  await bobs.locator('#company').getByText('Alice is looking at this').waitFor();
  await openItem(page, 'Customer names');
  await until('Alice to have left', async () => (await bobs.locator('#company').textContent()) === '');
  assert.ok(work_item);
});

test('a note about somebody who was erased since is told of no more', async () => {
  await openBob();
  const talk = await pull('erased');
  await page.locator('#text').fill('@Bob');
  await page.locator('#text').press('Control+Alt+Enter');
  await bobs.locator('#bell .badge').waitFor();
  const { work_item, customer } = (await bed.call('GET', `/v1/conversations/${talk}`)).json;
  assert.equal((await bed.call('POST', `/v1/work-items/${work_item}/close`, {}, bed.alice)).status, 200);
  const { json: job } = await bed.call('DELETE', `/v1/customers/${customer.id}`, undefined, bed.admin);
  await until('the erasure', async () => (await bed.call('GET', `/v1/jobs/${job.id}`, undefined, bed.admin)).json.state === 'done');
  await bobs.locator('#bell').click();
  await bobs.locator('#mentions button').first().click();
  await bobs.locator('#problem').getByText('no longer there').waitFor();
  await bobs.locator('#bell .badge').waitFor({ state: 'detached' });
  assert.deepEqual((await bed.call('GET', '/v1/me/mentions', undefined, bed.bob)).json.data, []);
});

test('the answer goes over another of the customer\'s ways', async () => {
  const talk = await pull('ways', { email: 'ways@example.test' });
  const via = page.getByLabel('Reply over');
  await via.waitFor();
  assert.match(await via.locator('option', { hasText: 'site' }).textContent(), /no address known there/);
  assert.ok(await via.locator('option', { hasText: 'site' }).isDisabled());
  await lookAtAll(page);
  await page.locator('#text').fill('We answer by mail.');
  await page.keyboard.press('Escape');
  await page.keyboard.press('v');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'via');
  await via.selectOption('support ways@example.test');
  await until('the draft to know it', async () => (await bed.call('GET', `/v1/conversations/${talk}/draft`, undefined, bed.alice)).json.channel === 'support');
  await page.reload();
  await openItem(page, 'Customer ways');
  await until('the draft to be there', async () => (await page.locator('#text').inputValue()) === 'We answer by mail.');
  await until('the choice to be there', async () => (await via.inputValue()) === 'support ways@example.test');
  await page.locator('#text').press('Control+Enter');
  await page.locator('#thread-title').getByText('support').waitFor();
  await said(page, 'We answer by mail.').waitFor();
  await until('the mail to be sent', async () => (await bed.mails()).some((one) => one.to.includes('ways@example.test')));
  await until('the draft to be gone', async () => (await draft(talk)) === '');
  // The other way round: the webhook conversation is mine, too.
  await page.getByLabel('Reply over').selectOption('shop ways');
  await page.locator('#text').fill('And here again.');
  await page.locator('#text').press('Control+Enter');
  await page.locator('#thread-title').getByText('shop').waitFor();
  await said(page, 'And here again.').getByText('sent').waitFor();
  const { json } = await bed.call('GET', `/v1/conversations/${talk}/messages`, undefined, bed.alice);
  assert.deepEqual(json.data.map((one) => one.text), ['hello from ways', 'And here again.']);
});

test('a way that is closed says why, and takes no reply', async () => {
  const way = { channel: 'shop', connector: 'webhook', to: 'closed', proof: 'proved', here: true, how: 'reply', conversation: null, work_item: null, agent: null,
    may_send: false, reason: 'window_closed', detail: null, from: null, until: null, left: null, template: false, parked_because: null };
  let ways = [way];
  await page.route('**/ways', (route) => route.fulfill({ json: { data: ways, next_cursor: null } }));
  await pull('closed', {});
  await page.locator('.via .closed').getByText('the customer must write first').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Reply', exact: true }).isDisabled());
  ways = [{ ...way, may_send: true, reason: null, until: new Date(Date.now() + 47.5 * 3600_000).toISOString(), left: 4 }];
  await write('closed', 'I am back');
  await page.locator('.via .window').getByText('You may reply for 48 h · 4 messages left').waitFor();
  assert.ok(!(await page.getByRole('button', { name: 'Reply', exact: true }).isDisabled()));
  await page.unroute('**/ways');
});

test('a reply waits for the file that is to go with it, and says so', async () => {
  await pull('slow');
  let arrive;
  const held = new Promise((resolve) => (arrive = resolve));
  await page.route('**/v1/attachments?*', async (route) => {
    await held;
    await route.continue();
  });
  await page.locator('input[type=file]').setInputFiles({ name: 'slow.txt', mimeType: 'text/plain', buffer: Buffer.from('slow') });
  await page.locator('#text').fill('with a file');
  await page.locator('#text').press('Control+Enter');
  await page.locator('#problem').getByText('still being uploaded').waitFor();
  assert.equal(await page.locator('#text').inputValue(), 'with a file');
  arrive();
  await page.locator('.chips').getByRole('button', { name: 'Remove: slow.txt' }).waitFor();
  await page.locator('#text').press('Control+Enter');
  await said(page, 'with a file').getByText('sent').waitFor();
  await page.locator('#problem').getByText('still being uploaded').waitFor({ state: 'detached' });
  await page.unroute('**/v1/attachments?*');
});

test('what a session that ended took along comes back to who wrote it, and to nobody else', async () => {
  const talk = await pull('ended');
  const signIn = async (agent, password) => {
    await page.locator('#login input').first().fill(agent);
    await page.locator('#login input[type=password]').fill(password);
    await page.keyboard.press('Enter');
    await page.locator('#live.live').waitFor();
    await page.locator('header select').first().selectOption('away');
    await page.locator('#mine').getByText('Customer ended').click();
  };
  await page.context().setOffline(true);
  for (const text of ['a first word', 'a second word']) {
    await page.locator('#text').fill(text);
    await page.keyboard.press('Control+Enter');
    await page.locator('#messages li.pending', { hasText: text }).waitFor();
  }
  await page.locator('#text').fill('half a thought');
  await page.context().clearCookies();
  await page.context().setOffline(false);
  await signIn('alice', bed.password);
  assert.equal(await page.locator('#text').inputValue(), 'half a thought');
  const again = (text) => page.locator('#messages li.pending', { hasText: text }).getByRole('button', { name: 'Try again' });
  await again('a second word').waitFor();
  await again('a first word').click();
  await page.locator('#messages li.out[data-message]', { hasText: 'a first word' }).waitFor();
  await openBob();
  await page.context().setOffline(true);
  await page.locator('#text').fill('never told');
  await page.context().clearCookies();
  await page.context().setOffline(false);
  const item = (await bed.call('GET', `/v1/conversations/${talk}`, undefined, bed.admin)).json.work_item;
  assert.equal((await bed.call('POST', `/v1/work-items/${item}/assign`, { target: 'agent:bob' }, bed.admin)).status, 200);
  await signIn('bob', 'bobs-password-1');
  await page.locator('#messages li.out[data-message]', { hasText: 'a first word' }).waitFor();
  assert.equal(await page.locator('#messages li.pending').count(), 0);
  assert.equal(await page.locator('#text').inputValue(), '');
});
