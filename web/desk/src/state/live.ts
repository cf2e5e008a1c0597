// What happens elsewhere: one stream of events for all tabs of a browser. The tab that holds the lock has the connection
// and tells the others; when it goes, another one takes over where it stopped.
import { signal } from '@preact/signals';
import { post } from '../api/client';

export type Happened = (name: string, data: Record<string, string>) => void;
type Told = { kind: 'event'; name: string; data: string; id: string } | { kind: 'state'; live: boolean } | { kind: 'hello' };

const NAMES = [
  'message.created', 'message.delivery', 'message.attachment', 'work_item.created', 'work_item.state', 'offer.created', 'offer.ended',
  'transfer.state', 'conversation.changed', 'conversation.opened', 'conversation.closed', 'customer.updated', 'customer.merged', 'sla.state',
  'agent.presence', 'typing', 'viewing', 'reset',
];
const RETRY_MS = 1000;
const RETRIES_LONGEST = 5;

export const isLive = signal(false);

interface Calls {
  onEvent: Happened;
  /** After the stream was away: what it did not carry is to be fetched. */
  onBack: () => void;
}

export class Stream {
  private source: EventSource | null = null;
  private lastEvent = '';
  private retry = 0;
  private isEnded = false;
  private isLeader = false;
  private wasLost = true; // what happened while it was being opened is to be fetched too
  private letGo = (): void => {};
  private readonly others: BroadcastChannel | null;

  constructor(
    name: string,
    private readonly calls: Calls,
  ) {
    this.others = 'BroadcastChannel' in window && navigator.locks ? new BroadcastChannel(name) : null;
    if (!this.others) {
      this.lead();
      return;
    }
    this.others.onmessage = ({ data }) => this.hear(data as Told);
    this.tell({ kind: 'hello' });
    void navigator.locks.request(name, () => this.leadUntilEnd());
  }

  /** Of the tabs of a browser one has the connection. */
  get leads(): boolean {
    return this.isLeader;
  }

  end(): void {
    this.isEnded = true;
    this.source?.close();
    this.letGo();
    this.others?.close();
    isLive.value = false;
  }

  private leadUntilEnd(): Promise<void> {
    if (this.isEnded) return Promise.resolve();
    this.lead();
    return new Promise((resolve) => {
      this.letGo = resolve;
    });
  }

  private lead(): void {
    this.isLeader = true;
    this.wasLost = true; // nobody listened between the last leader and this one
    void this.connect();
  }

  private tell(what: Told): void {
    if (!this.isEnded) this.others?.postMessage(what);
  }

  private hear(told: Told): void {
    if (told.kind === 'hello') {
      if (this.isLeader) this.tell({ kind: 'state', live: isLive.value });
    } else if (told.kind === 'state') this.setLive(told.live);
    else this.take(told.name, told.data, told.id);
  }

  private setLive(live: boolean): void {
    isLive.value = live;
    if (live && this.wasLost) this.calls.onBack();
    this.wasLost = !live;
  }

  private take(name: string, data: string, id: string): void {
    if (id) this.lastEvent = id;
    this.calls.onEvent(name, JSON.parse(data));
  }

  private async connect(): Promise<void> {
    let ticket: string;
    try {
      ticket = (await post<{ ticket: string }>('/v1/events/ticket')).ticket;
    } catch {
      this.lost();
      return;
    }
    if (this.isEnded) return;
    const after = this.lastEvent ? `&after=${encodeURIComponent(this.lastEvent)}` : '';
    const stream = new EventSource(`/v1/events?ticket=${encodeURIComponent(ticket)}${after}`);
    this.source = stream;
    stream.onopen = () => {
      this.retry = 0;
      this.setLive(true);
      this.tell({ kind: 'state', live: true });
    };
    // A ticket is good for one connection, so a lost one is made anew.
    stream.onerror = () => {
      stream.close();
      if (this.source === stream) this.lost();
    };
    for (const name of NAMES)
      stream.addEventListener(name, (event) => {
        this.take(name, event.data, event.lastEventId);
        this.tell({ kind: 'event', name, data: event.data, id: event.lastEventId });
      });
  }

  private lost(): void {
    if (this.isEnded) return;
    this.source = null;
    this.setLive(false);
    this.tell({ kind: 'state', live: false });
    this.retry = Math.min(this.retry + 1, RETRIES_LONGEST);
    setTimeout(() => {
      if (!this.isEnded && !this.source) void this.connect();
    }, this.retry * RETRY_MS);
  }
}
