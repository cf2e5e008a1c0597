import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { place } from '../../state/look';
import { background } from '../../state/notices';
import { me } from '../../state/session';
import { kinds, showKinds } from '../../state/settings';
import { t, word } from '../../words';
import { Audit } from './Audit';
import { Channels } from './Channels';
import { RuleDesk } from './RuleDesk';
import { Things } from './Things';
import { Tokens } from './Tokens';

const ADMIN_PARTS: Record<string, () => JSX.Element> = { tokens: Tokens, audit: Audit };

export function Settings() {
  useEffect(() => void background(showKinds), []);
  const part = place.value.part || 'channels';
  const kind = kinds.value.find((one) => one.id === part);
  const ofAdmin = me.value?.role === 'admin' ? Object.keys(ADMIN_PARTS) : [];
  const parts = ['channels', ...kinds.value.map((one) => one.id), ...ofAdmin];
  const Own = ofAdmin.includes(part) ? ADMIN_PARTS[part] : undefined;
  return (
    <main id="settings" class="view">
      <nav aria-label={t('settings')}>
        {parts.map((one) => (
          <a key={one} href={`#/settings/${one}`} aria-current={one === part ? 'page' : undefined}>
            {word('kind', one)}
          </a>
        ))}
      </nav>
      <section aria-labelledby="settings-title">
        <h2 id="settings-title">{word('kind', part)}</h2>
        {me.value?.role !== 'admin' && <p class="quiet">{t('read_only_role')}</p>}
        {part === 'rules' && <RuleDesk />}
        {Own && <Own />}
        {kind ? <Things key={kind.id} kind={kind} /> : part === 'channels' && <Channels />}
      </section>
    </main>
  );
}
