import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ImapFlow } from 'imapflow';
import { simpleParser } from 'mailparser';
import nodemailer from 'nodemailer';
import { openBed, until } from './bed.js';

let bed;
before(async () => { bed = await openBed('mail'); });
after(() => bed?.close());

const attachment = { filename: '退款凭证.txt', content: '凭证 42', contentType: 'text/plain' };

function compose(options) {
  return new Promise((resolve, reject) => {
    nodemailer.createTransport({ streamTransport: true, buffer: true })
      .sendMail({ from: '韩梅 <han@customer.test>', to: 'support@example.test', ...options }, (error, info) => (
        error ? reject(error) : resolve({ raw: info.message, id: info.messageId })));
  });
}

/** The newest mail that the sink took after `known` others, as mailparser reads it. */
async function answerAfter(known) {
  const mails = await until('the mail out', async () => {
    const all = await bed.mails();
    return all.length > known && all;
  });
  return { envelope: mails.at(-1), mail: await simpleParser(mails.at(-1).raw) };
}

test('a mail that imapflow puts into the mailbox is answered by SMTP', async () => {
  const { raw, id } = await compose({ subject: '我要退款', text: '请看附件。', attachments: [attachment] });
  const client = new ImapFlow({
    host: '127.0.0.1', port: bed.imap, secure: false, logger: false, doSTARTTLS: false,
    auth: { user: bed.imapUser, pass: bed.imapPassword },
  });
  await client.connect();
  await client.append('INBOX', raw);
  const item = await bed.claim();
  assert.equal(item.channel, 'support');
  assert.equal(item.customer.name, '韩梅');
  const [first] = await bed.messages(item.conversation);
  assert.match(first.text, /请看附件/);
  assert.equal(first.attachments[0].name, '退款凭证.txt');
  await bed.reply(item.conversation, '已收到，三天内到账。');
  const { envelope, mail } = await answerAfter(0);
  assert.deepEqual(envelope.to, ['han@customer.test']);
  assert.equal(mail.subject, 'Re: 我要退款');
  assert.equal(mail.inReplyTo, id);
  assert.match(mail.text, /三天内到账/);
  await until('the mail to be marked as seen', async () => {
    const lock = await client.getMailboxLock('INBOX');
    try {
      const message = await client.fetchOne('*', { flags: true });
      return message && message.flags.has('\\Seen');
    } finally {
      lock.release();
    }
  });
  await client.logout();
});

test('a mail that nodemailer sends by LMTP is answered, and the thread holds together', async () => {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: bed.lmtp, lmtp: true, secure: false, ignoreTLS: true });
  const known = (await bed.mails()).length;
  const sent = await transport.sendMail({
    from: 'Lucy <lucy@customer.test>', to: 'support@example.test', subject: 'Where is my parcel?', text: 'It is late.',
    html: '<p>It is <b>late</b>.</p>',
  });
  const item = await bed.claim();
  await bed.reply(item.conversation, 'It arrives tomorrow.');
  const { mail } = await answerAfter(known);
  assert.equal(mail.inReplyTo, sent.messageId);
  await transport.sendMail({
    from: 'Lucy <lucy@customer.test>', to: mail.replyTo?.text ?? mail.from.text, subject: `Re: ${mail.subject}`,
    text: 'Thanks!', inReplyTo: mail.messageId, references: [sent.messageId, mail.messageId],
  });
  const thread = await until('the answer to the answer', async () => {
    const messages = await bed.messages(item.conversation);
    return messages.length === 3 && messages;
  });
  assert.match(thread[2].text, /Thanks!/);
  transport.close();
});

test('files and HTML come in from nodemailer and go out to mailparser', async () => {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: bed.lmtp, lmtp: true, secure: false, ignoreTLS: true });
  const known = (await bed.mails()).length;
  await transport.sendMail({
    from: '韩梅 <mei@customer.test>', to: 'support@example.test', subject: '发票抬头写错了', text: '请看附件。',
    html: '<p>请看<b>附件</b>。</p>', attachments: [attachment],
  });
  transport.close();
  const item = await bed.claim();
  const [first] = await bed.messages(item.conversation);
  assert.equal(first.attachments[0].name, '退款凭证.txt');
  assert.match(first.html, /<b>附件<\/b>/);
  const name = '新的发票（2026年）.pdf';
  const upload = await fetch(`${bed.base}/v1/attachments?name=${encodeURIComponent(name)}&type=application/pdf`, {
    method: 'POST', headers: { Authorization: `Bearer ${bed.alice}` }, body: Buffer.from('%PDF-1.7 新'),
  });
  assert.equal(upload.status, 201);
  const { blob, type } = await upload.json();
  await bed.reply(item.conversation, '已改好。', {
    html: '<p>已<i>改好</i>。</p>', cc: ['boss@customer.test'], attachments: [{ blob, name, type }],
  });
  const { envelope, mail } = await answerAfter(known);
  assert.deepEqual(envelope.to.toSorted(), ['boss@customer.test', 'mei@customer.test']);
  assert.equal(mail.subject, 'Re: 发票抬头写错了');
  assert.match(mail.text, /已改好/);
  assert.match(mail.html, /<i>改好<\/i>/);
  assert.equal(mail.attachments[0].filename, name);
  assert.equal(mail.attachments[0].contentType, 'application/pdf');
  assert.equal(mail.attachments[0].content.toString(), '%PDF-1.7 新');
});
