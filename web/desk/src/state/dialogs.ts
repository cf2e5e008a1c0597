// Which dialog is open; one at a time.
import { signal } from '@preact/signals';
import type { Suggestion } from '../api/types';

export type Dialog =
  | { name: 'transfer' | 'consult' | 'escalate' | 'snooze' | 'resolve' | 'why' | 'keys' | 'account' }
  | { name: 'merge'; into: string; other: Suggestion };

export const dialog = signal<Dialog | null>(null);

export function closeDialog(): void {
  dialog.value = null;
}
