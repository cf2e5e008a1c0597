import { useEffect, useState } from 'preact/hooks';
import { background } from '../../state/notices';
import { me } from '../../state/session';
import { showThings, things, type Kind, type Thing } from '../../state/settings';
import { t } from '../../words';
import { edited } from '../../state/rules';
import { ThingForm } from './ThingForm';
import { MadeSecret, WebhookDeliveries, WebhookStanding } from './Webhook';

const titleOf = (thing: Thing): string => String(thing.name ?? thing.title ?? thing.id);

export function Things({ kind }: { kind: Kind }) {
  const [chosen, setChosen] = useState<string | null>(null);
  useEffect(() => void background(() => showThings(kind.id)), [kind.id]);
  const list = things.value?.kind === kind.id ? things.value.list : null;
  const thing = chosen === '' ? ({ id: '' } as Thing) : list?.find((one) => one.id === chosen);
  const isHook = kind.id === 'webhooks';
  return (
    <>
      {isHook && <MadeSecret />}
      <div class="things">
        <ul class="list">
          {list?.map((one) => (
            <li key={one.id}>
              <button type="button" class="item" aria-current={one.id === chosen ? 'true' : undefined} onClick={() => setChosen(one.id)}>
                <bdi>{titleOf(one)}</bdi>
                <span class="quiet">{one.id}</span>
              </button>
            </li>
          ))}
          {!list?.length && <li class="quiet">{t(list ? 'empty' : 'loading')}</li>}
          {me.value?.role === 'admin' && (
            <li>
              <button type="button" onClick={() => setChosen('')}>{t('new_one')}</button>
            </li>
          )}
        </ul>
        {thing && (
          <div class="column">
            {isHook && thing.id && <WebhookStanding key={thing.id} thing={thing} />}
            <ThingForm key={`form ${chosen}`} kind={kind} thing={thing} onDone={() => setChosen(null)} onTyped={kind.id === 'rules' ? (typed) => (edited.value = typed?.id ? typed : null) : undefined} />
            {isHook && thing.id && <WebhookDeliveries key={`all ${thing.id}`} hook={thing.id} />}
          </div>
        )}
      </div>
    </>
  );
}
