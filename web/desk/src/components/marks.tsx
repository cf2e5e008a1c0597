// Small marks: colour never stands alone.
import type { WorkItem } from '../api/types';
import { halfMinute, nextDue, now } from '../state/work';
import { duration, t } from '../words';

export function ChannelBadge({ channel }: { channel: string | null }) {
  return channel ? <span class="badge">{channel}</span> : null;
}

const SOON_MS = 15 * 60 * 1000;
const SECONDS_SHOWN_MS = 3 * 60 * 1000;

export function SlaPip({ item }: { item: WorkItem }) {
  const next = nextDue(item);
  if (!next) return null;
  const isNear = Math.abs(next.due - halfMinute.value) < SECONDS_SHOWN_MS;
  const left = next.due - (isNear ? now.value : halfMinute.value);
  const state = left < 0 || next.state === 'breached' ? 'late' : left < SOON_MS || next.state === 'warned' ? 'soon' : 'fine';
  return (
    <span class={`pip ${state}`}>
      <span aria-hidden="true">{state === 'late' ? '▲' : state === 'soon' ? '◆' : '●'}</span>{' '}
      {state === 'late' ? t('late') : `${t('due')} ${duration(left / 1000)}`}
    </span>
  );
}
