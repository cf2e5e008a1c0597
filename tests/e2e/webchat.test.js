import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { EventSource } from 'eventsource';
import { openBed } from './bed.js';

let bed;
before(async () => { bed = await openBed('webchat'); });
after(() => bed?.close());

/** Messages of a visitor's stream, in order, one at a time. */
function listen(token) {
  const stream = new EventSource(`${bed.base}/chat/site/events?token=${token}`);
  const waiting = [];
  const seen = [];
  stream.addEventListener('message', (event) => {
    const message = JSON.parse(event.data);
    if (waiting.length) waiting.shift()(message);
    else seen.push(message);
  });
  const next = () => (seen.length ? Promise.resolve(seen.shift()) : new Promise((resolve) => waiting.push(resolve)));
  return { stream, next };
}

test('a visitor is answered over EventSource, and the stream survives a kill', async () => {
  const session = await bed.call('POST', '/chat/site/sessions', {}, null);
  const { token } = session.json;
  const { stream, next } = listen(token);
  try {
    const said = await bed.call('POST', '/chat/site/messages', { text: '在吗？' }, token);
    assert.equal(said.status, 201);
    assert.equal((await next()).id, said.json.message);
    const item = await bed.claim();
    assert.equal(item.channel, 'site');
    await bed.reply(item.conversation, '在的');
    assert.deepEqual([(await next()).text, item.conversation.slice(0, 4)], ['在的', 'cnv_']);
    await bed.ask('restart');
    await bed.reply(item.conversation, '还在');
    const answer = await next();
    assert.equal(answer.text, '还在', 'nothing twice and nothing lost after the stream came back');
    assert.deepEqual(Object.keys(answer.author).sort(), ['name', 'type']);
  } finally {
    stream.close();
  }
});
