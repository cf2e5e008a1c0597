import { useEffect, useState } from 'preact/hooks';
import type { Draft, DraftMap, Pair } from '../../state/field_values';
import { draftsOf } from '../../state/field_values';
import { background } from '../../state/notices';
import { namable, showNamable, type Field } from '../../state/settings';
import { t } from '../../words';
import { choiceLabel, fieldHelp, fieldLabel } from '../../words/fields';
import { ChoiceList } from './ChoiceList';

/** What every field of a form shares. */
export interface FormState {
  isReadOnly: boolean;
  /** What is wrong, by pointer: "/overflow/0/to". */
  errors: Record<string, string>;
  onDraft: (pointer: string, draft: Draft) => void;
}

interface Props<T> {
  form: FormState;
  field: Field;
  at: string;
  draft: T;
}

const LIST_MAX = 30;
const MANY = 6;
const DATES = new Set(['calendars.holidays.date', 'calendars.holidays.to', 'calendars.workdays.date']);

const idOf = (at: string): string => `field${at.replaceAll('/', '-')}`;
const namedKind = (field: Field): string | undefined => field.names || (/^channels?$/.test(field.name) && field.form !== 'objects' ? 'channels' : field.form === 'levels' ? 'skills' : undefined);

/** An object or list of objects shows what is wrong inside it at the field that it is about. */
function errorsOf(form: FormState, field: Field, at: string): string[] {
  const isWhole = field.form === 'object' || field.form === 'objects';
  return Object.entries(form.errors).filter(([pointer]) => pointer === at || pointer === `${at}_ms` || (!isWhole && pointer.startsWith(`${at}/`))).map(([, text]) => text);
}

function useNames(kind: string | undefined): string[] | undefined {
  const names = kind === undefined ? undefined : namable.value[kind];
  useEffect(() => {
    if (kind && !names) void background(() => showNamable(kind));
  }, [kind]);
  return names;
}

/** The daemon judges in English. */
export const Wrong = ({ text }: { text: string }) => <p class="bad wrong" tabIndex={-1} lang={text === t('field_needed') ? undefined : 'en'}>{text}</p>;

function Help({ field, at, errors }: { field: Field; at: string; errors: string[] }) {
  const help = fieldHelp(field);
  return (
    <div id={`${idOf(at)}-help`}>
      {errors.map((one) => <Wrong key={one} text={one} />)}
      <span class="quiet" lang={help.lang}>{help.text}</span>
    </div>
  );
}

