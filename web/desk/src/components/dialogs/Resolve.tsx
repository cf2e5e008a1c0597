// The wrap-up form (会话小结): how it ended, and what the next one should know.
import { useState } from 'preact/hooks';
import { closeDialog } from '../../state/dialogs';
import { open } from '../../state/thread';
import { step } from '../../state/transitions';
import { outcomesOf } from '../../state/work';
import { t, word } from '../../words';
import { Frame } from './Frame';

export function Resolve() {
  const [item] = useState(open.value?.item ?? null);
  const outcomes = outcomesOf(item?.queue ?? '');
  const [reason, setReason] = useState(outcomes[0]!);
  const [note, setNote] = useState('');
  const does = () => {
    closeDialog();
    step({ item, verb: 'resolve', body: { reason, ...(note.trim() && { note }) }, done: 'done_resolved', leaves: true });
    document.getElementById('pull')?.focus();
  };
  return (
    <Frame title="wrap_up" does="resolve" onDo={does}>
      <label>
        {t('disposition')}
        <select value={reason} onChange={(event) => setReason(event.currentTarget.value)}>
          {outcomes.map((one) => (
            <option key={one} value={one}>
              {word('outcome', one)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t('summary')}
        <textarea rows={4} maxLength={10000} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
    </Frame>
  );
}
