import { useEffect, useState } from 'preact/hooks';
import type { Customer, CustomerMerge } from '../../api/types';
import { findCustomers, merges, showMerges } from '../../state/customer';
import { dialog } from '../../state/dialogs';
import { attempt, background } from '../../state/notices';
import { ago, t, word } from '../../words';

function Row({ of, one }: { of: string; one: CustomerMerge }) {
  return (
    <li>
      <span>
        {word('merge_kind', one.kind)} <span class="quiet">{[one.by, ago(one.at), one.evidence?.reason].filter(Boolean).join(' · ')}</span>
      </span>{' '}
      {one.reverted_at ? (
        <span class="quiet">{t('merge_reverted')}</span>
      ) : (
        <button type="button" class="small" onClick={() => (dialog.value = { name: 'revert', of, merge: one })}>{t('revert')}</button>
      )}
    </li>
  );
}

/** Somebody knows who else it is, though nothing suggests it. */
function SameAs({ of }: { of: Customer }) {
  const [text, setText] = useState('');
  const [found, setFound] = useState<{ id: string; name: string }[] | null>(null);
  return (
    <form
      class="column"
      onSubmit={(event) => {
        event.preventDefault();
        void attempt(async () => setFound((await findCustomers(text.trim())).filter((one) => one.id !== of.id)));
      }}
    >
      <label>
        {t('same_as')}
        <span class="row">
          <input maxLength={200} required placeholder={t('same_as_hint')} value={text} onInput={(event) => setText(event.currentTarget.value)} />
          <button>{t('search')}</button>
        </span>
      </label>
      <ul class="list" aria-live="polite">
        {found?.map((one) => (
          <li key={one.id} class="row">
            <bdi>{one.name || one.id}</bdi>
            <button type="button" class="small" onClick={() => (dialog.value = { name: 'merge', into: of.id, other: { customer: one.id, name: one.name, score: 0, state: 'open' } })}>{t('merge')}</button>
          </li>
        ))}
        {found?.length === 0 && <li class="quiet">{t('nobody_known')}</li>}
      </ul>
    </form>
  );
}

/** Whom it was merged with and what was taken out: all of it can be taken back. */
export function Merges({ of }: { of: Customer }) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (isOpen) void background(() => showMerges(of.id));
  }, [isOpen, of]);
  const rows = merges.value?.of === of.id ? merges.value.rows : null;
  return (
    <details id="merges" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('merges')}</summary>
      <SameAs of={of} />
      <ul class="list">
        {rows?.map((one) => <Row key={one.id} of={of.id} one={one} />)}
        {!rows?.length && <li class="quiet">{t(rows ? 'merges_none' : 'loading')}</li>}
      </ul>
    </details>
  );
}
