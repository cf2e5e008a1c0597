// Canned replies: "/" and a word in the editor, or the button; the text goes in where the cursor is.
import type { Signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import { ask } from '../api/client';
import type { CannedReply, List, WorkItem } from '../api/types';
import { background } from '../state/notices';
import { me } from '../state/session';
import { t } from '../words';

const SHOWN = 8;
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

const wordBefore = (area: HTMLTextAreaElement): RegExpMatchArray | null => area.value.slice(0, area.selectionStart).match(/(?:^|\s)\/([^\s/]{0,30})$/);

export interface Canned {
  isOpen: boolean;
  found: CannedReply[];
  chosen: number;
  open: () => void;
  insert: (reply: CannedReply) => void;
  onKey: (event: KeyboardEvent) => boolean;
}

export function useCanned(area: RefObject<HTMLTextAreaElement | null>, draft: Signal<string>, item: WorkItem): Canned {
  const [replies, setReplies] = useState<CannedReply[]>(all ?? []);
  const [chosen, setChosen] = useState(0);
  const [isAsked, setAsked] = useState(false);
  const [closedAt, setClosedAt] = useState('');
  const node = area.current;
  const match = node && document.activeElement === node && draft.value ? wordBefore(node) : null;
  const wanted = match ? match[1]!.toLowerCase() : '';
  const found = replies.filter((one) => `${one.id} ${one.title} ${one.text}`.toLowerCase().includes(wanted)).slice(0, SHOWN);
  const isOpen = (isAsked || (!!match && closedAt !== draft.value)) && found.length > 0;
  const isWanted = isAsked || !!match;
  useEffect(() => {
    if (isWanted) void background(async () => setReplies(await load()));
  }, [isWanted]);
  useEffect(() => setChosen(0), [wanted]);

  function insert(reply: CannedReply): void {
    const field = area.current!;
    const end = field.selectionStart;
    const start = match ? end - match[1]!.length - 1 : end;
    const text = filled(reply.text, item);
    draft.value = field.value.slice(0, start) + text + field.value.slice(end);
    setAsked(false);
    setClosedAt(draft.value);
    field.focus();
    requestAnimationFrame(() => field.setSelectionRange(start + text.length, start + text.length));
  }

  function onKey(event: KeyboardEvent): boolean {
    if (!isOpen) return false;
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const move = moves[event.key];
    if (move) setChosen((chosen + move + found.length) % found.length);
    else if (event.key === 'Enter' || event.key === 'Tab') insert(found[chosen]!);
    else if (event.key === 'Escape') {
      setAsked(false);
      setClosedAt(draft.value);
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  const open = () => {
    setAsked(!isAsked);
    area.current?.focus();
  };
  return { isOpen, found, chosen, open, insert, onKey };
}

export function CannedList({ canned }: { canned: Canned }) {
  return (
    <ul id="canned" role="listbox" aria-label={t('canned')} hidden={!canned.isOpen}>
      {canned.isOpen &&
        canned.found.map((one, place) => (
          <li
            key={one.id}
            id={`canned-${place}`}
            role="option"
            aria-selected={place === canned.chosen}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => canned.insert(one)}
          >
            <strong>{one.title}</strong> <span class="quiet">{one.text}</span>
          </li>
        ))}
    </ul>
  );
}
