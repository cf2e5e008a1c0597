// The bed of a test file: bed.py's daemon and peers, and the sink behind deliver_url.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';

const patienceMs = 30_000;

/** Polls until look() gives something true; rejects when patience ends. */
export async function until(what, look) {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** An HTTP server that keeps what is posted to it: { headers, raw }. */
async function openSink() {
  const received = [];
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      received.push({ headers: request.headers, raw: Buffer.concat(parts).toString() });
      response.writeHead(204).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { received, server, url: `http://127.0.0.1:${server.address().port}/out` };
}

class Bed {
  constructor(sink, secret, child, lines, facts) {
    Object.assign(this, facts, { sink, secret, child, lines, base: `http://127.0.0.1:${facts.http}` });
    this.webhook = new Webhook(secret);
  }

  async ask(word) {
    this.child.stdin.write(`${word}\n`);
    return JSON.parse((await this.lines.next()).value);
  }

  async call(method, path, body, token = this.alice, headers = {}) {
    const response = await fetch(this.base + path, {
      method,
      headers: {
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : null };
  }

  /** A signed post to the generic channel, by the reference implementation of Standard Webhooks. */
  post(body, id = `hook_${randomBytes(8).toString('hex')}`, when = new Date()) {
    const raw = JSON.stringify(body);
    return fetch(`${this.base}/in/shop`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(when.getTime() / 1000)),
        'webhook-signature': this.webhook.sign(id, when, raw),
      },
      body: raw,
    });
  }

  async claim(token = this.alice, wait_s = 20) {
    const { status, json } = await this.call('POST', '/v1/work/claim', { wait_s }, token);
    return status === 204 ? null : json;
  }

  reply(conversation, text, more = {}) {
    return this.call('POST', `/v1/conversations/${conversation}/messages`, { kind: 'reply', text, ...more }, this.alice, {
      'Idempotency-Key': randomBytes(8).toString('hex'),
    });
  }

  async messages(conversation) {
    return (await this.call('GET', `/v1/conversations/${conversation}/messages`)).json.data;
  }

  async mails() {
    return (await this.ask('mails')).map((mail) => ({ ...mail, raw: Buffer.from(mail.raw, 'base64') }));
  }

  async close(passed = false) {
    if (passed) this.child.stdin.write('passed\n');
    this.child.stdin.end();
    await new Promise((resolve) => this.child.once('exit', resolve));
    this.sink.server.closeAllConnections();
    await new Promise((resolve) => this.sink.server.close(resolve));
  }
}

/** settings: further YAML of the daemon's configuration, with {base} for its own address. */
export async function openBed(name, settings = '') {
  const sink = await openSink();
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const program = fileURLToPath(new URL('bed.py', import.meta.url));
  const child = spawn('/usr/bin/python3', [program, name, sink.url, secret, settings], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done) {
    sink.server.close();
    throw new Error('the bed did not start');
  }
  return new Bed(sink, secret, child, lines, JSON.parse(first.value));
}
