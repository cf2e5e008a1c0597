import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../../api/client';
import { draftsOf, withDrafts, type Draft, type DraftMap } from '../../state/field_values';
import { attempt, notify, problem } from '../../state/notices';
import { me } from '../../state/session';
import { deleteThing, saveThing, typedThings, type Kind, type Thing } from '../../state/settings';
import { t } from '../../words';
import { fieldHelp } from '../../words/fields';
import { Fields, Wrong, type FormState } from './FieldInput';

type Errors = Record<string, string>;

/** The map with what stands at the pointer replaced. */
function placed(draft: Draft, [first, ...rest]: string[], put: Draft): Draft {
  if (first === undefined) return put;
  if (Array.isArray(draft)) return (draft as DraftMap[]).map((one, index) => (String(index) === first ? placed(one, rest, put) : one)) as DraftMap[];
  return { ...(draft as DraftMap), [first]: placed((draft as DraftMap)[first] ?? null, rest, put) };
}

const errorsOf = (what: Problem): Errors => Object.fromEntries(what.errors.map(({ pointer, detail }) => [pointer.replace('#/body', ''), detail]));
const isAbout = (pointer: string, at: string): boolean => pointer === at || pointer.startsWith(`${at}/`) || pointer.startsWith(`${at}_ms`);

/** The id is the address that it is saved to, so the page looks at it before the daemon can. */
function idProblem(kind: Kind, key: string, id: string): string {
  if (!id) return t('field_needed');
  if (id.includes('/') || id === '.' || id === '..') return `${t('not_an_id')} ${key === 'id' ? fieldHelp(kind.fields.find((one) => one.name === 'id')!).text : ''}`.trim();
  return '';
}

interface FormProps {
  kind: Kind;
  thing: Thing;
  onDone: () => void;
  /** What is typed and not saved; null when the form goes. */
  onTyped?: (thing: Thing | null) => void;
}

/** A form made of the kind's fields; the daemon judges it and says what is wrong. */
export function ThingForm({ kind, thing, onDone, onTyped }: FormProps) {
  const isReadOnly = me.value?.role !== 'admin';
  const isNew = !thing.id;
  const key = kind.fields.some((field) => field.name === 'id') ? 'id' : 'name';
  const form = useRef<HTMLFormElement>(null);
  const place = `${kind.id} ${thing.id}`;
  const [drafts, setDrafts] = useState<DraftMap>(() => typedThings.get(place) ?? draftsOf(kind.fields, thing));
  const isChanged = JSON.stringify(drafts) !== JSON.stringify(draftsOf(kind.fields, thing));
  const [errors, setErrors] = useState<Errors>({});
  const unplaced = Object.entries(errors).filter(([pointer]) => !kind.fields.some((field) => isAbout(pointer, `/${field.name}`)));

  const state: FormState = {
    isReadOnly,
    errors,
    onDraft: (pointer, draft) => {
      setDrafts((all) => placed(all, pointer.split('/').slice(1), draft) as DraftMap);
      setErrors((all) => Object.fromEntries(Object.entries(all).filter(([at]) => !isAbout(at, pointer))));
    },
  };

  function typed(): Thing {
    const changed = withDrafts(kind.fields, thing, drafts);
    return { ...changed, id: String(changed[key] ?? '') };
  }

  useEffect(() => {
    if (isChanged) typedThings.set(place, drafts);
    else typedThings.delete(place);
    onTyped?.(typed());
    return () => onTyped?.(null);
  }, [drafts]);
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true], .wrong')?.focus(), [errors]);

  async function save(): Promise<void> {
    const changed = typed();
    const wrong = idProblem(kind, key, changed.id);
    setErrors(wrong ? { [`/${key}`]: wrong } : {});
    if (wrong) return;
    try {
      await saveThing(kind.id, changed);
    } catch (what) {
      if (!(what instanceof Problem) || !what.errors.length) throw what;
      setErrors(errorsOf(what));
      problem.value = t('look_at_fields');
      return;
    }
    typedThings.delete(place);
    notify(t('saved'));
    onDone();
  }

  async function remove(): Promise<void> {
    if (!confirm(t('sure_delete'))) return;
    await deleteThing(kind.id, thing);
    typedThings.delete(place);
    notify(t('deleted'));
    onDone();
  }

  // The id is the address, so it is not edited; whoever wants another one makes another one.
  const fields = isNew ? kind.fields : kind.fields.filter((field) => field.name !== key);
  return (
    <form
      class="thing"
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void attempt(save);
      }}
    >
      {!isNew && <h3><code>{thing.id}</code></h3>}
      {unplaced.map(([pointer, text]) => <Wrong key={pointer} text={text} />)}
      <Fields form={state} fields={fields} at="" drafts={drafts} />
      {!isReadOnly && (
        <div class="row end">
          {isChanged && (
            <>
              <span class="quiet" role="status">{t('not_saved')}</span>
              <button
                type="button"
                onClick={() => {
                  setErrors({});
                  setDrafts(draftsOf(kind.fields, thing));
                }}
              >
                {t('discard_changes')}
              </button>
            </>
          )}
          {!isNew && <button type="button" onClick={() => void attempt(remove)}>{t('delete')}</button>}
          <button class="primary">{t('save')}</button>
        </div>
      )}
    </form>
  );
}
