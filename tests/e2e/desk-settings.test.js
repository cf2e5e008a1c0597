// The settings pages of the desk: rules tried before they count, tokens, the audit.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { isWide, openBrowser, openDesk, setAgent, setPassword, violations } from './deskbed.js';

const PASSWORD = 'carols-password-1';
let bed, browser, page;

before(async () => {
  bed = await openBed('desk-settings');
  browser = await openBrowser();
  await setAgent(bed, 'carol', { name: 'Carol', queues: ['support'], role: 'admin' });
  await setPassword(bed, 'carol', PASSWORD);
  page = await openDesk(browser, bed, 'carol', PASSWORD);
  await page.locator('header select').first().selectOption('busy'); // the work is alice's
  await until('her to be busy', async () => (await bed.call('GET', '/v1/live', undefined, bed.admin)).json.agents.find((one) => one.agent === 'carol')?.status === 'busy');
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

const part = (name) => page.locator('details.part').filter({ has: page.locator('summary', { hasText: name }) });

test('the first steps lead to an answered message, and go when all are done', async () => {
  const steps = page.getByRole('region', { name: 'First steps' });
  const current = async () => (await steps.locator('[aria-current=step] a').textContent());
  await steps.waitFor();
  assert.equal(await current(), 'Get a message', 'agents, queue, rule and channel are there');
  assert.deepEqual(await violations(page), []);
  assert.equal((await bed.post({ id: 's1', from: { id: 'u-s1', name: 'Li' }, text: 'hello' })).status, 200);
  await steps.getByRole('button', { name: 'Look again' }).click();
  await until('the next step', async () => (await current()) === 'Answer it');
  const item = await bed.claim();
  await bed.reply(item.conversation, 'hello yourself');
  await until('the answer to be sent', async () =>
    (await bed.call('GET', `/v1/conversations/${item.conversation}/messages`)).json.data.some((one) => one.delivery?.state === 'sent'));
  await steps.getByRole('button', { name: 'Look again' }).click();
  await steps.waitFor({ state: 'detached' });
});

test('rules are tried as they are typed, on a message and on the work that came', async () => {
  for (const [id, text] of [['r1', '我要退款'], ['r2', 'where is my parcel?']])
    assert.equal((await bed.post({ id, from: { id: `u-${id}`, name: 'Li' }, text })).status, 200);
  await page.goto(`${bed.base}/#/settings/rules`);
  await page.locator('.things .item').first().waitFor();
  await part('Try a message').locator('summary').click();
  await page.getByLabel('What the customer writes').fill('please refund me');
  await part('Try a message').getByRole('button', { name: 'Test' }).click();
  const fired = part('Try a message').locator('.verdicts .good');
  await fired.filter({ hasText: 'refunds' }).waitFor();
  assert.match(await part('Try a message').locator('dl').textContent(), /refund/);
  assert.deepEqual(await violations(page), []);
  // The same with the rule changed and not saved.
  await page.locator('.things .item', { hasText: 'refunds' }).click();
  await page.locator('#field-when-text').fill('parcel');
  await page.getByText('Below, everything counts as you have typed it').waitFor();
  await part('Try a message').getByRole('button', { name: 'Test' }).click();
  await until('the rule not to fire', async () => (await fired.filter({ hasText: 'refunds' }).count()) === 0);
  await part('Run over past work').locator('summary').click();
  await part('Run over past work').getByRole('button', { name: 'Run over past work' }).click();
  const rows = part('Run over past work').locator('tbody tr');
  await rows.filter({ hasText: '我要退款' }).waitFor();
  assert.equal(await rows.count(), 2, 'one is no refund any more, the other has become one');
  assert.equal(await rows.filter({ hasText: 'parcel' }).locator('ins').first().textContent(), 'refund');
  assert.deepEqual(await violations(page), []);
  const stored = (await bed.call('GET', '/v1/rules', undefined, bed.admin)).json.data.find((one) => one.name === 'refunds');
  assert.match(JSON.stringify(stored.when), /退款/, 'nothing was saved');
  await part('Look for mistakes').locator('summary').click();
  await part('Look for mistakes').getByRole('button').click();
  await part('Look for mistakes').locator('[role=status] p, [role=status] li').first().waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  await page.reload();
  await part('Earlier versions').locator('summary').click();
  await part('Earlier versions').getByRole('button').last().click();
  await part('Earlier versions').getByText('Changed:').waitFor({ timeout: 5000 }).catch(async () => assert.fail(await part('Earlier versions').textContent()));
  assert.match(await part('Earlier versions').textContent(), /refunds/);
});

test('a token is shown once, works, and is refused once it is revoked', async () => {
  await page.goto(`${bed.base}/#/settings/tokens`);
  await page.getByLabel('Name').fill('warehouse');
  await page.getByLabel('Days it lasts').fill('30');
  await page.getByRole('button', { name: 'Make a token' }).dblclick();
  const token = await page.getByLabel('The new token').inputValue();
  assert.match(token, /^cvg_main_/);
  assert.deepEqual(await violations(page), []);
  assert.equal((await bed.call('GET', '/v1/me', undefined, token)).status, 200);
  await page.getByRole('button', { name: 'I have kept it' }).click();
  assert.equal((await page.content()).includes(token), false);
  assert.equal(await page.locator('tbody tr', { hasText: 'warehouse' }).count(), 1, 'pressed twice, made once');
  await page.getByRole('button', { name: 'Revoke: warehouse' }).click();
  await page.getByRole('button', { name: 'Yes, revoke it now: warehouse' }).click();
  await until('the token to go', async () => (await page.locator('tbody tr', { hasText: 'warehouse' }).count()) === 0);
  assert.equal((await bed.call('GET', '/v1/me', undefined, token)).status, 401);
});

test('the audit tells who changed what, and finds it', async () => {
  await page.goto(`${bed.base}/#/settings/audit`);
  const rows = page.locator('tbody tr');
  await rows.first().waitFor();
  const all = await rows.count();
  await page.getByLabel('What', { exact: true }).fill('tokens.create');
  const types = await rows.locator('code').allTextContents();
  const type = types.find((one) => /token/.test(one));
  assert.ok(type, `no token among ${types}`);
  await page.getByLabel('What', { exact: true }).fill(type);
  await page.getByRole('button', { name: 'Search' }).click();
  await until('fewer rows', async () => (await rows.count()) < all);
  assert.deepEqual([...new Set(await rows.locator('th').allTextContents())], ['carol']);
  await rows.first().locator('summary').click();
  assert.deepEqual(await violations(page), []);
});

test('the settings pages fit into 320 pixels and speak Chinese in the dark', async () => {
  const small = await openDesk(browser, bed, 'carol', PASSWORD, { viewport: { width: 320, height: 700 }, colorScheme: 'dark', locale: 'zh-CN' });
  for (const [kind, title] of [['rules', '规则'], ['tokens', '令牌'], ['audit', '审计']]) {
    await small.goto(`${bed.base}/#/settings/${kind}`);
    await small.getByRole('heading', { name: title }).waitFor();
    assert.equal(await isWide(small), false, kind);
    assert.deepEqual(await violations(small), [], kind);
  }
  assert.deepEqual(small.foreign, []);
});

test('the outcomes of the wrap-up form and the targets of the wallboard are the queue\'s', async () => {
  const { json: queue } = await bed.call('GET', '/v1/queues/support', undefined, bed.admin);
  const { version: _, ...known } = queue;
  assert.equal((await bed.call('PUT', '/v1/queues/support', { ...known, outcomes: ['已补发', 'exchanged'], target_wait: '7m', target_level: 95 }, bed.admin)).status, 200);
  await bed.post({ id: 'o1', from: { id: 'u-o1', name: 'Li' }, text: 'hello' });
  const admin = await openDesk(browser, bed, 'carol', PASSWORD);
  await admin.goto(`${bed.base}/#/wall`);
  await admin.locator('.tile', { hasText: 'target at most 7 min' }).waitFor();
  await admin.locator('.tile', { hasText: 'target at least 95 %' }).waitFor();
  await admin.goto(`${bed.base}/#/desk`);
  await admin.locator('#accept, #pull').first().click();
  await admin.locator('#items .item').first().click();
  await admin.locator('#messages li[data-message]').first().waitFor();
  await admin.locator('#resolve').click();
  assert.deepEqual(await admin.locator('dialog select option').allTextContents(), ['已补发', 'exchanged']);
  await admin.context().close();
});

test('what was typed and not saved is there again, and a problem can be put away', async () => {
  await page.goto(`${bed.base}/#/settings/calendars`);
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.locator('#field-id').fill('a/b');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.field', { has: page.locator('#field-id') }).getByText('cannot hold a slash').waitFor();
  await page.locator('#field-id').fill('mars');
  await page.locator('#field-time_zone').fill('Mars/Olympus');
  await page.getByText('Not saved yet').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.field', { has: page.locator('#field-time_zone') }).getByText(/no time zone "Mars\/Olympus"/).waitFor();
  await page.locator('#problem').getByText('Not saved').waitFor();
  await page.locator('#problem').getByRole('button', { name: 'Close this message' }).click();
  await page.locator('#problem:empty').waitFor({ state: 'attached' });
  await page.goto(`${bed.base}/#/settings/skills`);
  await page.getByRole('heading', { name: 'Skills' }).waitFor();
  await page.goto(`${bed.base}/#/settings/calendars`);
  await page.getByRole('button', { name: 'New', exact: true }).click();
  assert.equal(await page.locator('#field-time_zone').inputValue(), 'Mars/Olympus');
  await page.getByRole('button', { name: 'Discard the changes' }).click();
  assert.equal(await page.locator('#field-time_zone').inputValue(), '');
  assert.equal(await page.getByText('Not saved yet').count(), 0);
});

test('a long name widens no page and no dialog', async () => {
  const long = '👩‍💻'.repeat(10) + 'مرحبا' + 'VeryLongName'.repeat(8);
  await setAgent(bed, 'long', { name: long, queues: ['support'] });
  const small = await openDesk(browser, bed, 'carol', PASSWORD, { viewport: { width: 320, height: 700 } });
  await small.goto(`${bed.base}/#/wall`);
  await small.getByRole('region', { name: 'All open work' }).locator('tbody tr').first().waitFor();
  assert.equal(await isWide(small), false);
  await small.context().close();
  const admin = await openDesk(browser, bed, 'carol', PASSWORD);
  await bed.post({ id: 'long1', from: { id: 'u-long', name: 'Li' }, text: 'hello' });
  await admin.locator('#pull').click();
  await admin.locator('#thread-title').waitFor();
  await admin.getByRole('button', { name: 'Transfer' }).click();
  const [box, field] = await Promise.all([admin.locator('dialog').boundingBox(), admin.locator('dialog select').boundingBox()]);
  assert.ok(field.x + field.width <= box.x + box.width, `${field.x + field.width} > ${box.x + box.width}`);
  await admin.context().close();
});

/** Opens all that a form can hold, two levels deep: conditions hold conditions without end. */
const openAll = (form) =>
  form.evaluate(async (node) => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const isDeep = (one) => {
      let depth = 0;
      for (let at = one.closest('.inner'); at; at = at.parentElement.closest('.inner')) depth++;
      return depth > 2;
    };
    const isEmpty = (button) => !button.closest('.field').querySelector('.inner, .pairs .row');
    const next = () => [...node.querySelectorAll('select.add')].find((one) => !isDeep(one)) ?? [...node.querySelectorAll('button.add')].find((one) => !isDeep(one) && isEmpty(one));
    for (let one = next(); one; one = next()) {
      if (one.tagName === 'SELECT') {
        one.value = one.options[1].value;
        one.dispatchEvent(new Event('change', { bubbles: true }));
      } else one.click();
      await frame();
    }
  });

test('what is inside a field is a form too, and says beside itself what is wrong with it', async () => {
  await page.goto(`${bed.base}/#/settings/agents`);
  await page.locator('.things .item', { hasText: 'alice' }).click();
  await page.locator('#field-queues').getByLabel('support').waitFor();
  await page.goto(`${bed.base}/#/settings/queues`);
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.locator('#field-name').fill('VIP');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.field', { has: page.locator('#field-id') }).getByText('This is needed.').waitFor();
  await page.locator('#field-id').fill('vip');
  await page.getByRole('button', { name: '+ Overflow' }).click();
  await page.getByRole('button', { name: '+ Overflow' }).click();
  await page.locator('#field-overflow-0-when-wait').fill('soon');
  await page.locator('#field-overflow-0-to').fill('nowhere');
  await page.getByRole('button', { name: 'Save' }).click();
  const wrong = async (id) => page.locator('.field', { has: page.locator(`#${id}`) }).last().locator('.wrong').allTextContents();
  await until('the word beside the time', async () => /not a time/.test(await wrong('field-overflow-0-when-wait')));
  assert.match((await wrong('field-overflow-1-to')).join(), /"to" is missing/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'field-overflow-0-when-wait');
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'Remove: Overflow 2' }).click();
  await page.locator('#field-overflow-0-when-wait').fill('5m');
  await until('the word to go', async () => (await wrong('field-overflow-0-when-wait')).length === 0);
  await page.getByRole('button', { name: 'Save' }).click();
  await until('the name to be refused', async () => /no queue "nowhere"/.test(await wrong('field-overflow-0-to')));
  await page.locator('#field-overflow-0-to').fill('support');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').last().waitFor();
  const { json } = await bed.call('GET', '/v1/queues/vip', undefined, bed.admin);
  assert.deepEqual([json.name, json.overflow], ['VIP', [{ when: { wait_ms: 300000 }, to: 'support' }]]);
  // It can be named at once.
  await page.goto(`${bed.base}/#/settings/agents`);
  await page.locator('.things .item', { hasText: 'alice' }).click();
  await page.locator('#field-queues').getByLabel('vip').waitFor();
  await page.goto(`${bed.base}/#/settings/queues`);
  // Saved again as it is, nothing of it changes.
  await page.locator('.things .item', { hasText: 'vip' }).click();
  await page.locator('#field-description').fill('for the best');
  await page.getByRole('button', { name: 'Save' }).click();
  await until('it to be saved', async () => (await bed.call('GET', '/v1/queues/vip', undefined, bed.admin)).json.description);
  const { json: again } = await bed.call('GET', '/v1/queues/vip', undefined, bed.admin);
  assert.deepEqual({ ...again, version: 0, description: 0 }, { ...json, version: 0, description: 0 });
});

