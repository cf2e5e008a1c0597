import { useEffect, useState } from 'preact/hooks';
import type { Merge, Suggestion } from '../../api/types';
import { merge, mergePreview } from '../../state/customer';
import { closeDialog } from '../../state/dialogs';
import { attempt, background } from '../../state/notices';
import { t } from '../../words';
import { Frame } from './Frame';

const countOf = (what: unknown): number => (Array.isArray(what) ? what.length : typeof what === 'number' ? what : 0);
const plain = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

export function MergeForm({ into, other }: { into: string; other: Suggestion }) {
  const [shown, setShown] = useState<Merge | null>(null);
  useEffect(() => void background(async () => setShown(await mergePreview(into, other.customer))), []);
  const does = () => {
    closeDialog();
    void attempt(() => merge(into, other.customer, shown?.versions));
  };
  return (
    <Frame title="merge_title" does="merge_do" onDo={does}>
      <p><bdi>{other.name || other.customer}</bdi></p>
      {!shown && <p>{t('loading')}</p>}
      {shown && (
        <p>
          {`${countOf(shown.identifiers)} ${t('identifiers_n')}, ${countOf(shown.conversations)} ${t('conversations_n')} ${t('merge_moves')}`}
        </p>
      )}
      <ul>
        {shown?.conflicts?.map((one) => (
          <li key={one.field}>
            {`${t('merge_differs')}: ${one.field}: `}<bdi>{plain(one.into)}</bdi> / <bdi>{plain(one.from)}</bdi>
          </li>
        ))}
      </ul>
    </Frame>
  );
}
