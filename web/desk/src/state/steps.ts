// The first steps of somebody who runs this: done is what the daemon says, not what was clicked.
import { effect, signal } from '@preact/signals';
import { allOf, ask } from '../api/client';
import type { Channel, List, Message, WorkItem } from '../api/types';
import type { Key } from '../words';

export interface Step {
  name: Key;
  help: Key;
  /** Where it is done. */
  hash: string;
  isDone: boolean;
}

export const steps = signal<Step[] | null>(null);
export const areStepsAway = signal(localStorage.getItem('steps') === 'away');
effect(() => localStorage.setItem('steps', areStepsAway.value ? 'away' : 'shown'));

const LOOKED_AT = 50;
const LEFT = ['sent', 'delivered', 'read'];

const some = async (path: string, atLeast: number): Promise<boolean> => (await ask<List<unknown>>(`${path}?limit=${atLeast}`)).data.length >= atLeast;

async function isAnswered(item: WorkItem): Promise<boolean> {
  const { data } = await ask<List<Message>>(`/v1/conversations/${item.conversation}/messages?limit=50&order=desc`);
  return data.some((one) => one.direction === 'out' && LEFT.includes(one.delivery?.state ?? ''));
}

export async function showSteps(): Promise<void> {
  const [hasAgents, hasQueue, hasRule, channels, open, closed] = await Promise.all([
    some('/v1/agents', 2),
    some('/v1/queues', 1),
    some('/v1/rules', 1),
    allOf<Channel>('channels'),
    ask<List<WorkItem>>(`/v1/work-items?limit=${LOOKED_AT}`),
    ask<List<WorkItem>>(`/v1/work-items?state=closed&limit=${LOOKED_AT}`),
  ]);
  const real = channels.filter((one) => !one.simulated && one.state === 'working').map((one) => one.name);
  const items = [...open.data, ...closed.data].filter((one) => real.includes(one.channel ?? ''));
  const answered = await Promise.all(items.slice(0, 5).map(isAnswered));
  steps.value = [
    { name: 'step_agents', help: 'step_agents_help', hash: '#/settings/agents', isDone: hasAgents },
    { name: 'step_queue', help: 'step_queue_help', hash: '#/settings/queues', isDone: hasQueue },
    { name: 'step_rule', help: 'step_rule_help', hash: '#/settings/rules', isDone: hasRule },
    { name: 'step_channel', help: 'step_channel_help', hash: '#/settings/channels', isDone: real.length > 0 },
    { name: 'step_message', help: 'step_message_help', hash: '#/settings/channels', isDone: items.length > 0 },
    { name: 'step_answer', help: 'step_answer_help', hash: '#/desk', isDone: answered.includes(true) },
  ];
}
