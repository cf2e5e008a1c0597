// The customer of the open conversation: the 360 view in one call, and what the agent changes in it.
import { signal } from '@preact/signals';
import { ask, newKey, post } from '../api/client';
import type { Customer, CustomerMerge, Happening, Identifier, List, Merge } from '../api/types';
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

/** A value from outside as a text. */
export const plain = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** "phone:+86138…", "webhook:shop:ann" */
export const identifierText = ({ kind, scope, value }: Identifier): string => [kind, scope, value].filter(Boolean).join(':');

/** A shared one tells from where somebody writes, and not who. */
export function setShared(of: Customer, identifier: Identifier, shared: boolean): void {
  const marked = (is: boolean): void => {
    const shown = customer.value;
    if (shown?.id !== of.id) return;
    customer.value = { ...shown, identifiers: shown.identifiers.map((one) => (identifierText(one) === identifierText(identifier) ? { ...one, shared: is } : one)) };
  };
  marked(shared);
  perform({
    method: 'PUT',
    path: `/v1/customers/${of.id}/identifiers/${encodeURIComponent(identifierText(identifier))}`,
    body: { shared },
    onRefused: () => marked(!shared),
  });
}

export interface PersonChange {
  name: string;
  tier: string;
  /** As texts; an empty one takes the attribute away. */
  attributes: Record<string, string>;
}

/** Shown at once. Attributes that nobody touched are not written again: they keep who said so, and when. */
export function saveCustomer(before: Customer, { name, tier, attributes }: PersonChange): void {
  const attributesNow = Object.fromEntries(
    Object.entries(attributes).filter(([one, text]) => text !== (before.attributes[one] ? plain(before.attributes[one].value) : '')).map(([one, text]) => [one, text || null]),
  );
  const body = { ...(name !== before.name && { name }), ...(tier !== (before.tier ?? '') && { tier }), ...(Object.keys(attributesNow).length && { attributes: attributesNow }) };
  if (!Object.keys(body).length) return;
  const shown = Object.entries({ ...before.attributes, ...Object.fromEntries(Object.entries(attributesNow).map(([one, value]) => [one, { value, source: null, at: null }])) });
  if (customer.value?.id === before.id) customer.value = { ...before, name, tier: tier || null, attributes: Object.fromEntries(shown.filter(([, one]) => one.value !== null)) };
  perform({
    method: 'PATCH',
    path: `/v1/customers/${before.id}`,
    body,
    onDone: () => void background(showCustomerAgain),
    onRefused: () => {
      if (customer.value?.id === before.id) customer.value = before;
    },
  });
}

export function removeNote(id: string): void {
  const before = customer.value;
  if (!before) return;
  customer.value = { ...before, notes: (before.notes ?? []).filter((one) => one.id !== id) };
  perform({
    method: 'DELETE',
    path: `/v1/customers/${before.id}/notes/${id}`,
    onRefused: () => {
      if (customer.value?.id === before.id) customer.value = before;
    },
  });
}

/** By what somebody has at hand: an id, an address, a number, or "kind:value". */
export async function findCustomers(text: string): Promise<{ id: string; name: string }[]> {
  if (text.startsWith('cus_')) return [await ask<Customer>(`/v1/customers/${encodeURIComponent(text)}`)];
  const identifier = text.includes('@') && !text.includes(':') ? `email:${text}` : /^[+\d][\d\s()-]+$/.test(text) ? `phone:${text}` : text;
  const { data } = await ask<List<{ id: string }>>(`/v1/customers?identifier=${encodeURIComponent(identifier)}`);
  return Promise.all(data.map(({ id }) => ask<Customer>(`/v1/customers/${id}`)));
}

export const merges = signal<{ of: string; rows: CustomerMerge[] } | null>(null);

export async function showMerges(of: string): Promise<void> {
  const { data } = await ask<List<CustomerMerge>>(`/v1/customers/${of}/merges`);
  merges.value = { of, rows: data };
}

export const mergePreview = (into: string, from: string): Promise<Merge> =>
  ask<Merge>(`/v1/customers/${into}/merge?preview=true`, { method: 'POST', body: { from } });

export const splitPreview = (of: string, identifier: Identifier): Promise<Merge> =>
  ask<Merge>(`/v1/customers/${of}/split?preview=true`, { method: 'POST', body: { identifier: identifierText(identifier) } });

export const revertPreview = (of: string, id: string): Promise<Merge> => ask<Merge>(`/v1/customers/${of}/merges/${id}/revert?preview=true`, { method: 'POST', body: {} });

/** Versions: of the preview; refused where somebody changed one of the two since. */
export async function revert(of: string, id: string, versions?: Merge['versions']): Promise<void> {
  await post(`/v1/customers/${of}/merges/${id}/revert`, { ...(versions && { versions }) }, newKey());
  await showCustomerAgain();
  notify(t('done_reverted'));
}

async function changed(of: string, done: Merge, words: string): Promise<void> {
  await showCustomerAgain();
  notify(words, () => void attempt(() => revert(of, done.merge!)));
}

export async function merge(into: string, from: string, versions: Merge['versions']): Promise<void> {
  await changed(into, await post<Merge>(`/v1/customers/${into}/merge`, { from, ...(versions && { versions }) }, newKey()), t('done_merged'));
}

export async function split(of: string, identifier: Identifier, versions: Merge['versions']): Promise<void> {
  await changed(of, await post<Merge>(`/v1/customers/${of}/split`, { identifier: identifierText(identifier), ...(versions && { versions }) }, newKey()), t('done_split'));
}

export async function dismiss(id: string, other: string): Promise<void> {
  await post(`/v1/customers/${id}/suggestions/${other}/dismiss`, {}, newKey());
  await showCustomerAgain();
  notify(t('done_dismissed'));
}
