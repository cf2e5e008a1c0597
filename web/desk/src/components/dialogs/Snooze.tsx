import { useState } from 'preact/hooks';
import { closeDialog } from '../../state/dialogs';
import { open } from '../../state/thread';
import { step } from '../../state/transitions';
import { t, word, type Key } from '../../words';
import { Frame } from './Frame';

const HOUR_MS = 3_600_000;

function tomorrowAtNine(): Date {
  const date = new Date(Date.now() + 24 * HOUR_MS);
  date.setHours(9, 0, 0, 0);
  return date;
}

const CHOICES: [Key, () => Date][] = [
  ['in_1h', () => new Date(Date.now() + HOUR_MS)],
  ['in_4h', () => new Date(Date.now() + 4 * HOUR_MS)],
  ['tomorrow', tomorrowAtNine],
  ['next_week', () => new Date(Date.now() + 7 * 24 * HOUR_MS)],
];

/** What <input type=datetime-local> takes: local time without a zone. */
const local = (date: Date): string => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

export function Snooze() {
  const [item] = useState(open.value?.item ?? null);
  const [until, setUntil] = useState(() => local(CHOICES[0]![1]()));
  const [waitingFor, setWaitingFor] = useState('customer');
  const does = () => {
    closeDialog();
    step({ item, verb: 'snooze', body: { until: new Date(until).toISOString(), waiting_for: waitingFor }, done: 'done_snoozed', leaves: false });
  };
  return (
    <Frame title="snooze" does="snooze" onDo={does}>
      <label>
        {t('waiting_for')}
        <select value={waitingFor} onChange={(event) => setWaitingFor(event.currentTarget.value)}>
          {['customer', 'department', 'third_party', 'until'].map((one) => (
            <option key={one} value={one}>
              {word('for', one)}
            </option>
          ))}
        </select>
      </label>
      <div class="row">
        {CHOICES.map(([name, at]) => (
          <button key={name} type="button" onClick={() => setUntil(local(at()))}>
            {t(name)}
          </button>
        ))}
      </div>
      <label>
        {t('until')}
        <input type="datetime-local" required value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
      </label>
    </Frame>
  );
}
