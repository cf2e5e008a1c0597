// What the visitor is asked before the chat, and what afterwards.
import type { About, Left } from './client';
import { make } from './dom';
import type { Words } from './words';

const KINDS = { name: 'text', email: 'email', phone: 'tel' } as const;

/** A form with the fields named, each required; done() gets what was typed. */
export function askBefore(fields: string, words: Words, done: (about: About) => void): HTMLFormElement {
  const form = make('form', '', { class: 'ask' });
  form.append(make('h3', words.askTitle));
  const inputs = new Map<keyof About, HTMLInputElement>();
  for (const name of Object.keys(KINDS) as (keyof About)[]) {
    if (!fields.split(',').some((field) => field.trim() === name)) continue;
    const label = make('label', words[name]);
    const input = make('input', '', { type: KINDS[name], name, required: '', autocomplete: name === 'phone' ? 'tel' : name, maxlength: '200' });
    label.append(input);
    form.append(label);
    inputs.set(name, input);
  }
  form.append(make('button', words.begin, { type: 'submit' }));
  form.onsubmit = (event) => {
    event.preventDefault();
    done(Object.fromEntries([...inputs].map(([name, input]) => [name, input.value.trim()])));
  };
  return form;
}

/** While nobody is there (opens says until when, '' where nobody knows): what is written goes by mail; leave() is tried again with the same client_id. */
export function askAway(words: Words, opens: string, newId: () => string, leave: (left: Left) => Promise<unknown>): HTMLFormElement {
  const form = make('form', '', { class: 'ask' });
  const clientId = newId();
  const field = (text: string, input: HTMLInputElement | HTMLTextAreaElement) => {
    const label = make('label', text);
    label.append(input);
    form.append(label);
    return input;
  };
  form.append(make('h3', words.away));
  if (opens) form.append(make('p', opens));
  const name = field(words.name, make('input', '', { name: 'name', autocomplete: 'name', maxlength: '200' }));
  const email = field(words.email, make('input', '', { type: 'email', name: 'email', required: '', autocomplete: 'email', maxlength: '254' }));
  const text = field(words.message, make('textarea', '', { rows: '3', required: '', maxlength: '6000', dir: 'auto' }));
  const button = make('button', words.leave, { type: 'submit' });
  const state = make('p', '', { role: 'status' });
  form.append(button, state);
  form.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await leave({ name: name.value.trim(), email: email.value.trim(), text: text.value.trim(), client_id: clientId });
      form.replaceChildren(make('p', words.left + email.value.trim(), { role: 'status' }));
    } catch {
      state.textContent = words.notLeft;
      button.disabled = false;
    }
  };
  return form;
}

/** What was said, by mail to an address that is asked for. */
export function askTranscript(words: Words, newId: () => string, send: (email: string, clientId: string) => Promise<unknown>): HTMLFormElement {
  const form = make('form', '', { class: 'mail' });
  const clientId = newId();
  const label = make('label', words.transcript);
  const email = make('input', '', { type: 'email', required: '', autocomplete: 'email', maxlength: '254' });
  const button = make('button', words.send, { type: 'submit' });
  label.append(email);
  form.append(label, button);
  form.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await send(email.value.trim(), clientId);
      form.replaceChildren(make('span', words.transcriptSent + email.value.trim(), { role: 'status' }));
    } catch {
      button.disabled = false;
      email.focus(); // it can be pressed again
    }
  };
  return form;
}

/** Five buttons, of which one is pressed; rate() is tried until it works. */
export function askAfter(words: Words, rate: (score: number) => Promise<unknown>): HTMLElement {
  const group = make('div', '', { role: 'group', 'aria-label': words.rate, class: 'rate' });
  group.append(make('span', words.rate));
  for (let score = 1; score <= 5; score++) {
    const button = make('button', String(score), { type: 'button', 'aria-label': score + words.points });
    button.onclick = async () => {
      try {
        await rate(score);
        group.replaceChildren(make('span', words.rated));
      } catch {
        button.focus(); // it can be pressed again
      }
    };
    group.append(button);
  }
  return group;
}
