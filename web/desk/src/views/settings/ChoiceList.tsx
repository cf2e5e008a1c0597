import { listOf, listText } from '../../state/field_values';
import type { Field } from '../../state/settings';
import { choiceLabel } from '../../words/fields';

interface Props {
  field: Field;
  id: string;
  choices: string[];
  value: string;
  isReadOnly: boolean;
  onInput: (text: string) => void;
}

/** A list of which each may be one of a few words; none means what the field's help says. */
export function ChoiceList({ field, id, choices, value, isReadOnly, onInput }: Props) {
  const chosen = listOf(value);
  // What is chosen and not offered any more stays until somebody takes it out.
  const offered = [...choices, ...chosen.filter((one) => !choices.includes(one))];
  const choose = (word: string, isOn: boolean): void => {
    const left = offered.filter((one) => (one === word ? isOn : chosen.includes(one)));
    onInput(left.length ? listText(left) : '');
  };
  return (
    <div class="choices" role="group" id={id} tabIndex={-1} aria-labelledby={`${id}-label`} aria-describedby={`${id}-help`}>
      {offered.map((one) => (
        <label key={one}>
          <input type="checkbox" checked={chosen.includes(one)} disabled={isReadOnly} onChange={(event) => choose(one, event.currentTarget.checked)} /> {field.choices ? choiceLabel(one) : one}
        </label>
      ))}
    </div>
  );
}
