import { attempt } from '../../state/notices';
import { live, pauseQueue } from '../../state/wall';
import { nameOf } from '../../state/work';
import { duration, t } from '../../words';

const orDash = (seconds: number | null): string => (seconds === null ? '–' : duration(seconds));

export function QueueTable({ isLead }: { isLead: boolean }) {
  return (
    <section aria-labelledby="wall-queues">
      <h2 id="wall-queues">{t('queues')}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="wall-queues">
        <table>
          <thead>
            <tr>
              {(['queue', 'wall_waiting', 'oldest', 'expected', 'arrived', 'accepted', 'abandoned', 'wall_mean', 'wall_level'] as const).map((one) => (
                <th key={one} scope="col">{t(one)}</th>
              ))}
              {isLead && <th scope="col">{t('status')}</th>}
            </tr>
          </thead>
          <tbody>
            {live.value?.queues.map((queue) => (
              <tr key={queue.queue}>
                <th scope="row">{nameOf('queues', queue.queue)}</th>
                <td>{queue.waiting}</td>
                <td>{queue.waiting ? duration(queue.oldest_s) : '–'}</td>
                <td>{orDash(queue.expected_wait_s)}</td>
                <td>{queue.arrived}</td>
                <td>{queue.accepted}</td>
                <td>{queue.abandoned}</td>
                <td>{orDash(queue.mean_wait_s)}</td>
                <td>{queue.service_level.percent === null ? '–' : `${queue.service_level.percent} %`}</td>
                {isLead && (
                  <td>
                    <button type="button" class="small" aria-label={`${t(queue.paused ? 'resume' : 'pause')}: ${queue.queue}`} onClick={() => void attempt(() => pauseQueue(queue.queue, !queue.paused))}>
                      {t(queue.paused ? 'resume' : 'pause')}
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
