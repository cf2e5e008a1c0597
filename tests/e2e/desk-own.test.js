// What belongs to the person at the desk: the way in, the keys, the load.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import jsQR from 'jsqr';
import { openBed, until } from './bed.js';
import { isWide, openBrowser, openDesk, setAgent, setPassword, violations } from './deskbed.js';

let bed, browser;
const write = (id, text) => bed.post({ id: `m-${id}`, from: { id, name: `Customer ${id}` }, text });

before(async () => {
  bed = await openBed('desk-own');
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await bed?.close();
});

/** RFC 6238 of a Base32 secret; ahead: steps from now. */
function codeOf(secret, ahead = 0) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac('sha1', key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** What a camera reads in the QR code. */
async function scan(page) {
  const { pixels, side } = await page.evaluate(async () => {
    const side = 400;
    const image = new Image();
    const svg = document.querySelector('svg.qr').cloneNode(true);
    svg.setAttribute('width', side);
    svg.setAttribute('height', side);
    image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0, side, side);
    return { pixels: [...context.getImageData(0, 0, side, side).data], side };
  });
  return jsQR(Uint8ClampedArray.from(pixels), side, side)?.data;
}

test('an authenticator app is set up, asked for, and removed', async () => {
  const page = await openDesk(browser, bed, 'alice', bed.password);
  await page.getByRole('button', { name: 'My settings' }).click();
  const dialog = page.getByRole('dialog', { name: 'My settings' });
  await dialog.getByLabel('Password').fill('not mine');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText('The agent or the password is wrong.').waitFor();
  await dialog.getByLabel('Password').fill(bed.password);
  await page.keyboard.press('Enter');
  const secret = (await dialog.locator('#totp-secret').textContent()).replaceAll(' ', '');
  assert.match(secret, /^[A-Z2-7]{32}$/);
  const uri = await scan(page);
  assert.equal(new URL(uri).searchParams.get('secret'), secret);
  assert.equal(await dialog.locator('.codes li').count(), 10);
  const recovery = await dialog.locator('.codes li').first().textContent();
  assert.deepEqual(await violations(page), []);
  await dialog.getByLabel('Code of the authenticator app').fill('000 00a');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText('The code is wrong').waitFor();
  await dialog.getByLabel('Code of the authenticator app').fill(codeOf(secret));
  await page.keyboard.press('Enter');
  await dialog.getByText('From now on a code is asked for.').waitFor();
  assert.equal(await dialog.locator('svg.qr').count(), 0);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Agent').fill('alice');
  await page.getByLabel('Password').fill(bed.password);
  await page.keyboard.press('Enter');
  await page.getByLabel('Code of the authenticator app').fill(recovery);
  await page.keyboard.press('Enter');
  await page.locator('#live.live').waitFor();
  await page.getByRole('button', { name: 'My settings' }).click();
  await dialog.getByLabel('Code of the authenticator app').fill(codeOf(secret, 1));
  await page.getByRole('button', { name: 'Ask for no code' }).click();
  await dialog.getByText('No code is asked for any more.').waitFor();
  assert.equal((await bed.call('GET', '/v1/me/totp')).json.active, false);
  await page.context().close();
});

