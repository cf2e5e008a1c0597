import { memo } from './memo';
import type { Attachment, Message } from '../api/types';
import { me } from '../state/session';
import { sendAgain, takeBack, type Pending } from '../state/thread';
import { language, t, when, word } from '../words';
import { Files } from './Files';
import { HtmlMail } from './HtmlMail';
import { ChannelBadge } from './marks';
import { useState } from 'preact/hooks';
import { splitQuote } from './quote';

const MARKS: Record<string, string> = {
  local: '◌', queued: '◌', sending: '◌', sent: '✓', delivered: '✓✓', read: '✓✓', failed: '✕', refused: '✕', uncertain: '?', expired: '✕',
};

function Delivery({ state, error }: { state: string; error?: string | null }) {
  return (
    <span class={`delivery ${state}`}>
      <span aria-hidden="true">{MARKS[state] ?? ''} </span>
      <span>{word('delivery', state)}</span>
      {error ? <span>: {error}</span> : null}
    </span>
  );
}

function Text({ text }: { text: string }) {
  const { said, quoted } = splitQuote(text);
  return (
    <>
      <bdi class="text">{said}</bdi>
      {quoted && (
        <details class="quoted">
          <summary>{t('quoted')}</summary>
          <bdi class="text">{quoted}</bdi>
        </details>
      )}
    </>
  );
}

function Body({ message }: { message: Message }) {
  const [isHtml, setHtml] = useState(false);
  const moved = message.extra?.moved;
  if (moved) return <em>{`${t('moved')} ${moved.to}`}</em>;
  return (
    <>
      {isHtml && message.html ? <HtmlMail html={message.html} attachments={message.attachments ?? []} /> : <Text text={message.text} />}
      {message.html && (
        <button type="button" class="plain small" aria-pressed={isHtml} onClick={() => setHtml(!isHtml)}>
          {t(isHtml ? 'show_text' : 'show_html')}
        </button>
      )}
    </>
  );
}

function Doubts({ suspicions }: { suspicions: string[] }) {
  if (!suspicions.length) return null;
  return <strong class="doubt">{`⚠ ${t('suspicion')}: ${suspicions.map((one) => word('suspicion', one)).join(', ')}`}</strong>;
}

const classOf = (message: Message): string =>
  message.kind === 'note' ? 'note' : message.author.type === 'system' ? `${message.direction} system` : message.direction;

function Row({ message }: { message: Message; language: string }) {
  return (
    <li class={classOf(message)} data-message={message.id}>
      <span class="quiet facts">
        {message.kind === 'note' && <b>{t('is_note')}</b>}
        {message.extra?.mentions?.includes(me.value?.agent ?? '') && <b class="names-me">@ {t('names_you')}</b>}
        <bdi>{message.author.name || word('author', message.author.type)}</bdi>
        <ChannelBadge channel={message.channel} />
        <time dateTime={message.created_at}>{when(message.created_at)}</time>
        {message.delivery && <Delivery state={message.delivery.state} error={message.delivery.error} />}
      </span>
      <Body message={message} />
      <Doubts suspicions={message.extra?.auth?.suspicions ?? []} />
      <Files files={message.attachments ?? []} />
    </li>
  );
}

const MemoRow = memo(Row);

/** Drawn again only when the message or the language is another one: threads are long. */
export function MessageRow({ message }: { message: Message }) {
  return <MemoRow message={message} language={language.value} />;
}

export function PendingRow({ one }: { one: Pending }) {
  const files: Attachment[] = one.attachments;
  return (
    <li class={`${one.kind === 'note' ? 'note' : 'out'} pending`}>
      <span class="quiet facts">
        {one.kind === 'note' && <b>{t('is_note')}</b>}
        <bdi>{me.value?.name}</bdi>
        <Delivery state={one.refusal ? 'refused' : 'local'} error={one.refusal} />
      </span>
      <bdi class="text">{one.text}</bdi>
      <Files files={files} />
      {one.refusal && (
        <span class="row">
          <button type="button" onClick={() => sendAgain(one)}>{t('again')}</button>
          <button type="button" onClick={() => takeBack(one)}>{t('discard')}</button>
        </span>
      )}
    </li>
  );
}
