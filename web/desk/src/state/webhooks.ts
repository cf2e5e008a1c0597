// Endpoints elsewhere that are told of events: how one stands, and what became of each event.
import { signal } from '@preact/signals';
import { ask, newKey, post } from '../api/client';
import type { List } from '../api/types';
import type { Thing } from './settings';

export interface WebhookState {
  id: string;
  state: 'working' | 'failing' | 'off' | 'disabled';
  reason: 'gone' | 'failing' | null;
  failing_since: string | null;
  last_success_at: string | null;
  last_error: string | null;
  waiting: number;
  dead: number;
  delivered_total: number;
  dead_total: number;
  overflow_total: number;
}

export interface WebhookDelivery {
  id: string;
  type: string;
  state: 'waiting' | 'delivered' | 'dead';
  attempts: number;
  status: number | null;
  error: string | null;
  next_attempt_at: string | null;
  last_attempt_at: string | null;
  created_at: string;
}

/** What is shown of one endpoint; null until it was fetched. */
export const webhook = signal<WebhookState | null>(null);
export const deliveries = signal<List<WebhookDelivery> | null>(null);
/** Only deliveries in this state are shown; "": all. */
export const deliveriesOf = signal('');
/** A secret that the daemon has made: it says it once. */
export const madeSecret = signal<{ id: string; secret: string; isAnother: boolean } | null>(null);

const pathOf = (id: string): string => `/v1/webhooks/${encodeURIComponent(id)}`;
const PAGE = 20;
let shown = '';

/** The newest deliveries, as many pages of them as are shown. */
export async function showWebhook(id: string): Promise<void> {
  const only = deliveriesOf.value;
  const view = `${id} ${only}`;
  const count = shown === view ? Math.max(PAGE, deliveries.value?.data.length ?? 0) : PAGE;
  if (shown !== view) deliveries.value = null;
  shown = view;
  const [state, list] = await Promise.all([
    ask<WebhookState>(`${pathOf(id)}/state`),
    ask<List<WebhookDelivery>>(`${pathOf(id)}/deliveries?limit=${Math.min(200, count)}${only && `&state=${only}`}`),
  ]);
  if (shown !== view) return;
  webhook.value = state;
  deliveries.value = list;
}

export async function showMoreDeliveries(id: string): Promise<void> {
  const only = deliveriesOf.value;
  const before = deliveries.value;
  if (!before?.next_cursor) return;
  const list = await ask<List<WebhookDelivery>>(`${pathOf(id)}/deliveries?limit=${PAGE}&after=${encodeURIComponent(before.next_cursor)}${only && `&state=${only}`}`);
  deliveries.value = { data: [...before.data, ...list.data], next_cursor: list.next_cursor };
}

export const resend = (id: string, delivery: string): Promise<unknown> => post(`${pathOf(id)}/deliveries/${encodeURIComponent(delivery)}/resend`, {}, newKey());
export const testWebhook = (id: string): Promise<unknown> => post(`${pathOf(id)}/test`, {}, newKey());
export const resumeWebhook = (id: string): Promise<unknown> => post(`${pathOf(id)}/resume`, {}, newKey());

/** Keeps a secret that an answer shows, if it does. */
export function keepMade(thing: Thing): void {
  if (typeof thing.secret === 'string' && thing.secret.startsWith('whsec_')) madeSecret.value = { id: thing.id, secret: thing.secret, isAnother: !!thing.secret_previous };
}

export async function rollSecret({ version, ...thing }: Thing): Promise<void> {
  keepMade(await ask<Thing>(pathOf(thing.id), { method: 'PUT', body: { ...thing, secret: 'new' }, version }));
}
