import { useComputed } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { WorkItem } from '../api/types';
import { unread } from '../state/attention';
import { attempt, background } from '../state/notices';
import { answerOffer, held } from '../state/offers';
import { open, openItem, titleOf } from '../state/thread';
import { isPulling, pullNext } from '../state/transitions';
import { furtherWaiting, halfMinute, myWork, now, queues, showFurtherWaiting, waiting } from '../state/work';
import { duration, language, remaining, secondsSince, t, word } from '../words';
import { ChannelBadge, SlaPip } from './marks';
import { memo } from './memo';
import { SearchBox } from './SearchBox';

function Offers() {
  const first = held.value[0];
  if (!first) return <div role="alert" />;
  const left = Math.max(0, Math.round((Date.parse(first.offer.deadline_at) - now.value) / 1000));
  const what = first.offer.kind === 'offer' ? 'offered' : first.offer.kind === 'consult' ? 'asked' : 'handed';
  return (
    <div class="offer">
      <div role="alert">
        <p>
          {t(what)}: <bdi>{titleOf(first.item)}</bdi>
        </p>
        {first.offer.reason && <p class="quiet">{first.offer.reason}</p>}
      </div>
      <p class="countdown" aria-hidden="true">
        {remaining(left)}
      </p>
      <div class="row">
        <button id="accept" type="button" class="primary" onClick={() => void attempt(() => answerOffer(first, true))}>
          {t('accept')}
        </button>
        <button id="decline" type="button" onClick={() => void attempt(() => answerOffer(first, false))}>
          {t('decline')}
        </button>
      </div>
    </div>
  );
}

const SECONDS_SHOWN_MS = 120_000;

/** Its text changes without the row being drawn again; thousands of rows age at once. */
function Age({ since }: { since: string }) {
  const text = useComputed(() => {
    const isYoung = halfMinute.value - Date.parse(since) < SECONDS_SHOWN_MS;
    return duration(secondsSince(since, isYoung ? now.value : halfMinute.value));
  });
  return <span class="age">{text}</span>;
}

function Row({ item, isOpen, isUnread }: { item: WorkItem; isOpen: boolean; isUnread: boolean; language: string }) {
  return (
    <li>
      <button
        type="button"
        class="item"
        data-item={item.id}
        aria-current={isOpen ? 'true' : undefined}
        onClick={() => void attempt(() => openItem(item))}
      >
        <span class="item-name">
          <bdi>{item.customer?.name || t('unnamed')}</bdi>
          {isUnread && <span class="badge unread">{t('unread')}</span>}
          <Age since={item.since} />
        </span>
        <span class="quiet">
          #{item.number} <ChannelBadge channel={item.channel} /> {item.queue} · {word('state', item.state)}
          {item.urgency !== 'normal' && <strong class={`urgency ${item.urgency}`}>{word('urgency', item.urgency)}</strong>}
          <SlaPip item={item} />
        </span>
      </button>
    </li>
  );
}

const MemoRow = memo(Row);

export function ItemRows({ items }: { items: WorkItem[] }) {
  const shown = open.value?.item?.id;
  return (
    <>
      {items.map((item) => (
        <MemoRow key={item.id} item={item} isOpen={item.id === shown} isUnread={unread.value.has(item.id)} language={language.value} />
      ))}
    </>
  );
}

/** Fetches the next of them when the reader comes near. */
function Further() {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!button.current) return;
    const watch = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && void background(showFurtherWaiting));
    watch.observe(button.current);
    return () => watch.disconnect();
  }, [furtherWaiting.value]);
  if (!furtherWaiting.value) return null;
  return (
    <li>
      <button ref={button} id="further" type="button" class="plain" onClick={() => void attempt(showFurtherWaiting)}>{t('more')}</button>
    </li>
  );
}

function Queues() {
  return (
    <table id="queues" aria-labelledby="queues-title">
      <tbody>
        {queues.value.map((queue) => (
          <tr key={queue.queue}>
            <th scope="row">{queue.queue}</th>
            <td>
              {queue.waiting} {t('waiting_count')}
              {queue.paused && ` · ${t('paused')}`}
            </td>
            <td>{queue.waiting > 0 && `${t('oldest')} ${duration(queue.oldest_s)}`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function WorkPane() {
  return (
    <section id="mine" class="pane" aria-labelledby="mine-title">
      <SearchBox />
      <div class="row spread">
        <h2 id="mine-title">{t('mine')}</h2>
        <button id="pull" type="button" class="primary" aria-busy={isPulling.value} onClick={() => !isPulling.value && void attempt(pullNext)}>
          {t(isPulling.value ? 'pulling' : 'pull')}
        </button>
      </div>
      <Offers />
      <ul id="items" class="list">
        <ItemRows items={myWork.value} />
        {!myWork.value.length && <li class="quiet">{t('mine_none')}</li>}
      </ul>
      <h2 id="waiting-title">{t('waiting_list')}</h2>
      <ul id="waiting" class="list" aria-labelledby="waiting-title">
        <ItemRows items={waiting.value} />
        <Further />
        {!waiting.value.length && <li class="quiet">{t('none')}</li>}
      </ul>
      <h2 id="queues-title">{t('queues')}</h2>
      <Queues />
    </section>
  );
}