function Scalar({ form, field, at, draft }: Props<string>) {
  const kind = namedKind(field);
  const names = useNames(kind);
  const isWrong = errorsOf(form, field, at).length > 0;
  const set = (text: string): void => form.onDraft(at, text);
  const more = { id: idOf(at), disabled: form.isReadOnly, 'aria-describedby': `${idOf(at)}-help`, 'aria-invalid': isWrong || undefined, required: field.required };
  const isList = field.kind === 'list' || field.form === 'texts';
  const listed = field.choices ?? (isList && names && names.length <= LIST_MAX && field.names ? names : undefined);
  if (isList && listed) return <ChoiceList field={field} id={more.id} choices={listed} value={draft} isReadOnly={form.isReadOnly} onInput={set} />;
  const choices = field.kind === 'bool' ? ['true', 'false'] : field.choices;
  if (choices)
    return (
      <select {...more} value={draft} onChange={(event) => set(event.currentTarget.value)}>
        {!field.required && <option value="">{field.default === null ? '' : choiceLabel(field.default)}</option>}
        {choices.map((one) => (
          <option key={one} value={one}>{choiceLabel(one)}</option>
        ))}
      </select>
    );
  const typed = { ...more, placeholder: field.default ?? '', value: draft, onInput: (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => set(event.currentTarget.value) } as const;
  if (field.isLong || draft.includes('\n')) return <textarea {...typed} rows={Math.min(10, draft.split('\n').length + 2)} />;
  if (field.secret) return <input {...typed} type="password" autocomplete="off" />;
  if (field.kind === 'count') return <input {...typed} type="number" min={field.min} max={field.max} />;
  if (DATES.has(field.path)) return <input {...typed} type="date" />;
  const suggestions = isList || !names?.length ? undefined : `${idOf(at)}-names`;
  return (
    <>
      <input {...typed} type="text" autocomplete="off" list={suggestions} />
      {suggestions && <datalist id={suggestions}>{names!.map((one) => <option key={one} value={one} />)}</datalist>}
    </>
  );
}

function Pairs({ form, field, at, draft }: Props<Pair[]>) {
  const names = useNames(namedKind(field));
  const label = fieldLabel(field);
  const put = (index: number, pair: Pair): void => form.onDraft(at, draft.map((one, place) => (place === index ? pair : one)));
  return (
    <div class="pairs" role="group" aria-labelledby={`${idOf(at)}-label`} aria-describedby={`${idOf(at)}-help`}>
      {draft.map((pair, index) => (
        <div key={index} class="row">
          <input type="text" aria-label={`${label} ${index + 1}`} list={names?.length ? `${idOf(at)}-names` : undefined} autocomplete="off" disabled={form.isReadOnly} value={pair.key} onInput={(event) => put(index, { ...pair, key: event.currentTarget.value })} />
          {field.form === 'levels' ? (
            <input type="number" min={1} max={5} aria-label={`${t('level')} ${index + 1}`} disabled={form.isReadOnly} value={pair.text} onInput={(event) => put(index, { ...pair, text: event.currentTarget.value })} />
          ) : (
            <input type="text" aria-label={`${t('values')} ${index + 1}`} autocomplete="off" disabled={form.isReadOnly} value={pair.text} onInput={(event) => put(index, { ...pair, text: event.currentTarget.value })} />
          )}
          {!form.isReadOnly && <button type="button" class="small" aria-label={`${t('remove')}: ${pair.key || index + 1}`} onClick={() => form.onDraft(at, draft.filter((_, place) => place !== index))}>×</button>}
        </div>
      ))}
      {names?.length ? <datalist id={`${idOf(at)}-names`}>{names.map((one) => <option key={one} value={one} />)}</datalist> : null}
      {!form.isReadOnly && <button type="button" class="small add" onClick={() => form.onDraft(at, [...draft, { key: '', text: field.form === 'levels' ? '3' : '' }])}>+ {label}</button>}
    </div>
  );
}

function Inner({ form, field, at, draft }: Props<DraftMap | null>) {
  const label = fieldLabel(field);
  if (!draft) return form.isReadOnly ? <span class="quiet">—</span> : <button type="button" class="small add" onClick={() => form.onDraft(at, draftsOf(field.fields!, {}))}>+ {label}</button>;
  return (
    <fieldset class="inner" aria-labelledby={`${idOf(at)}-label`}>
      <Fields form={form} fields={field.fields!} at={at} drafts={draft} />
      {!form.isReadOnly && !field.required && <button type="button" class="small" onClick={() => form.onDraft(at, null)}>{t('remove')}: {label}</button>}
    </fieldset>
  );
}

function InnerList({ form, field, at, draft }: Props<DraftMap[]>) {
  const label = fieldLabel(field);
  const moved = (index: number): DraftMap[] => draft.map((one, place) => (place === index ? draft[index - 1]! : place === index - 1 ? draft[index]! : one));
  return (
    <div class="column" role="group" aria-labelledby={`${idOf(at)}-label`}>
      {draft.map((one, index) => (
        <fieldset key={index} class="inner">
          <legend>{label} {index + 1}</legend>
          {form.errors[`${at}/${index}`] && <Wrong text={form.errors[`${at}/${index}`]!} />}
          <Fields form={form} fields={field.fields!} at={`${at}/${index}`} drafts={one} />
          {!form.isReadOnly && (
            <div class="row">
              {index > 0 && <button type="button" class="small" onClick={() => form.onDraft(at, moved(index))}>↑ {t('move_up')}</button>}
              <button type="button" class="small" onClick={() => form.onDraft(at, draft.filter((_, place) => place !== index))}>{t('remove')}: {label} {index + 1}</button>
            </div>
          )}
        </fieldset>
      ))}
      {!form.isReadOnly && <button type="button" class="small add" onClick={() => form.onDraft(at, [...draft, draftsOf(field.fields!, {})])}>+ {label}</button>}
    </div>
  );
}

function Input({ form, field, at, draft }: Props<Draft>) {
  if (field.form === 'levels' || field.form === 'words') return <Pairs form={form} field={field} at={at} draft={draft as Pair[]} />;
  if (field.form === 'object') return <Inner form={form} field={field} at={at} draft={draft as DraftMap | null} />;
  if (field.form === 'objects') return <InnerList form={form} field={field} at={at} draft={draft as DraftMap[]} />;
  return <Scalar form={form} field={field} at={at} draft={draft as string} />;
}

function Label({ field, at }: { field: Field; at: string }) {
  const text = (
    <>
      {fieldLabel(field)}{field.required && ' *'} <code class="quiet">{field.name}</code>
    </>
  );
  const isOne = !['levels', 'words', 'object', 'objects'].includes(field.form);
  return isOne ? <label id={`${idOf(at)}-label`} for={idOf(at)}>{text}</label> : <span id={`${idOf(at)}-label`} class="label">{text}</span>;
}

const isEmpty = (draft: Draft | undefined): boolean => !draft || draft.length === 0;

/** What a field holds when somebody asks for it. */
function begun(field: Field): Draft {
  const pair = { key: '', text: field.form === 'levels' ? '3' : '' };
  if (field.form === 'object') return draftsOf(field.fields!, {});
  if (field.form === 'objects') return [draftsOf(field.fields!, {})];
  return field.form === 'levels' || field.form === 'words' ? [pair] : '';
}

interface FieldsProps {
  form: FormState;
  fields: Field[];
  at: string;
  drafts: DraftMap;
}

/** Of an inner object with many fields only those that say something; the others are a choice away. */
export function Fields({ form, fields, at, drafts }: FieldsProps) {
  const [wanted, setWanted] = useState<string[]>([]);
  const isShort = at !== '' && fields.length > MANY;
  const isShown = (field: Field): boolean => !isShort || field.required || wanted.includes(field.name) || !isEmpty(drafts[field.name]) || errorsOf(form, field, `${at}/${field.name}`).length > 0;
  const left = fields.filter((field) => !isShown(field));
  return (
    <div class="fields">
      {fields.filter(isShown).map((field) => {
        const here = `${at}/${field.name}`;
        return (
          <div key={field.name} class={`field ${field.form}`}>
            <Label field={field} at={here} />
            <Input form={form} field={field} at={here} draft={drafts[field.name] ?? (field.form === 'object' ? null : '')} />
            <Help field={field} at={here} errors={errorsOf(form, field, here)} />
          </div>
        );
      })}
      {left.length > 0 && !form.isReadOnly && (
        <select
          class="add"
          aria-label={t('add_field')}
          value=""
          onChange={(event) => {
            const field = left.find((one) => one.name === event.currentTarget.value)!;
            setWanted([...wanted, field.name]);
            form.onDraft(`${at}/${field.name}`, begun(field));
          }}
        >
          <option value="">+ {t('add_field')}</option>
          {left.map((field) => <option key={field.name} value={field.name}>{fieldLabel(field)}</option>)}
        </select>
      )}
    </div>
  );
}
