// Canned replies: "/" and a word in the editor, or the button; the text goes in where the cursor is.
import type { Signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import { ask } from '../api/client';
import type { CannedReply, List, WorkItem } from '../api/types';
import { background } from '../state/notices';
import { me } from '../state/session';
import { t } from '../words';
import { SuggestList, useSuggest, type Suggest } from './Suggest';

let all: CannedReply[] | null = null;

async function load(): Promise<CannedReply[]> {
  all ??= (await ask<List<CannedReply>>('/v1/canned-replies?limit=200')).data;
  return all;
}

/** {{customer.name|您好}}: what stands behind the bar where the value is not known. */
export function filled(text: string, item: WorkItem): string {
  const values: Record<string, string | undefined> = {
    'customer.name': item.customer?.name,
    'agent.name': me.value?.name,
    number: String(item.number),
    queue: item.queue,
  };
  return text.replace(/\{\{\s*([a-z.]+)\s*(?:\|([^}]*))?\}\}/g, (_, name: string, otherwise?: string) => values[name] || otherwise || '');
}

export function useCanned(area: RefObject<HTMLTextAreaElement | null>, draft: Signal<string>, item: WorkItem): Suggest<CannedReply> {
  const [replies, setReplies] = useState<CannedReply[]>(all ?? []);
  return useSuggest({
    area,
    draft,
    trigger: /(?:^|\s)\/([^\s/]{0,30})$/,
    find: (wanted) => replies.filter((one) => `${one.id} ${one.title} ${one.text}`.toLowerCase().includes(wanted.toLowerCase())),
    textOf: (reply) => filled(reply.text, item),
    whenWanted: () => void background(async () => setReplies(await load())),
  });
}

export function CannedList({ canned }: { canned: Suggest<CannedReply> }) {
  return (
    <SuggestList id="canned" label={t('canned')} suggest={canned} keyOf={(one) => one.id}>
      {(one) => (
        <>
          <strong>{one.title}</strong> <span class="quiet">{one.text}</span>
        </>
      )}
    </SuggestList>
  );
}
