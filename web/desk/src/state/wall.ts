// The figures of the wallboard: asked for again and again while it is looked at, and remembered for the chart.
import { batch, computed, signal } from '@preact/signals';
import { ask, post } from '../api/client';
import type { List, Live, LiveQueue, WorkItem } from '../api/types';
import { coalesced } from './notices';

export const EVERY_MS = 5000;
const REMEMBERED = 720; // an hour
const PAGE = 100;

export const live = signal<Live | null>(null);
export const samples = signal<{ at: number; waiting: number; oldest: number }[]>([]);
export const openWork = signal<WorkItem[]>([]);

const sum = (of: (queue: LiveQueue) => number): number => (live.value?.queues ?? []).reduce((all, queue) => all + of(queue), 0);
const largest = (of: (queue: LiveQueue) => number): number => Math.max(0, ...(live.value?.queues ?? []).map(of));

/** Of what left the queues: each queue's level, weighed by how much it was. */
function level(): number | null {
  const counted = (live.value?.queues ?? []).filter((queue) => queue.service_level.percent !== null);
  const left = (queue: LiveQueue) => queue.accepted + queue.abandoned;
  const all = counted.reduce((total, queue) => total + left(queue), 0);
  return all ? counted.reduce((total, queue) => total + queue.service_level.percent! * left(queue), 0) / all : null;
}

export interface Figures {
  waiting: number;
  oldest: number;
  level: number | null;
  abandoned: number;
  online: number;
  within: number;
}

export const figures = computed<Figures>(() => ({
  waiting: sum((queue) => queue.waiting),
  oldest: largest((queue) => (queue.waiting ? queue.oldest_s : 0)),
  level: level(),
  abandoned: sum((queue) => queue.abandoned),
  online: (live.value?.agents ?? []).filter((one) => one.status === 'online').length,
  within: largest((queue) => queue.service_level.within_s),
}));

export const showLive = coalesced(async () => {
  live.value = await ask<Live>('/v1/live');
  const { waiting, oldest } = figures.value;
  samples.value = [...samples.value, { at: Date.parse(live.value.at) / 1000, waiting, oldest }].slice(-REMEMBERED);
});

/** '': any. The daemon filters, so that what is asked for is found among however many. */
export const workFilter = signal({ queue: '', state: '', agent: '' });
/** How many the reader wants to see, and whether there are more. */
const wanted = signal(PAGE);
export const hasMoreWork = signal(false);

export const showOpenWork = coalesced(async () => {
  const filter = workFilter.value;
  const given = Object.entries(filter).map(([name, value]) => value && `&${name}=${encodeURIComponent(value)}`).join('');
  const found: WorkItem[] = [];
  let after = '';
  do {
    const page = await ask<List<WorkItem>>(`/v1/work-items?limit=${PAGE}&order=asc${given}${after && `&after=${encodeURIComponent(after)}`}`);
    found.push(...page.data);
    after = page.next_cursor ?? '';
  } while (after && found.length < wanted.value);
  if (filter !== workFilter.value) return;
  batch(() => {
    openWork.value = found;
    hasMoreWork.value = !!after;
  });
});

export async function filterWork(change: Partial<typeof workFilter.value>): Promise<void> {
  workFilter.value = { ...workFilter.value, ...change };
  wanted.value = PAGE;
  await showOpenWork();
}

export async function showMoreWork(): Promise<void> {
  wanted.value = openWork.value.length + PAGE;
  await showOpenWork();
}

export async function pauseQueue(queue: string, pause: boolean): Promise<void> {
  await post(`/v1/queues/${queue}/${pause ? 'pause' : 'resume'}`);
  await showLive();
}

export async function setAgentPresence(agent: string, status: string): Promise<void> {
  await ask(`/v1/agents/${agent}/presence`, { method: 'PUT', body: { status } });
  await showLive();
}

export async function assign(item: string, agent: string): Promise<void> {
  await post(`/v1/work-items/${item}/assign`, { target: `agent:${agent}` });
  await showOpenWork();
}
