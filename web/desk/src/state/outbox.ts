// What the agent did and the daemon has not confirmed: shown at once, sent with a key so that repeating is harmless, kept
// while there is no connection or the daemon cannot decide, and taken back visibly where it refuses.
import { signal } from '@preact/signals';
import { ask, newKey, Problem } from '../api/client';
import { showProblem } from './notices';

interface Action<T> {
  method: string;
  path: string;
  body: unknown;
  key: string;
  onDone: (answer: T) => void;
  onRefused: (problem: Problem) => void;
}

export interface Doing<T> {
  method?: string;
  path: string;
  body?: unknown;
  /** What has one from before was perhaps done then. */
  key?: string;
  onDone?: (answer: T) => void;
  /** Undoes what was shown; the problem is shown by the outbox. */
  onRefused?: (problem: Problem) => void;
  /** The caller shows the problem itself. */
  isQuiet?: boolean;
}

const waiting: Action<unknown>[] = [];
export const waitingCount = signal(0);
let isRunning = false;
/** A connection may be back without anybody saying so. */
const AGAIN_MS = 3000;
let again: ReturnType<typeof setTimeout> | undefined;
let isStuck = false;

async function sendFirst(): Promise<boolean> {
  const action = waiting[0]!;
  try {
    const answer = await ask<unknown>(action.path, { method: action.method, body: action.body, key: action.key });
    if (waiting[0] === action) waiting.shift();
    action.onDone(answer);
  } catch (what) {
    if (!(what instanceof Problem)) throw what;
    if (what.isUndecided && waiting[0] === action) return false;
    if (waiting[0] === action) waiting.shift();
    action.onRefused(what);
  }
  return true;
}

/** In the order they were done; stops where the connection is away, and is called again when it is back. */
export async function flushOutbox(): Promise<void> {
  if (isRunning) return;
  isRunning = true;
  try {
    while (waiting.length && (await sendFirst())) waitingCount.value = waiting.length;
  } finally {
    isRunning = false;
    waitingCount.value = waiting.length;
    clearTimeout(again);
    isStuck = waiting.length > 0;
    if (waiting.length) again = setTimeout(() => void flushOutbox(), AGAIN_MS);
  }
}

export function perform<T>({ method = 'POST', path, body = {}, key = newKey(), onDone, onRefused, isQuiet }: Doing<T>): void {
  waiting.push({
    method,
    path,
    body,
    key,
    onDone: (answer) => onDone?.(answer as T),
    onRefused: (problem) => {
      onRefused?.(problem);
      if (!isQuiet) showProblem(problem, true);
    },
  });
  waitingCount.value = waiting.length;
  void flushOutbox();
}

/** The session has ended: what did not leave with it is taken back, and what is under way waits for its answer. */
export function emptyOutbox(): void {
  const left = waiting.splice(0);
  clearTimeout(again);
  isStuck = false;
  waitingCount.value = 0;
  for (const action of left.slice(isRunning ? 1 : 0)) action.onRefused(new Problem(401, 'not_signed_in'));
}

// What could not leave is in this page alone: the browser asks before the page goes.
addEventListener('beforeunload', (event) => {
  if (isStuck) event.preventDefault();
});
addEventListener('online', () => void flushOutbox());
