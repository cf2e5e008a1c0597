// Who works here.
import { signal } from '@preact/signals';
import { ask, keepSession, post } from '../api/client';
import type { Me, Presence } from '../api/types';
import { coalesced } from './notices';

export const me = signal<Me | null>(null);
/** Shown with the sign-in. */
export const endedBecause = signal('');
export const presence = signal<{ status: Presence; reason: string }>({ status: 'offline', reason: '' });

/** What I hold of what I may hold. */
export const load = signal<{ held: number; capacity: number } | null>(null);

export function keepLoad(known: Me): void {
  load.value = known.capacity == null ? null : { held: known.load ?? 0, capacity: known.capacity };
}

export const showLoad = coalesced(async () => keepLoad(await ask<Me>('/v1/me')));

export const isLead = (): boolean => me.value?.role === 'supervisor' || me.value?.role === 'admin';

export async function signIn(agent: string, password: string, code: string): Promise<void> {
  const session = await post<Me>('/v1/session', { agent, password, ...(code && { code }) });
  keepSession(session.csrf_token ?? '');
}

export interface Ways {
  oidc: { name: string } | null;
}

/** How one may sign in here. */
export const waysIn = (): Promise<Ways> => ask<Ways>('/v1/session/ways');

/** The provider has sent this browser back: the session is in its cookie, the token that goes with it is asked for. */
export async function takeSession(): Promise<void> {
  const session = await ask<Me>('/v1/session');
  keepSession(session.csrf_token ?? '');
}

export async function setPresence(status: Presence, reason: string): Promise<void> {
  const before = presence.value;
  presence.value = { status, reason };
  try {
    const answer = await ask<Me>('/v1/me/presence', { method: 'PUT', body: { status, ...(reason && { reason }) } });
    presence.value = { status: answer.status, reason };
  } catch (problem) {
    presence.value = before;
    throw problem;
  }
}
