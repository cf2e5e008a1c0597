// The customer of the open conversation: the 360 view in one call, and what the agent changes in it.
import { signal } from '@preact/signals';
import { ask, newKey, post } from '../api/client';
import type { Customer, Happening, List, Merge } from '../api/types';
import { t } from '../words';
import { attempt, background, notify } from './notices';
import { perform } from './outbox';
import { me } from './session';

export const customer = signal<Customer | null>(null);
let wanted: string | null = null;

export async function showCustomer(id: string | null): Promise<void> {
  wanted = id;
  if (!id) {
    customer.value = null;
    return;
  }
  const fresh = await ask<Customer>(`/v1/customers/${id}`);
  if (wanted === id) customer.value = fresh;
}

export const showCustomerAgain = (): Promise<void> => showCustomer(wanted);

/** Shown at once; onRefused() gets the text back. */
export function addCustomerNote(text: string, onRefused: (text: string) => void): void {
  const before = customer.value;
  if (!before || !text.trim()) return;
  const note = { id: newKey(), text: text.trim(), author: { name: me.value?.name ?? '' }, created_at: new Date().toISOString() };
  customer.value = { ...before, notes: [note as NonNullable<Customer['notes']>[number], ...(before.notes ?? [])] };
  perform({
    path: `/v1/customers/${before.id}/notes`,
    body: { text: note.text },
    onDone: () => {
      notify(t('done_note'));
      void background(showCustomerAgain);
    },
    onRefused: () => {
      const shown = customer.value;
      if (shown?.id === before.id) customer.value = { ...shown, notes: (shown.notes ?? []).filter((one) => one.id !== note.id) };
      onRefused(text);
    },
  });
}

export function setTags(tags: string[]): void {
  const before = customer.value;
  if (!before) return;
  customer.value = { ...before, tags };
  perform<Customer>({
    method: 'PATCH',
    path: `/v1/customers/${before.id}`,
    body: { tags },
    onDone: () => void background(showCustomerAgain),
    onRefused: () => {
      if (customer.value?.id === before.id) customer.value = before;
    },
  });
}

export const timelinePage = (id: string, after: string): Promise<List<Happening>> =>
  ask<List<Happening>>(`/v1/customers/${id}/timeline?limit=30${after && `&after=${encodeURIComponent(after)}`}`);

export const mergePreview = (into: string, from: string): Promise<Merge> =>
  ask<Merge>(`/v1/customers/${into}/merge?preview=true`, { method: 'POST', body: { from } });

export async function merge(into: string, from: string, versions: Merge['versions']): Promise<void> {
  const done = await post<Merge>(`/v1/customers/${into}/merge`, { from, ...(versions && { versions }) }, newKey());
  await showCustomerAgain();
  notify(t('done_merged'), () =>
    void attempt(async () => {
      await post(`/v1/customers/merges/${done.merge}/revert`, {}, newKey());
      await showCustomerAgain();
      notify(t('done_reverted'));
    }),
  );
}

export async function dismiss(id: string, other: string): Promise<void> {
  await post(`/v1/customers/${id}/suggestions/${other}/dismiss`, {}, newKey());
  await showCustomerAgain();
  notify(t('done_dismissed'));
}
