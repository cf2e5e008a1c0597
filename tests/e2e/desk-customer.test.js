// The customer beside the thread: who it is and how sure that is, who else it may be, and what is known and written of them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { openBed, until } from './bed.js';
import { lookAtAll, openBrowser, openDesk, violations } from './deskbed.js';

let bed, browser, page;
const write = (id, text, more = {}) => bed.post({ id: `m-${id}-${text}`, from: { id, name: `Customer ${id}`, ...more }, text });
const find = async (identifier) => (await bed.call('GET', `/v1/customers?identifier=${encodeURIComponent(identifier)}`)).json.data[0];
const view = async (id) => (await bed.call('GET', `/v1/customers/${id}`)).json;
const pane = () => page.locator('#customer');
const fact = (text) => pane().locator('dd').filter({ hasText: text });
const dialog = () => page.locator('dialog');

before(async () => {
  bed = await openBed('desk-customer');
  browser = await openBrowser();
  page = await openDesk(browser, bed, 'alice', bed.password);
  await page.locator('header select').first().selectOption('away');
  for (const [id, text] of [['ann', 'where is it?'], ['anna', 'hello again'], ['zoe', 'me too']]) assert.equal((await write(id, text)).status, 200);
  await page.locator('#waiting').getByText('Customer ann', { exact: true }).waitFor();
  await page.locator('#pull').click();
  await page.locator('#thread-title').getByText('Customer ann').waitFor();
  await fact('ann').first().waitFor();
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

test('the name, the tier and attributes are edited, and say who wrote them', async () => {
  const { id } = await find('webhook:shop:ann');
  await pane().getByRole('button', { name: 'Edit the customer' }).click();
  await dialog().getByLabel('Name').fill('Ann Lee');
  await dialog().getByLabel('Tier').fill('gold');
  await dialog().getByRole('button', { name: '+ Attribute' }).click();
  await dialog().getByLabel('Attribute 1').fill('city');
  await dialog().getByLabel('Value 1').fill('上海');
  await lookAtAll(page);
  await dialog().getByRole('button', { name: 'Save' }).click();
  await pane().locator('dt.name').getByText('Ann Lee').waitFor();
  await fact('city: 上海').getByText('agent:alice').waitFor();
  const written = (await view(id)).attributes.city;
  await pane().getByRole('button', { name: 'Edit the customer' }).click();
  await dialog().getByRole('button', { name: '+ Attribute' }).click();
  await dialog().getByLabel('Attribute 2').fill('size');
  await dialog().getByLabel('Value 2').fill('XL');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await fact('size: XL').getByText('agent:alice').waitFor();
  const { name, tier, attributes } = await view(id);
  assert.deepEqual([name, tier, attributes.size.value], ['Ann Lee', 'gold', 'XL']);
  assert.deepEqual(attributes.city, written, 'what nobody touched keeps who said it, and when');
  await pane().getByRole('button', { name: 'Edit the customer' }).click();
  await dialog().getByLabel('Value 2').fill('');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await until('the attribute to go', async () => !('size' in (await view(id)).attributes));
});

test('tags and notes are written and taken away', async () => {
  const { id } = await find('webhook:shop:ann');
  await pane().getByLabel('Add a tag').fill('vip');
  await page.keyboard.press('Enter');
  await until('the tag', async () => (await view(id)).tags.join() === 'vip');
  await pane().getByRole('button', { name: 'Remove: vip' }).click();
  await until('the tag to go', async () => !(await view(id)).tags.length);
  await page.locator('#about').fill('likes green');
  await page.keyboard.press('Enter');
  await fact('likes green').getByText('Alice').waitFor();
  await until('the note', async () => (await view(id)).notes.length === 1);
  await page.getByText('Note added.').waitFor();
  await fact('likes green').getByRole('button', { name: 'Remove: likes green' }).click();
  assert.equal((await view(id)).notes.length, 1, 'once is not enough');
  await fact('likes green').getByRole('button', { name: 'Yes, take it away' }).click();
  await until('the note to go', async () => !(await view(id)).notes.length);
});

test('a suggestion says why, shows what would move, and is merged and taken back', async () => {
  const ann = await find('webhook:shop:ann');
  const { id: member } = await find('webhook:shop:anna');
  // ann proves an address by a code that she got by mail; anna says that it is hers.
  const talk = `/v1/conversations/${(await view(ann.id)).conversations[0].id}/codes`;
  assert.equal((await bed.call('POST', talk, { email: 'ann@example.test' })).status, 202);
  const [mail] = await until('the mail with the code', async () => ((await bed.mails()).length ? bed.mails() : null));
  const [code] = /\d{6}/.exec((await simpleParser(mail.raw)).text);
  assert.equal((await bed.call('POST', `${talk}/verify`, { code })).status, 200);
  assert.equal((await write('anna', 'it is me', { email: 'ann@example.test' })).status, 200);
  await until('the suggestion', async () => (await view(ann.id)).suggestions.length === 1);
  await page.reload();
  await page.locator('#mine').getByText('Ann Lee').first().click();
  const maybe = fact('Customer anna');
  await maybe.waitFor();
  assert.match(await maybe.textContent(), /e-mail: ann@example\.test, claimed, shop/);
  await maybe.getByRole('button', { name: 'Merge…' }).click();
  await dialog().locator('.moves').getByText('anna', { exact: false }).first().waitFor();
  await lookAtAll(page);
  await dialog().getByRole('button', { name: 'Merge them' }).click();
  await until('the merge', async () => (await view(member)).id === ann.id);
  await page.locator('#notices').getByText('Merged.').waitFor();
  // The notice with its undo goes; the list stays.
  await page.locator('#merges summary').click();
  await page.locator('#merges li').filter({ hasText: 'merged' }).getByRole('button', { name: 'Take back…' }).click();
  await dialog().locator('.moves li').first().waitFor();
  await lookAtAll(page);
  await dialog().getByRole('button', { name: 'Take it back' }).click();
  await until('two again', async () => (await view(member)).id === member);
  await page.locator('#merges li').filter({ hasText: 'taken back' }).waitFor();
});

test('somebody whom nothing suggests is found by an address, merged, and an identifier is separated', async () => {
  const { id } = await find('webhook:shop:ann');
  const { id: zoe } = await find('webhook:shop:zoe');
  await page.locator('#merges').getByLabel('The same person as').fill('nobody@example.test');
  await page.locator('#merges').getByRole('button', { name: 'Search' }).click();
  await page.locator('#merges').getByText('Nobody else is known by that.').waitFor();
  await page.locator('#merges').getByLabel('The same person as').fill('webhook:shop:zoe');
  await page.keyboard.press('Enter');
  await page.locator('#merges li').filter({ hasText: 'Customer zoe' }).getByRole('button', { name: 'Merge…' }).click();
  await dialog().locator('.moves li').first().waitFor();
  await dialog().getByRole('button', { name: 'Merge them' }).click();
  await until('the merge', async () => (await view(zoe)).id === id);
  const theirs = pane().locator('.identifier').filter({ hasText: 'zoe' });
  await theirs.locator('summary').click();
  await theirs.getByRole('button', { name: 'Shared by several people' }).click();
  await until('it to be shared', async () => (await view(id)).identifiers.some((one) => one.value === 'zoe' && one.shared));
  await theirs.getByRole('button', { name: 'Somebody else’s…' }).click();
  await dialog().locator('.moves li').first().waitFor();
  await lookAtAll(page);
  await dialog().getByRole('button', { name: 'Separate' }).click();
  await until('two people', async () => !(await view(id)).identifiers.some((one) => one.value === 'zoe'));
  assert.notEqual((await find('webhook:shop:zoe')).id, id);
  await page.locator('#notices p').filter({ hasText: 'Separated.' }).getByRole('button', { name: 'Undo' }).click();
  await until('one again', async () => (await find('webhook:shop:zoe')).id === id);
});

test('that two are not one is asked once more, and said no more', async () => {
  const { id } = await find('webhook:shop:ann');
  assert.equal((await write('eve', 'that is mine', { email: 'ann@example.test' })).status, 200);
  await until('the suggestion', async () => (await view(id)).suggestions.some((one) => one.name === 'Customer eve'));
  await page.reload();
  await page.locator('#mine').getByText('Ann Lee').first().click();
  await fact('Customer eve').getByRole('button', { name: 'Not the same' }).click();
  await lookAtAll(page);
  await dialog().getByRole('button', { name: 'They are two' }).click();
  await until('it to go', async () => (await fact('Customer eve').count()) === 0);
});

test('the timeline goes over all that happened', async () => {
  await page.locator('#timeline summary').click();
  await page.locator('#happenings li').filter({ hasText: 'where is it?' }).waitFor();
  assert.deepEqual(await violations(page), []);
});
