// My work, what waits, and the queues.
import { computed, signal } from '@preact/signals';
import { ask, post } from '../api/client';
import type { List, LiveQueue, Named, WorkItem } from '../api/types';
import { t } from '../words';
import { coalesced, problem } from './notices';

const DONE = ['resolved', 'closed', 'cancelled', 'queued', 'offered'];

export const mine = signal<WorkItem[]>([]);
export const waiting = signal<WorkItem[]>([]);
export const queues = signal<LiveQueue[]>([]);
/** Work that the agent has just finished: it stays away until the daemon has said so. */
const leaving = signal<ReadonlySet<string>>(new Set());

export const myWork = computed(() => mine.value.filter((item) => !leaving.value.has(item.id)));

/** A clock for everything that ages on the page. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1000);

export const showWork = coalesced(async () => {
  const [assigned, queued, live] = await Promise.all([
    ask<List<WorkItem>>('/v1/work-items?agent=me&limit=100'),
    ask<List<WorkItem>>('/v1/work-items?state=queued&limit=100&order=asc'),
    ask<{ queues: LiveQueue[] }>('/v1/live'),
  ]);
  mine.value = assigned.data.filter((item) => !DONE.includes(item.state));
  waiting.value = queued.data;
  queues.value = live.queues;
});

export function hideItem(id: string): void {
  leaving.value = new Set([...leaving.value, id]);
}

export function unhideItem(id: string): void {
  leaving.value = new Set([...leaving.value].filter((one) => one !== id));
}

export async function pull(): Promise<WorkItem | null> {
  const item = await post<WorkItem | null>('/v1/work/claim', { wait_s: 0 });
  if (!item) problem.value = t('none');
  return item;
}

// ---- names of what work can go to; few and rarely changed, so they are fetched when a form wants them ----

export const named = signal<Record<'queues' | 'agents' | 'departments', Named[]>>({ queues: [], agents: [], departments: [] });

export async function showNames(): Promise<void> {
  const [queueList, agents, departments] = await Promise.all(
    ['queues', 'agents', 'departments'].map((kind) => ask<List<Named>>(`/v1/${kind}?limit=200`)),
  );
  named.value = { queues: queueList!.data, agents: agents!.data, departments: departments!.data };
}

export const nameOf = (kind: 'queues' | 'agents' | 'departments', id: string | null): string =>
  named.value[kind].find((one) => one.id === id)?.name ?? id ?? '';

/** The clock of an item that is due first. */
export function nextDue(item: WorkItem): { due: number; state: string } | null {
  const due = item.sla
    .filter((one) => one.due_at && one.state !== 'fulfilled' && one.state !== 'paused')
    .map((one) => ({ due: Date.parse(one.due_at!), state: one.state }));
  return due.sort((a, b) => a.due - b.due)[0] ?? null;
}
