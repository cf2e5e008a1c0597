import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { EventSource } from 'eventsource';
import { openBed, until } from './bed.js';

let bed;
before(async () => { bed = await openBed('webhook'); });
after(() => bed?.close());

test('standardwebhooks signs a message in and verifies the answer', async () => {
  const accepted = await bed.post({ id: 'e1', from: { id: 'u1', name: '李雷' }, text: '我要退款' });
  assert.equal(accepted.status, 200);
  assert.match((await accepted.json()).message, /^msg_/);
  const item = await bed.claim();
  assert.equal(item.state, 'assigned');
  assert.equal(item.customer.name, '李雷');
  const sent = await bed.reply(item.conversation, '好的，马上办');
  assert.equal(sent.status, 201);
  const out = await until('the webhook out', () => bed.sink.received[0]);
  const event = bed.webhook.verify(out.raw, out.headers);
  assert.equal(event.type, 'message.outbound');
  assert.equal(event.data.id, sent.json.id);
  assert.equal(event.data.text, '好的，马上办');
  assert.equal(event.data.to.id, 'u1');
});

test('a message older than five minutes is refused', async () => {
  const stale = new Date(Date.now() - 6 * 60_000);
  const answer = await bed.post({ id: 'e2', from: { id: 'u2' }, text: 'late' }, undefined, stale);
  assert.equal(answer.status, 401);
});

test('an EventSource with a ticket hears of a new message', async () => {
  const ticket = await bed.call('POST', '/v1/events/ticket', {});
  assert.equal(ticket.status, 201);
  const stream = new EventSource(`${bed.base}/v1/events?ticket=${ticket.json.ticket}`);
  try {
    await new Promise((resolve, reject) => { stream.onopen = resolve; stream.onerror = reject; });
    const heard = new Promise((resolve) => stream.addEventListener('message.created', resolve));
    await bed.post({ id: 'e3', from: { id: 'u3' }, text: 'hello' });
    const event = await heard;
    assert.match(JSON.parse(event.data).message, /^msg_/);
  } finally {
    stream.close();
  }
});
