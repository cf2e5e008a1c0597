// What an agent does with the open work item: shown at once, taken back where the daemon refuses.
import type { WorkItem } from '../api/types';
import { t, type Key } from '../words';
import { background, notify, showProblem } from './notices';
import { perform } from './outbox';
import { closeThread, open, openItem, showOpenItem } from './thread';
import { hideItem, pull, showWork, unhideItem } from './work';

interface Step {
  verb: string;
  body: Record<string, unknown>;
  done: Key;
  /** The item leaves the agent's hands. */
  leaves: boolean;
}

export function step({ verb, body, done, leaves }: Step): void {
  const item = open.value?.item;
  if (!item) return;
  if (leaves) {
    hideItem(item.id);
    closeThread();
  }
  perform<WorkItem>({
    path: `/v1/work-items/${item.id}/${verb}`,
    body,
    onDone: () => {
      notify(t(done));
      void background(async () => {
        await Promise.all([showWork(), showOpenItem()]);
        unhideItem(item.id);
      });
    },
    onRefused: () => {
      unhideItem(item.id);
      if (leaves && !open.value) openItem(item).catch(showProblem);
    },
  });
}

export async function pullNext(): Promise<void> {
  const item = await pull();
  if (!item) return;
  await openItem(item);
  await showWork();
  document.getElementById('text')?.focus();
}
