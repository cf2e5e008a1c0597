import { Fragment } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Message } from '../api/types';
import { attempt } from '../state/notices';
import { earlier, isLoading, messages, open, showEarlier, shownPending } from '../state/thread';
import { language, localeOf, t } from '../words';
import { MessageRow, PendingRow } from './MessageRow';

const NEAR_END_PX = 60;

const dayOf = (message: Message): string => new Date(message.created_at).toDateString();

function dayName(day: string): string {
  const date = new Date(day);
  const days = Math.round((new Date(new Date().toDateString()).getTime() - date.getTime()) / 86_400_000);
  if (days === 0) return t('day_today');
  if (days === 1) return t('day_yesterday');
  return date.toLocaleDateString(localeOf(language.value), { dateStyle: 'full' });
}

const isSystem = (message: Message): boolean => message.author.type === 'system' && message.kind !== 'note' && !message.delivery;

/** System events in a row are one fold. */
function runsOf(all: Message[]): Message[][] {
  const runs: Message[][] = [];
  for (const message of all) {
    const last = runs.at(-1);
    if (last && isSystem(message) && isSystem(last[0]!) && dayOf(last[0]!) === dayOf(message)) last.push(message);
    else runs.push([message]);
  }
  return runs;
}

function Run({ run }: { run: Message[] }) {
  if (run.length === 1) return <MessageRow message={run[0]!} />;
  return (
    <li class="system-run">
      <details>
        <summary>{`${run.length} ${t('system_events')}`}</summary>
        <ol>
          {run.map((message) => (
            <MessageRow key={message.id} message={message} />
          ))}
        </ol>
      </details>
    </li>
  );
}

/** Stays at the end while the reader is there, and in place while earlier ones come above. */
function useScroll() {
  const list = useRef<HTMLDivElement>(null);
  const was = useRef({ atEnd: true, height: 0, first: '', conversation: '' });
  const first = messages.value[0]?.id ?? '';
  const conversation = open.value?.conversation ?? '';
  useLayoutEffect(() => {
    const node = list.current;
    if (!node) return;
    const before = was.current;
    if (before.conversation !== conversation || before.atEnd || !before.first) node.scrollTop = node.scrollHeight;
    else if (before.first !== first) node.scrollTop += node.scrollHeight - before.height;
    was.current = { ...before, height: node.scrollHeight, first, conversation, atEnd: before.conversation !== conversation || before.atEnd };
  });
  const onScroll = () => {
    const node = list.current;
    if (node) was.current.atEnd = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END_PX;
  };
  return { list, onScroll };
}

async function loadEarlier(): Promise<void> {
  await showEarlier();
  if (!earlier.value) document.getElementById('messages')?.focus();
}

export function MessageList() {
  const { list, onScroll } = useScroll();
  const runs = runsOf(messages.value);
  return (
    <>
      {earlier.value && (
        <button id="earlier" type="button" onClick={() => void attempt(loadEarlier)}>
          {t('earlier')}
        </button>
      )}
      <div
        id="messages"
        ref={list}
        role="log"
        aria-live="polite"
        aria-busy={isLoading.value}
        tabIndex={0}
        aria-labelledby="thread-title"
        onScroll={onScroll}
      >
        <ol>
        {runs.map((run, place) => (
          <Fragment key={run[0]!.id}>
            {(place === 0 || dayOf(runs[place - 1]![0]!) !== dayOf(run[0]!)) && <li class="day">{dayName(dayOf(run[0]!))}</li>}
            <Run run={run} />
          </Fragment>
        ))}
        {shownPending.value.map((one) => (
          <PendingRow key={one.key} one={one} />
        ))}
        </ol>
      </div>
    </>
  );
}
