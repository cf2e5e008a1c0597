// A strict OpenID provider that can be told to misbehave: nothing in it is taken from what the daemon does right.
import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import http from 'node:http';

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function makeKey(alg, kid) {
  const pair = alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { alg, kid, ...pair, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

export class Provider {
  clientId = 'desk at home';
  secret = 'sécret:&=%/+ 1';
  codes = new Map();
  isAway = false;
  asked = { document: 0, keys: 0, token: 0 };
  keys = [makeKey('RS256', 'r1'), makeKey('ES256', 'e1')];

  async open() {
    this.server = http.createServer((request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => this.answer(request, Buffer.concat(parts).toString(), response));
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.issuer = `http://127.0.0.1:${this.server.address().port}/realm/`;
    return this;
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  settings() {
    return `public_url: "{base}"\noidc: { issuer: "${this.issuer}", client_id: "${this.clientId}", client_secret: "${this.secret}", allow_private: true }`;
  }

  rotate(alg, kid) {
    this.keys = [...this.keys.filter((key) => key.alg !== alg), makeKey(alg, kid)];
  }

  answer(request, body, response) {
    const say = (status, value) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    if (this.isAway) return say(503, {});
    if (request.url === '/realm/.well-known/openid-configuration') {
      this.asked.document++;
      return say(200, {
        issuer: this.issuer,
        authorization_endpoint: `${this.issuer}authorize?realm=1`,
        token_endpoint: `${this.issuer}token`,
        jwks_uri: `${this.issuer}keys`,
      });
    }
    if (request.url === '/realm/keys') {
      this.asked.keys++;
      return say(200, { keys: [{ kty: 'oct', k: 'AAAA' }, ...this.keys.map((key) => key.jwk)] });
    }
    assert.equal(`${request.method} ${request.url}`, 'POST /realm/token');
    this.asked.token++;
    const form = new URLSearchParams(body);
    const given = this.codes.get(form.get('code'));
    this.codes.delete(form.get('code'));
    const basic = Buffer.from(`${encodeURIComponent(this.clientId)}:${encodeURIComponent(this.secret)}`).toString('base64');
    const isRight =
      given &&
      request.headers['content-type'] === 'application/x-www-form-urlencoded' &&
      request.headers.authorization === `Basic ${basic}` &&
      form.get('grant_type') === 'authorization_code' &&
      form.get('redirect_uri') === given.asked.redirect_uri &&
      !form.has('client_secret') &&
      createHash('sha256').update(form.get('code_verifier')).digest('base64url') === given.asked.code_challenge;
    if (!isRight) return say(400, { error: 'invalid_grant' });
    return say(200, { access_token: 'opaque', token_type: 'Bearer', ...(given.answer ?? { id_token: this.token(given) }) });
  }

  /** wrong: { header, claims, key, secret } replace what would be right. */
  token({ asked, claims, wrong = {} }) {
    const now = Math.floor(Date.now() / 1000);
    const key = wrong.key ?? this.keys.find((one) => one.alg === (wrong.alg ?? 'RS256'));
    const header = { alg: key.alg, kid: key.kid, typ: 'JWT', ...wrong.header };
    const all = { iss: this.issuer, aud: this.clientId, iat: now, exp: now + 300, nonce: asked.nonce, ...claims, ...wrong.claims };
    const text = `${encode(header)}.${encode(all)}`;
    if (header.alg === 'none') return `${text}.`;
    if (header.alg === 'HS256') return `${text}.${createHmac('sha256', this.secret).update(text).digest('base64url')}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  /** The person is at the provider and says yes: the query of the way back. */
  consent(url, base, claims, wrong, answer) {
    const at = new URL(url);
    const asked = Object.fromEntries(at.searchParams);
    assert.equal(at.origin + at.pathname, `${this.issuer}authorize`);
    assert.equal(asked.realm, '1');
    assert.equal(asked.response_type, 'code');
    assert.equal(asked.client_id, this.clientId);
    assert.equal(asked.redirect_uri, `${base}/v1/oidc/callback`);
    assert.equal(asked.scope, 'openid email');
    assert.equal(asked.code_challenge_method, 'S256');
    assert.match(asked.code_challenge, /^[\w-]{43}$/);
    assert.equal(new Set([asked.state, asked.nonce, asked.code_challenge]).size, 3);
    const code = randomBytes(12).toString('base64');
    this.codes.set(code, { asked, claims, wrong, answer });
    return new URLSearchParams({ code, state: asked.state, session_state: 'x' });
  }
}
export { makeKey };
