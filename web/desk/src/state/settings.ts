// Objects of the business configuration, in forms that the daemon's own description of each kind makes.
import { signal } from '@preact/signals';
import { ask, post } from '../api/client';
import type { Channel, List } from '../api/types';
import { keepMade } from './webhooks';

export interface Field {
  name: string;
  kind: string;
  form: string;
  required: boolean;
  secret: boolean;
  default: string | null;
  min?: number;
  max?: number;
  choices?: string[];
  names?: string;
  help: string;
}

export interface Kind {
  id: string;
  key: string;
  fields: Field[];
}

export type Thing = Record<string, unknown> & { id: string; version?: number };

export const kinds = signal<Kind[]>([]);
/** Of one kind; null until they were fetched. */
export const things = signal<{ kind: string; list: Thing[] } | null>(null);
export const channels = signal<Channel[]>([]);

export async function showKinds(): Promise<void> {
  if (!kinds.value.length) kinds.value = (await ask<List<Kind>>('/v1/configuration/kinds')).data;
}

let wantedKind = '';

export async function showThings(kind: string): Promise<void> {
  wantedKind = kind;
  const { data } = await ask<List<Thing>>(`/v1/${kind}?limit=200&order=asc`);
  if (wantedKind === kind) things.value = { kind, list: data };
}

export async function showChannels(): Promise<void> {
  channels.value = (await ask<List<Channel>>('/v1/channels?limit=200')).data;
}

export async function saveThing(kind: string, thing: Thing): Promise<void> {
  const { version, ...body } = thing;
  keepMade(await ask<Thing>(`/v1/${kind}/${encodeURIComponent(thing.id)}`, { method: 'PUT', body, version }));
  await showThings(kind);
}

export async function deleteThing(kind: string, thing: Thing): Promise<void> {
  await ask(`/v1/${kind}/${encodeURIComponent(thing.id)}`, { method: 'DELETE', version: thing.version });
  await showThings(kind);
}

export const testChannel = (name: string): Promise<{ ok: boolean; detail: string }> => post(`/v1/channels/${name}/test`);

// ---- a field's value as text and back ----

const UNITS: [number, string][] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'm'], [1000, 's']];

function timeText(ms: number): string {
  const unit = UNITS.find(([size]) => ms && ms % size === 0);
  return ms === 0 ? '0' : unit ? `${ms / unit[0]}${unit[1]}` : `${ms}ms`;
}

/** Plain texts and numbers are typed as they are; lists, maps and objects as JSON, lists of words with commas. */
export function textOf(field: Field, thing: Thing): string {
  const value = field.kind === 'time' ? thing[`${field.name}_ms`] : thing[field.name];
  if (value === undefined || value === null) return '';
  if (field.kind === 'time') return timeText(Number(value));
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' && !one.includes(','))) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value, null, 1) : String(value);
}

/** Throws SyntaxError where JSON is meant and is not there. */
function valueOf(field: Field, text: string): unknown {
  if (field.form === 'plain' && field.kind === 'list') return text.startsWith('[') ? JSON.parse(text) : text.split(/[,，]/).map((one) => one.trim()).filter(Boolean);
  if (['levels', 'object', 'objects', 'words'].includes(field.form)) return JSON.parse(text);
  if (field.form === 'texts') return /^[[{"]/.test(text) ? JSON.parse(text) : text.split(/[,，]/).map((one) => one.trim()).filter(Boolean);
  if (field.kind === 'bool') return text === 'true';
  if (field.kind === 'count') return Number(text);
  return text;
}

export function withField(thing: Thing, field: Field, text: string): Thing {
  const { [field.name]: _, [`${field.name}_ms`]: __, ...rest } = thing;
  return (text.trim() === '' ? rest : { ...rest, [field.name]: valueOf(field, text.trim()) }) as Thing;
}
