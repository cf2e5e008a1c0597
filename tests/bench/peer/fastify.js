// The peer F': a signed webhook becomes one call of the daemon's own admit.lua, on fastify and ioredis.
// node fastify.js PORT SOCKET ADMIT.lua
import crypto from 'node:crypto';
import fs from 'node:fs';
import Fastify from 'fastify';
import { Redis } from 'ioredis';

const [port, socket, script] = process.argv.slice(2);
const KEY = '0123456789abcdef0123456789abcdef';
const PREFIX = '{peer}:';
const REMEMBER_S = 1382460;
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const redis = new Redis({ path: socket, enableAutoPipelining: true });
redis.defineCommand('admit', { numberOfKeys: 5, lua: fs.readFileSync(script, 'utf8') });

const hash = (...parts) => {
  const mac = crypto.createHmac('sha256', KEY);
  for (const part of parts) mac.update(`${part.length}:${part}`);
  return mac.digest();
};
const base32 = (bytes) => {
  let text = '';
  for (let i = 0; i < 26; i++) text += DIGITS[bytes[i] & 31];
  return text;
};
let count = 0;
const nextId = (prefix, now) => {
  let text = '', time = now, tail = count++;
  for (let i = 0; i < 10; i++, time = Math.floor(time / 32)) text = DIGITS[time % 32] + text;
  let end = '';
  for (let i = 0; i < 16; i++, tail = Math.floor(tail / 32)) end = DIGITS[tail % 32] + end;
  return prefix + text + end;
};
const kept = new Uint8Array(16384);

const admit = (channel, message, now) => {
  const from = message.from.id, name = message.from.name ?? '';
  const index = hash('proved', 'main', 'webhook', channel, from);
  const hex = index.toString('hex', 0, 16);
  const conversation = `cnv_${base32(hash('conversation', 'main', channel, hex, ''))}`;
  const number = hash('remember', 'main', channel, message.id).readBigUInt64BE() >> 2n;
  const place = Number(number % 16384n), bucket = place.toString(16);
  const id = nextId('msg_', now);
  const json = JSON.stringify({ author: { type: 'customer', name }, id, conversation, direction: 'in', kind: 'text',
    text: message.text, attachments: [], channel, provider_id: message.id, created_at: new Date(now).toISOString() });
  const fresh = [nextId('wrk_', now), nextId('cus_', now), hex, from, name, '', '', 'support', '', '', 'normal', '', '',
    'everything-else', '', '1', ''].map((text) => `${text}\0`).join('');
  const record = JSON.stringify(['webhook', channel, from, 1, 'signature', Math.floor(now / 1000)]);
  const people = Buffer.concat([index.subarray(0, 16),
    Buffer.from(`${(index.readUInt16BE(16) % 8192).toString(16)}\0i:${hex}\0${record}\0`)]);
  const digest = hex.slice(0, 12) + crypto.createHash('sha256').update(index.subarray(0, 16)).digest('hex').slice(0, 12);
  const keep = kept[place] ? 0 : REMEMBER_S;
  return redis.admit(`${PREFIX}meta`, `${PREFIX}d:2932e000.a25:${bucket}`, `${PREFIX}d:2932e000.a24:${bucket}`,
    `${PREFIX}c:${conversation}`, `${PREFIX}m:${conversation}`, number.toString(), keep, conversation, id, json, channel,
    digest, message.id, fresh, people).then(() => {
    kept[place] = 1;
    return id;
  });
};

const isSigned = (headers, raw, now) => {
  const id = headers['webhook-id'], when = headers['webhook-timestamp'], given = headers['webhook-signature'] ?? '';
  if (!id || !/^[1-9]\d{0,11}$/.test(when ?? '') || Math.abs(now / 1000 - Number(when)) > 300) return false;
  const wanted = Buffer.from(`v1,${crypto.createHmac('sha256', KEY).update(`${id}.${when}.`).update(raw).digest('base64')}`);
  return given.split(' ').some((one) => one.length === wanted.length && crypto.timingSafeEqual(Buffer.from(one), wanted));
};

const app = Fastify({ logger: false });
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => done(null, body));
app.post('/in/:channel', async (request, reply) => {
  const now = Date.now();
  if (!isSigned(request.headers, request.body, now)) return reply.code(401).send({ title: 'bad signature' });
  let message;
  try {
    message = JSON.parse(request.body);
  } catch {
    return reply.code(400).send({ title: 'broken JSON' });
  }
  if (typeof message.id !== 'string' || typeof message.from?.id !== 'string' || typeof message.text !== 'string')
    return reply.code(400).send({ title: 'a member is missing' });
  return { message: await admit(request.params.channel, message, now) };
});
app.listen({ port: Number(port), host: '127.0.0.1' }).then(() => console.log('ready'));
