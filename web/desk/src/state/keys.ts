// Single keys, for hands that never leave the keyboard. None of them works while somebody writes or a dialog is open.
import type { Key } from '../words';
import { dialog } from './dialogs';
import { areKeysOn, place } from './look';
import { attempt } from './notices';
import { answerOffer, held } from './offers';
import { me } from './session';
import { isMine, open } from './thread';
import { pullNext } from './transitions';

interface Binding {
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
  { key: '/', means: 'key_search', does: () => focus('query') },
  { key: '?', means: 'key_help', does: () => (dialog.value = { name: 'keys' }) },
];

export const bindings = (): readonly Binding[] => all;

const isInput = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

export function onKey(event: KeyboardEvent): void {
  if (!me.value || dialog.value || event.isComposing || event.keyCode === 229) return;
  if (event.key === 'Escape' && isInput(event.target)) (event.target as HTMLElement).blur();
  if (!areKeysOn.value || isInput(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (place.value.view !== 'desk' && event.key !== '?') return;
  const binding = all.find((one) => one.key === event.key);
  if (!binding) return;
  event.preventDefault();
  binding.does();
}
