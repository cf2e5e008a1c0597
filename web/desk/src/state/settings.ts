// Objects of the business configuration, in forms that the daemon's own description of each kind makes.
import { effect, signal } from '@preact/signals';
import { allOf, ask, post } from '../api/client';
import type { Channel, List } from '../api/types';
import type { DraftMap } from './field_values';
import { me } from './session';
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
  /** The kind of what it names; '' where the value says it: queue:ID, agent:ID. */
  names?: string;
  help: string;
  /** Of the forms object and objects. */
  fields?: Field[];
  /** In their place: the field around this one that has the same. */
  fields_of?: string;
  /** "rules.when.text": what its words are found by. */
  path: string;
  /** It is typed into several lines. */
  isLong: boolean;
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

const LONG = new Set(['canned-replies.text', 'calendars.ical', 'queues.description', 'skills.description']);

/** Conditions hold conditions: those get the very fields of the one around them. */
function linkFields(fields: Field[], path: string, around: Field[]): void {
  for (const field of fields) {
    field.path = `${path}.${field.name}`;
    field.isLong = LONG.has(field.path);
    if (field.fields) linkFields(field.fields, field.path, [...around, field]);
    else if (field.fields_of) field.fields = around.filter((one) => one.name === field.fields_of).at(-1)?.fields;
  }
}

export async function showKinds(): Promise<void> {
  if (kinds.value.length) return;
  const { data } = await ask<List<Kind>>('/v1/configuration/kinds');
  for (const kind of data) linkFields(kind.fields, kind.id, []);
  kinds.value = data;
}

/** What was typed and not saved, by kind and id: it is there again when one comes back, and goes with who typed it. */
export const typedThings = new Map<string, DraftMap>();
effect(() => {
  if (!me.value) typedThings.clear();
});
addEventListener('beforeunload', (event) => {
  if (typedThings.size) event.preventDefault();
});

/** Ids of what fields may name, by kind; fetched when a form asks for them. */
export const namable = signal<Record<string, string[]>>({});

export async function showNamable(kind: string): Promise<void> {
  const all = await allOf<Thing>(kind);
  namable.value = { ...namable.value, [kind]: all.map((one) => String(kind === 'channels' ? one.name : one.id)) };
}

let wantedKind = '';

export async function showThings(kind: string): Promise<void> {
  wantedKind = kind;
  const list = await allOf<Thing>(kind);
  if (wantedKind === kind) things.value = { kind, list };
}

export async function showChannels(): Promise<void> {
  channels.value = await allOf<Channel>('channels');
}

/** What there is to name of this kind is another list now. */
function forgetNamable(kind: string): void {
  const { [kind]: _, ...others } = namable.value;
  namable.value = others;
}

export async function saveThing(kind: string, thing: Thing): Promise<void> {
  const { version, ...body } = thing;
  keepMade(await ask<Thing>(`/v1/${kind}/${encodeURIComponent(thing.id)}`, { method: 'PUT', body, version }));
  forgetNamable(kind);
  await showThings(kind);
}

export async function deleteThing(kind: string, thing: Thing): Promise<void> {
  await ask(`/v1/${kind}/${encodeURIComponent(thing.id)}`, { method: 'DELETE', version: thing.version });
  forgetNamable(kind);
  await showThings(kind);
}

export const testChannel = (name: string): Promise<{ ok: boolean; detail: string }> => post(`/v1/channels/${name}/test`);
