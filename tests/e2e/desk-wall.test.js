// The wallboard in a supervisor's hands: figures, queues, agents, and all open work.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { openBrowser, openDesk, setAgent, setPassword, violations } from './deskbed.js';

const PASSWORD = 'carols-password-1';
let bed, browser, page;
const write = (id, text = 'hello', more = {}) => bed.post({ id: `m-${id}-${text}`, from: { id, name: `Customer ${id}` }, text, ...more });
const section = (name) => page.getByRole('region', { name });
const item = async (id) => (await bed.call('GET', '/v1/work-items?limit=200', undefined, bed.admin)).json.data.find((one) => one.customer.name === `Customer ${id}`);
const row = (id) => section('All open work').locator('tbody tr').filter({ has: page.getByText(`Customer ${id}`, { exact: true }) });

before(async () => {
  bed = await openBed('desk-wall');
  browser = await openBrowser();
  await setAgent(bed, 'carol', { name: 'Carol', queues: ['support'], role: 'supervisor' });
  await setPassword(bed, 'carol', PASSWORD);
  page = await openDesk(browser, bed, 'carol', PASSWORD);
  await page.locator('header select').first().selectOption('busy');
  await until('her to be busy', async () => (await bed.call('GET', '/v1/live', undefined, bed.admin)).json.agents.find((one) => one.agent === 'carol')?.status === 'busy');
  for (const id of ['ann', 'ben', 'eve']) assert.equal((await write(id)).status, 200);
  await page.goto(`${bed.base}/#/wall`);
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

test('the figures count what waits and who is there, each with its target', async () => {
  await section('Waiting', { exact: true }).first().locator('.figure').getByText('3', { exact: true }).waitFor();
  await section('Agents online').locator('.figure').getByText('0', { exact: true }).waitFor();
  assert.match(await section('Agents online').textContent(), /target at least 1/);
  assert.equal(await page.locator('.tile').count(), 5);
  await page.getByRole('button', { name: 'As a table' }).click();
  await section('Waiting over time').locator('tbody tr').first().getByRole('cell', { name: '3', exact: true }).waitFor();
  assert.deepEqual(await violations(page), []);
});

test('a queue is paused, and offers nothing until it goes on', async () => {
  await page.getByRole('button', { name: 'Pause: support' }).click();
  await page.getByRole('button', { name: 'Resume: support' }).waitFor();
  assert.equal((await bed.call('GET', '/v1/queues/support', undefined, bed.admin)).json.paused, true);
  await page.getByRole('button', { name: 'Resume: support' }).click();
  await page.getByRole('button', { name: 'Pause: support' }).waitFor();
  assert.equal((await bed.call('GET', '/v1/queues/support', undefined, bed.admin)).json.paused, false);
});

test('work is given to an agent, taken from one to another, and the list is filtered by the daemon', async () => {
  await row('ann').getByLabel('Give to…').selectOption({ label: 'Alice' });
  await until('alice to have it', async () => (await item('ann')).agent === 'alice');
  await row('ann').getByText('Alice', { exact: true }).first().waitFor();
  await row('ann').getByLabel('Give to…').selectOption({ label: 'Bob' });
  await until('bob to have it', async () => (await item('ann')).agent === 'bob');
  await section('All open work').getByLabel('Agent').selectOption({ label: 'Bob' });
  await until('one row', async () => (await section('All open work').locator('tbody tr').count()) === 1);
  await row('ann').waitFor();
  await section('All open work').getByLabel('Agent').selectOption('');
  await section('All open work').getByLabel('State').selectOption('queued');
  await until('two rows', async () => (await section('All open work').locator('tbody tr').count()) === 2);
  assert.equal(await row('ann').count(), 0);
  await section('All open work').getByLabel('State').selectOption('');
});

test('of much work the rest is a button away', async () => {
  for (let at = 0; at < 110; at++) await write(`n${at}`);
  const rows = section('All open work').locator('tbody tr');
  await until('a full page', async () => (await rows.count()) === 100);
  await section('All open work').getByRole('button', { name: 'More' }).click();
  await until('all of it', async () => (await rows.count()) === 113);
  assert.equal(await section('All open work').getByRole('button', { name: 'More' }).count(), 0);
});

test("an agent's state is set, and their talk is joined", async () => {
  assert.equal((await bed.call('PUT', '/v1/me/presence', { status: 'online' }, bed.bob)).status, 200);
  const status = page.getByLabel('Status: bob');
  await until('bob to be there', async () => (await status.inputValue()) === 'online');
  await status.selectOption('away');
  await until('bob to be away', async () => (await bed.call('GET', '/v1/live', undefined, bed.admin)).json.agents.find((one) => one.agent === 'bob').status === 'away');
  await row('ann').getByRole('button', { name: /^#/ }).click();
  await page.locator('#thread-title').getByText('Customer ann').waitFor();
  await page.getByText('This is in the hands of').waitFor();
  await page.getByRole('button', { name: 'Join' }).click();
  await page.locator('#reply-form button.primary:enabled').waitFor();
  await page.locator('#text').fill('Carol here, I help Bob.');
  await page.keyboard.press('Control+Enter');
  const { conversation } = await item('ann');
  await until('her reply to be sent', async () => (await bed.messages(conversation)).some((one) => one.author.id === 'carol' && one.direction === 'out' && one.kind === 'text'));
  assert.equal((await item('ann')).agent, 'bob', 'it is still his');
});

test('an agent sees the wallboard, and may change nothing on it', async () => {
  const agent = await openDesk(browser, bed, 'alice', bed.password);
  await agent.goto(`${bed.base}/#/wall`);
  await agent.getByRole('region', { name: 'All open work' }).locator('tbody tr').first().waitFor();
  assert.equal(await agent.getByRole('button', { name: /^(Pause|Resume): / }).count(), 0);
  assert.equal(await agent.getByLabel(/^(Give to|Status: )/).count(), 0);
  await agent.context().close();
});
