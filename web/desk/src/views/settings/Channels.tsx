import { useEffect, useState } from 'preact/hooks';
import type { Channel } from '../../api/types';
import { ChannelBadge } from '../../components/marks';
import { attempt, background, notify } from '../../state/notices';
import { me } from '../../state/session';
import { channels, showChannels, testChannel } from '../../state/settings';
import { t } from '../../words';

/** Where public_url is not set, the page's own host is the best guess. */
const addressOf = (channel: Channel): string => (channel.callback?.startsWith('/') ? location.origin + channel.callback : (channel.callback ?? ''));

async function copy(text: string): Promise<void> {
  // Without TLS there is no clipboard; the address stands in a field that can be selected.
  await navigator.clipboard?.writeText(text);
  notify(t('copied'));
}

function Row({ channel }: { channel: Channel }) {
  const [told, setTold] = useState<{ ok: boolean; detail: string } | null>(null);
  const address = addressOf(channel);
  return (
    <tr>
      <th scope="row"><ChannelBadge channel={channel.name} /></th>
      <td>{channel.connector}{channel.simulated && <span class="quiet"> · {t('simulated')}</span>}</td>
      <td>
        <span class={channel.state === 'working' ? 'good' : 'bad'}>{channel.state === 'working' ? t('working') : t('parked')}</span>
        {channel.parked_because && <span class="quiet"> <bdi>{channel.parked_because}</bdi></span>}
      </td>
      <td>
        <span class="row">
          <input readOnly aria-label={`${t('callback')}: ${channel.name}`} value={address} onFocus={(event) => event.currentTarget.select()} />
          <button type="button" class="small" aria-label={`${t('copy')}: ${channel.name}`} onClick={() => void copy(address)}>{t('copy')}</button>
        </span>
      </td>
      <td>
        {me.value?.role === 'admin' && (
          <button type="button" class="small" aria-label={`${t('test')}: ${channel.name}`} onClick={() => void attempt(async () => setTold(await testChannel(channel.name)))}>
            {t('test')}
          </button>
        )}
        <span role="status" class={told?.ok ? 'good' : 'bad'}>{told && `${t(told.ok ? 'test_ok' : 'test_failed')} ${told.detail}`}</span>
      </td>
    </tr>
  );
}

export function Channels() {
  useEffect(() => void background(showChannels), []);
  return (
    <>
    <p class="quiet">{t('channels_help')}</p>
    <div class="scroll" tabIndex={0} role="group" aria-labelledby="settings-title">
      <table>
        <thead>
          <tr>
            <th scope="col">{t('kind_channels')}</th>
            <th scope="col">{t('connector')}</th>
            <th scope="col">{t('status')}</th>
            <th scope="col">{t('callback')}</th>
            <th scope="col">{t('test')}</th>
          </tr>
        </thead>
        <tbody>
          {channels.value.map((channel) => (
            <Row key={channel.id} channel={channel} />
          ))}
        </tbody>
      </table>
    </div>
    </>
  );
}
