// Signing in through a provider that takes nothing for granted, and through one that misbehaves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBed, until } from './bed.js';
import { setAgent } from './deskbed.js';
import { Provider, makeKey } from './provider.js';

const alice = { sub: 'u-alice', email: 'Alice@Example.test', email_verified: true };
let bed, provider;

before(async () => {
  provider = await new Provider().open();
  bed = await openBed('oidc', provider.settings());
  await setAgent(bed, 'alice', { email: 'alice@example.test' });
  await setAgent(bed, 'bob', { email: 'bob@example.test', oidc_subject: 'u-bob' });
});
after(async () => {
  await bed?.close();
  await provider?.close();
});

const get = (path, cookie) => fetch(bed.base + path, { redirect: 'manual', headers: { Accept: 'text/html', ...(cookie && { Cookie: cookie }) } });
const cookiesOf = (response) => response.headers.getSetCookie();
const cookieOf = (response, name) => cookiesOf(response).find((one) => one.startsWith(`${name}=`))?.split(';')[0];

async function leave() {
  const response = await get('/v1/oidc/start');
  assert.equal(response.status, 303);
  const cookie = cookiesOf(response).find((one) => one.startsWith('converge_oidc='));
  assert.match(cookie, /; HttpOnly; SameSite=Lax; Max-Age=600$/);
  return { url: response.headers.get('location'), cookie: cookie.split(';')[0] };
}

/** There and back; what the browser holds then: where it is sent, and its session. */
async function signIn(claims, { wrong, answer, change = () => {} } = {}) {
  const { url, cookie } = await leave();
  const query = provider.consent(url, bed.base, claims, wrong, answer);
  change(query);
  return back(query, cookie);
}

async function back(query, cookie) {
  const response = await get(`/v1/oidc/callback?${query}`, cookie);
  assert.equal(response.status, 303, await response.text());
  assert.ok(cookiesOf(response).some((one) => one.startsWith('converge_oidc=;')));
  const where = response.headers.get('location');
  assert.ok(where.startsWith(`${bed.base}/#/`), where);
  return { where: where.slice(bed.base.length + 3), session: cookieOf(response, 'converge_session') };
}

async function refused(reason, claims, options) {
  const { where, session } = await signIn(claims, options);
  assert.equal(where, `sign-in/${reason}`, JSON.stringify(options));
  assert.equal(session, undefined);
}

const me = async (session) => {
  const response = await get('/v1/session', session);
  return { status: response.status, ...(await response.json()) };
};

test('the page is told which ways there are', async () => {
  assert.deepEqual(await (await get('/v1/session/ways')).json(), { password: true, oidc: { name: '127.0.0.1' } });
});

