// Notes of others that name this agent, until they were looked at.
import { signal } from '@preact/signals';
import { ask, post, Problem } from '../api/client';
import type { List, Mention, Named } from '../api/types';
import { coalesced } from './notices';
import { me } from './session';
import { openConversation } from './thread';
import { named } from './work';

const NAMED_MOST = 20;

export const mentions = signal<Mention[]>([]);

export const showMentions = coalesced(async () => {
  mentions.value = (await ask<List<Mention>>('/v1/me/mentions')).data;
});

async function markSeen(seen: Mention[]): Promise<void> {
  mentions.value = mentions.value.filter((one) => !seen.includes(one));
  await Promise.all(seen.map(({ message }) => post('/v1/me/mentions/seen', { message })));
}

/** Whoever has the conversation before them has seen all of it. */
export async function seeMentions(conversation: string | null): Promise<void> {
  if (document.visibilityState === 'visible') await markSeen(mentions.value.filter((one) => one.conversation === conversation));
}

export async function openMention(one: Mention): Promise<void> {
  try {
    await openConversation(one.conversation);
  } catch (what) {
    // Its customer was erased: there is nothing to come back for.
    if (what instanceof Problem && what.status === 404) await markSeen([one]);
    throw what;
  }
  await seeMentions(one.conversation);
}

export async function forgetMentions(): Promise<void> {
  mentions.value = [];
  await post('/v1/me/mentions/seen');
}

// ---- naming ----

const shownName = (one: Named): string => one.name || one.id;

/** Agents by the beginning of their name, of a word of it, or of their id. */
export function agentsFor(wanted: string): Named[] {
  const asked = wanted.toLowerCase();
  return named.value.agents.filter((one) => {
    const words = [one.id, shownName(one), ...shownName(one).split(/[\s·]+/)];
    return one.id !== me.value?.agent && words.some((word) => word.toLowerCase().startsWith(asked));
  });
}

/** Whom a note names; of "@Li Wei" it is Li Wei, not Li. */
export function namedIn(text: string): string[] {
  const byLength = named.value.agents
    .flatMap((one) => [...new Set([shownName(one), one.id])].map((word) => ({ id: one.id, word: word.toLowerCase() })))
    .sort((a, b) => b.word.length - a.word.length);
  const found = new Set<string>();
  for (const { index } of text.matchAll(/(?<![A-Za-z0-9_.+-])[@＠]/g)) {
    const rest = text.slice(index + 1).toLowerCase();
    const hit = byLength.find(({ word }) => rest.startsWith(word) && !(/[a-z0-9_]$/.test(word) && /^[a-z0-9_]/.test(rest.slice(word.length))));
    if (hit) found.add(hit.id);
  }
  return [...found].slice(0, NAMED_MOST);
}
