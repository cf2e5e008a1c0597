// The visitor's side of /chat/{channel}: one session for all tabs, one stream, messages that are sent until they are in.

/** A file as it is sent: what the server answered to its bytes. */
export interface Upload {
  blob: string;
  name: string;
  type: string;
}

export interface Message {
  id: string;
  direction: 'in' | 'out';
  text: string | null;
  attachments?: { id: string | null; name: string }[];
  author: { type: string; name: string | null };
  created_at: string;
}

/** Who the visitor says to be, before the first message. */
export type About = Partial<Record<'name' | 'email' | 'phone', string>>;

export interface Session {
  token: string;
  greeting: string | null;
  closed: string | null;
  /** While closed: when somebody is there again; null: open, or not known. */
  opens_at: string | null;
  /** There is a mail channel behind the chat: messages may be left while nobody is there, and transcripts sent. */
  offline_form: boolean;
}

/** What is left while nobody is there. */
export interface Left {
  email: string;
  name: string;
  text: string;
  client_id: string;
}

/** A signed identity, as the page gets it from its own server. */
export type Identity = () => Promise<string>;

export interface Listener {
  session(session: Session): void;
  message(message: Message): void;
  typing(): void;
  /** waitSeconds: null where nobody knows. */
  place(position: number, waitSeconds: number | null): void;
  /** Whose work it is has read the visitor's messages up to this one. */
  read(message: string): void;
  closed(): void;
  online(isOnline: boolean): void;
}

/** What the page says of the visitor; the agent sees it, and it proves nothing. */
export type Attributes = Record<string, string | number | boolean | null>;

