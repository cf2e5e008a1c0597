import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../api/client';
import { start } from '../state/desk';
import { endedBecause, signIn, waysIn } from '../state/session';
import { language, t } from '../words';
import { wordsOf } from '../words/problems';

let lastAgent = '';

export function Login() {
  const [agent, setAgent] = useState(lastAgent);
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [refusal, setRefusal] = useState<Problem | null>(null);
  const [provider, setProvider] = useState('');
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  // Without an answer there is the password, whose answer says what is wrong.
  useEffect(() => {
    waysIn().then(
      (ways) => setProvider(ways.oidc?.name ?? ''),
      () => {},
    );
  }, []);

  const asksCode = refusal?.code === 'code_required' || code !== '';

  async function enter(event: Event): Promise<void> {
    event.preventDefault();
    try {
      lastAgent = agent;
      await signIn(agent, password, code);
      await start(true);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      setRefusal(problem);
    }
  }

  return (
    <main id="login">
      <form onSubmit={enter}>
        <label>
          {t('agent')}
          <input
            ref={lastAgent ? null : first}
            autocomplete="username"
            autocapitalize="none"
            required
            value={agent}
            onInput={(event) => setAgent(event.currentTarget.value)}
          />
        </label>
        <label>
          {t('password')}
          <input
            ref={lastAgent ? first : null}
            type="password"
            autocomplete="current-password"
            required
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        {asksCode && (
          <label>
            {t('code')}
            <input inputmode="numeric" autocomplete="one-time-code" required value={code} onInput={(event) => setCode(event.currentTarget.value)} />
          </label>
        )}
        <button class="primary">{t('enter')}</button>
        {provider && (
          <>
            <p class="or">{t('or')}</p>
            <a class="button" href="/v1/oidc/start">
              {language.value === 'zh' ? `${t('enter_with')} ${provider} ${t('enter')}` : `${t('enter_with')} ${provider}`}
            </a>
          </>
        )}
        <p id="login-problem" role="alert">
          {refusal ? wordsOf(refusal, language.value) : endedBecause.value}
        </p>
      </form>
    </main>
  );
}
