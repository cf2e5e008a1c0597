import { Client, type Message, Refused } from './client';
import { style } from './style';
import { wordsOf } from './words';

interface Options {
  base: string;
  channel: string;
  identity: string | undefined;
  isChinese: boolean;
  root: ShadowRoot;
  button: HTMLButtonElement;
}

interface Pending {
  text: string;
  clientId: string;
  bubble: HTMLLIElement;
}

const TYPING_SHOWN_MS = 5000;

// Text goes in as text only: nothing that anybody wrote is ever read as HTML.
function make<K extends keyof HTMLElementTagNameMap>(name: K, text = '', fields: Record<string, string> = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [field, value] of Object.entries(fields)) element.setAttribute(field, value);
  return element;
}

// crypto.randomUUID is for pages over https only.
const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join('-');

/** Builds the chat beside the button and answers what opens it. */
export function start({ base, channel, identity, isChinese, root, button }: Options): () => void {
  const words = wordsOf(isChinese);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];

  const panel = make('section', '', { role: 'dialog', 'aria-label': words.title, lang: isChinese ? 'zh' : 'en', dir: 'auto' });
  const header = make('header');
  const close = make('button', '×', { type: 'button', 'aria-label': words.close });
  const list = make('ol', '', { role: 'log', 'aria-live': 'polite', 'aria-label': words.messages, tabindex: '0' });
  const status = make('div', '', { role: 'status' });
  const form = make('form');
  const input = make('textarea', '', { rows: '2', 'aria-label': words.write, placeholder: words.write, dir: 'auto' });
  header.append(make('h2', words.title), close);
  form.append(input, make('button', words.send, { type: 'submit' }));
  panel.append(header, list, status, form);
  panel.hidden = true;
  root.append(panel);

  const shown = new Set<string>();
  const pending: Pending[] = [];
  let typing = 0;
  let place = 0;
  let isOnline = true;
  let greeted = false;

  const tell = (text = '') => {
    clearTimeout(typing);
    status.textContent = isOnline ? text || (place > 0 ? words.place + place : '') : words.offline;
  };
  const add = (text: string, isOwn: boolean, mark: string) => {
    const bubble = make('li', text, { dir: 'auto' });
    if (isOwn) bubble.className = 'own';
    bubble.append(make('small', mark));
    list.append(bubble);
    list.scrollTop = list.scrollHeight;
    return bubble;
  };
  const mark = (bubble: HTMLLIElement, text: string) => {
    bubble.querySelector('small')!.textContent = text;
  };
  const settle = (one: Pending, id: string) => {
    const at = pending.indexOf(one);
    if (at < 0) return;
    pending.splice(at, 1);
    if (shown.has(id)) one.bubble.remove();
    else mark(one.bubble, words.sent);
    shown.add(id);
  };
  const take = (message: Message) => {
    if (shown.has(message.id)) return;
    const isOwn = message.author.type === 'customer';
    const own = isOwn && pending.find((one) => one.text === message.text);
    if (own) return settle(own, message.id);
    shown.add(message.id);
    add(message.text ?? '', isOwn, isOwn ? words.sent : message.author.name || words.agent);
    tell();
  };

  const client = new Client(`${base}chat/${encodeURIComponent(channel)}`, identity, {
    session(session) {
      const first = session.closed || session.greeting;
      if (first && !greeted) list.prepend(make('li', first, { dir: 'auto' }));
      greeted = true;
    },
    message: take,
    typing() {
      tell(words.typing);
      typing = setTimeout(tell, TYPING_SHOWN_MS);
    },
    place(position) {
      place = position;
      tell();
    },
    closed: () => tell(words.ended),
    online(now) {
      isOnline = now;
      tell();
      if (now) void flush();
    },
  });

  // In order, one after the other; the client_id makes a second try of the same message harmless.
  let isFlushing = false;
  const flush = async () => {
    if (isFlushing) return;
    isFlushing = true;
    try {
      for (let one = pending[0]; one; one = pending[0]) {
        mark(one.bubble, words.sending);
        settle(one, await client.send(one.text, one.clientId));
      }
    } catch {
      for (const one of pending) mark(one.bubble, words.failed);
    } finally {
      isFlushing = false;
    }
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text) pending.push({ text, clientId: newId(), bubble: add(text, true, words.sending) });
    input.value = '';
    void flush();
  };
  input.onkeydown = (event) => {
    // Enter that ends a composition chooses a word; Safari sends it with 229.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit();
  };
  const hide = () => {
    panel.hidden = true;
    button.hidden = false;
    button.focus();
  };
  close.onclick = hide;
  panel.onkeydown = (event) => {
    if (event.key === 'Escape' && !event.isComposing) hide();
  };
  client.connect().catch((error) => {
    if (error instanceof Refused) status.textContent = words.refused;
  });
  return () => {
    panel.hidden = false;
    button.hidden = true;
    input.focus();
  };
}
