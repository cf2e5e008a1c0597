// What is written and not sent, one draft for each conversation: it must never reach another customer. The daemon keeps it, so
// that it goes on elsewhere; this tab keeps what the daemon does not have yet.
import { batch, effect, signal, type Signal } from '@preact/signals';
import { ask, Problem } from '../api/client';
import type { DraftKept } from '../api/types';
import { me } from './session';

const SAVE_AFTER_MS = 800;

export interface Via {
  channel: string;
  to: string;
}

interface Draft {
  text: Signal<string>;
  /** What the daemon has, as far as this tab knows; null: it is not known. */
  kept: Signal<string | null>;
  /** Over which other way it is to go. */
  via: Signal<Via | null>;
  timer: ReturnType<typeof setTimeout> | undefined;
  saving: number;
  end: () => void;
}

const drafts = new Map<string, Draft>();
/** Whose they are. After a session has ended, until somebody else signs in. */
let owner = '';

/** One after the other: two at once could arrive in the wrong order. Where it fails it is tried again with the next change,
 *  or when the connection is back. */
async function save(conversation: string, draft: Draft): Promise<void> {
  clearTimeout(draft.timer);
  const text = draft.text.value;
  if (!me.value || draft.saving || text === draft.kept.value) return;
  const path = `/v1/conversations/${conversation}/draft`;
  draft.saving++;
  try {
    await ask(path, { method: 'PUT', body: { text, ...draft.via.value } });
    draft.kept.value = text;
  } catch (what) {
    if (!(what instanceof Problem)) throw what;
    return;
  } finally {
    draft.saving--;
  }
  if (drafts.get(conversation) === draft) await save(conversation, draft);
}

function made(conversation: string): Draft {
  const name = `draft:${owner}:${conversation}`;
  const left = sessionStorage.getItem(name);
  const draft: Draft = { text: signal(left ?? ''), kept: signal(left === null ? '' : null), via: signal(null), timer: undefined, saving: 0, end: () => {} };
  const endKeeping = effect(() => {
    const text = draft.text.value;
    if (text && text !== draft.kept.value) sessionStorage.setItem(name, text);
    else sessionStorage.removeItem(name);
    clearTimeout(draft.timer);
    if (text !== draft.kept.value) draft.timer = setTimeout(() => void save(conversation, draft), SAVE_AFTER_MS);
  });
  let viaBefore = draft.via.value;
  const endChoosing = effect(() => {
    const via = draft.via.value;
    if (via !== viaBefore && draft.text.peek() && draft.kept.peek() === draft.text.peek()) draft.kept.value = null;
    viaBefore = via;
  });
  draft.end = () => {
    clearTimeout(draft.timer);
    endKeeping();
    endChoosing();
  };
  drafts.set(conversation, draft);
  return draft;
}

const entryOf = (conversation: string): Draft => drafts.get(conversation) ?? made(conversation);

export const draftOf = (conversation: string): Signal<string> => entryOf(conversation).text;
export const viaOf = (conversation: string): Signal<Via | null> => entryOf(conversation).via;
export const isDraftKept = (conversation: string): boolean => {
  const { text, kept } = entryOf(conversation);
  return text.value !== '' && text.value === kept.value;
};

export async function saveDrafts(): Promise<void> {
  await Promise.all([...drafts].map(([conversation, draft]) => save(conversation, draft)));
}

/** As the daemon has it: written elsewhere, or sent from there. What was written here since stays. */
export async function showDraft(conversation: string): Promise<void> {
  const draft = entryOf(conversation);
  const before = draft.text.value;
  if (draft.saving || before !== draft.kept.value) return;
  const known = await ask<DraftKept>(`/v1/conversations/${conversation}/draft`).catch((what) => {
    if (what instanceof Problem && what.status === 404) return null; // at rest in the history
    throw what;
  });
  if (!known || draft.saving || draft.text.value !== before) return;
  batch(() => {
    // Of an empty draft the choice is this tab's.
    if (known.text) draft.via.value = known.channel && known.to ? { channel: known.channel, to: known.to } : null;
    draft.kept.value = known.text;
    draft.text.value = known.text;
  });
}

/** It is on its way as a message, which takes the daemon's copy away; where that is refused the copy stays. */
export function draftSent(conversation: string): void {
  const draft = entryOf(conversation);
  batch(() => {
    draft.kept.value = '';
    draft.text.value = '';
  });
}

/** The message has come: with the daemon's copy went perhaps what was begun since, or a copy that was under way came late. */
export function draftTaken(conversation: string): void {
  const draft = entryOf(conversation);
  if (draft.text.value || draft.saving) draft.kept.value = null;
}

/** Somebody signs in. What another agent wrote and the daemon does not have waits for them in this tab's storage. */
export function ownDrafts(agent: string): void {
  if (agent === owner) return;
  for (const draft of drafts.values()) draft.end();
  drafts.clear();
  owner = agent;
}

document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') void saveDrafts();
});
addEventListener('online', () => void saveDrafts());
