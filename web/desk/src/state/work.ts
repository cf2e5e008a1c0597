// My work, what waits, and the queues.
import { batch, computed, signal } from '@preact/signals';
import { allOf, ask, post } from '../api/client';
import type { List, LiveQueue, Named, QueueRow, WorkItem } from '../api/types';
import { t } from '../words';
import { coalesced, problem } from './notices';

const DONE = ['resolved', 'closed', 'cancelled', 'queued', 'offered'];

export const mine = signal<WorkItem[]>([]);
export const waiting = signal<WorkItem[]>([]);
export const queues = signal<LiveQueue[]>([]);
/** Work that the agent has just finished: it stays away until the daemon has said so. */
const leaving = signal<ReadonlySet<string>>(new Set());

export const myWork = computed(() => mine.value.filter((item) => !leaving.value.has(item.id)));

/** A clock for everything that ages on the page, and one for what has aged so long that seconds are not shown. */
export const now = signal(Date.now());
export const halfMinute = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
  if (now.value - halfMinute.value >= 30_000) halfMinute.value = now.value;
}, 1000);

const FIRST_PAGE = 100;
const FURTHER_PAGE = 200;
const LOOKS_MAX = 10;
/** What waits behind the first page, as far as the reader went down. */
let behind: WorkItem[] = [];
/** Where the rest of it begins; null: all of it is there. */
export const furtherWaiting = signal<string | null>(null);

/** One page may be short of a filter's items and yet not be the last: the daemon looks at so many at a time. */
async function firstWaiting(): Promise<List<WorkItem>> {
  const all: WorkItem[] = [];
  let after = '';
  for (let turn = 0; turn < LOOKS_MAX; turn++) {
    const page = await ask<List<WorkItem>>(`/v1/work-items?state=queued&limit=${FIRST_PAGE}&order=asc${after && `&after=${encodeURIComponent(after)}`}`);
    all.push(...page.data);
    after = page.next_cursor ?? '';
    if (!after || all.length >= FIRST_PAGE) break;
  }
  return { data: all, next_cursor: after || null };
}

/** The same object where nothing has changed, so that its row is not drawn again. */
function keptOf(list: WorkItem[], known: WorkItem[]): WorkItem[] {
  const before = new Map(known.map((one) => [one.id, one]));
  return list.map((one) => {
    const old = before.get(one.id);
    return old && JSON.stringify(old) === JSON.stringify(one) ? old : one;
  });
}

export const showWork = coalesced(async () => {
  const [assigned, queued, live] = await Promise.all([
    ask<List<WorkItem>>('/v1/work-items?agent=me&limit=100'),
    firstWaiting(),
    ask<{ queues: LiveQueue[] }>('/v1/live'),
  ]);
  const first = keptOf(queued.data, waiting.value.slice(0, 2 * FIRST_PAGE));
  const isFirst = new Set(first.map((one) => one.id));
  behind = behind.filter((one) => !isFirst.has(one.id));
  batch(() => {
    mine.value = keptOf(assigned.data.filter((item) => !DONE.includes(item.state)), mine.value);
    if (!behind.length) furtherWaiting.value = queued.next_cursor;
    waiting.value = [...first, ...behind];
    queues.value = live.queues;
  });
});

export const showFurtherWaiting = coalesced(async () => {
  if (!furtherWaiting.value) return;
  const page = await ask<List<WorkItem>>(`/v1/work-items?state=queued&limit=${FURTHER_PAGE}&order=asc&after=${encodeURIComponent(furtherWaiting.value)}`);
  const known = new Set(waiting.value.map((one) => one.id));
  const come = page.data.filter((one) => !known.has(one.id));
  batch(() => {
    behind = [...behind, ...come];
    furtherWaiting.value = page.next_cursor;
    waiting.value = [...waiting.value, ...come];
  });
});

/** Somebody has taken it. The first page is fetched anew, what is behind it is not. */
export function dropWaiting(id: string): void {
  behind = behind.filter((one) => one.id !== id);
}

/** The stream does not say what happened meanwhile. */
export function forgetFurther(): void {
  behind = [];
}

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

export const named = signal<{ queues: QueueRow[]; agents: Named[]; departments: Named[] }>({ queues: [], agents: [], departments: [] });

export async function showNames(): Promise<void> {
  const [queueList, agents, departments] = await Promise.all([allOf<QueueRow>('queues'), allOf<Named>('agents'), allOf<Named>('departments')]);
  named.value = { queues: queueList, agents, departments };
}

const OUTCOMES = ['solved', 'answered', 'refunded', 'handed', 'silent', 'spam'];

/** How work of a queue may end. */
export function outcomesOf(queue: string): string[] {
  const own = named.value.queues.find((one) => one.id === queue)?.outcomes;
  return own?.length ? own : OUTCOMES;
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
