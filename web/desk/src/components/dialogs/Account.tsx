import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, newKey, post, Problem } from '../../api/client';
import { allowNotifications, hasNotifications, hasSound } from '../../state/attention';
import { me } from '../../state/session';
import { language, t } from '../../words';
import { wordsOf } from '../../words/problems';
import { QrCode } from '../QrCode';
import { Frame } from './Frame';

interface Secret {
  secret: string;
  uri: string;
  recovery_codes: string[];
}

/** off: none is asked for; shown: the app is being set up; on: a code is asked for. */
type Step = { name: 'off' | 'on' } | { name: 'shown'; made: Secret };

const does = { off: 'totp_begin', shown: 'totp_confirm', on: 'totp_remove' } as const;

function Made({ made }: { made: Secret }) {
  return (
    <>
      <p>{t('totp_scan')}</p>
      <QrCode text={made.uri} label={t('totp_qr')} />
      <p class="quiet">
        {t('totp_secret')} <code id="totp-secret">{made.secret.replace(/.{4}(?=.)/g, '$& ')}</code>
      </p>
      <p>{t('totp_recovery')}</p>
      <ul class="codes">
        {made.recovery_codes.map((one) => (
          <li key={one}>
            <code>{one}</code>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Each is of this browser, and counts at once. */
function Telling() {
  const [isRefused, setRefused] = useState(false);
  const onNotify = async (isOn: boolean): Promise<void> => {
    if (!isOn) hasNotifications.value = false;
    else setRefused(!(await allowNotifications()));
  };
  return (
    <>
      <h3>{t('telling')}</h3>
      <label class="check">
        <input type="checkbox" checked={hasSound.value} onChange={(event) => (hasSound.value = event.currentTarget.checked)} /> {t('telling_sound')}
      </label>
      <label class="check">
        <input type="checkbox" checked={hasNotifications.value} onChange={(event) => void onNotify(event.currentTarget.checked)} /> {t('telling_notify')}
      </label>
      <p role="status" class="bad">{isRefused && t('telling_refused')}</p>
    </>
  );
}

/** Who is signed in, what tells them of new work, and the authenticator app that is asked for beside the password. */
export function Account() {
  const [step, setStep] = useState<Step | null>(null);
  const [typed, setTyped] = useState('');
  const [said, setSaid] = useState('');
  const [refusal, setRefusal] = useState<Problem | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [step?.name]);

  async function run(action: () => Promise<void>): Promise<void> {
    try {
      await action();
      setRefusal(null);
      setTyped('');
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      setSaid('');
      setRefusal(problem);
    }
  }

  useEffect(() => {
    void run(async () => setStep({ name: (await ask<{ active: boolean }>('/v1/me/totp')).active ? 'on' : 'off' }));
  }, []);

  const acts = {
    off: async () => {
      setStep({ name: 'shown', made: await post<Secret>('/v1/me/totp', { password: typed }, newKey()) });
      setSaid('');
    },
    shown: async () => {
      await post('/v1/me/totp/confirm', { code: typed }, newKey());
      setStep({ name: 'on' });
      setSaid(t('totp_is_on'));
    },
    on: async () => {
      await post('/v1/me/totp/remove', { code: typed }, newKey());
      setStep({ name: 'off' });
      setSaid(t('totp_is_off'));
    },
  };

  return (
    <Frame title="account" does={step ? does[step.name] : undefined} onDo={() => step && void run(acts[step.name])}>
      <p>{`${me.value?.name} · ${me.value?.agent} · ${me.value?.workspace}`}</p>
      <Telling />
      <h3>{t('totp')}</h3>
      {step?.name === 'off' && <p class="quiet">{t('totp_off')}</p>}
      {step?.name === 'on' && <p class="quiet">{t('totp_on')}</p>}
      {step?.name === 'shown' && <Made made={step.made} />}
      {step?.name === 'off' && (
        <label>
          {t('password')}
          <input ref={field} type="password" autocomplete="current-password" required value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
      )}
      {step && step.name !== 'off' && (
        <label>
          {t('code')}
          <input ref={field} inputmode="numeric" autocomplete="one-time-code" required minLength={6} maxLength={20} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
      )}
      <p role="status" class="good">{said}</p>
      <p role="alert" class="bad">{refusal ? wordsOf(refusal, language.value) : ''}</p>
    </Frame>
  );
}
