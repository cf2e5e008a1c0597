import type { Field } from '../../state/settings';

const wordsOf = (text: string): string[] => text.split(/[,，]/).map((one) => one.trim()).filter(Boolean);

/** A list of which each may be one of a few words; none means what the field's help says. */
export function ChoiceList({ field, value, isReadOnly, onInput }: { field: Field; value: string; isReadOnly: boolean; onInput: (text: string) => void }) {
  const chosen = wordsOf(value);
  const choose = (word: string, isOn: boolean): void => onInput(field.choices!.filter((one) => (one === word ? isOn : chosen.includes(one))).join(', '));
  return (
    <div class="choices" role="group" id={`field-${field.name}`} aria-label={field.name} aria-describedby={`field-${field.name}-help`}>
      {field.choices!.map((one) => (
        <label key={one}>
          <input type="checkbox" checked={chosen.includes(one)} disabled={isReadOnly} onChange={(event) => choose(one, event.currentTarget.checked)} /> {one}
        </label>
      ))}
    </div>
  );
}
