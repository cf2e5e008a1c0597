// What is written and not sent, one draft for each conversation: it must never reach another customer.
import { effect, signal, type Signal } from '@preact/signals';

const drafts = new Map<string, Signal<string>>();

export function draftOf(conversation: string): Signal<string> {
  let draft = drafts.get(conversation);
  if (!draft) {
    const name = `draft:${conversation}`;
    const made = signal(sessionStorage.getItem(name) ?? '');
    effect(() => {
      if (made.value) sessionStorage.setItem(name, made.value);
      else sessionStorage.removeItem(name);
    });
    drafts.set(conversation, made);
    draft = made;
  }
  return draft;
}

export function dropDrafts(): void {
  for (const draft of drafts.values()) draft.value = '';
  drafts.clear();
}
