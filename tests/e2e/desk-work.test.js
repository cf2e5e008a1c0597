// An agent's day without a mouse, beside others, with a bad connection.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { messages, openBrowser, openDesk, said, setPassword, violations } from './deskbed.js';

let bed, browser, page;
const write = (id, text, from = { id, name: `Customer ${id}` }) => bed.post({ id: `m-${id}-${text}`, from, text });
const sent = (text) => bed.sink.received.filter((one) => JSON.parse(one.raw).data.text === text).length;

before(async () => {
  bed = await openBed('desk-work');
  browser = await openBrowser();
  page = await openDesk(browser, bed, 'alice', bed.password);
  await page.locator('header select').first().selectOption('away');
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

const key = (name) => page.keyboard.press(name);

async function pullOnly(name) {
  await page.locator('#waiting').getByText(name).waitFor();
  await key('Escape');
  await key('p');
  await page.locator('#thread-title').getByText(name).waitFor();
}

test('pull, reply, note, transfer and resolve without a mouse', async () => {
  await page.evaluate(() => {
    window.mouse = 0;
    for (const name of ['mousedown', 'pointerdown']) addEventListener(name, () => window.mouse++, true);
  });
  await write('keys', 'where is my parcel?');
  await pullOnly('Customer keys');
  await page.keyboard.type('It is p and e on its way.');
  await key('Control+Enter');
  await said(page, 'It is p and e on its way.').getByText('sent').waitFor();
  assert.equal(sent('It is p and e on its way.'), 1);
  await page.keyboard.type('a quiet word');
  await key('Control+Alt+Enter');
  await page.locator('#messages li.note[data-message]').getByText('a quiet word').waitFor();
  assert.equal(sent('a quiet word'), 0);
  await key('Escape');
  await key('t');
  await page.getByRole('dialog', { name: 'Transfer' }).waitFor();
  await page.keyboard.type('Bob');
  await key('Control+Enter');
  await page.getByText('Handed on.').waitFor();
  await until('bob to be asked', async () => (await bed.call('GET', '/v1/me/offers', undefined, bed.bob)).json.data.length);
  const [offer] = (await bed.call('GET', '/v1/me/offers', undefined, bed.bob)).json.data;
  await bed.call('POST', `/v1/work-items/${offer.work_item}/decline`, {}, bed.bob);
  await until('no transfer to be pending', async () => !(await bed.call('GET', `/v1/work-items/${offer.work_item}`)).json.transfer);
  await key('Escape');
  await key('e');
  await page.getByRole('dialog', { name: 'Wrap-up' }).waitFor();
  await key('Control+Enter');
  await page.getByText('Resolved.').waitFor();
  await page.getByText('You have no work.').waitFor();
  const item = (await bed.call('GET', `/v1/work-items/${offer.work_item}`)).json;
  assert.ok(['resolved', 'closed'].includes(item.state), item.state);
  assert.equal(item.reason, 'solved');
  assert.equal(await page.evaluate(() => window.mouse), 0);
});

test('of two agents who pull at once one has the work', async () => {
  await setPassword(bed, 'bob', 'bobs-password-1');
  const other = await openDesk(browser, bed, 'bob', 'bobs-password-1');
  await other.locator('header select').first().selectOption('away');
  await until('bob to be away', async () => (await bed.call('GET', '/v1/me', undefined, bed.bob)).json.status === 'away');
  await write('race', 'me first');
  await page.locator('#waiting').getByText('Customer race').waitFor();
  await other.locator('#waiting').getByText('Customer race').waitFor();
  await Promise.all([page.locator('#pull').click(), other.locator('#pull').click()]);
  const titles = () => Promise.all([page, other].map((one) => one.locator('#thread-title').textContent()));
  const told = () => Promise.all([page, other].map((one) => one.locator('#problem').textContent()));
  await until('both to be answered', async () => (await titles()).some((one) => one.includes('race')) && (await told()).some((one) => one.includes('Nothing waits')));
  assert.equal((await titles()).filter((one) => one.includes('race')).length, 1);
  const [item] = (await bed.call('GET', '/v1/work-items?state=assigned', undefined, bed.admin)).json.data;
  await bed.call('POST', `/v1/work-items/${item.id}/resolve`, {}, bed.admin);
  await other.context().close();
});

test('Enter belongs to the input method while it composes', async () => {
  await write('ime', '你好');
  await pullOnly('Customer ime');
  await page.getByLabel('Enter sends').check();
  await page.locator('#text').fill('您好');
  await page.locator('#text').evaluate((area) => {
    const press = (more) => area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...more }));
    area.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }));
    press({ isComposing: true });
    press({ isComposing: true, ctrlKey: true });
    press({ keyCode: 229 });
    area.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, data: '您好' }));
    press({}); // Safari: the Enter that ended it
  });
  assert.equal(await page.locator('#text').inputValue(), '您好');
  assert.equal(await page.locator('#messages li.out').count(), 0);
  await page.locator('#text').evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50))));
  await page.locator('#text').press('Enter');
  await said(page, '您好').getByText('sent').waitFor();
  assert.equal(sent('您好'), 1);
  await page.getByLabel('Enter sends').uncheck();
});

