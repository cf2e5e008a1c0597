// Over which way the answer goes, and how long it may; what cannot be taken says why.
import { useEffect } from 'preact/hooks';
import type { Way } from '../api/types';
import { background } from '../state/notices';
import { isMine, talk } from '../state/thread';
import { chooseWay, chosenWay, isOver, mayTake, showWays, ways } from '../state/ways';
import { now } from '../state/work';
import { duration, t, word } from '../words';

const reasonOf = (way: Way): string => word('way', isOver(way) ? 'window_closed' : way.reason);
const keyOf = (way: Way): string => `${way.channel} ${way.to ?? ''}`;

function limitOf(way: Way): string {
  const until = way.until ? `${t('window_until')} ${duration(Math.max(0, (Date.parse(way.until) - now.value) / 1000))}` : '';
  const left = way.left === null ? '' : `${way.left} ${t('window_left')}`;
  return [until, left].filter(Boolean).join(' · ');
}

function label(way: Way): string {
  const claimed = way.proof === 'claimed' ? t('claimed') : '';
  return [way.channel, way.to, claimed, mayTake(way) ? limitOf(way) : reasonOf(way)].filter(Boolean).join(' · ');
}

export function ReplyVia({ conversation }: { conversation: string }) {
  // A message of the customer opens a window, an answer may use it up: either is seen by the conversation being read anew.
  useEffect(() => void background(showWays), [conversation, isMine.value, talk.value]);
  const chosen = chosenWay.value;
  if (!isMine.value || !chosen) return null;
  return (
    <span class="row via">
      <label class="quiet" for="via">
        {t('via')}
      </label>
      <select id="via" value={keyOf(chosen)} onChange={(event) => chooseWay(ways.value.find((one) => keyOf(one) === event.currentTarget.value)!)}>
        {ways.value.map((one) => (
          <option key={keyOf(one)} value={keyOf(one)} disabled={!mayTake(one) && !one.here}>
            {label(one)}
          </option>
        ))}
      </select>
      {mayTake(chosen) ? <span class="window quiet">{limitOf(chosen)}</span> : <strong class="window closed">{reasonOf(chosen)}</strong>}
    </span>
  );
}
