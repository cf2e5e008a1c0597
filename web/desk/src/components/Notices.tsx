import { dropNotice, notices, problem } from '../state/notices';
import { t } from '../words';

export function Notices() {
  return (
    <div id="notices">
      <div role="status">
        {notices.value.map((one) => (
          <p key={one.id} class="notice">
            {one.text}
            {one.undo && (
              <button
                type="button"
                onClick={() => {
                  dropNotice(one.id);
                  one.undo?.();
                }}
              >
                {t('undo')}
              </button>
            )}
          </p>
        ))}
      </div>
      <p id="problem" role="alert">
        {problem.value}
        {problem.value && (
          <button type="button" class="plain small" aria-label={t('dismiss_problem')} onClick={() => (problem.value = '')}>
            ✕
          </button>
        )}
      </p>
    </div>
  );
}
