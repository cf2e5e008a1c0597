// What the page tells the agent: one problem at a time, and short notices that may offer an undo.
import { signal } from '@preact/signals';
import { Problem } from '../api/client';
import { language, t } from '../words';
import { wordsOf } from '../words/problems';

export interface Notice {
  id: number;
  text: string;
  undo?: () => void;
}

const NOTICE_MS = 8000;
let nextId = 1;
let isOffline = false;

export const problem = signal('');
export const notices = signal<Notice[]>([]);

// It was about what was done there.
addEventListener('hashchange', () => (problem.value = ''));

export function dropNotice(id: number): void {
  notices.value = notices.value.filter((one) => one.id !== id);
}

export function notify(text: string, undo?: () => void): void {
  const id = nextId++;
  notices.value = [...notices.value, { id, text, undo }];
  setTimeout(() => dropNotice(id), NOTICE_MS);
}

export function showProblem(what: unknown, undone = false): void {
  if (!(what instanceof Problem)) throw what;
  if (what.status === 401) return; // the sign-in says it
  isOffline = what.status === 0;
  const words = wordsOf(what, language.value);
  problem.value = undone ? `${t('undone')}: ${words}` : words;
}

/** The connection is back: that it was away is not true any more. */
export function forgetOffline(): void {
  if (isOffline) problem.value = '';
}

/** Runs what a person asked for and shows why it did not work. */
export async function attempt(action: () => unknown): Promise<void> {
  problem.value = '';
  try {
    await action();
  } catch (what) {
    showProblem(what);
  }
}

/** The same for what happens by itself: what an earlier action was told stays. */
export async function background(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (what) {
    showProblem(what);
  }
}

/** A function that never runs twice at once: asked again meanwhile, it runs once more. */
export function coalesced(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let isWanted = false;
  const run = async (): Promise<void> => {
    do {
      isWanted = false;
      await action();
    } while (isWanted);
  };
  return () => {
    isWanted = true;
    running ??= run().finally(() => {
      running = null;
    });
    return running;
  };
}
