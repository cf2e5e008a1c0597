// A list over the editor that goes with what is being written: a sign and a word open it, or a button; what is chosen goes in
// where the cursor is.
import type { Signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren, RefObject } from 'preact';

const SHOWN = 8;

export interface Suggest<T> {
  isOpen: boolean;
  found: T[];
  chosen: number;
  open: () => void;
  insert: (one: T) => void;
  onKey: (event: KeyboardEvent) => boolean;
}

interface Source<T> {
  area: RefObject<HTMLTextAreaElement | null>;
  draft: Signal<string>;
  /** What stands before the cursor: the sign, and behind it a group that is the word. */
  trigger: RegExp;
  find: (wanted: string) => T[];
  textOf: (one: T) => string;
  whenWanted?: () => void;
}

export function useSuggest<T>({ area, draft, trigger, find, textOf, whenWanted }: Source<T>): Suggest<T> {
  const [chosen, setChosen] = useState(0);
  const [isAsked, setAsked] = useState(false);
  const [closedAt, setClosedAt] = useState('');
  const node = area.current;
  const match = node && document.activeElement === node && draft.value ? node.value.slice(0, node.selectionStart).match(trigger) : null;
  const wanted = match ? match[1]! : '';
  const isWanted = isAsked || !!match;
  const found = isWanted ? find(wanted).slice(0, SHOWN) : [];
  const isOpen = (isAsked || (!!match && closedAt !== draft.value)) && found.length > 0;
  useEffect(() => {
    if (isWanted) whenWanted?.();
  }, [isWanted]);
  useEffect(() => setChosen(0), [wanted]);

  function close(): void {
    setAsked(false);
    setClosedAt(draft.value);
  }

  function insert(one: T): void {
    const field = area.current!;
    const end = field.selectionStart;
    const start = match ? end - match[1]!.length - 1 : end;
    const text = textOf(one);
    draft.value = field.value.slice(0, start) + text + field.value.slice(end);
    close();
    field.focus();
    requestAnimationFrame(() => field.setSelectionRange(start + text.length, start + text.length));
  }

  function onKey(event: KeyboardEvent): boolean {
    if (!isOpen) return false;
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const move = moves[event.key];
    if (move) setChosen((chosen + move + found.length) % found.length);
    else if ((event.key === 'Enter' && !event.ctrlKey && !event.metaKey) || event.key === 'Tab') insert(found[chosen]!);
    else if (event.key === 'Escape') close();
    else return false;
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

interface ListProps<T> {
  id: string;
  label: string;
  suggest: Suggest<T>;
  keyOf: (one: T) => string;
  children: (one: T) => ComponentChildren;
}

export function SuggestList<T>({ id, label, suggest, keyOf, children }: ListProps<T>) {
  return (
    <ul id={id} class="suggest" role="listbox" aria-label={label} hidden={!suggest.isOpen}>
      {suggest.isOpen &&
        suggest.found.map((one, place) => (
          <li
            key={keyOf(one)}
            id={`${id}-${place}`}
            role="option"
            aria-selected={place === suggest.chosen}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => suggest.insert(one)}
          >
            {children(one)}
          </li>
        ))}
    </ul>
  );
}
