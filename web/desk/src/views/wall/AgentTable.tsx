import type { Presence } from '../../api/types';
import { attempt } from '../../state/notices';
import { live, setAgentPresence } from '../../state/wall';
import { nameOf } from '../../state/work';
import { t } from '../../words';

const PRESENCES: Presence[] = ['online', 'busy', 'away', 'offline'];

export function AgentTable({ isLead }: { isLead: boolean }) {
  return (
    <section aria-labelledby="wall-agents">
      <h2 id="wall-agents">{t('agents')}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="wall-agents">
        <table>
          <thead>
            <tr>
              {(['agent', 'status', 'load', 'items'] as const).map((one) => (
                <th key={one} scope="col">{t(one)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {live.value?.agents.map((one) => (
              <tr key={one.agent}>
                <th scope="row">{nameOf('agents', one.agent)}</th>
                <td>
                  <span class="row">
                    <span class={`dot ${one.status}`} aria-hidden="true" />
                    {isLead ? (
                      <select
                        aria-label={`${t('status')}: ${one.agent}`}
                        value={one.status}
                        onChange={(event) => void attempt(() => setAgentPresence(one.agent, event.currentTarget.value))}
                      >
                        {PRESENCES.map((status) => (
                          <option key={status} value={status}>{t(status)}</option>
                        ))}
                      </select>
                    ) : (
                      t(one.status)
                    )}
                  </span>
                </td>
                <td>{one.load}</td>
                <td>{one.items}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
