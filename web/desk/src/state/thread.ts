// The conversation that is open: its item, its messages, and what was written and is not confirmed.
import { batch, computed, signal } from '@preact/signals';
import { ask, newKey } from '../api/client';
import type { Attachment, Conversation, Hit, List, Message, WorkItem } from '../api/types';
import { t } from '../words';
import { wordsOf } from '../words/problems';
import { language } from '../words';
import { showCustomer, customer } from './customer';
import { draftOf, draftSent, draftTaken, showDraft } from './drafts';
import { coalesced } from './notices';
import { perform } from './outbox';
import { me } from './session';

const PAGE = 100;

/** What is open: a work item with its conversation, or a conversation that nobody works on. */
export interface Open {
  item: WorkItem | null;
  conversation: string | null;
  customer: { id: string; name: string } | null;
  channel: string;
  title: string;
}

export interface Pending {
  /** Idempotency-Key, of every try: the one before has perhaps reached the customer. */
  key: string;
  /** Who wrote it: nobody else who signs in here sees it. */
  agent: string;
  conversation: string;
  kind: 'reply' | 'note';
  text: string;
  attachments: Attachment[];
  mentions: string[];
  at: string;
  refusal: string;
}

export const open = signal<Open | null>(null);
export const talk = signal<Conversation | null>(null);
export const messages = signal<Message[]>([]);
export const earlier = signal<string | null>(null);
export const isLoading = signal(false);
const pendingAll = signal<Pending[]>([]);
export const pending = computed(() => pendingAll.value.filter((one) => one.conversation === open.value?.conversation && one.agent === me.value?.agent));
/** The customer types in this conversation, and until when it is worth showing. */
export const typing = signal<{ conversation: string; until: number } | null>(null);

export const titleOf = (item: WorkItem): string =>
  `#${item.number} ${item.customer?.name || t('unnamed')} · ${item.channel ?? ''}`;

export const isMine = computed(() => {
  const item = open.value?.item;
  return !!item && (item.agent === me.value?.agent || !!item.helpers?.includes(me.value?.agent ?? ''));
});

function fetchPage(conversation: string, after: string | null): Promise<List<Message>> {
  const from = after ? `&after=${encodeURIComponent(after)}` : '';
  return ask<List<Message>>(`/v1/conversations/${conversation}/messages?limit=${PAGE}&order=desc${from}`);
}

const isOpen = (conversation: string): boolean => open.value?.conversation === conversation;

/** Into the thread, by id; ids of messages ascend with time. */
function merged(known: Message[], come: Message[]): Message[] {
  const fresh = new Map(come.map((one) => [one.id, one]));
  const kept = known.map((one) => {
    const again = fresh.get(one.id);
    fresh.delete(one.id);
    return again && JSON.stringify(again) !== JSON.stringify(one) ? again : one;
  });
  const first = kept[0];
  const older = [...fresh.values()].filter((one) => first && one.created_at < first.created_at);
  const newer = [...fresh.values()].filter((one) => !first || one.created_at >= first.created_at);
  return [...older, ...kept, ...newer];
}

async function showNewest(): Promise<void> {
  const conversation = open.value?.conversation;
  if (!conversation) return;
  const known = new Set(messages.value.map((one) => one.id));
  const newest: Message[] = [];
  let page: List<Message>;
  // After a pause there may be more than one page until what is shown already.
  do {
    page = await fetchPage(conversation, newest.length ? page!.next_cursor : null);
    newest.push(...page.data);
  } while (known.size && page.next_cursor && !page.data.some((one) => known.has(one.id)));
  if (!isOpen(conversation)) return;
  batch(() => {
    if (!known.size) earlier.value = page.next_cursor;
    messages.value = merged(messages.value, newest.reverse());
  });
}

export const showMessages = coalesced(showNewest);

export async function showEarlier(): Promise<void> {
  const conversation = open.value?.conversation;
  if (!conversation || !earlier.value) return;
  const page = await fetchPage(conversation, earlier.value);
  if (!isOpen(conversation)) return;
  batch(() => {
    earlier.value = page.next_cursor;
    messages.value = [...page.data.reverse(), ...messages.value];
  });
}

export const showTalk = coalesced(async () => {
  const conversation = open.value?.conversation;
  if (!conversation) return;
  const known = await ask<Conversation>(`/v1/conversations/${conversation}`);
  if (isOpen(conversation)) talk.value = known;
});

/** What is on its way as a message is not to be written again. */
export async function showMyDraft(): Promise<void> {
  const conversation = open.value?.conversation;
  if (conversation && open.value?.item && !pending.value.length) await showDraft(conversation);
}

