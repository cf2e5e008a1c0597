import { useEffect } from 'preact/hooks';
import { background } from '../state/notices';
import { me } from '../state/session';
import { areStepsAway, showSteps, steps } from '../state/steps';
import { t } from '../words';

/** Leads whoever runs this to a channel of their own. */
export function FirstSteps() {
  const isAdmin = me.value?.role === 'admin';
  useEffect(() => {
    if (isAdmin && !areStepsAway.value) void background(showSteps);
  }, [isAdmin]);
  if (!isAdmin || areStepsAway.value || !steps.value || steps.value.every((one) => one.isDone)) return null;
  const next = steps.value.find((one) => !one.isDone);
  return (
    <section class="steps" aria-labelledby="steps-title">
      <h3 id="steps-title">{t('steps')}</h3>
      <ol>
        {steps.value.map((one) => (
          <li key={one.name} aria-current={one === next ? 'step' : undefined}>
            <span class={one.isDone ? 'good' : 'quiet'}>{one.isDone ? '✓' : '○'}</span> <a href={one.hash}>{t(one.name)}</a>
            <span class="quiet"> {one.isDone ? t('step_done') : t(one.help)}</span>
          </li>
        ))}
      </ol>
      <div class="row end">
        <button type="button" onClick={() => void background(showSteps)}>{t('step_look')}</button>
        <button type="button" onClick={() => (areStepsAway.value = true)}>{t('step_away')}</button>
      </div>
    </section>
  );
}
