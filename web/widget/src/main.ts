import { askAfter, askAway, askBefore, askTranscript } from './ask';
import { type About, type Attributes, Client, type Identity, type Message, Refused, type Upload } from './client';
import { make } from './dom';
import { opensAgain } from './opens';
import { style } from './style';
import { wordsOf } from './words';

interface Options {
  base: string;
  channel: string;
  identity: Identity | undefined;
  attributes: Attributes;
  ask: string;
  isChinese: boolean;
  root: ShadowRoot;
  button: HTMLButtonElement;
}

interface Pending {
  text: string;
  file: File | undefined;
  uploads: Upload[];
  clientId: string;
  bubble: HTMLLIElement;
}

const TYPING_SHOWN_MS = 5000;

// crypto.randomUUID is for pages over https only.
const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join('-');

export interface Chat {
  open(): void;
  identify(identity: Identity): void;
  setAttributes(attributes: Attributes): void;
}

/** Builds the chat beside the button. */
export function start({ base, channel, identity, attributes, ask, isChinese, root, button }: Options): Chat {
  const words = wordsOf(isChinese);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];

  const panel = make('section', '', { role: 'dialog', 'aria-label': words.title, lang: isChinese ? 'zh' : 'en', dir: 'auto' });
  const header = make('header');
  const close = make('button', '×', { type: 'button', 'aria-label': words.close });
  const log = make('div', '', { role: 'log', 'aria-live': 'polite', 'aria-label': words.messages, tabindex: '0' });
  const list = make('ol');
  const status = make('div', '', { role: 'status' });
  const form = make('form');
  const input = make('textarea', '', { rows: '2', 'aria-label': words.write, placeholder: words.write, dir: 'auto' });
  header.append(make('h2', words.title), close);
  const file = make('input', '', { type: 'file', hidden: '' });
  const attach = make('button', '+', { type: 'button', 'aria-label': words.attach, title: words.attach });
  form.append(input, file, attach, make('button', words.send, { type: 'submit' }));
  log.append(list);
  panel.append(header, log, status, form);
  panel.hidden = true;
  root.append(panel);

  const shown = new Set<string>();
  const pending: Pending[] = [];
  const doubtful: Message[] = []; // the words of one that is not known to be sent, perhaps said before
  let typing = 0;
  let place = 0;
  let wait: number | null = null;
  let newest = ''; // time of the newest message of an agent
  let told = ''; // of those, until when the other side knows it was seen
  let isOnline = true;
  let greeted = false;

  // Never less than it will be: a minute that has begun is told as one.
  const waiting = () => (place > 0 ? words.place + place + (wait === null ? '' : words.wait(Math.max(1, Math.ceil(wait / 60)))) : '');
  const tell = (text = '') => {
    clearTimeout(typing);
    status.textContent = isOnline ? text || waiting() : words.offline;
  };
  const add = (text: string, isOwn: boolean, mark: string) => {
    const bubble = make('li', text, { dir: 'auto' });
    if (isOwn) bubble.className = 'own';
    bubble.append(make('small', mark));
    list.append(bubble);
    log.scrollTop = log.scrollHeight;
    return bubble;
  };
  const mark = (bubble: HTMLLIElement, text: string) => {
    bubble.querySelector('small')!.textContent = text;
  };
  const tellRead = () => {
    if (panel.hidden || document.hidden || newest <= told) return;
    told = newest;
    client.tellRead(newest);
  };
  // Ids ascend with time.
  const markRead = (upTo: string) => {
    for (const bubble of list.querySelectorAll<HTMLLIElement>('li.own[data-id]')) if (bubble.dataset.id! <= upTo) mark(bubble, words.read);
  };
  const settle = (one: Pending, id: string) => {
    const at = pending.indexOf(one);
    if (at < 0) return;
    pending.splice(at, 1);
    if (shown.has(id)) one.bubble.remove();
    else mark(one.bubble, words.sent);
    one.bubble.dataset.id = id;
    shown.add(id);
    void tellPage();
  };
  const take = (message: Message) => {
    if (shown.has(message.id)) return;
    const isOwn = message.author.type === 'customer';
    if (isOwn && pending.some((one) => !one.file && one.text === message.text)) {
      doubtful.push(message);
      return void flush(); // what the server answers tells which one it is
    }
    shown.add(message.id);
    const bubble = add(message.text ?? '', isOwn, isOwn ? words.sent : message.author.name || words.agent);
    if (isOwn) bubble.dataset.id = message.id;
    else if (message.author.type === 'agent') {
      markRead(message.id); // who answers has read what was written before
      newest = message.created_at;
      tellRead();
    }
    for (const { id, name } of message.attachments ?? [])
      if (id) bubble.lastChild!.before(make('a', name || words.file, { href: client.fileUrl(id, name), target: '_blank', rel: 'noopener noreferrer' }));
    tell();
  };

  // What the page says reaches the conversation once there is one: with the first message, or when the page has more to say.
  let saidByPage = '{}';
  const tellPage = async () => {
    const now = JSON.stringify(attributes);
    if (now === saidByPage) return;
    const before = saidByPage;
    saidByPage = now;
    try {
      await client.tell(attributes);
    } catch (error) {
      if (error instanceof Refused && error.status !== 404) console.error(`converge: setAttributes: ${error.message}`);
      else saidByPage = before; // the next message brings it along
    }
  };

  const url = `${base}chat/${encodeURIComponent(channel)}`;
  const about: About = {};
  let survey: HTMLElement | undefined;
  let away: HTMLElement | undefined;
  let before: HTMLElement | undefined;
  let hasMail = false;
  const client: Client = new Client(url, identity, about, {
    session(session) {
      hasMail = session.offline_form;
      const first = session.closed || session.greeting;
      const opens = session.opens_at ? opensAgain(session.opens_at, words) : '';
      if (first && !greeted) {
        const bubble = make('li', first, { dir: 'auto' });
        if (opens && !session.offline_form) bubble.append(make('p', opens));
        list.prepend(bubble);
      }
      greeted = true;
      void tellPage();
      if (!session.closed || !session.offline_form || away) return;
      away = askAway(words, opens, newId, (left) => client.leave(left));
      log.after(away);
      form.hidden = true; // one place to write
    },
    message: take,
    typing() {
      tell(words.typing);
      typing = setTimeout(tell, TYPING_SHOWN_MS);
    },
    place(position, waitSeconds) {
      place = position;
      wait = waitSeconds;
      tell();
    },
    read: markRead,
    closed() {
      tell(words.ended);
      survey?.remove();
      survey = make('div', '', { class: 'after' });
      survey.append(askAfter(words, (score) => client.rate(score)));
      if (hasMail) survey.append(askTranscript(words, newId, (email, clientId) => client.transcript(email, isChinese ? 'zh' : 'en', clientId)));
      form.before(survey);
    },
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
        try {
          if (one.file && !one.uploads.length) one.uploads.push(await client.upload(one.file));
          settle(one, await client.send(one.text, one.clientId, one.uploads));
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          pending.shift(); // or it would hold up those behind it for ever
          mark(one.bubble, one.file ? words.notTakenFile : words.notTaken);
        }
      }
    } catch {
      for (const one of pending) mark(one.bubble, words.failed);
    } finally {
      isFlushing = false;
      if (!pending.length) doubtful.splice(0).forEach(take);
    }
  };
  const say = (text: string, file?: File) => {
    survey?.remove();
    pending.push({ text, file, uploads: [], clientId: newId(), bubble: add(file ? file.name : text, true, words.sending) });
    void flush();
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    input.value = '';
    if (text) say(text);
    else void flush();
  };
  attach.onclick = () => file.click();
  file.onchange = () => {
    const chosen = file.files?.[0];
    file.value = '';
    if (chosen) say('', chosen);
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
  document.addEventListener('visibilitychange', tellRead);
  const connect = () =>
    client.connect().catch((error: unknown) => refused(error));
  if (ask && !identity && !Client.isKnown(url)) {
    form.hidden = true;
    before = askBefore(ask, words, (answered) => {
      Object.assign(about, answered);
      before!.remove();
      form.hidden = false;
      input.focus();
      void connect();
    });
    log.before(before);
  } else {
    void connect();
  }
  const refused = (error: unknown) => {
    if (!(error instanceof Refused)) return;
    status.textContent = words.refused;
    form.inert = true;
  };
  return {
    open() {
      panel.hidden = false;
      button.hidden = true;
      tellRead();
      (panel.querySelector<HTMLElement>('form:not([hidden]) input:not([hidden]), textarea') ?? input).focus();
    },
    identify(next) {
      list.replaceChildren();
      shown.clear();
      doubtful.length = 0;
      newest = told = '';
      saidByPage = '{}';
      form.inert = form.hidden = false;
      before?.remove();
      client.identify(next).catch(refused);
    },
    setAttributes(next) {
      attributes = next;
      void tellPage();
    },
  };
}
