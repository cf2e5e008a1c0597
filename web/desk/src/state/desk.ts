// The life of the page: signing in, what the stream tells, signing out.
import { batch } from '@preact/signals';
import { ask, keepSession, whenSessionEnds } from '../api/client';
import type { Me } from '../api/types';
import { t } from '../words';
import { heardFrom, tell } from './attention';
import { customer, showCustomerAgain } from './customer';
import { heardMessage, heardViewing, heardWriting, leaveCompany } from './company';
import { ownDrafts, saveDrafts } from './drafts';
import { Stream } from './live';
import { mentions, seeMentions, showMentions } from './mentions';
import { background, forgetOffline, notices, problem } from './notices';
import { dropHeld, held, showHeld } from './offers';
import { emptyOutbox, flushOutbox } from './outbox';
import { clearSearch } from './search';
import { endedBecause, keepLoad, load, me, presence, setPresence, showLoad } from './session';
import { closeThread, messages, open, redraw, showMessages, showMyDraft, showOpenItem, showTalk, typing } from './thread';
import { dropWaiting, forgetFurther, mine, queues, showNames, showWork, waiting } from './work';

const TYPING_MS = 6000;
let stream: Stream | null = null;

async function refresh(): Promise<void> {
  forgetFurther();
  await flushOutbox();
  await saveDrafts();
  await Promise.all([showWork(), showLoad(), showHeld(), showMessages(), showTalk(), showMyDraft(), showOpenItem(), showCustomerAgain(), showMentions()]);
}

function onTyping(data: Record<string, string>): void {
  if (data.by && !data.by.startsWith('customer')) return heardWriting(data.conversation!, data.by);
  if (data.conversation !== open.value?.conversation) return;
  const until = Date.now() + TYPING_MS;
  typing.value = { conversation: data.conversation!, until };
  setTimeout(() => {
    if (typing.value?.until === until) typing.value = null;
  }, TYPING_MS);
}

/** The event says whose work it is, and the message who wrote it. */
async function onMessage(name: string, { agent, message }: Record<string, string>): Promise<void> {
  await Promise.all([showMessages(), ...(name === 'message.created' ? [showTalk()] : []), ...(agent === me.value?.agent ? [showMyDraft()] : [])]);
  const come = name === 'message.created' ? messages.value.find((one) => one.id === message) : undefined;
  if (come?.direction === 'in') typing.value = null;
  if (come?.author.type === 'agent' && open.value?.conversation) heardMessage(open.value.conversation, come.author.id!);
}

async function onWork(data: Record<string, string>): Promise<void> {
  if (data.work_item && data.to && data.to !== 'queued') dropWaiting(data.work_item);
  await Promise.all([showWork(), showLoad(), ...(data.work_item && data.work_item === open.value?.item?.id ? [showOpenItem()] : [])]);
}

/** A note that names this agent; where it is before them, it is seen. */
async function onNamed(conversation: string | undefined): Promise<void> {
  await showMentions();
  if (conversation === open.value?.conversation) await seeMentions(conversation ?? null);
}

/** One tab of the browser tells of it: the one that has the connection. */
async function onAsked(name: string, data: Record<string, string>): Promise<void> {
  if (name === 'message.created' && data.conversation) {
    const item = await heardFrom(data.conversation);
    if (item && stream?.leads) tell('new_message', item);
    return;
  }
  const asked = name === 'offer.created' && data.agent === me.value?.agent ? held.value.find((one) => one.offer.id === data.object) : undefined;
  if (asked && stream?.leads) tell(asked.offer.kind === 'offer' ? 'offered' : asked.offer.kind === 'consult' ? 'asked' : 'handed', asked.item);
}

async function happened(name: string, data: Record<string, string>): Promise<void> {
  if (name === 'viewing') heardViewing(data as never);
  if (data.mentions?.includes(me.value?.agent ?? '')) await onNamed(data.conversation);
  if (name === 'typing') onTyping(data);
  if (name === 'reset') await refresh();
  if (name === 'offer.ended') dropHeld(data.object ?? '');
  if (name.startsWith('offer.') || name === 'transfer.state') {
    if (name !== 'offer.created' || data.agent === me.value?.agent) await showHeld();
  }
  const isOpen = !!open.value && data.conversation === open.value.conversation;
  if (isOpen && name.startsWith('message.')) await onMessage(name, data);
  if (isOpen && name === 'conversation.changed') await showTalk();
  if (open.value && name === 'conversation.changed' && [data.from, data.to].includes(open.value.conversation ?? '')) await redraw();
  if (name.startsWith('work_item.') || name === 'sla.state' || name === 'transfer.state') await onWork(data);
  await onAsked(name, data);
  if (name.startsWith('customer.') && data.customer === customer.value?.id) await showCustomerAgain();
}

async function startAs(known: Me, isSigningIn: boolean): Promise<void> {
  ownDrafts(known.agent);
  me.value = known;
  keepLoad(known);
  endedBecause.value = '';
  stream = new Stream(`converge ${known.workspace} ${known.agent}`, {
    onEvent: (name, data) => void background(() => happened(name, data)),
    onBack: () => {
      forgetOffline();
      void background(refresh);
    },
  });
  await (isSigningIn || known.status === 'offline' ? setPresence('online', '') : setPresence(known.status, known.reason ?? ''));
}

/** Signing in means being there; another tab or a reload leaves the presence as it was. The first view is one round trip: all of it is asked for at once. */
export async function start(isSigningIn: boolean): Promise<void> {
  const known = ask<Me>('/v1/me').then((answer) => startAs(answer, isSigningIn));
  await Promise.all([known, showWork(), showHeld(), showNames(), showMentions()]);
}

export function signedOut(why: string): void {
  stream?.end();
  stream = null;
  keepSession('');
  emptyOutbox();
  closeThread();
  clearSearch();
  leaveCompany();
  batch(() => {
    me.value = null;
    load.value = null;
    mine.value = [];
    waiting.value = [];
    forgetFurther();
    queues.value = [];
    held.value = [];
    mentions.value = [];
    notices.value = [];
    problem.value = '';
    presence.value = { status: 'offline', reason: '' };
    endedBecause.value = why;
  });
}

export async function leave(): Promise<void> {
  await saveDrafts();
  closeThread(); // while it can still be told
  await ask('/v1/session', { method: 'DELETE' }).catch(() => null);
  signedOut('');
}

whenSessionEnds(() => {
  if (me.value || stream) signedOut(t('ended'));
  else keepSession('');
});
