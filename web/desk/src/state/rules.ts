// Rules tried before they count: on a typed message, and on the work that came.
import { signal } from '@preact/signals';
import { ask, post } from '../api/client';
import type { List, Message, WorkItem } from '../api/types';
import { things, type Thing } from './settings';

export interface RuleVerdict {
  name: string;
  fired: boolean;
  gave: string[];
  text: { en: string; zh: string };
}

export interface RulesTest {
  queue: string | null;
  type: string | null;
  topic: string | null;
  urgency: string | null;
  priority: number;
  plan: string;
  given_by: Record<string, string | null>;
  rules: RuleVerdict[];
}

export interface Trial {
  text: string;
  channel?: string;
  language?: string;
  tier?: string;
}

export interface Finding {
  rule: string;
  code: string;
  text: { en: string; zh: string };
}

export interface RulesVersion {
  id: string;
  version: number;
  since: string;
}

/** What a work item would become under other rules. */
export interface Replayed {
  item: WorkItem;
  text: string;
  was: string[];
  would: string[];
}

/** The rule in the form, as it is typed and not saved; null: none, or what is typed is no rule. */
export const edited = signal<Thing | null>(null);

const orderOf = (rule: Thing): number => (typeof rule.order === 'number' ? rule.order : Infinity);
const isBefore = (a: Thing, b: Thing): number => orderOf(a) - orderOf(b) || (a.id < b.id ? -1 : 1);

/** The stored rules with the one in the form in its place, in their order; undefined: the stored ones as they are. */
export function rulesAsEdited(): Thing[] | undefined {
  const stored = things.value?.kind === 'rules' ? things.value.list : null;
  const rule = edited.value;
  if (!stored || !rule) return undefined;
  const all = [...stored.filter((one) => one.id !== rule.id), rule].sort(isBefore);
  return all.map(({ version: _, ...one }) => one as Thing);
}

export const testRules = (trial: Trial): Promise<RulesTest> =>
  post('/v1/rules/test', { ...Object.fromEntries(Object.entries(trial).filter(([, value]) => value)), text: trial.text, rules: rulesAsEdited() });

export const lintRules = async (): Promise<Finding[]> => (await post<{ findings: Finding[] }>('/v1/rules/lint', { rules: rulesAsEdited() })).findings;

export const versionsOfRules = async (): Promise<RulesVersion[]> => (await ask<List<RulesVersion>>('/v1/rules/versions?limit=50')).data;

const sorted = (_: string, value: unknown): unknown =>
  value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
const plain = ({ version: _, ...rule }: Thing): string => JSON.stringify(rule, sorted);

/** What changed from that version to the stored rules: names that came, went, and are not what they were. */
export async function changesSince(version: number): Promise<{ came: string[]; went: string[]; changed: string[] }> {
  const { rules } = await ask<{ rules: Thing[] }>(`/v1/rules/versions/${version}`);
  const then = new Map(rules.map((one) => [one.id, one]));
  const now = new Map((things.value?.list ?? []).map((one) => [one.id, one]));
  const names = (ids: string[]): string[] => ids.sort();
  return {
    came: names([...now.keys()].filter((id) => !then.has(id))),
    went: names([...then.keys()].filter((id) => !now.has(id))),
    changed: names([...now.keys()].filter((id) => then.has(id) && plain(then.get(id)!) !== plain(now.get(id)!))),
  };
}

const AT_ONCE = 4;

/** The newest work, open and closed, under the rules as edited; onOne() after each. The text is what the customer wrote first. */
export async function replayRules(count: number, onOne: (done: number, of: number) => void): Promise<Replayed[]> {
  const pages = await Promise.all(['', '&state=closed'].map((state) => ask<List<WorkItem>>(`/v1/work-items?order=desc&limit=${count}${state}`)));
  const items = [...new Map(pages.flatMap((page) => page.data).map((one) => [one.id, one])).values()]
    .filter((one) => one.conversation)
    .sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
    .slice(0, count);
  const results = new Map<string, Replayed>();
  const left = [...items];
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item; item = left.shift()) {
      const page = await ask<List<Message>>(`/v1/conversations/${item.conversation}/messages?limit=5`);
      const text = page.data.find((one) => one.direction === 'in' && one.text)?.text ?? '';
      const got = await testRules({ text, channel: item.channel ?? undefined });
      results.set(item.id, { item, text, was: [item.queue, item.type, item.urgency].map((one) => one ?? ''), would: [got.queue, got.type, got.urgency].map((one) => one ?? '') });
      onOne(results.size, items.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return items.flatMap((one) => results.get(one.id) ?? []);
}
