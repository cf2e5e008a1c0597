// What asks for the agent: a sound, a notification where the page is not before them, and how much of it in the title.
import { computed, effect, signal } from '@preact/signals';
import { ask } from '../api/client';
import type { WorkItem } from '../api/types';
import { t, type Key } from '../words';
import { background } from './notices';
import { held } from './offers';
import { open, openItem, titleOf } from './thread';
import { mine, myWork } from './work';

const stored = (name: string): boolean => localStorage.getItem(name) === 'on';

export const hasSound = signal(stored('sound'));
export const hasNotifications = signal(stored('notifications') && globalThis.Notification?.permission === 'granted');
effect(() => localStorage.setItem('sound', hasSound.value ? 'on' : 'off'));
effect(() => localStorage.setItem('notifications', hasNotifications.value ? 'on' : 'off'));

/** The browser asks the person; false: they said no, or the browser cannot. */
export async function allowNotifications(): Promise<boolean> {
  hasNotifications.value = (await globalThis.Notification?.requestPermission()) === 'granted';
  return hasNotifications.value;
}

// ---- what was not read: the customer wrote after the agent had the conversation before them, in this browser ----

type Seen = Record<string, string>;

function storedSeen(): Seen {
  try {
    return JSON.parse(localStorage.getItem('seen') ?? '{}') as Seen;
  } catch {
    return {};
  }
}

const seen = signal<Seen>(storedSeen());
const isVisible = signal(document.visibilityState === 'visible');
document.addEventListener('visibilitychange', () => {
  isVisible.value = document.visibilityState === 'visible';
});
addEventListener('storage', (event) => {
  if (event.key === 'seen') seen.value = storedSeen();
});

const isUnreadIn = (item: WorkItem, known: Seen): boolean => !!item.last_inbound_at && !!item.conversation && item.last_inbound_at > (known[item.conversation] ?? '');

export const unread = computed<ReadonlySet<string>>(() => new Set(myWork.value.filter((item) => isUnreadIn(item, seen.value)).map((item) => item.id)));

effect(() => {
  const item = mine.value.find((one) => one.conversation === open.value?.conversation);
  if (!isVisible.value || !item || !isUnreadIn(item, seen.value)) return;
  // Only what is in hand is remembered, or it would grow for ever.
  const held = new Map(mine.value.map((one) => [one.conversation, one]));
  const kept = Object.fromEntries(Object.entries(seen.value).filter(([conversation]) => held.has(conversation)));
  seen.value = { ...kept, [item.conversation!]: item.last_inbound_at! };
  localStorage.setItem('seen', JSON.stringify(seen.value));
});

/** Somebody wrote in a conversation; the item where it is of mine, and it was the customer. */
export async function heardFrom(conversation: string): Promise<WorkItem | null> {
  const item = mine.value.find((one) => one.conversation === conversation);
  if (!item) return null;
  const fresh = await ask<WorkItem>(`/v1/work-items/${item.id}`);
  mine.value = mine.value.map((one) => (one.id === fresh.id ? fresh : one));
  return fresh.last_inbound_at !== item.last_inbound_at ? fresh : null;
}

// ---- telling ----

effect(() => {
  const count = unread.value.size + held.value.length;
  document.title = count ? `(${count}) Converge` : 'Converge';
});

const TONES = [880, 1175];
const TONE_S = 0.12;

/** Two short tones, made here: no file, nothing to fetch. */
function sound(): void {
  const context = new AudioContext();
  TONES.forEach((frequency, at) => {
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.frequency.value = frequency;
    loudness.gain.value = 0.08;
    tone.connect(loudness).connect(context.destination);
    tone.start(context.currentTime + at * TONE_S);
    tone.stop(context.currentTime + (at + 1) * TONE_S);
  });
  setTimeout(() => void context.close(), 1000);
}

/** Says who and what kind of thing, and never what they wrote: it may be seen by whoever passes by. */
export function tell(what: Key, item: WorkItem): void {
  const isBefore = isVisible.value && open.value?.item?.id === item.id;
  if (isBefore && what === 'new_message') return;
  if (hasSound.value) sound();
  if (!hasNotifications.value || isVisible.value) return;
  const shown = new Notification(t(what), { body: titleOf(item), tag: item.id });
  shown.onclick = () => {
    focus();
    shown.close();
    void background(() => openItem(item));
  };
}
