// What an agent does with the open work item: shown at once, taken back where the daemon refuses.
import { signal } from '@preact/signals';
import type { WorkItem } from '../api/types';
import { t, type Key } from '../words';
import { background, notify, showProblem } from './notices';
import { perform } from './outbox';
import { closeThread, open, openItem, showOpenItem } from './thread';
import { hideItem, pull, showWork, unhideItem } from './work';

interface Step {
  /** The one that was before the agent when they began: meanwhile another may have come. */
  item: WorkItem | null;
  verb: string;
  body: Record<string, unknown>;
  done: Key;
  /** The item leaves the agent's hands. */
  leaves: boolean;
}

/** What was asked for and is not answered: the item, and what it is. */
export const underWay = signal<{ item: string; doing: Key } | null>(null);
export const isPulling = signal(false);

export function step({ item, verb, body, done, leaves }: Step): void {
  if (!item) return;
  const mine = { item: item.id, doing: `doing_${verb}` as Key };
  const end = (): void => {
    if (underWay.value === mine) underWay.value = null;
  };
  if (leaves) {
    hideItem(item.id);
    if (open.value?.item?.id === item.id) closeThread();
  } else underWay.value = mine;
  perform<WorkItem>({
    path: `/v1/work-items/${item.id}/${verb}`,
    body,
    onDone: () => {
      end();
      notify(t(done));
      void background(async () => {
        await Promise.all([showWork(), showOpenItem()]);
        unhideItem(item.id);
      });
    },
    onRefused: (why) => {
      end();
      unhideItem(item.id);
      if (leaves && !open.value && why.status !== 401) openItem(item).catch(showProblem);
    },
  });
}

export async function pullNext(): Promise<void> {
  isPulling.value = true;
  const item = await pull().finally(() => (isPulling.value = false));
  if (!item) return;
  await openItem(item);
  await showWork();
  document.getElementById('text')?.focus();
}
