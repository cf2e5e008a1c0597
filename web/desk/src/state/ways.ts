// Over which of the customer's channels and addresses the answer goes: as it came, unless the agent chooses another one.
import { computed, signal } from '@preact/signals';
import { ask } from '../api/client';
import type { Attachment, List, Message, Way } from '../api/types';
import { t } from '../words';
import { draftOf, draftTaken, viaOf } from './drafts';
import { background, coalesced, notify } from './notices';
import { perform } from './outbox';
import { isMine, open, openConversation, talk } from './thread';
import { now } from './work';

const known = signal<{ conversation: string; ways: Way[] } | null>(null);

export const ways = computed(() => (known.value?.conversation === open.value?.conversation ? (known.value?.ways ?? []) : []));

export const showWays = coalesced(async () => {
  const conversation = open.value?.conversation;
  if (!conversation || !isMine.value) return;
  const { data } = await ask<List<Way>>(`/v1/conversations/${conversation}/ways`);
  known.value = { conversation, ways: data };
});

/** null: they are not known yet. */
export const chosenWay = computed(() => {
  const conversation = open.value?.conversation;
  const via = conversation ? viaOf(conversation).value : null;
  return ways.value.find((one) => !!via && one.channel === via.channel && one.to === via.to) ?? ways.value.find((one) => one.here) ?? null;
});

export const isOver = (way: Way): boolean => !!way.until && Date.parse(way.until) <= now.value;
export const mayTake = (way: Way): boolean => way.may_send && !isOver(way);

export function chooseWay(way: Way): void {
  const conversation = open.value?.conversation;
  if (conversation) viaOf(conversation).value = way.here || !way.to ? null : { channel: way.channel, to: way.to };
}

/** Into its conversation over there, or one that begins: either is opened once it has the answer. */
/** A conversation begins with a text alone. */
export const mayCarry = (way: Way, files: Attachment[]): boolean => !files.length || way.how === 'reply';

export function writeOver(way: Way, text: string, files: Attachment[]): void {
  const from = open.value?.conversation;
  if (!from || (!text.trim() && !files.length)) return;
  const attachments = files.map(({ id, name, type }) => ({ blob: id, name, type }));
  const subject = talk.value?.subject || `${t('via_subject')} #${open.value?.item?.number ?? ''}`;
  const begins = { channel: way.channel, to: way.to, text, subject, answers: from };
  const draft = draftOf(from);
  draft.value = '';
  perform<Message>({
    path: way.how === 'reply' ? `/v1/conversations/${way.conversation}/messages` : '/v1/conversations',
    body: way.how === 'reply' ? { kind: 'reply', text, ...(attachments.length && { attachments }) } : begins,
    onDone: (message) => {
      draftTaken(from);
      viaOf(from).value = null;
      notify(`${t('sent_via')} ${way.channel}`);
      if (open.value?.conversation === from) void background(() => openConversation(message.conversation));
    },
    onRefused: () => {
      draft.value = [draft.value, text].filter(Boolean).join('\n');
      void background(showWays);
    },
  });
}
