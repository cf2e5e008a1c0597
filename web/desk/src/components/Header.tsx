import { useState } from 'preact/hooks';
import type { Presence } from '../api/types';
import { leave } from '../state/desk';
import { dialog } from '../state/dialogs';
import { isLive } from '../state/live';
import { place, theme, type Theme, type View } from '../state/look';
import { Bell } from './Mentions';
import { attempt } from '../state/notices';
import { load, me, presence, setPresence } from '../state/session';
import { language, setLanguage, t, word, type Key } from '../words';

const PRESENCES: Presence[] = ['online', 'busy', 'away', 'offline'];
const REASONS: Key[] = ['reason_lunch', 'reason_break', 'reason_training', 'reason_meeting', 'reason_paperwork'];
const VIEWS: View[] = ['desk', 'wall', 'settings'];

function PresenceChoice() {
  const { status, reason } = presence.value;
  const [typed, setTyped] = useState('');
  const set = (next: Presence, why: string) => void attempt(() => setPresence(next, why));
  return (
    <span class="row presence">
      <span class={`dot ${status}`} aria-hidden="true" />
      <select aria-label={t('presence')} value={status} onChange={(event) => set(event.currentTarget.value as Presence, '')}>
        {PRESENCES.map((one) => (
          <option key={one} value={one}>
            {t(one)}
          </option>
        ))}
      </select>
      {(status === 'busy' || status === 'away') && (
        <>
          <input
            aria-label={t('presence_reason')}
            placeholder={t('presence_reason')}
            list="reasons"
            maxLength={100}
            value={reason || typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
            onChange={(event) => set(status, event.currentTarget.value.trim())}
          />
          <datalist id="reasons">
            {REASONS.map((one) => (
              <option key={one} value={t(one)} />
            ))}
          </datalist>
        </>
      )}
    </span>
  );
}

function Load() {
  if (!load.value) return null;
  const { held, capacity } = load.value;
  return (
    <span id="load" class={held >= capacity ? 'full' : ''} role="img" aria-label={`${t('load')}: ${held} ${t('of')} ${capacity}`} title={t('load')}>
      {`${held}/${capacity}`}
    </span>
  );
}

function ThemeChoice() {
  const themes: Theme[] = ['auto', 'light', 'dark'];
  return (
    <select aria-label={t('theme')} value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
      {themes.map((one) => (
        <option key={one} value={one}>
          {word('theme', one)}
        </option>
      ))}
    </select>
  );
}

export function Header() {
  const zh = language.value === 'zh';
  return (
    <header>
      <h1>Converge</h1>
      {me.value && (
        <>
          <nav aria-label={t('views')}>
            {VIEWS.map((view) => (
              <a key={view} href={view === 'desk' ? '#/' : `#/${view}`} aria-current={place.value.view === view ? 'page' : undefined}>
                {word('view', view)}
              </a>
            ))}
          </nav>
          <span id="who">{`${me.value.name} · ${me.value.workspace}`}</span>
          <PresenceChoice />
          <Load />
          <Bell />
          <span id="live" role="status" class={isLive.value ? 'live' : 'lost'}>
            {t(isLive.value ? 'connected' : 'reconnecting')}
          </span>
          <button type="button" class="plain" onClick={() => (dialog.value = { name: 'account' })}>
            {t('account')}
          </button>
          <button type="button" class="plain" title={t('keys_title')} onClick={() => (dialog.value = { name: 'keys' })}>
            {t('keys')}
          </button>
        </>
      )}
      <ThemeChoice />
      <button type="button" class="plain" lang={zh ? 'en' : 'zh-CN'} onClick={() => setLanguage(zh ? 'en' : 'zh')}>
        {zh ? 'English' : '中文'}
      </button>
      {me.value && (
        <button type="button" class="plain" onClick={() => void leave()}>
          {t('leave')}
        </button>
      )}
    </header>
  );
}
