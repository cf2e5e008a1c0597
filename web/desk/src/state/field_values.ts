// A field's value as a person types it, and back. What is typed is kept as it stands until the form is saved.
import type { Field } from './settings';

export interface Pair {
  key: string;
  text: string;
}

/** Texts of scalars and lists; pairs of maps; null for a map of fields that is not there. */
export type Draft = string | Pair[] | DraftMap | DraftMap[] | null;
export interface DraftMap {
  [name: string]: Draft;
}

type Holder = Record<string, unknown>;

const UNITS: [number, string][] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'm'], [1000, 's']];

function timeText(ms: number): string {
  const unit = UNITS.find(([size]) => ms && ms % size === 0);
  return ms === 0 ? '0' : unit ? `${ms / unit[0]}${unit[1]}` : `${ms}ms`;
}

/** With commas; line by line where one of them has a comma itself. An empty list is not the same as none: "[]". */
export function listText(list: unknown[]): string {
  const words = list.map(String);
  if (!words.length) return '[]';
  return words.some((one) => /[,，]/.test(one)) ? `${words.join('\n')}\n` : words.join(', ');
}

export function listOf(text: string): string[] {
  if (text.trim() === '[]') return [];
  return text.split(text.includes('\n') ? '\n' : /[,，]/).map((one) => one.trim()).filter(Boolean);
}

const isList = (field: Field): boolean => field.form === 'texts' || (field.form === 'plain' && field.kind === 'list');
const textsText = (value: unknown): string => (Array.isArray(value) ? listText(value) : listText([value]));

export const draftsOf = (fields: Field[], holder: Holder): DraftMap => Object.fromEntries(fields.map((field) => [field.name, draftOf(field, holder)]));

export function draftOf(field: Field, holder: Holder): Draft {
  const ms = field.kind === 'time' ? holder[`${field.name}_ms`] : undefined;
  const value = ms === undefined ? holder[field.name] : timeText(Number(ms));
  const isThere = value !== undefined && value !== null;
  switch (field.form) {
    case 'levels':
    case 'words':
      return Object.entries((value ?? {}) as Holder).map(([key, one]) => ({ key, text: field.form === 'words' ? textsText(one) : String(one) }));
    case 'object':
      return isThere || field.required ? draftsOf(field.fields!, (value ?? {}) as Holder) : null;
    case 'objects':
      return ((value ?? []) as Holder[]).map((one) => draftsOf(field.fields!, one));
    default:
      if (!isThere) return '';
      return isList(field) ? textsText(value) : String(value);
  }
}

function pairsValue(field: Field, pairs: Pair[]): unknown {
  const named = pairs.filter((one) => one.key.trim());
  if (!named.length) return undefined;
  return Object.fromEntries(named.map(({ key, text }) => [key.trim(), field.form === 'words' ? listOf(text) : Number(text)]));
}

function scalarOf(field: Field, text: string): unknown {
  if (!text.trim()) return undefined;
  if (isList(field)) return listOf(text);
  if (field.kind === 'bool') return text === 'true';
  if (field.kind === 'count') return Number(text);
  return field.isLong || field.form === 'pattern' ? text : text.trim();
}

export function valuesOf(fields: Field[], drafts: DraftMap): Holder {
  const values = fields.map((field) => [field.name, valueOf(field, drafts[field.name] ?? null)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** undefined: it is not given. */
export function valueOf(field: Field, draft: Draft): unknown {
  switch (field.form) {
    case 'levels':
    case 'words':
      return pairsValue(field, draft as Pair[]);
    case 'object':
      return draft === null ? undefined : valuesOf(field.fields!, draft as DraftMap);
    case 'objects':
      return (draft as DraftMap[]).length ? (draft as DraftMap[]).map((one) => valuesOf(field.fields!, one)) : undefined;
    default:
      return scalarOf(field, draft as string);
  }
}

const isSame = (a: Draft, b: Draft): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The object with what was typed; fields that nobody touched stay as they were given. */
export function withDrafts<T extends Holder>(fields: Field[], holder: T, drafts: DraftMap): T {
  const changed: Holder = { ...holder };
  for (const field of fields) {
    const draft = drafts[field.name] ?? null;
    if (isSame(draft, draftOf(field, holder))) continue;
    const value = valueOf(field, draft);
    delete changed[`${field.name}_ms`];
    delete changed[field.name];
    if (value !== undefined) changed[field.name] = value;
  }
  return changed as T;
}
