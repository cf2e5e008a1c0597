// Handing on: transfer, consult, escalate.
import { useEffect, useState } from 'preact/hooks';
import { closeDialog } from '../../state/dialogs';
import { background } from '../../state/notices';
import { me } from '../../state/session';
import { open } from '../../state/thread';
import { step } from '../../state/transitions';
import { named, showNames } from '../../state/work';
import { t, word, type Key } from '../../words';
import { Frame } from './Frame';

interface ChoiceProps {
  value: string;
  onChange: (to: string) => void;
  onlyAgents: boolean;
  /** Without one the daemon finds it. */
  isOptional?: boolean;
}

export function TargetChoice({ value, onChange, onlyAgents, isOptional = false }: ChoiceProps) {
  useEffect(() => void background(showNames), []);
  const groups: ['queues' | 'agents' | 'departments', string, Key][] = [
    ['agents', 'agent', 'target_agent'],
    ...(onlyAgents ? [] : ([['queues', 'queue', 'target_queue'], ['departments', 'department', 'target_department']] as const).map((one) => [...one] as ['queues', string, Key])),
  ];
  return (
    <label>
      {t('target')}
      <select required={!isOptional} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="" />
        {groups.map(([kind, prefix, title]) => (
          <optgroup key={kind} label={t(title)}>
            {named.value[kind]
              .filter((one) => kind !== 'agents' || one.id !== me.value?.agent)
              .map((one) => (
                <option key={one.id} value={`${prefix}:${one.id}`}>
                  {one.name || one.id}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

export function NoteField({ value, onInput }: { value: string; onInput: (text: string) => void }) {
  return (
    <label>
      {t('note_with')}
      <textarea rows={3} maxLength={10000} value={value} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}

export function Hand({ verb }: { verb: 'transfer' | 'consult' }) {
  const [item] = useState(open.value?.item ?? null);
  const [target, setTarget] = useState('');
  const [note, setNote] = useState('');
  const does = () => {
    closeDialog();
    // A queue leaves it with its agent until somebody takes it.
    step({ item, verb, body: { target, ...(note.trim() && { note }) }, done: verb === 'transfer' ? 'done_transferred' : 'done_consulted', leaves: false });
  };
  return (
    <Frame title={verb} does={verb} onDo={does}>
      <TargetChoice value={target} onChange={setTarget} onlyAgents={verb === 'consult'} />
      <NoteField value={note} onInput={setNote} />
    </Frame>
  );
}

export function Escalate() {
  const [item] = useState(open.value?.item ?? null);
  const [target, setTarget] = useState('');
  const [urgency, setUrgency] = useState('high');
  const [note, setNote] = useState('');
  const does = () => {
    closeDialog();
    step({ item, verb: 'escalate', body: { urgency, ...(target && { target }), ...(note.trim() && { note }) }, done: 'done_escalated', leaves: false });
  };
  return (
    <Frame title="escalate" does="escalate" onDo={does}>
      <TargetChoice value={target} onChange={setTarget} onlyAgents={false} isOptional />
      <label>
        {t('urgency')}
        <select value={urgency} onChange={(event) => setUrgency(event.currentTarget.value)}>
          {['low', 'normal', 'high', 'urgent'].map((one) => (
            <option key={one} value={one}>
              {word('urgency', one)}
            </option>
          ))}
        </select>
      </label>
      <NoteField value={note} onInput={setNote} />
    </Frame>
  );
}
