// Naming colleagues in a note, and hearing of notes that name oneself.
import type { Signal } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import type { Mention, Named } from '../api/types';
import { agentsFor, forgetMentions, mentions, openMention } from '../state/mentions';
import { attempt } from '../state/notices';
import { nameOf } from '../state/work';
import { ago, t } from '../words';
import { SuggestList, useSuggest, type Suggest } from './Suggest';

export function useNaming(area: RefObject<HTMLTextAreaElement | null>, draft: Signal<string>): Suggest<Named> {
  return useSuggest({
    area,
    draft,
    // Not in the middle of a mail address; Chinese has no space before the sign.
    trigger: /(?<![A-Za-z0-9_.+-])[@＠]([^\s@＠]{0,30})$/,
    find: agentsFor,
    textOf: (one) => `@${one.name || one.id} `,
  });
}

export function NamingList({ naming }: { naming: Suggest<Named> }) {
  return (
    <SuggestList id="naming" label={t('name_agent')} suggest={naming} keyOf={(one) => one.id}>
      {(one) => (
        <>
          <strong>
            <bdi>{one.name || one.id}</bdi>
          </strong>{' '}
          <span class="quiet">{one.id}</span>
        </>
      )}
    </SuggestList>
  );
}

function MentionRow({ one, onDone }: { one: Mention; onDone: () => void }) {
  const go = async () => {
    onDone();
    location.hash = '#/';
    await openMention(one);
    document.querySelector(`[data-message="${one.message}"]`)?.scrollIntoView({ block: 'center' });
  };
  return (
    <li>
      <button type="button" class="item" onClick={() => void attempt(go)}>
        <span>
          <bdi>{nameOf('agents', one.by)}</bdi> {t('named_you')}
        </span>
        <span class="quiet">{ago(one.at)}</span>
      </button>
    </li>
  );
}

/** The sign in the header, and what it tells of. */
export function Bell() {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const count = mentions.value.length;
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useLayoutEffect(() => {
    if (!isOpen) return;
    const onPress = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener('pointerdown', onPress);
    box.current?.querySelector<HTMLElement>('#mentions button')?.focus();
    return () => removeEventListener('pointerdown', onPress);
  }, [isOpen]);
  return (
    <span
      class="bell"
      ref={box}
      onKeyDown={(event) => {
        if (!isOpen || event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <button id="bell" ref={button} type="button" class="plain" aria-expanded={isOpen} aria-controls="mentions" onClick={() => setOpen(!isOpen)}>
        <span aria-hidden="true">@</span> <span class="sr">{t('mentions')}</span>
        {count > 0 && <b class="badge">{count}</b>}
      </button>
      <span class="sr" role="status">
        {count > 0 && `${t('mentions')}: ${count}`}
      </span>
      <div id="mentions" hidden={!isOpen}>
        {isOpen && (
          <>
            <ul class="list" aria-label={t('mentions')}>
              {mentions.value.map((one) => (
                <MentionRow key={one.message} one={one} onDone={close} />
              ))}
              {!count && <li class="quiet">{t('mentions_none')}</li>}
            </ul>
            {count > 0 && (
              <button type="button" class="plain" onClick={() => void attempt(forgetMentions).then(close)}>
                {t('all_seen')}
              </button>
            )}
          </>
        )}
      </div>
    </span>
  );
}
