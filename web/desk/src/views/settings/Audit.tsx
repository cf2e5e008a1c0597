import { useEffect, useState } from 'preact/hooks';
import { acts, showActs, type Act, type ActFilter } from '../../state/access';
import { attempt, background } from '../../state/notices';
import { t, when } from '../../words';

const NOTHING: ActFilter = { actor: '', type: '', from: '', to: '' };

/** What became of it; an act without an answer may have been done. */
const endOf = (act: Act): string =>
  act.result || (act.status === null ? t('audit_open') : act.status < 400 ? t('audit_done') : `${t('audit_refused')} ${act.status}`);

function Details({ act }: { act: Act }) {
  const parts: [string, unknown][] = [[t('audit_before'), act.before], [t('audit_after'), act.after], [t('audit_detail'), act.detail]];
  const told = parts.filter(([, value]) => value !== null && value !== undefined);
  return (
    <details>
      <summary>{endOf(act)}</summary>
      <dl>
        {told.map(([name, value]) => (
          <div key={name}>
            <dt class="quiet">{name}</dt>
            <dd><pre>{JSON.stringify(value, null, 1)}</pre></dd>
          </div>
        ))}
        <dt class="quiet">{t('audit_request')}</dt>
        <dd><code>{act.request}</code> <bdi>{act.address}</bdi></dd>
      </dl>
    </details>
  );
}

function Row({ act }: { act: Act }) {
  return (
    <tr>
      <td><time dateTime={act.at}>{when(act.at)}</time></td>
      <th scope="row"><bdi>{act.actor.name || act.actor.id}</bdi></th>
      <td><code>{act.type}</code></td>
      <td><bdi>{act.target}</bdi></td>
      <td class="wide"><Details act={act} /></td>
    </tr>
  );
}

/** Administrative acts, the newest first. */
export function Audit() {
  const [filter, setFilter] = useState(NOTHING);
  const put = (to: Partial<ActFilter>): void => setFilter((before) => ({ ...before, ...to }));
  useEffect(() => void background(() => showActs(NOTHING, false)), []);
  return (
    <div class="column">
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void attempt(() => showActs(filter, false));
        }}
      >
        <label>{t('audit_actor')} <input value={filter.actor} autocomplete="off" onInput={(event) => put({ actor: event.currentTarget.value.trim() })} /></label>
        <label>{t('audit_type')} <input value={filter.type} autocomplete="off" onInput={(event) => put({ type: event.currentTarget.value.trim() })} /></label>
        <label>{t('audit_from')} <input type="date" value={filter.from} onInput={(event) => put({ from: event.currentTarget.value })} /></label>
        <label>{t('audit_to')} <input type="date" value={filter.to} onInput={(event) => put({ to: event.currentTarget.value })} /></label>
        <button>{t('search')}</button>
      </form>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="settings-title">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('time')}</th>
              <th scope="col">{t('audit_actor')}</th>
              <th scope="col">{t('audit_type')}</th>
              <th scope="col">{t('audit_target')}</th>
              <th scope="col">{t('audit_result')}</th>
            </tr>
          </thead>
          <tbody>{acts.value?.data.map((one) => <Row key={one.id} act={one} />)}</tbody>
        </table>
      </div>
      {acts.value?.data.length === 0 && <p class="quiet" role="status">{t('nothing')}</p>}
      {acts.value?.next_cursor && <button type="button" onClick={() => void attempt(() => showActs(filter, true))}>{t('more')}</button>}
    </div>
  );
}
