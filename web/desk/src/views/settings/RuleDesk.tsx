import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { openItemById } from '../../state/thread';
import { attempt } from '../../state/notices';
import { channels, showChannels } from '../../state/settings';
import { changesSince, edited, lintRules, replayRules, testRules, versionsOfRules, type Finding, type Replayed, type RulesTest, type RulesVersion, type Trial } from '../../state/rules';
import { language, t, when, word } from '../../words';

const COUNTS = [25, 50, 100];

/** A part that is opened when it is wanted. */
function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <details class="part">
      <summary>{title}</summary>
      {children}
    </details>
  );
}

function Outcome({ got }: { got: RulesTest }) {
  const given: [string, string | null, string | null][] = [
    [t('queue'), got.queue, got.given_by.queue ?? null],
    [t('rule_type'), got.type, got.given_by.type ?? null],
    [t('rule_topic'), got.topic, got.given_by.topic ?? null],
    [t('urgency'), word('urgency', got.urgency), got.given_by.urgency ?? null],
  ];
  return (
    <>
      <dl class="row figures">
        {given.map(([name, value, rule]) => (
          <div key={name}>
            <dt class="quiet">{name}</dt>
            <dd>
              <bdi>{value || '—'}</bdi>
              {rule && <span class="quiet"> {t('rule_by')} <bdi>{rule}</bdi></span>}
            </dd>
          </div>
        ))}
      </dl>
      <ol class="verdicts">
        {got.rules.map((one) => (
          <li key={one.name}>
            <strong class={one.fired ? 'good' : 'quiet'}>{one.fired ? '✓' : '–'} <bdi>{one.name}</bdi></strong> <span class="quiet">{one.text[language.value]}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

function TestBox() {
  const [trial, setTrial] = useState<Trial>({ text: '' });
  const [got, setGot] = useState<RulesTest | null>(null);
  const put = (to: Partial<Trial>): void => setTrial((before) => ({ ...before, ...to }));
  useEffect(() => void attempt(showChannels), []);
  return (
    <form
      class="column"
      onSubmit={(event) => {
        event.preventDefault();
        void attempt(async () => setGot(await testRules(trial)));
      }}
    >
      <label>
        {t('rule_text')}
        <textarea rows={3} required value={trial.text} onInput={(event) => put({ text: event.currentTarget.value })} />
      </label>
      <div class="row">
        <label>
          {t('rule_channel')}{' '}
          <select value={trial.channel ?? ''} onChange={(event) => put({ channel: event.currentTarget.value })}>
            <option value="">{t('all')}</option>
            {channels.value.map((one) => (
              <option key={one.id} value={one.name}>{one.name}</option>
            ))}
          </select>
        </label>
        <label>
          {t('rule_language')}{' '}
          <select value={trial.language ?? ''} onChange={(event) => put({ language: event.currentTarget.value })}>
            <option value="">{t('rule_guessed')}</option>
            <option value="zh">zh</option>
            <option value="en">en</option>
          </select>
        </label>
        <button class="primary">{t('test')}</button>
      </div>
      <div role="status">{got && <Outcome got={got} />}</div>
    </form>
  );
}

function Lint() {
  const [found, setFound] = useState<Finding[] | null>(null);
  return (
    <div class="column">
      <button type="button" onClick={() => void attempt(async () => setFound(await lintRules()))}>{t('rule_lint')}</button>
      <div role="status">
        {found && !found.length && <p class="good">{t('rule_lint_none')}</p>}
        <ul>
          {found?.map((one) => (
            <li key={`${one.rule} ${one.code}`}><strong><bdi>{one.rule}</bdi></strong> {one.text[language.value]}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function Difference({ was, would }: { was: string; would: string }) {
  return was === would ? <bdi>{was}</bdi> : <><del><bdi>{was || '—'}</bdi></del> → <ins><bdi>{would || '—'}</bdi></ins></>;
}

function Replay() {
  const [count, setCount] = useState(COUNTS[0]!);
  const [progress, setProgress] = useState<[number, number] | null>(null);
  const [rows, setRows] = useState<Replayed[] | null>(null);
  const run = async (): Promise<void> => {
    setRows(null);
    setProgress([0, count]);
    try {
      setRows(await replayRules(count, (done, of) => setProgress([done, of])));
    } finally {
      setProgress(null);
    }
  };
  const others = rows?.filter((one) => one.was.join() !== one.would.join()) ?? [];
  return (
    <div class="column">
      <p class="quiet">{t('rule_replay_help')}</p>
      <div class="row">
        <label>
          {t('rule_newest')}{' '}
          <select value={count} onChange={(event) => setCount(Number(event.currentTarget.value))}>
            {COUNTS.map((one) => (
              <option key={one} value={one}>{one}</option>
            ))}
          </select>
        </label>
        <button type="button" disabled={!!progress} onClick={() => void attempt(run)}>{t('rule_replay')}</button>
        {progress && <progress max={progress[1]} value={progress[0]} aria-label={t('rule_replay')} />}
      </div>
      <p role="status">{rows && `${rows.length} ${t('rule_ran')} · ${others.length} ${t('rule_differ')}`}</p>
      {others.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label={t('rule_replay')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('number')}</th>
                <th scope="col">{t('rule_text')}</th>
                <th scope="col">{t('queue')}</th>
                <th scope="col">{t('rule_type')}</th>
                <th scope="col">{t('urgency')}</th>
              </tr>
            </thead>
            <tbody>
              {others.map(({ item, text, was, would }) => (
                <tr key={item.id}>
                  <th scope="row">
                    <a href="#/desk" onClick={() => void attempt(() => openItemById(item.id))}>#{item.number}</a>
                  </th>
                  <td class="wide"><bdi>{text.slice(0, 120)}</bdi></td>
                  {was.map((one, at) => (
                    <td key={at}><Difference was={one} would={would[at] ?? ''} /></td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function Version({ one }: { one: RulesVersion }) {
  const [changes, setChanges] = useState<Awaited<ReturnType<typeof changesSince>> | null>(null);
  const said: [string, string[]][] = changes ? [[t('rule_came'), changes.came], [t('rule_went'), changes.went], [t('rule_changed'), changes.changed]] : [];
  return (
    <li>
      <button type="button" class="small" onClick={() => void attempt(async () => setChanges(await changesSince(one.version)))}>
        {t('rule_version')} {one.version} · {when(one.since)}
      </button>{' '}
      {changes && said.every(([, ids]) => !ids.length) && <span class="quiet">{t('rule_same')}</span>}
      {said.filter(([, ids]) => ids.length).map(([name, ids]) => (
        <span key={name}>{name} <bdi>{ids.join(', ')}</bdi> </span>
      ))}
    </li>
  );
}

function Versions() {
  const [all, setAll] = useState<RulesVersion[] | null>(null);
  useEffect(() => void attempt(async () => setAll(await versionsOfRules())), []);
  return (
    <>
      <p class="quiet">{t('rule_versions_help')}</p>
      <ul class="list">{all?.map((one) => <Version key={one.id} one={one} />)}</ul>
    </>
  );
}

/** What the rules would do, before they do it: with the rule in the form as it is typed. */
export function RuleDesk() {
  return (
    <div class="parts">
      {edited.value && <p class="quiet" role="status">{t('rule_as_typed')} <bdi>{edited.value.id}</bdi></p>}
      <Part title={t('rule_test')}><TestBox /></Part>
      <Part title={t('rule_lint')}><Lint /></Part>
      <Part title={t('rule_replay')}><Replay /></Part>
      <Part title={t('rule_versions')}><Versions /></Part>
    </div>
  );
}
