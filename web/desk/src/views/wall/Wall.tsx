import { useEffect } from 'preact/hooks';
import type { QueueRow } from '../../api/types';
import { background } from '../../state/notices';
import { isLead } from '../../state/session';
import { EVERY_MS, figures, live, showLive, showOpenWork } from '../../state/wall';
import { named, showNames } from '../../state/work';
import { duration, language, t, type Key } from '../../words';
import { AgentTable } from './AgentTable';
import { History } from './History';
import { OpenWork } from './OpenWork';
import { QueueTable } from './QueueTable';

type Verdict = 'ok' | 'warn' | 'bad';

interface Tile {
  title: Key;
  value: string;
  verdict: Verdict;
  target: string;
}

const SIGNS: Record<Verdict, string> = { ok: '●', warn: '◆', bad: '▲' };
const LEVEL_MARGIN = 20;

/** Of all queues the strictest; twice as much, or a level that much lower, is bad. */
function targets() {
  const rows: QueueRow[] = named.value.queues.length ? named.value.queues : [{ id: '' }];
  const waiting = Math.min(...rows.map((one) => one.target_waiting ?? 2));
  const wait = Math.min(...rows.map((one) => (one.target_wait_ms ?? 60_000) / 1000));
  const level = Math.max(...rows.map((one) => one.target_level ?? 80));
  return { waiting: { warn: waiting, bad: 2 * waiting }, wait: { warn: wait, bad: 2 * wait }, level: { warn: level, bad: level - LEVEL_MARGIN } };
}

const above = (value: number, at: { warn: number; bad: number }): Verdict => (value > at.bad ? 'bad' : value > at.warn ? 'warn' : 'ok');
const below = (value: number, at: { warn: number; bad: number }): Verdict => (value < at.bad ? 'bad' : value < at.warn ? 'warn' : 'ok');

function tiles(): Tile[] {
  const { waiting, oldest, level, abandoned, online, within } = figures.value;
  const atMost = (text: string) => `${t('target_at_most')} ${text}`;
  const asked = targets();
  const most = Math.max(1, online) * asked.waiting.warn;
  return [
    { title: 'wall_waiting', value: String(waiting), verdict: above(waiting / Math.max(1, online), asked.waiting), target: atMost(String(most)) },
    { title: 'wall_oldest', value: duration(oldest), verdict: above(oldest, asked.wait), target: atMost(duration(asked.wait.warn)) },
    {
      title: 'wall_level',
      value: level === null ? '–' : `${Math.round(level)} %`,
      verdict: level === null ? 'ok' : below(level, asked.level),
      target: `${t('target_at_least')} ${asked.level.warn} % / ${duration(within)}`,
    },
    { title: 'wall_abandoned', value: String(abandoned), verdict: above(abandoned, { warn: 0, bad: 5 }), target: atMost('0') },
    { title: 'wall_agents', value: String(online), verdict: online ? 'ok' : 'bad', target: `${t('target_at_least')} 1` },
  ];
}

function Definitions() {
  const known = live.value?.definitions;
  if (!known) return null;
  return (
    <ul class="quiet definitions">
      {Object.entries(known).map(([name, text]) => (
        <li key={name}>
          <b>{name}</b>: {text[language.value]}
        </li>
      ))}
    </ul>
  );
}

export function Wall() {
  useEffect(() => {
    const look = () => void background(() => Promise.all([showLive(), showOpenWork()]));
    look();
    void background(showNames);
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main id="wall" class="view">
      <div class="tiles">
        {tiles().map((tile) => (
          <section key={tile.title} class={`tile ${tile.verdict}`} aria-label={t(tile.title)}>
            <h2>{t(tile.title)}</h2>
            <p class="figure">{tile.value}</p>
            <p class="quiet">
              <span aria-hidden="true">{SIGNS[tile.verdict]}</span> {t(tile.verdict)} · {tile.target}
            </p>
          </section>
        ))}
      </div>
      <History />
      <QueueTable isLead={isLead()} />
      <AgentTable isLead={isLead()} />
      <OpenWork isLead={isLead()} />
      <Definitions />
    </main>
  );
}