test('conditions, steps and levels are typed without a brace', async () => {
  await page.goto(`${bed.base}/#/settings/rules`);
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.locator('#field-name').fill('golden');
  await page.getByRole('button', { name: '+ When' }).click();
  const more = page.getByRole('combobox', { name: 'More…' });
  await more.first().selectOption('keywords');
  await page.locator('#field-when-keywords').fill('发票, invoice');
  await more.first().selectOption('attributes');
  await page.getByLabel('Attributes 1').fill('country');
  await page.getByLabel('Values 1').fill('cn, hk');
  await more.first().selectOption('not');
  await more.first().selectOption('tier');
  await page.locator('#field-when-not-tier').fill('silver');
  await more.last().selectOption('skills');
  await page.getByLabel('Skills 1').fill('refunds');
  await page.getByLabel('Level 1').fill('2');
  await more.last().selectOption('steps');
  await page.locator('#field-then-steps-0-agents').getByLabel('alice').check();
  await page.locator('#field-then-steps-0-for').fill('5m');
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'Save' }).click();
  await until('the rule', async () => (await bed.call('GET', '/v1/rules/golden', undefined, bed.admin)).status === 200);
  const { json } = await bed.call('GET', '/v1/rules/golden', undefined, bed.admin);
  assert.deepEqual(json.when, { keywords: ['发票', 'invoice'], attributes: { country: ['cn', 'hk'] }, not: { tier: ['silver'] } });
  assert.deepEqual(json.then, { skills: { refunds: 2 }, steps: [{ agents: ['alice'], for_ms: 300000 }] });
  await page.locator('.things .item', { hasText: 'golden' }).click();
  assert.equal(await page.locator('#field-when-not-tier').inputValue(), 'silver');
});

