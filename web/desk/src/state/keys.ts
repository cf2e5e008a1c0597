// Single keys, for hands that never leave the keyboard. None of them works while somebody writes or a dialog is open.
import { computed, effect, signal } from '@preact/signals';
import type { Key } from '../words';
import { dialog } from './dialogs';
import { areKeysOn, place } from './look';
import { attempt } from './notices';
import { answerOffer, held } from './offers';
import { me } from './session';
import { isMine, open } from './thread';
import { pullNext } from './transitions';

export interface Binding {
  /** '': none. */
  key: string;
  means: Key;
  does: () => void;
}

const focus = (id: string): void => document.getElementById(id)?.focus();

function move(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('#items button, #waiting button')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const from = at >= 0 ? at : rows.findIndex((one) => one.getAttribute('aria-current')) - (by > 0 ? 0 : -1);
  rows[Math.min(rows.length - 1, Math.max(0, from + by))]?.focus();
}

function opens(name: 'transfer' | 'escalate' | 'snooze' | 'resolve'): () => void {
  return () => {
    if (isMine.value) dialog.value = { name };
  };
}

function answer(accept: boolean): void {
  const first = held.value[0];
  if (first) void attempt(() => answerOffer(first, accept));
}

const all: Binding[] = [
  { key: 'j', means: 'key_next', does: () => move(1) },
  { key: 'k', means: 'key_previous', does: () => move(-1) },
  { key: 'p', means: 'key_pull', does: () => void attempt(pullNext) },
  { key: 'y', means: 'key_accept', does: () => answer(true) },
  { key: 'x', means: 'key_decline', does: () => answer(false) },
  { key: 'r', means: 'key_reply', does: () => focus('text') },
  { key: 'n', means: 'key_note', does: () => document.getElementById('note')?.focus() },
  { key: 't', means: 'key_transfer', does: opens('transfer') },
  { key: 's', means: 'key_snooze', does: opens('snooze') },
  { key: 'u', means: 'key_escalate', does: opens('escalate') },
  { key: 'e', means: 'key_resolve', does: opens('resolve') },
  {
    key: 'w',
    means: 'key_why',
    does: () => {
      if (open.value?.item) dialog.value = { name: 'why' };
    },
  },
  { key: 'v', means: 'key_via', does: () => focus('via') },
  { key: 'm', means: 'key_mentions', does: () => document.getElementById('bell')?.click() },
  { key: '/', means: 'key_search', does: () => focus('query') },
  { key: '?', means: 'key_help', does: () => (dialog.value = { name: 'keys' }) },
];

type Remapped = Partial<Record<Key, string>>;

function stored(): Remapped {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem('keymap') ?? '{}');
    return Object.fromEntries(Object.entries(kept ?? {}).filter(([, key]) => typeof key === 'string' && key.length <= 1));
  } catch {
    return {}; // what somebody else left there is no reason to have no keys
  }
}

const remapped = signal<Remapped>(stored());
effect(() => localStorage.setItem('keymap', JSON.stringify(remapped.value)));

/** As this browser has them. */
export const bindings = computed<readonly Binding[]>(() => all.map((one) => ({ ...one, key: remapped.value[one.means] ?? one.key })));
export const isRemapped = computed(() => bindings.value.some((one, at) => one.key !== all[at]!.key));

/** Gives it another key ('': none), and answers what has that key already; then nothing is changed. */
export function remap(means: Key, key: string): Binding | null {
  const holder = bindings.value.find((one) => key !== '' && one.key === key && one.means !== means);
  if (holder) return holder;
  remapped.value = { ...remapped.value, [means]: key };
  return null;
}

export function resetKeys(): void {
  remapped.value = {};
}

const isInput = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

export function onKey(event: KeyboardEvent): void {
  if (!me.value || dialog.value || event.isComposing || event.keyCode === 229) return;
  if (event.key === 'Escape' && isInput(event.target)) (event.target as HTMLElement).blur();
  if (!areKeysOn.value || isInput(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const binding = bindings.value.find((one) => one.key === event.key);
  if (!binding || (place.value.view !== 'desk' && binding.means !== 'key_help')) return;
  event.preventDefault();
  binding.does();
}
