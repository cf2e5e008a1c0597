// Who else has the open conversation before them, and who writes in it: told and heard of the moment, kept nowhere.
import { computed, effect, signal } from '@preact/signals';
import { post } from '../api/client';
import { me } from './session';
import { open } from './thread';
import { now } from './work';

const TELL_EVERY_MS = 20_000;
const VIEWING_MS = 45_000;
const WRITING_MS = 6000;

interface Other {
  conversation: string;
  by: string;
  here: number;
  writes: number;
}

const others = signal<Other[]>([]);
const isSeen = signal(document.visibilityState === 'visible');
document.addEventListener('visibilitychange', () => (isSeen.value = document.visibilityState === 'visible'));

const shown = computed(() => (me.value ? (open.value?.conversation ?? null) : null));
const watched = computed(() => (isSeen.value ? shown.value : null));

const inThis = computed(() => others.value.filter((one) => one.conversation === shown.value));
export const writers = computed(() => inThis.value.filter((one) => one.writes > now.value).map((one) => one.by));
export const viewers = computed(() => inThis.value.filter((one) => one.here > now.value && one.writes <= now.value).map((one) => one.by));

/** Nobody misses it where it does not arrive. */
function tell(conversation: string, is_here: boolean): void {
  post(`/v1/conversations/${conversation}/viewing`, { is_here }).catch(() => null);
}

effect(() => {
  const conversation = watched.value;
  if (!conversation) return;
  tell(conversation, true);
  const timer = setInterval(() => tell(conversation, true), TELL_EVERY_MS);
  return () => {
    clearInterval(timer);
    if (me.peek()) tell(conversation, false);
  };
});

function note(conversation: string, by: string, change: Partial<Other>): void {
  const known = others.value.find((one) => one.conversation === conversation && one.by === by);
  const rest = others.value.filter((one) => one !== known && Math.max(one.here, one.writes) > Date.now());
  others.value = [...rest, { conversation, by, here: 0, writes: 0, ...known, ...change }];
}

export function heardViewing(data: { conversation: string; by: string; is_here: boolean }): void {
  if (data.conversation !== shown.value) return;
  const isNew = data.is_here && !inThis.value.some((one) => one.by === data.by && one.here > Date.now());
  note(data.conversation, data.by, data.is_here ? { here: Date.now() + VIEWING_MS } : { here: 0, writes: 0 });
  if (isNew && watched.value) tell(data.conversation, true); // who comes is told who is here
}

export function heardWriting(conversation: string, by: string): void {
  if (conversation === shown.value) note(conversation, by, { writes: Date.now() + WRITING_MS });
}

/** Their message has come. */
export function heardMessage(conversation: string, by: string): void {
  if (others.value.some((one) => one.conversation === conversation && one.by === by)) note(conversation, by, { writes: 0 });
}

export function leaveCompany(): void {
  others.value = [];
}
