import { signal } from '@preact/signals';
import { ask } from '../api/client';
import type { Hit, List } from '../api/types';

export const query = signal('');
/** null: nothing was searched. */
export const hits = signal<Hit[] | null>(null);
export const nextHits = signal<string | null>(null);

export function clearSearch(): void {
  query.value = '';
  hits.value = null;
  nextHits.value = null;
}

export async function search(after: string | null): Promise<void> {
  const asked = query.value.trim();
  if (!asked) {
    clearSearch();
    return;
  }
  if (!after) hits.value = [];
  const from = after ? `&after=${encodeURIComponent(after)}` : '';
  const page = await ask<List<Hit>>(`/v1/search?limit=20&q=${encodeURIComponent(asked)}${from}`);
  if (query.value.trim() !== asked) return;
  hits.value = [...(after ? (hits.value ?? []) : []), ...page.data];
  nextHits.value = page.next_cursor;
}
