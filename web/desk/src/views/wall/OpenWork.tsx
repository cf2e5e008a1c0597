// All work that is open, with filters; a supervisor looks into it and gives it to somebody else.
import type { WorkItem } from '../../api/types';
import { SlaPip } from '../../components/marks';
import { attempt } from '../../state/notices';
import { openItem } from '../../state/thread';
import { assign, filterWork, hasMoreWork, openWork, showMoreWork, workFilter } from '../../state/wall';
import { nameOf, named } from '../../state/work';
import { ago, t, word } from '../../words';

function Choice({ title, value, all, onChange }: { title: string; value: string; all: [string, string][]; onChange: (to: string) => void }) {
  return (
    <label>
      {title}{' '}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{t('all')}</option>
        {all.map(([id, name]) => (
          <option key={id} value={id}>{name}</option>
        ))}
      </select>
    </label>
  );
}

function Assign({ item }: { item: WorkItem }) {
  return (
    <select
      aria-label={`${t('assign')} #${item.number}`}
      value=""
      onChange={(event) => {
        const agent = event.currentTarget.value;
        if (agent) void attempt(() => assign(item.id, agent));
      }}
    >
      <option value="">{t('assign')}</option>
      {named.value.agents.filter((one) => one.id !== item.agent).map((one) => (
        <option key={one.id} value={one.id}>{one.name || one.id}</option>
      ))}
    </select>
  );
}

async function look(item: WorkItem): Promise<void> {
  location.hash = '#/';
  await openItem(item);
}

function Row({ item, isLead }: { item: WorkItem; isLead: boolean }) {
  return (
    <tr>
      <td>
        <button type="button" class="plain link" onClick={() => void attempt(() => look(item))}>#{item.number}</button>
      </td>
      <td><bdi>{item.customer?.name || t('unnamed')}</bdi></td>
      <td>{item.channel}</td>
      <td>{nameOf('queues', item.queue)}</td>
      <td>{word('state', item.state)}</td>
      <td>{nameOf('agents', item.agent)}</td>
      <td>{ago(item.since)} <SlaPip item={item} /></td>
      {isLead && <td><Assign item={item} /></td>}
    </tr>
  );
}

export function OpenWork({ isLead }: { isLead: boolean }) {
  const { queue, state, agent } = workFilter.value;
  const states: [string, string][] = ['queued', 'offered', 'assigned', 'wrapping', 'waiting'].map((one) => [one, word('state', one)]);
  const names = (kind: 'queues' | 'agents'): [string, string][] => named.value[kind].map((one) => [one.id, one.name || one.id]);
  return (
    <section aria-labelledby="wall-work">
      <div class="row spread">
        <h2 id="wall-work">{t('live_list')}</h2>
        <span class="row">
          <Choice title={t('queue')} value={queue} all={names('queues')} onChange={(to) => void attempt(() => filterWork({ queue: to }))} />
          <Choice title={t('state')} value={state} all={states} onChange={(to) => void attempt(() => filterWork({ state: to }))} />
          <Choice title={t('agent')} value={agent} all={names('agents')} onChange={(to) => void attempt(() => filterWork({ agent: to }))} />
        </span>
      </div>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="wall-work">
        <table>
          <thead>
            <tr>
              {(['number', 'customer', 'connector', 'queue', 'state', 'agent', 'time'] as const).map((one) => (
                <th key={one} scope="col">{one === 'connector' ? t('kind_channels') : t(one)}</th>
              ))}
              {isLead && <th scope="col">{t('assign')}</th>}
            </tr>
          </thead>
          <tbody>
            {openWork.value.map((item) => (
              <Row key={item.id} item={item} isLead={isLead} />
            ))}
          </tbody>
        </table>
      </div>
      {hasMoreWork.value && <button type="button" onClick={() => void attempt(showMoreWork)}>{t('more')}</button>}
    </section>
  );
}