/** Messages came or went: the thread is fetched anew. */
export async function redraw(): Promise<void> {
  messages.value = [];
  await showMessages();
}

async function openThis(next: Open): Promise<void> {
  batch(() => {
    if (open.value?.conversation !== next.conversation) {
      messages.value = [];
      earlier.value = null;
      talk.value = null;
      typing.value = null;
    }
    if (open.value?.customer?.id !== next.customer?.id) customer.value = null;
    open.value = next;
    isLoading.value = true;
  });
  try {
    await Promise.all([showMessages(), showTalk(), showMyDraft(), showCustomer(next.customer?.id ?? null)]);
  } finally {
    isLoading.value = false;
  }
}

export const openItem = (item: WorkItem): Promise<void> =>
  openThis({ item, conversation: item.conversation, customer: item.customer, channel: item.channel ?? '', title: '' });

export async function openItemById(id: string): Promise<void> {
  await openItem(await ask<WorkItem>(`/v1/work-items/${id}`));
}

/** A message may stand in a conversation that nobody works on: that one is only read. A customer is met in the newest one. */
export async function openHit(hit: Hit): Promise<void> {
  const newest = hit.type === 'customer' ? (await ask<{ conversations: { id: string }[] }>(`/v1/customers/${hit.id}`)).conversations[0] : null;
  const conversation = newest?.id ?? hit.conversation ?? null;
  if (hit.type === 'work_item') return openItemById(hit.id);
  if (!conversation) {
    await openThis({ item: null, conversation: null, customer: { id: hit.id, name: hit.name ?? '' }, channel: '', title: hit.name ?? '' });
    return;
  }
  await openConversation(conversation);
}

export async function openConversation(id: string): Promise<void> {
  const known = await ask<Conversation>(`/v1/conversations/${id}`);
  if (known.work_item) return openItemById(known.work_item);
  await openThis({ item: null, conversation: id, customer: known.customer, channel: known.channel, title: `${known.customer.name || t('unnamed')} · ${known.channel}` });
}

/** The item may have changed hands or state. */
export const showOpenItem = coalesced(async () => {
  const item = open.value?.item;
  if (!item) return;
  const fresh = await ask<WorkItem>(`/v1/work-items/${item.id}`);
  if (open.value?.item?.id === item.id) open.value = { ...open.value, item: fresh };
});

export function closeThread(): void {
  batch(() => {
    open.value = null;
    talk.value = null;
    messages.value = [];
    earlier.value = null;
    customer.value = null;
  });
}

// ---- writing ----

function change(key: string, to: Partial<Pending> | null): void {
  pendingAll.value = pendingAll.value.flatMap((one) => (one.key !== key ? [one] : to ? [{ ...one, ...to }] : []));
}

function send(one: Pending): void {
  const attachments = one.attachments.map(({ id, name, type }) => ({ blob: id, name, type }));
  perform<Message>({
    path: `/v1/conversations/${one.conversation}/messages`,
    key: one.key,
    body: { kind: one.kind, text: one.text, ...(attachments.length && { attachments }), ...(one.mentions.length && { mentions: one.mentions }) },
    isQuiet: true,
    onDone: (message) =>
      batch(() => {
        change(one.key, null);
        draftTaken(one.conversation);
        if (isOpen(one.conversation) && messages.value.length) messages.value = merged(messages.value, [message]);
        void showMessages();
      }),
    onRefused: (why) => change(one.key, { refusal: wordsOf(why, language.value) }),
  });
}

export function write(kind: 'reply' | 'note', text: string, attachments: Attachment[], mentions: string[] = []): void {
  const conversation = open.value?.conversation;
  if (!conversation || (!text.trim() && !attachments.length)) return;
  const one: Pending = { key: newKey(), agent: me.value?.agent ?? '', conversation, kind, text, attachments, mentions, at: new Date().toISOString(), refusal: '' };
  pendingAll.value = [...pendingAll.value, one];
  draftSent(conversation);
  send(one);
}

export function sendAgain(one: Pending): void {
  change(one.key, { refusal: '' });
  send(one);
}

/** Back into the editor, behind what was written meanwhile. */
export function takeBack(one: Pending): void {
  const draft = draftOf(one.conversation);
  draft.value = [draft.value, one.text].filter(Boolean).join('\n');
  change(one.key, null);
}

/** A message of mine that is on its way and was already told by the stream must not be seen twice. */
export const shownPending = computed(() => {
  const last = messages.value.slice(-20);
  return pending.value.filter(
    (one) => one.refusal || !last.some((known) => known.author.id === me.value?.agent && known.text === one.text && known.created_at >= one.at),
  );
});