test('keys are changed, kept, refused where they are taken, and reset', async () => {
  const page = await openDesk(browser, bed, 'alice', bed.password);
  const dialog = page.getByRole('dialog', { name: 'Keys of the keyboard' });
  const change = async (what, key) => {
    await dialog.getByRole('button', { name: new RegExp(`^${what}:`) }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press(key);
  };
  await page.keyboard.press('?');
  await change('Search', 'j');
  await dialog.getByRole('alert').getByText('j: is the key of Next in the list').waitFor();
  await page.keyboard.press('Escape');
  assert.ok(await dialog.isVisible(), 'Escape leaves the choice, not the list');
  assert.deepEqual(await violations(page), []);
  await change('Search', 'q');
  await dialog.getByRole('button', { name: 'Search: q' }).waitFor();
  await change('Write a note', 'Delete');
  await dialog.getByRole('button', { name: 'Write a note: no key' }).waitFor();
  await change('This list', 'h');
  await dialog.getByRole('button', { name: 'This list: h' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.keyboard.press('?');
  assert.equal(await page.evaluate(() => document.activeElement.id), '');
  await page.keyboard.press('q');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'query');
  await page.keyboard.press('Escape');
  await page.reload();
  await page.locator('#live.live').waitFor();
  await page.keyboard.press('h');
  await dialog.getByRole('button', { name: 'Search: q' }).waitFor();
  await dialog.getByRole('button', { name: 'Reset all' }).click();
  await dialog.getByRole('button', { name: 'Search: /' }).waitFor();
  await dialog.getByRole('button', { name: 'Write a note: n' }).waitFor();
  await dialog.getByLabel('Single keys work').uncheck();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), '');
  await page.context().close();
});

test('the header tells the load, and a reload keeps why somebody is away', async () => {
  await setAgent(bed, 'alice', { capacity: 2 });
  const page = await openDesk(browser, bed, 'alice', bed.password);
  const shows = (name) => page.getByRole('img', { name, exact: true }).waitFor();
  await page.reload();
  await shows('Load: 0 of 2');
  await write('one', 'first');
  await page.getByRole('button', { name: 'Accept' }).click();
  await shows('Load: 1 of 2');
  await write('two', 'second');
  await page.getByRole('button', { name: 'Accept' }).click();
  await shows('Load: 2 of 2');
  await page.locator('#load.full').waitFor();
  await page.getByRole('combobox', { name: 'My presence' }).selectOption('away');
  await page.getByRole('combobox', { name: 'Reason' }).fill('Lunch');
  await page.keyboard.press('Enter');
  await until('the reason', async () => (await bed.call('GET', '/v1/me')).json.reason === 'Lunch');
  await page.reload();
  await page.locator('#live.live').waitFor();
  assert.equal(await page.getByRole('combobox', { name: 'Reason' }).inputValue(), 'Lunch');
  assert.equal((await bed.call('GET', '/v1/me')).json.reason, 'Lunch');
  await page.context().close();
});

test('all of it passes axe in both themes and languages, and fits into 320 pixels', async () => {
  for (const colorScheme of ['light', 'dark'])
    for (const locale of ['en-US', 'zh-CN']) {
      const page = await openDesk(browser, bed, 'alice', bed.password, { colorScheme, locale, viewport: { width: 320, height: 640 } });
      for (const name of [/^(My settings|我的设置)$/, /^(Keys|按键|快捷键)$/]) {
        await page.getByRole('button', { name }).click();
        await page.locator('dialog input').first().waitFor();
        assert.deepEqual(await violations(page), [], `${name} ${colorScheme} ${locale}`);
        assert.equal(await isWide(page), false, `${name} ${locale}`);
        await page.keyboard.press('Escape');
      }
      await page.context().close();
    }
});

test('a tab follows who signs in beside it', async () => {
  const page = await openDesk(browser, bed, 'alice', bed.password);
  await setPassword(bed, 'bob', 'bobs-password-1');
  const other = await page.context().newPage();
  await other.goto(`${bed.base}/`);
  await other.locator('#live.live').waitFor();
  await other.getByRole('button', { name: 'Sign out' }).click();
  await page.locator('#login').waitFor();
  await other.locator('#login input').first().fill('bob');
  await other.locator('#login input[type=password]').fill('bobs-password-1');
  await other.keyboard.press('Enter');
  await other.locator('#who').getByText('Bob').waitFor();
  await page.reload();
  await page.locator('#who').getByText('Bob').waitFor();
  // As a new session would.
  await Promise.all([page.waitForEvent('load'), other.evaluate(() => localStorage.setItem('csrf', `${localStorage.getItem('csrf')}x`))]);
  await page.context().close();
});