test('no single key works inside an input', async () => {
  await page.locator('#text').fill('');
  await page.locator('#text').press('e');
  await page.locator('#query').press('t');
  assert.equal(await page.locator('dialog').count(), 0);
  assert.equal(await page.locator('#text').inputValue(), 'e');
  await page.locator('#text').fill('');
  await page.locator('#query').fill('');
});

test('canned replies go in where the cursor is', async () => {
  const put = await bed.call('PUT', '/v1/canned-replies/thanks', { title: 'Thanks', text: 'Thank you, {{customer.name|friend}}!' }, bed.admin);
  assert.equal(put.status, 200);
  await page.locator('#text').fill('Dear all, goodbye');
  await page.locator('#text').evaluate((area) => area.setSelectionRange(10, 10));
  await page.keyboard.type('/than');
  await page.getByRole('option', { name: /Thanks/ }).waitFor();
  await key('Enter');
  assert.equal(await page.locator('#text').inputValue(), 'Dear all, Thank you, Customer ime!goodbye');
  await page.locator('#text').fill('');
});

test('what is written without a connection is kept, and sent once when it is back', async () => {
  await page.context().setOffline(true);
  await page.locator('#text').fill('written in a tunnel');
  await key('Control+Enter');
  await page.locator('#messages li.pending').getByText('on its way').waitFor();
  assert.equal(sent('written in a tunnel'), 0);
  await page.context().setOffline(false);
  await said(page, 'written in a tunnel').getByText('sent').waitFor();
  assert.equal(await page.locator('#messages li.pending').count(), 0);
  assert.equal(sent('written in a tunnel'), 1);
});

test('a page that would take along what could not leave asks before it goes', async () => {
  page.removeAllListeners('dialog');
  await page.context().setOffline(true);
  await page.locator('#text').fill('not to be lost');
  const failed = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/messages'));
  await key('Control+Enter');
  await failed;
  const asked = page.waitForEvent('dialog');
  await page.evaluate(() => void setTimeout(() => location.reload()));
  const dialog = await asked;
  assert.equal(dialog.type(), 'beforeunload');
  await dialog.dismiss();
  page.on('dialog', () => assert.fail('a dialog was opened'));
  await page.context().setOffline(false);
  await said(page, 'not to be lost').getByText('sent').waitFor();
  await page.reload();
  await page.locator('#items').getByText('Customer ime').click();
  await said(page, 'not to be lost').waitFor();
});

