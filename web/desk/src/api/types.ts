// What /v1 answers, as far as the desk reads it. /openapi.json is the whole of it.

export interface List<T> {
  data: T[];
  next_cursor: string | null;
}

export interface Me {
  role: 'agent' | 'supervisor' | 'admin' | 'integration';
  workspace: string;
  agent: string;
  name: string;
  status: Presence;
  routable: boolean;
  /** Of GET /v1/me: why not online, what is in hand, and how much may be. */
  reason?: string | null;
  load?: number;
  capacity?: number | null;
  csrf_token?: string;
}

export type Presence = 'online' | 'busy' | 'away' | 'offline';

export interface SlaClock {
  metric: string;
  policy: string;
  state: 'active' | 'paused' | 'warned' | 'breached' | 'fulfilled';
  due_at: string | null;
  warn_at: string | null;
  paused_for?: string;
}

export interface WorkItem {
  id: string;
  number: number;
  state: string;
  type: string;
  topic: string;
  urgency: string;
  priority: number;
  queue: string;
  channel: string | null;
  customer: { id: string; name: string } | null;
  conversation: string | null;
  agent: string | null;
  created_at: string;
  since: string;
  /** When the customer wrote last. */
  last_inbound_at: string | null;
  sla: SlaClock[];
  transfer: string | null;
  helpers?: string[];
  reason: string | null;
  summary: string | null;
  version: number;
}

export interface Offer {
  id: string;
  kind: 'offer' | 'transfer' | 'escalation' | 'consult';
  work_item: string;
  queue: string;
  created_at: string;
  deadline_at: string;
  from_agent?: string;
  reason?: string;
}

export interface Attachment {
  id?: string;
  name: string;
  type: string;
  size?: number;
  url?: string;
  state?: string;
  error?: string;
}

export interface Message {
  id: string;
  conversation: string;
  direction: 'in' | 'out';
  kind: string;
  text: string;
  html: string | null;
  attachments?: Attachment[];
  author: { type: 'customer' | 'agent' | 'bot' | 'system'; id?: string | null; name: string };
  channel: string;
  delivery: { state: string; error: string | null } | null;
  created_at: string;
  extra?: { moved?: { to: string }; mentions?: string[]; auth?: { suspicions?: string[] } };
}

export interface Mention {
  message: string;
  conversation: string;
  by: string;
  at: string;
}

/** Over what a customer can be answered. */
export interface Way {
  channel: string;
  connector: string | null;
  to: string | null;
  proof: 'proved' | 'claimed' | null;
  here: boolean;
  how: 'reply' | 'start';
  conversation: string | null;
  may_send: boolean;
  reason: string | null;
  until: string | null;
  left: number | null;
}

export interface ReplyWindow {
  open: boolean;
  reason: string | null;
  until: string | null;
  left: number | null;
  template: boolean;
}

export interface Conversation {
  id: string;
  channel: string;
  state: string;
  customer: { id: string; name: string };
  subject: string | null;
  work_item: string | null;
  window: ReplyWindow | null;
  /** What the page of a web chat said of the visitor: unproven. */
  page_attributes: Record<string, string | number | boolean>;
  messages: number;
}

export interface DraftKept {
  kind: 'reply' | 'note';
  text: string;
  channel: string | null;
  to: string | null;
  updated_at: string | null;
}

export interface Identifier {
  kind: string;
  scope: string;
  value: string;
  proof: 'proved' | 'claimed';
  by: string | null;
  at: string | null;
  shared?: boolean;
}

export interface Order {
  id: string;
  placed_at: string | null;
  status?: string;
  title?: string;
  total?: string;
  currency?: string;
  url?: string;
}

export interface CustomerNote {
  id: string;
  text: string;
  author: { id: string; name: string };
  created_at: string;
}

export interface Suggestion {
  customer: string;
  name?: string;
  score: number;
  state: string;
  evidence?: { channel?: string; kind: string; value: string; proof?: 'proved' | 'claimed' }[];
}

export interface CustomerTalk {
  id: string;
  channel: string;
  subject: string | null;
  state: string;
  work_item: string | null;
  messages: number;
  last_message?: { text: string; at: string; author: string };
}

export interface Customer {
  id: string;
  name: string;
  tier: string | null;
  version: number;
  tags: string[];
  identifiers: Identifier[];
  attributes: Record<string, { value: unknown; source: string | null; at: string | null }>;
  orders: Order[];
  pulled_orders?: { orders: Order[] }[];
  consent: { purpose: string; channel: string | null; state: 'granted' | 'withdrawn'; at: string | null }[];
  csat: { count: number; average: number | null; last: { comment: string | null } | null };
  notes?: CustomerNote[];
  conflicts?: { field: string; value: unknown }[];
  links?: { name: string; url: string }[];
  suggestions?: Suggestion[];
  conversations: CustomerTalk[];
  work_items: WorkItem[];
}

export interface Happening {
  type: 'message' | 'note' | 'work_item';
  at: string;
  channel?: string | null;
  message?: Message;
  note?: CustomerNote;
  work_item?: { number: number; state: string };
}

export interface Merge {
  merge?: string;
  preview?: boolean;
  /** What would move; how many did, once it is done. */
  identifiers?: Identifier[] | number;
  conversations?: { id: string; channel: string; subject: string | null; messages: number }[] | number;
  conflicts?: { field: string; into: unknown; from: unknown }[];
  versions?: { into: number; from: number };
}

export interface CustomerMerge {
  id: string;
  kind: string;
  state: string;
  into: string;
  from: string;
  evidence?: { reason?: string } | null;
  by: string;
  at: string;
  reverted_at?: string;
}

export interface Hit {
  type: 'message' | 'customer' | 'work_item';
  id: string;
  conversation?: string | null;
  customer?: string | null;
  channel?: string | null;
  at?: string | null;
  snippet: string;
  name?: string | null;
  number?: number;
}

export interface LiveQueue {
  queue: string;
  paused: boolean;
  waiting: number;
  oldest_s: number;
  expected_wait_s: number | null;
  window_s: number;
  arrived: number;
  accepted: number;
  abandoned: number;
  mean_wait_s: number | null;
  service_level: { percent: number | null; within_s: number };
  agents: Record<string, number>;
}

export interface LiveAgent {
  agent: string;
  status: Presence;
  routable: boolean;
  load: number;
  items: number;
}

export interface Live {
  at: string;
  queues: LiveQueue[];
  agents: LiveAgent[];
  definitions: Record<string, { en: string; zh: string }>;
}

export interface Explain {
  text: { en: string; zh: string };
  place?: number;
  waiting?: number;
  agents?: { agent: string; standing: string; status: string; load: number; capacity: number }[];
}

export interface Named {
  id: string;
  name?: string;
  version?: number;
}

/** What the pages need of a queue's configuration. */
export interface QueueRow extends Named {
  outcomes?: string[];
  target_waiting?: number;
  target_wait_ms?: number;
  target_level?: number;
}

export interface CannedReply extends Named {
  title: string;
  text: string;
  language?: string;
}

export interface Channel {
  simulated?: boolean;
  id: string;
  name: string;
  connector: string;
  state: string;
  parked_because: string | null;
  can_send: boolean;
  has_media: boolean;
  has_receipts: boolean;
  callback?: string | null;
}
