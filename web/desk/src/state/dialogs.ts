// Which dialog is open; one at a time.
import { signal } from '@preact/signals';
import type { CustomerMerge, Identifier, Suggestion } from '../api/types';

export type Dialog =
  | { name: 'transfer' | 'consult' | 'escalate' | 'snooze' | 'resolve' | 'why' | 'keys' | 'account' | 'person' }
  | { name: 'picture'; address: string; title: string }
  | { name: 'merge'; into: string; other: Suggestion }
  | { name: 'dismiss'; of: string; other: Suggestion }
  | { name: 'split'; of: string; identifier: Identifier }
  | { name: 'revert'; of: string; merge: CustomerMerge };

export const dialog = signal<Dialog | null>(null);

export function closeDialog(): void {
  dialog.value = null;
}