test('every field of every form speaks Chinese', async () => {
  const chinese = await openDesk(browser, bed, 'carol', PASSWORD, { locale: 'zh-CN' });
  const kinds = (await bed.call('GET', '/v1/configuration/kinds', undefined, bed.admin)).json.data;
  assert.ok(kinds.length > 10);
  for (const kind of kinds) {
    await chinese.goto(`${bed.base}/#/settings/${kind.id}`);
    await chinese.getByRole('button', { name: '新建' }).click();
    await chinese.locator('.thing .field').first().waitFor();
    assert.equal(await chinese.locator('.thing > .fields > .field').count(), kind.fields.length, kind.id);
    await openAll(chinese.locator('.thing'));
    assert.deepEqual(await chinese.locator('.thing .field span[lang=en]').allTextContents(), [], kind.id);
  }
  await chinese.context().close();
});

test('of more than one page of agents all are listed, and can be handed to', async () => {
  const put = Array.from({ length: 210 }, (_, at) => ({ kind: 'agents', object: { id: `crew-${at}`, name: `Crew ${at}`, queues: ['support'] } }));
  assert.equal((await bed.call('POST', '/v1/configuration', { put }, bed.admin)).status, 200);
  await page.goto(`${bed.base}/#/settings/agents`);
  await page.locator('.things .item', { hasText: 'Crew 209' }).waitFor();
  const agent = await openDesk(browser, bed, 'carol', PASSWORD);
  await bed.post({ id: 'crew', from: { id: 'u-crew', name: 'Li' }, text: 'hello' });
  await agent.locator('#pull').click();
  await agent.getByRole('button', { name: 'Transfer' }).click();
  await agent.locator('dialog select').selectOption({ label: 'Crew 209' });
  await agent.context().close();
});