test('an agent comes in by a proved address, with a session like any other', async () => {
  const { where, session } = await signIn(alice);
  assert.equal(where, 'signed-in');
  const who = await me(session);
  assert.deepEqual([who.status, who.agent, who.role, who.workspace], [200, 'alice', 'agent', 'main']);
  const presence = (csrf) =>
    fetch(`${bed.base}/v1/me/presence`, {
      method: 'PUT',
      headers: { Cookie: session, 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
      body: JSON.stringify({ status: 'away' }),
    });
  assert.equal((await presence('0'.repeat(64))).status, 403);
  assert.equal((await presence(who.csrf_token)).status, 200);
});

test('ES256 is as good, and so are several audiences with us as the party', async () => {
  assert.equal((await signIn(alice, { wrong: { alg: 'ES256' } })).where, 'signed-in');
  const claims = { aud: ['another', provider.clientId], azp: provider.clientId };
  assert.equal((await signIn(alice, { wrong: { claims } })).where, 'signed-in');
});

test('a subject that is set counts, and the address no more', async () => {
  const { session } = await signIn({ sub: 'u-bob' });
  assert.equal((await me(session)).agent, 'bob');
  await refused('unknown', { sub: 'another', email: 'bob@example.test', email_verified: true });
});

test('nobody comes in whom no agent, or more than one, stands for', async () => {
  await refused('unknown', { sub: 'x', email: 'eve@example.test', email_verified: true });
  await refused('unknown', { sub: 'x' });
  await refused('unproved', { ...alice, email_verified: false });
  await refused('unproved', { sub: 'u-alice', email: alice.email });
  await setAgent(bed, 'carol', { name: 'Carol', email: 'alice@example.test' });
  await refused('unknown', alice);
  await setAgent(bed, 'carol', { email: 'carol@example.test' });
  assert.equal((await signIn(alice)).where, 'signed-in');
});

test('new keys are fetched when a token names one, and not again and again', async () => {
  const before = provider.asked.keys;
  provider.rotate('RS256', 'r2');
  assert.equal((await signIn(alice)).where, 'signed-in');
  assert.equal(provider.asked.keys, before + 1);
  await refused('token', alice, { wrong: { key: makeKey('RS256', 'made-up') } });
  await refused('token', alice, { wrong: { key: makeKey('RS256', 'made-up-2') } });
  assert.equal(provider.asked.keys, before + 1);
});

test('every token that is not right is refused', async () => {
  const now = Math.floor(Date.now() / 1000);
  const wrongs = [
    { claims: { nonce: 'another' } },
    { claims: { nonce: undefined } },
    { claims: { exp: now - 120 } },
    { claims: { exp: undefined } },
    { claims: { nbf: now + 600 } },
    { claims: { iat: now + 600 } },
    { claims: { aud: 'another' } },
    { claims: { aud: [provider.clientId, 'another'] } },
    { claims: { azp: 'another' } },
    { claims: { iss: provider.issuer.slice(0, -1) } },
    { claims: { sub: undefined } },
    { header: { alg: 'none' } },
    { header: { alg: 'HS256' } },
    { header: { alg: 'ES256' } },
    { key: makeKey('RS256', 'r1') },
  ];
  for (const wrong of wrongs) await refused('token', alice, { wrong });
  await refused('token', alice, { answer: {} });
  await refused('token', alice, { answer: { id_token: 7 } });
  await refused('token', alice, { answer: { id_token: `${'e30.'.repeat(3000)}` } });
  await refused('token', alice, { change: (query) => query.set('code', 'guessed') });
  await refused('token', alice, { change: (query) => query.set('iss', 'https://another.example') });
  await refused('denied', alice, { change: (query) => (query.delete('code'), query.set('error', 'access_denied')) });
});

test('only the browser that left comes back, once', async () => {
  const { url, cookie } = await leave();
  const query = provider.consent(url, bed.base, alice);
  const another = await leave();
  const before = provider.asked.token;
  assert.equal((await back(query, undefined)).where, 'sign-in/stale');
  assert.equal((await back(query, another.cookie)).where, 'sign-in/stale');
  assert.equal((await back(query, cookie.replace(/main/, 'side'))).where, 'sign-in/stale');
  assert.equal((await back(query, `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'E' : 'A'}`)).where, 'sign-in/stale');
  assert.equal(provider.asked.token, before, 'nothing was asked of the provider');
  assert.equal((await back(query, cookie)).where, 'signed-in');
  assert.equal((await back(query, cookie)).where, 'sign-in/token');
});

test('a session may do what its agent may now, and nothing without an agent', async () => {
  const { session } = await signIn(alice);
  assert.equal((await me(session)).role, 'agent');
  await setAgent(bed, 'alice', { role: 'supervisor' });
  assert.equal((await me(session)).role, 'supervisor');
  await setAgent(bed, 'dora', { name: 'Dora', email: 'dora@example.test' });
  const dora = await signIn({ sub: 'd', email: 'dora@example.test', email_verified: true });
  assert.equal((await me(dora.session)).agent, 'dora');
  assert.equal((await bed.call('DELETE', '/v1/agents/dora', undefined, bed.admin, { 'If-Match': '*' })).status, 204);
  assert.equal((await me(dora.session)).status, 401);
});

test('a provider that does not answer is said, and comes back', async () => {
  const { url, cookie } = await leave();
  const query = provider.consent(url, bed.base, alice);
  provider.isAway = true;
  assert.equal((await back(query, cookie)).where, 'sign-in/away');
  await bed.ask('restart');
  const start = await get('/v1/oidc/start');
  assert.equal(start.headers.get('location'), `${bed.base}/#/sign-in/away`);
  provider.isAway = false;
  await until('the provider to be asked again', async () => (await get('/v1/oidc/start')).headers.get('location').startsWith(provider.issuer));
  assert.equal((await signIn(alice)).where, 'signed-in');
});
