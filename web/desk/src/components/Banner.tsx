import { useEffect, useState } from 'preact/hooks';
import { isLive } from '../state/live';
import { place } from '../state/look';
import { waitingCount } from '../state/outbox';
import { t } from '../words';

const GRACE_MS = 1500;

/** Not for the blink of a reconnection: only when the connection stays away. */
export function Banner() {
  const [isAway, setAway] = useState(false);
  const live = isLive.value;
  useEffect(() => {
    if (live) {
      setAway(false);
      return undefined;
    }
    const timer = setTimeout(() => setAway(true), GRACE_MS);
    return () => clearTimeout(timer);
  }, [live]);
  return (
    <div id="offline" role="status" hidden={!isAway}>
      {isAway && t(place.value.view === 'desk' ? 'offline_banner' : 'offline_banner_else')}
      {isAway && waitingCount.value > 0 && ` ${waitingCount.value} ${t('queued_actions')}`}
    </div>
  );
}
