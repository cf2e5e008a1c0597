// A browser signs in through a provider that others wrote (npm's oidc-provider), with PKCE required.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import OidcProvider from 'oidc-provider';
import { openBed } from './bed.js';
import { openBrowser, setAgent, violations } from './deskbed.js';

let bed, browser, server;

before(async () => {
  server = http.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  bed = await openBed(
    'oidc-browser',
    `public_url: "{base}"\noidc: { issuer: "${issuer}", client_id: desk, client_secret: s3cret, name: Atlas, allow_private: true }`,
  );
  await setAgent(bed, 'alice', { email: 'alice@example.test' });
  const provider = new OidcProvider(issuer, {
    clients: [{ client_id: 'desk', client_secret: 's3cret', redirect_uris: [`${bed.base}/v1/oidc/callback`], application_type: 'web' }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: ['a key of this test'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.test`, email_verified: id !== 'mallory' }) }),
  });
  server.on('request', provider.callback());
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await bed?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve()));
});

async function goThrough(page, login) {
  await page.goto(`${bed.base}/`);
  await page.getByRole('link', { name: 'Sign in with Atlas' }).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('link', { name: 'Sign in with Atlas' }).click();
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('input[name=prompt][value=consent]').waitFor({ state: 'attached' });
  await page.locator('button[type=submit]').click();
}

const openPage = async () => (await browser.newContext({ locale: 'en-US' })).newPage();

test('the button leads to the provider and back to the desk, signed in', async () => {
  const page = await openPage();
  await goThrough(page, 'alice');
  await page.locator('#live.live').waitFor();
  assert.match(await page.locator('#who').textContent(), /Alice/);
  assert.equal(page.url(), `${bed.base}/#/`);
  await page.getByRole('combobox', { name: 'My presence' }).selectOption('busy');
  await page.reload();
  await page.locator('#live.live').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('link', { name: 'Sign in with Atlas' }).waitFor();
  await page.close();
});

test('who is no agent is told so, in words', async () => {
  const page = await openPage();
  await goThrough(page, 'eve');
  await page.getByRole('alert').filter({ hasText: 'No agent belongs to this account.' }).waitFor();
  await page.close();
  const other = await openPage();
  await goThrough(other, 'mallory');
  await other.getByRole('alert').filter({ hasText: 'The provider has not checked your e-mail address.' }).waitFor();
  await other.close();
});

test('a sign-in that is broken off leads back to the page', async () => {
  const page = await openPage();
  await page.goto(`${bed.base}/`);
  await page.getByRole('link', { name: 'Sign in with Atlas' }).click();
  await page.getByRole('link', { name: /cancel/i }).click();
  await page.getByRole('alert').filter({ hasText: 'The sign-in was broken off.' }).waitFor();
  await page.close();
});
