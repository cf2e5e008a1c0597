// Who may come in by program, and what was done by whom.
import { signal } from '@preact/signals';
import { allOf, ask, newKey, post } from '../api/client';
import type { List } from '../api/types';

export interface Token {
  id: string;
  role: string;
  agent: string | null;
  name: string;
  created_at: string;
  expires_at: string | null;
}

export interface TokenWish {
  role: string;
  agent: string;
  name: string;
  days: string;
}

export interface Act {
  id: string;
  at: string;
  actor: { id: string; name: string; role: string };
  type: string;
  target: string | null;
  result: string | null;
  status: number | null;
  address: string | null;
  request: string | null;
  detail: unknown;
  before: unknown;
  after: unknown;
}

export interface ActFilter {
  actor: string;
  type: string;
  from: string;
  to: string;
}

export const tokens = signal<Token[] | null>(null);
export const acts = signal<List<Act> | null>(null);

const DAY_S = 86_400;

export async function showTokens(): Promise<void> {
  tokens.value = await allOf<Token>('tokens', 'desc');
}

/** The token itself, which is seen this once. */
export async function makeToken({ role, agent, name, days }: TokenWish): Promise<string> {
  const body = { role, ...(agent && { agent }), ...(name && { name }), ...(days && { expires_in_s: Number(days) * DAY_S }) };
  const { token } = await post<{ token: string }>('/v1/tokens', body, newKey());
  await showTokens();
  return token;
}

export async function deleteToken(id: string): Promise<void> {
  await ask(`/v1/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' });
  await showTokens();
}

/** A day of the page's clock as the API's time; the last day is meant whole. */
const timeOf = (day: string, isLast: boolean): string => (day ? new Date(`${day}T${isLast ? '23:59:59.999' : '00:00:00'}`).toISOString() : '');

export async function showActs(filter: ActFilter, isMore: boolean): Promise<void> {
  const wanted = { actor: filter.actor, type: filter.type, from: timeOf(filter.from, false), to: timeOf(filter.to, true), after: (isMore && acts.value?.next_cursor) || '' };
  const query = new URLSearchParams({ limit: '50', ...Object.fromEntries(Object.entries(wanted).filter(([, value]) => value)) });
  const page = await ask<List<Act>>(`/v1/audit?${query}`);
  acts.value = { data: isMore ? [...(acts.value?.data ?? []), ...page.data] : page.data, next_cursor: page.next_cursor };
}
