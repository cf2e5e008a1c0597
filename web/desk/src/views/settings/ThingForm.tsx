import { useEffect, useState } from 'preact/hooks';
import { attempt, notify, problem } from '../../state/notices';
import { me } from '../../state/session';
import { deleteThing, saveThing, textOf, withField, type Field, type Kind, type Thing } from '../../state/settings';
import { t } from '../../words';
import { fieldHelp, fieldLabel } from '../../words/fields';
import { ChoiceList } from './ChoiceList';

interface InputProps {
  field: Field;
  value: string;
  isReadOnly: boolean;
  onInput: (text: string) => void;
}

function Input({ field, value, isReadOnly, onInput }: InputProps) {
  const id = `field-${field.name}`;
  const more = { id, disabled: isReadOnly, 'aria-describedby': `${id}-help`, required: field.required };
  if (field.kind === 'list' && field.choices) return <ChoiceList field={field} value={value} isReadOnly={isReadOnly} onInput={onInput} />;
  const choices = field.kind === 'bool' ? ['true', 'false'] : field.choices;
  if (choices)
    return (
      <select {...more} value={value} onChange={(event) => onInput(event.currentTarget.value)}>
        {!field.required && <option value="">{field.default ?? ''}</option>}
        {choices.map((one) => (
          <option key={one} value={one}>{one}</option>
        ))}
      </select>
    );
  const placeholder = field.default ?? '';
  if (field.form !== 'plain' || value.length > 60 || value.includes('\n') || field.name === 'text')
    return <textarea {...more} rows={Math.min(10, value.split('\n').length + 1)} placeholder={placeholder} value={value} onInput={(event) => onInput(event.currentTarget.value)} />;
  const text = { ...more, placeholder, value, autocomplete: 'off', onInput: (event: { currentTarget: HTMLInputElement }) => onInput(event.currentTarget.value) } as const;
  if (field.secret) return <input {...text} type="password" />;
  return field.kind === 'count' ? <input {...text} type="number" min={field.min} max={field.max} /> : <input {...text} type="text" />;
}

function FieldLabel({ kind, field }: { kind: string; field: Field }) {
  return (
    <label for={`field-${field.name}`}>
      {fieldLabel(kind, field.name)}{field.required && ' *'} <code class="quiet">{field.name}</code>
    </label>
  );
}

function FieldHelp({ kind, field }: { kind: string; field: Field }) {
  const help = fieldHelp(kind, field.name, field.help);
  return <span id={`field-${field.name}-help`} class="quiet" lang={help.lang}>{help.text}</span>;
}

interface FormProps {
  kind: Kind;
  thing: Thing;
  onDone: () => void;
  /** What is typed and not saved; null where it is no value, and when the form goes. */
  onTyped?: (thing: Thing | null) => void;
}

/** A form made of the kind's fields; the daemon judges it and says what is wrong. */
export function ThingForm({ kind, thing, onDone, onTyped }: FormProps) {
  const isReadOnly = me.value?.role !== 'admin';
  const isNew = !thing.id;
  const [texts, setTexts] = useState<Record<string, string>>(() => Object.fromEntries(kind.fields.map((field) => [field.name, textOf(field, thing)])));

  function typed(): Thing {
    let changed = thing;
    for (const field of kind.fields) {
      const text = texts[field.name] ?? '';
      if (text !== textOf(field, thing)) changed = withField(changed, field, text);
    }
    return { ...changed, id: String(changed.id || changed.name || '') };
  }

  useEffect(() => {
    try {
      onTyped?.(typed());
    } catch {
      onTyped?.(null);
    }
    return () => onTyped?.(null);
  }, [texts]);

  async function save(): Promise<void> {
    let changed: Thing;
    try {
      changed = typed();
    } catch (wrong) {
      if (!(wrong instanceof SyntaxError)) throw wrong;
      problem.value = `${t('bad_json')}: ${wrong.message}`;
      return;
    }
    await saveThing(kind.id, changed);
    notify(t('saved'));
    onDone();
  }

  async function remove(): Promise<void> {
    if (!confirm(t('sure_delete'))) return;
    await deleteThing(kind.id, thing);
    notify(t('deleted'));
    onDone();
  }

  return (
    <form
      class="thing"
      onSubmit={(event) => {
        event.preventDefault();
        void attempt(save);
      }}
    >
      {kind.fields.map((field) => (
        <div key={field.name} class="field">
          <FieldLabel kind={kind.id} field={field} />
          <Input
            field={field}
            value={texts[field.name] ?? ''}
            isReadOnly={isReadOnly || (field.name === 'id' && !isNew)}
            onInput={(text) => setTexts((all) => ({ ...all, [field.name]: text }))}
          />
          <FieldHelp kind={kind.id} field={field} />
        </div>
      ))}
      {!isReadOnly && (
        <div class="row end">
          {!isNew && <button type="button" onClick={() => void attempt(remove)}>{t('delete')}</button>}
          <button class="primary">{t('save')}</button>
        </div>
      )}
    </form>
  );
}
