import { post } from '../api/client';
import type { WorkItem } from '../api/types';
import { viewers, writers } from '../state/company';
import { dialog } from '../state/dialogs';
import { attempt } from '../state/notices';
import { isLead, me } from '../state/session';
import { isMine, open, openItem, talk, titleOf, typing } from '../state/thread';
import { step, underWay } from '../state/transitions';
import { nameOf, showWork } from '../state/work';
import { t, word } from '../words';
import { Composer } from './Composer';
import { FirstSteps } from './FirstSteps';
import { MessageList } from './MessageList';

const title = (): string => {
  const shown = open.value;
  if (!shown) return t('choose');
  return shown.item ? titleOf(shown.item) : shown.title || t('unnamed');
};

async function barge(item: WorkItem): Promise<void> {
  await openItem(await post<WorkItem>(`/v1/work-items/${item.id}/barge`));
  await showWork();
}

function Actions({ item }: { item: WorkItem }) {
  if (!isMine.value)
    return (
      <>
        {item.state === 'queued' && (
          <button type="button" onClick={() => (dialog.value = { name: 'why' })}>
            {t('why')}
          </button>
        )}
        {isLead() && (
          <button type="button" onClick={() => void attempt(() => barge(item))}>
            {t('barge')}
          </button>
        )}
      </>
    );
  const opens = (name: 'transfer' | 'consult' | 'escalate' | 'snooze' | 'why') => () => (dialog.value = { name });
  return (
    <>
      <button type="button" onClick={opens('transfer')}>{t('transfer')}</button>
      <button type="button" onClick={opens('consult')}>{t('consult')}</button>
      <button type="button" onClick={opens('escalate')}>{t('escalate')}</button>
      <button type="button" onClick={opens('snooze')}>{t('snooze')}</button>
      <button type="button" onClick={() => step({ item, verb: 'release', body: {}, done: 'done_released', leaves: true })}>{t('release')}</button>
      <button type="button" onClick={opens('why')}>{t('why')}</button>
    </>
  );
}

/** What keeps the agent from answering, or who else is here. */
function Facts({ item }: { item: WorkItem | null }) {
  return (
    <p class="thread-facts quiet" role="status">
      {talk.value?.subject && <strong><bdi>{talk.value.subject}</bdi></strong>}
      {item && <span>{word('state', item.state)}</span>}
      {item && underWay.value?.item === item.id && <strong class="doing">{t(underWay.value.doing)}</strong>}
      {item && item.agent && item.agent !== me.value?.agent && <span>{t('not_mine')} {nameOf('agents', item.agent)}</span>}
      {!item && open.value && <span>{t('readonly')}</span>}
      {typing.value && <em>{t('customer')} {t('typing')}</em>}
    </p>
  );
}

/** So that two do not write the same answer. */
function Company() {
  const names = (ids: string[]) => ids.map((one) => nameOf('agents', one)).join(t('and'));
  return (
    <p id="company" class="quiet" role="status">
      {writers.value.length > 0 && <strong>✎ {names(writers.value)} {t('writes_reply')}</strong>}
      {viewers.value.length > 0 && <span>{names(viewers.value)} {t('is_viewing')}</span>}
    </p>
  );
}

export function ThreadPane() {
  const shown = open.value;
  return (
    <section id="thread" class="pane" aria-labelledby="thread-title">
      <h2 id="thread-title">
        <bdi>{title()}</bdi>
      </h2>
      {shown && <Facts item={shown.item} />}
      {shown?.item && (
        <div class="row actions" role="group" aria-label={t('work')}>
          <Actions item={shown.item} />
        </div>
      )}
      {!shown && <FirstSteps />}
      <MessageList />
      {shown?.conversation && <Company />}
      {shown?.item && shown.conversation && <Composer key={shown.conversation} conversation={shown.conversation} item={shown.item} />}
    </section>
  );
}
