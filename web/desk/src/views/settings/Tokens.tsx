import { useEffect, useState } from 'preact/hooks';
import { deleteToken, makeToken, showTokens, tokens, type Token, type TokenWish } from '../../state/access';
import { attempt, background, notify } from '../../state/notices';
import { t, when, word } from '../../words';

const ROLES = ['agent', 'supervisor', 'admin', 'integration'];

/** The one time that a token is seen. */
function Made({ token, onKept }: { token: string; onKept: () => void }) {
  const copy = async (): Promise<void> => {
    await navigator.clipboard?.writeText(token);
    notify(t('copied'));
  };
  return (
    <div class="made" role="status">
      <label for="made-token">{t('token_made')}</label>
      <span class="row">
        <input id="made-token" readOnly value={token} onFocus={(event) => event.currentTarget.select()} />
        <button type="button" onClick={() => void copy()}>{t('copy')}</button>
        <button type="button" onClick={onKept}>{t('hook_secret_kept')}</button>
      </span>
      <span class="quiet">{t('token_once')}</span>
    </div>
  );
}

function MakeForm({ onMade }: { onMade: (token: string) => void }) {
  const [wish, setWish] = useState<TokenWish>({ role: 'integration', agent: '', name: '', days: '' });
  const put = (to: Partial<TokenWish>): void => setWish((before) => ({ ...before, ...to }));
  const [isMaking, setMaking] = useState(false);
  const make = async (): Promise<void> => {
    setMaking(true);
    try {
      onMade(await makeToken(wish));
    } finally {
      setMaking(false);
    }
  };
  const needsAgent = wish.role === 'agent' || wish.role === 'supervisor';
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isMaking) void attempt(make);
      }}
    >
      <label>
        {t('token_role')}{' '}
        <select value={wish.role} onChange={(event) => put({ role: event.currentTarget.value })}>
          {ROLES.map((one) => (
            <option key={one} value={one}>{word('role', one)}</option>
          ))}
        </select>
      </label>
      <label>{t('agent')} <input value={wish.agent} required={needsAgent} autocomplete="off" onInput={(event) => put({ agent: event.currentTarget.value })} /></label>
      <label>{t('token_name')} <input value={wish.name} required maxLength={100} autocomplete="off" onInput={(event) => put({ name: event.currentTarget.value })} /></label>
      <label>{t('token_days')} <input type="number" min={1} max={3650} value={wish.days} onInput={(event) => put({ days: event.currentTarget.value })} /></label>
      <button class="primary" disabled={isMaking}>{t('token_make')}</button>
    </form>
  );
}

function Row({ token }: { token: Token }) {
  const [isSure, setSure] = useState(false);
  const remove = async (): Promise<void> => {
    await deleteToken(token.id);
    notify(t('deleted'));
  };
  return (
    <tr>
      <th scope="row"><bdi>{token.name}</bdi></th>
      <td>{word('role', token.role)}</td>
      <td><bdi>{token.agent}</bdi></td>
      <td><code>{token.id}</code></td>
      <td><time dateTime={token.created_at}>{when(token.created_at)}</time></td>
      <td>{token.expires_at ? <time dateTime={token.expires_at}>{when(token.expires_at)}</time> : t('token_never')}</td>
      <td>
        <button type="button" class="small" aria-label={`${t(isSure ? 'token_sure' : 'token_revoke')}: ${token.name}`} onBlur={() => setSure(false)} onClick={() => (isSure ? void attempt(remove) : setSure(true))}>
          {t(isSure ? 'token_sure' : 'token_revoke')}
        </button>
      </td>
    </tr>
  );
}

export function Tokens() {
  const [made, setMade] = useState('');
  useEffect(() => void background(showTokens), []);
  return (
    <div class="column">
      <p class="quiet">{t('token_help')}</p>
      {made && <Made token={made} onKept={() => setMade('')} />}
      <MakeForm onMade={setMade} />
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="settings-title">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('token_name')}</th>
              <th scope="col">{t('token_role')}</th>
              <th scope="col">{t('agent')}</th>
              <th scope="col">{t('token_id')}</th>
              <th scope="col">{t('token_created')}</th>
              <th scope="col">{t('token_expires')}</th>
              <th scope="col">{t('token_revoke')}</th>
            </tr>
          </thead>
          <tbody>{tokens.value?.map((one) => <Row key={one.id} token={one} />)}</tbody>
        </table>
      </div>
      {tokens.value?.length === 0 && <p class="quiet">{t('empty')}</p>}
    </div>
  );
}