/** The server understood, and will not: trying again changes nothing. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    detail?: string,
  ) {
    super(detail ?? String(status));
  }
}

const BACKOFF_MAX_MS = 30_000;

export class Client {
  #session: Session | undefined;
  #stream: EventSource | undefined;
  #attempts = 0;
  #timer = 0;

  constructor(
    private readonly url: string,
    /** The page's word for who this is, asked for anew with each session; undefined: nobody in particular. */
    private identity: Identity | undefined,
    private readonly about: About,
    private readonly listener: Listener,
  ) {}

  async connect(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.#session ??= await this.#join();
    } catch (error) {
      if (error instanceof Refused) throw error;
      this.#again();
      return;
    }
    this.listener.session(this.#session);
    this.#listen(this.#session.token);
  }

  /** The id of the message once the server has it; throws when it does not. */
  async send(text: string, clientId: string, attachments: Upload[]): Promise<string> {
    const answer = await this.#post('messages', { text, client_id: clientId, attachments }, this.#token());
    return answer.message as string;
  }

  /** The visitor has seen everything up to a message of this time; that it is lost costs a mark. */
  tellRead(until: string): void {
    if (this.#session) this.#post('read', { read_until: until }, this.#session.token).catch(() => {});
  }

  /** Somebody else is there now: their own conversation is shown. */
  async identify(identity: Identity): Promise<void> {
    this.identity = identity;
    this.#session = undefined;
    this.#stream?.close();
    await this.connect();
  }

  /** What was said, by mail; clientId makes a second try harmless. */
  transcript(email: string, language: string, clientId: string): Promise<unknown> {
    const { timeZone: time_zone } = Intl.DateTimeFormat().resolvedOptions();
    return this.#post('transcript', { email, language, time_zone, client_id: clientId }, this.#token());
  }

  /** All that the page says now, instead of what it said before. */
  async tell(attributes: Attributes): Promise<void> {
    if (this.#session) await this.#post('attributes', { attributes }, this.#session.token);
    else throw new Refused(404); // there is nobody yet of whom it could be said
  }

  leave(left: Left): Promise<unknown> {
    return this.#post('offline', left, this.#token());
  }

  async upload(file: File): Promise<Upload> {
    const query = new URLSearchParams({ name: file.name, type: file.type || 'application/octet-stream' });
    const { blob, name, type } = await this.#post(`attachments?${query}`, file, this.#token());
    return { blob, name, type } as Upload;
  }

  /** 1 to 5. */
  rate(score: number): Promise<unknown> {
    return this.#post('rating', { score }, this.#token());
  }

  fileUrl(id: string, name: string): string {
    return `${this.url}/attachments/${encodeURIComponent(id)}?${new URLSearchParams({ name, token: this.#token() })}`;
  }

  #token(): string {
    if (!this.#session) throw new Error('not connected');
    return this.#session.token;
  }

  /** Is there a session of before, for which nobody need be asked again? */
  static isKnown(url: string): boolean {
    return localStorage.getItem(`converge ${url}`) !== null;
  }

  // The storage is that of the page, so all its tabs share the session; the lock keeps two from starting one each.
  async #join(): Promise<Session> {
    const key = `converge ${this.url}`;
    const join = async () => {
      const kept = this.identity ? null : localStorage.getItem(key);
      if (kept) return this.#renew(JSON.parse(kept) as Session);
      const session = await this.#post('sessions', this.identity ? { identity: await this.identity() } : this.about);
      if (!this.identity) localStorage.setItem(key, JSON.stringify(session));
      return session as unknown as Session;
    };
    // Only pages over https have locks.
    return navigator.locks ? navigator.locks.request(key, join) : join();
  }

  // The hours have gone on since it was kept; who cannot ask goes by what was true then.
  async #renew(kept: Session): Promise<Session> {
    try {
      return (await this.#ask('GET', 'sessions', undefined, kept.token)) as unknown as Session;
    } catch (error) {
      if (!Client.isKnown(this.url)) throw error;
      return kept;
    }
  }

  #post(path: string, body: object | File, token?: string): Promise<Record<string, unknown>> {
    return this.#ask('POST', path, body, token);
  }

  async #ask(method: string, path: string, body?: object | File, token?: string): Promise<Record<string, unknown>> {
    const isFile = body instanceof File;
    const answer = await fetch(`${this.url}/${path}`, {
      method,
      headers: {
        ...(body && { 'Content-Type': isFile ? 'application/octet-stream' : 'application/json' }),
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      body: isFile ? body : JSON.stringify(body),
    });
    if (answer.ok) {
      const text = await answer.text();
      return text ? JSON.parse(text) : {};
    }
    if (token && answer.status === 401) {
      this.#forget(); // the session has ended: with the next one it is tried again
      throw new Error('401');
    }
    if (answer.status < 500 && answer.status !== 429) {
      const { errors, detail } = await answer.json().catch(() => ({}));
      throw new Refused(answer.status, errors?.[0] ? `${errors[0].pointer}: ${errors[0].detail}` : detail);
    }
    throw new Error(String(answer.status));
  }

  #forget(): void {
    localStorage.removeItem(`converge ${this.url}`);
    this.#session = undefined;
    this.#again();
  }

  // The browser resumes with Last-Event-ID by itself; what comes again after a stream of our own is known by its id.
  #listen(token: string): void {
    this.#stream?.close();
    const stream = new EventSource(`${this.url}/events?token=${encodeURIComponent(token)}`);
    this.#stream = stream;
    stream.onopen = () => {
      this.#attempts = 0;
      this.listener.online(true);
    };
    stream.onerror = () => {
      this.listener.online(false);
      if (stream.readyState !== EventSource.CLOSED) return;
      if (this.identity) this.#session = undefined; // perhaps it has ended: the page says anew who this is
      this.#again();
    };
    const on = (name: string, take: (data: any) => void) =>
      stream.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data)));
    on('message', (message: Message) => this.listener.message(message));
    on('typing', () => this.listener.typing());
    on('queue', (queue: { position: number; wait_s: number | null }) => this.listener.place(queue.position, queue.wait_s));
    on('delivery', (mark: { message: string; state: string }) => mark.state === 'read' && this.listener.read(mark.message));
    on('closed', () => this.listener.closed());
  }

  #again(): void {
    this.listener.online(false);
    const most = Math.min(BACKOFF_MAX_MS, 1000 * 2 ** this.#attempts++);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.connect().catch(() => this.listener.online(false)), most * (0.5 + Math.random() / 2));
  }
}
