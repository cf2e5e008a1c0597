// What is held out to me: offers, transfers and calls for help, each with its deadline.
import { signal } from '@preact/signals';
import { ask, post } from '../api/client';
import type { List, Offer, WorkItem } from '../api/types';
import { coalesced } from './notices';
import { openItem } from './thread';
import { showWork } from './work';

export interface Held {
  offer: Offer;
  item: WorkItem;
}

export const held = signal<Held[]>([]);

export const showHeld = coalesced(async () => {
  const { data } = await ask<List<Offer>>('/v1/me/offers');
  const known = new Map(held.value.map((one) => [one.offer.id, one]));
  held.value = await Promise.all(
    data.map(async (offer) => known.get(offer.id) ?? { offer, item: await ask<WorkItem>(`/v1/work-items/${offer.work_item}`) }),
  );
});

export function dropHeld(id: string): void {
  held.value = held.value.filter((one) => one.offer.id !== id);
}

export async function answerOffer({ offer, item }: Held, accept: boolean): Promise<void> {
  dropHeld(offer.id);
  try {
    const after = await post<WorkItem>(`/v1/work-items/${item.id}/${accept ? 'accept' : 'decline'}`);
    if (accept) await openItem(after);
  } finally {
    await Promise.all([showWork(), showHeld()]);
  }
}