test('what failed to leave goes once it can, though nobody says that the connection is back', async () => {
  await page.route('**/messages', (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
  await page.locator('#text').fill('written in a lift');
  await key('Control+Enter');
  await page.locator('#messages li.pending').getByText('on its way').waitFor();
  await page.unroute('**/messages');
  await said(page, 'written in a lift').getByText('sent').waitFor();
  assert.equal(sent('written in a lift'), 1);
});

for (const [status, again] of [
  [504, async () => {}], // by itself: what stands between did not wait for the answer
  [500, () => page.locator('#messages li.pending').getByRole('button', { name: 'Try again' }).click()],
])
  test(`what was done though ${status} was answered is not done twice`, async () => {
    const text = `answered ${status}`;
    let asked = 0;
    await page.route('**/messages', async (route) => {
      if (route.request().method() !== 'POST' || asked++) return route.continue();
      assert.equal((await route.fetch()).status(), 201);
      return route.fulfill({ status, body: 'no' });
    });
    await page.locator('#text').fill(text);
    await key('Control+Enter');
    await again();
    await until('it to be asked again', () => asked > 1);
    await page.locator('#messages li.pending').waitFor({ state: 'detached' });
    await page.unroute('**/messages');
    const held = (await bed.call('GET', '/v1/work-items?state=assigned', undefined, bed.alice)).json.data;
    const { conversation } = held.find((one) => one.customer.name === 'Customer ime');
    const { json } = await bed.call('GET', `/v1/conversations/${conversation}/messages?limit=200`, undefined, bed.alice);
    assert.equal(json.data.filter((one) => one.text === text).length, 1);
  });

test('the banner says that the connection is away', async () => {
  await page.route('**/v1/events/ticket', (route) => route.abort());
  await bed.ask('restart');
  await page.locator('#offline').getByText('No connection').waitFor();
  await page.unroute('**/v1/events/ticket');
  await page.locator('#live.live').waitFor();
  await page.locator('#offline').waitFor({ state: 'hidden' });
});

test('an action shows at once, and is taken back visibly when it is refused', async () => {
  let answer;
  await page.route('**/messages', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await new Promise((resolve) => (answer = resolve));
    return route.fulfill({ status: 409, json: { status: 409, code: 'window_closed', title: 'no', detail: 'no' } });
  });
  await page.locator('#text').fill('too late');
  await key('Control+Enter');
  await page.locator('#messages li.pending').getByText('on its way').waitFor();
  assert.equal(await page.locator('#text').inputValue(), '');
  await until('the call', () => answer);
  answer();
  await page.locator('#messages li.pending').getByText('The reply window has closed.').waitFor();
  await page.getByRole('button', { name: 'Take back' }).click();
  assert.equal(await page.locator('#text').inputValue(), 'too late');
  await page.unroute('**/messages');
  await page.locator('#text').fill('');
  await page.route('**/resolve', (route) => route.fulfill({ status: 409, json: { status: 409, code: 'illegal_state', title: 'no', detail: 'no' } }));
  await page.locator('#resolve').click();
  await page.getByRole('dialog', { name: 'Wrap-up' }).waitFor();
  await key('Control+Enter');
  await page.locator('#problem').getByText('Undone').waitFor();
  await page.locator('#items').getByText('Customer ime').waitFor();
  await page.locator('#thread-title').getByText('Customer ime').waitFor();
  await page.unroute('**/resolve');
});

test('a file goes with the reply, and a picture is seen', async () => {
  const dot = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  await page.locator('input[type=file]').setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: dot });
  await page.locator('.chips').getByRole('button', { name: 'Remove: dot.png' }).waitFor();
  await page.locator('#text').fill('see here');
  await key('Control+Enter');
  const picture = said(page, 'see here').locator('img');
  await until('the picture', () => picture.evaluate((one) => one.naturalWidth === 1).catch(() => false));
  await picture.click();
  const large = page.getByRole('dialog').locator('img');
  await until('the large one', () => large.evaluate((one) => one.naturalWidth === 1).catch(() => false));
  assert.equal(await page.getByRole('dialog').getByRole('link', { name: 'Download' }).getAttribute('download'), 'dot.png');
  assert.deepEqual(await violations(page), []);
  await key('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
});

test('a form is about the work it was opened for, though other work comes before it', async () => {
  await write('asked', 'who is resolved?');
  await page.locator('#waiting').getByText('Customer asked').waitFor();
  const held = async () => (await bed.call('GET', '/v1/work-items?agent=me', undefined, bed.alice)).json.data;
  const meant = (await held()).find((one) => one.customer.name === 'Customer ime');
  let answer;
  await page.route('**/claim', async (route) => {
    await new Promise((resolve) => (answer = resolve));
    return route.continue();
  });
  await key('Escape');
  await key('p');
  await until('the claim', () => answer);
  await key('e');
  await page.getByRole('dialog', { name: 'Wrap-up' }).waitFor();
  answer();
  await page.locator('#thread-title').getByText('Customer asked').waitFor();
  await page.unroute('**/claim');
  await page.getByRole('dialog', { name: 'Wrap-up' }).locator('button.primary').click();
  await page.getByText('Resolved.').waitFor();
  assert.deepEqual((await held()).filter((one) => one.state === 'assigned').map((one) => one.customer.name), ['Customer asked']);
  assert.notEqual((await bed.call('GET', `/v1/work-items/${meant.id}`, undefined, bed.alice)).json.state, 'assigned');
  await page.locator('#thread-title').getByText('Customer asked').waitFor();
});

test('two tabs have one stream, and the other takes over', async () => {
  const second = await page.context().newPage();
  const tickets = [];
  second.on('request', (one) => one.url().endsWith('/v1/events/ticket') && tickets.push(one));
  await second.goto(`${bed.base}/`);
  await second.locator('#live.live').waitFor();
  assert.equal(tickets.length, 0);
  await page.close();
  await until('the second tab to listen', () => tickets.length);
  await second.locator('#live.live').waitFor();
  await write('after', 'anybody there?');
  await second.locator('#waiting').getByText('Customer after').waitFor();
  page = second;
});
