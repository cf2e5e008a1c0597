import { useEffect } from 'preact/hooks';
import { attempt, background, notify } from '../../state/notices';
import { showThings, type Thing } from '../../state/settings';
import { deliveries, deliveriesOf, madeSecret, resend, resumeWebhook, rollSecret, showMoreDeliveries, showWebhook, testWebhook, webhook, type WebhookDelivery, type WebhookState } from '../../state/webhooks';
import { t, when, word } from '../../words';

const LOOK_MS = 3000;

/** The one time that a made secret is seen. */
export function MadeSecret() {
  const made = madeSecret.value;
  if (!made) return null;
  const copy = async (): Promise<void> => {
    await navigator.clipboard?.writeText(made.secret);
    notify(t('copied'));
  };
  return (
    <div class="made" role="status">
      <label for="made-secret">{t('hook_secret')} <bdi>{made.id}</bdi></label>
      <span class="row">
        <input id="made-secret" readOnly value={made.secret} onFocus={(event) => event.currentTarget.select()} />
        <button type="button" onClick={() => void copy()}>{t('copy')}</button>
        <button type="button" onClick={() => (madeSecret.value = null)}>{t('hook_secret_kept')}</button>
      </span>
      <span class="quiet">{t(made.isAnother ? 'hook_secret_once' : 'token_once')}</span>
    </div>
  );
}

function Standing({ state }: { state: WebhookState }) {
  const figures: [string, number][] = [
    [t('hook_waiting'), state.waiting],
    [t('hook_delivered'), state.delivered_total],
    [t('hook_dead'), state.dead_total],
  ];
  return (
    <>
      <p class="row" role="status">
        <strong class={state.state === 'working' ? 'good' : 'bad'}>{word('hook', state.state)}</strong>
        {state.reason && <span>{word('hook_because', state.reason)}</span>}
        {state.state === 'failing' && state.failing_since && <span>{t('hook_since')} {when(state.failing_since)}</span>}
        {state.state !== 'working' && state.last_error && <bdi class="quiet">{state.last_error}</bdi>}
      </p>
      <dl class="row figures">
        {figures.map(([name, figure]) => (
          <div key={name}>
            <dt class="quiet">{name}</dt>
            <dd>{figure}</dd>
          </div>
        ))}
      </dl>
      {state.overflow_total > 0 && <p class="quiet">{t('hook_overflow')} {state.overflow_total}</p>}
    </>
  );
}

/** The last answer, in a word. */
const answerOf = (one: WebhookDelivery): string => one.error || (one.status ? `HTTP ${one.status}` : '');

function Row({ hook, one }: { hook: string; one: WebhookDelivery }) {
  const again = async (): Promise<void> => {
    await resend(hook, one.id);
    notify(t('hook_queued'));
    await showWebhook(hook);
  };
  return (
    <tr>
      <td><time dateTime={one.created_at}>{when(one.created_at)}</time></td>
      <th scope="row">{one.type}<span class="quiet"> <bdi>{one.id}</bdi></span></th>
      <td><span class={one.state === 'delivered' ? 'good' : one.state === 'dead' ? 'bad' : ''}>{word('hook_state', one.state)}</span></td>
      <td>{one.attempts}</td>
      <td class="wide"><bdi>{answerOf(one)}</bdi></td>
      <td>{one.next_attempt_at && <time dateTime={one.next_attempt_at}>{when(one.next_attempt_at)}</time>}</td>
      <td><button type="button" class="small" aria-label={`${t('hook_resend')}: ${one.type} ${one.id}`} onClick={() => void attempt(again)}>{t('hook_resend')}</button></td>
    </tr>
  );
}

function Table({ hook, rows }: { hook: string; rows: WebhookDelivery[] }) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={t('hook_deliveries')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('time')}</th>
            <th scope="col">{t('hook_event')}</th>
            <th scope="col">{t('status')}</th>
            <th scope="col">{t('hook_attempts')}</th>
            <th scope="col">{t('hook_answer')}</th>
            <th scope="col">{t('hook_next')}</th>
            <th scope="col">{t('hook_resend')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <Row key={one.id} hook={hook} one={one} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Above the form of an endpoint: whether it takes events. Looks again now and then, for what stands beneath the form too. */
export function WebhookStanding({ thing }: { thing: Thing }) {
  const only = deliveriesOf.value;
  const look = (): Promise<void> => showWebhook(thing.id);
  useEffect(() => {
    void background(look);
    const timer = setInterval(() => document.visibilityState === 'visible' && void background(look), LOOK_MS);
    return () => clearInterval(timer);
  }, [thing.id, only]);
  const act = (action: () => Promise<unknown>, told?: string) => () =>
    void attempt(async () => {
      await action();
      if (told) notify(told);
      await look();
    });
  const roll = async (): Promise<void> => {
    await rollSecret(thing);
    await showThings('webhooks');
  };
  const state = webhook.value?.id === thing.id ? webhook.value : null;
  return (
    <div class="webhook">
      <h3>{t('hook_standing')}</h3>
      {state && <Standing state={state} />}
      <div class="row">
        <button type="button" onClick={act(() => testWebhook(thing.id), t('hook_queued'))}>{t('hook_test')}</button>
        {(state?.state === 'off' || state?.state === 'failing') && <button type="button" onClick={act(() => resumeWebhook(thing.id))}>{t('hook_resume')}</button>}
        <button type="button" onClick={act(roll)}>{t('hook_roll')}</button>
      </div>
    </div>
  );
}

/** Beneath the form: what became of each event. */
export function WebhookDeliveries({ hook }: { hook: string }) {
  const list = deliveries.value;
  return (
    <div class="webhook">
      <div class="row spread">
        <h3>{t('hook_deliveries')}</h3>
        <label>
          {t('status')}{' '}
          <select value={deliveriesOf.value} onChange={(event) => (deliveriesOf.value = event.currentTarget.value)}>
            <option value="">{t('all')}</option>
            {['waiting', 'delivered', 'dead'].map((one) => (
              <option key={one} value={one}>{word('hook_state', one)}</option>
            ))}
          </select>
        </label>
      </div>
      {!list && <p class="quiet">{t('loading')}</p>}
      {list && !list.data.length && <p class="quiet">{t('hook_none')}</p>}
      {list && list.data.length > 0 && <Table hook={hook} rows={list.data} />}
      {list?.next_cursor && (
        <div>
          <button type="button" onClick={() => void attempt(() => showMoreDeliveries(hook))}>{t('more')}</button>
        </div>
      )}
    </div>
  );
}
