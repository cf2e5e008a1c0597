// Who is one person and who is two: each shows what it would do before it does it, and can be taken back.
import { useEffect, useState } from 'preact/hooks';
import type { CustomerMerge, Identifier, Merge, Suggestion } from '../../api/types';
import { customer, dismiss, identifierText, merge, mergePreview, plain, revert, revertPreview, split, splitPreview } from '../../state/customer';
import { closeDialog } from '../../state/dialogs';
import { attempt, background } from '../../state/notices';
import { t, word, type Key } from '../../words';
import { Frame } from './Frame';

function Preview({ shown }: { shown: Merge | null }) {
  if (!shown) return <p role="status">{t('loading')}</p>;
  const identifiers = Array.isArray(shown.identifiers) ? shown.identifiers : [];
  const conversations = Array.isArray(shown.conversations) ? shown.conversations : [];
  return (
    <>
      <p id="moves">{t('merge_moves')}</p>
      <ul class="moves" tabIndex={0} aria-labelledby="moves">
        {identifiers.map((one) => (
          <li key={identifierText(one)}><bdi>{`${word('kind', one.kind)}: ${one.value}`}</bdi> <span class="quiet">{t(one.proof)}</span></li>
        ))}
        {conversations.map((one) => (
          <li key={one.id}><bdi>{one.subject || one.channel}</bdi> <span class="quiet">{[one.subject && one.channel, one.messages === 1 ? t('one_message') : `${one.messages} ${t('messages')}`].filter(Boolean).join(' · ')}</span></li>
        ))}
      </ul>
      <ul>
        {shown.conflicts?.map((one) => (
          <li key={one.field}>
            {`${t('merge_differs')}: ${one.field}: `}<bdi>{plain(one.into)}</bdi> / <bdi>{plain(one.from)}</bdi>
          </li>
        ))}
      </ul>
    </>
  );
}

interface DecideProps {
  title: Key;
  does: Key;
  about: string;
  help?: Key;
  look: () => Promise<Merge>;
  act: (versions: Merge['versions']) => Promise<void>;
}

function Decide({ title, does, about, help, look, act }: DecideProps) {
  const [shown, setShown] = useState<Merge | null>(null);
  useEffect(() => void background(async () => setShown(await look())), []);
  const go = () => {
    closeDialog();
    void attempt(() => act(shown?.versions));
  };
  return (
    <Frame title={title} does={does} onDo={go}>
      <p><bdi>{about}</bdi></p>
      {help && <p class="quiet">{t(help)}</p>}
      <Preview shown={shown} />
    </Frame>
  );
}

export const MergeForm = ({ into, other }: { into: string; other: Suggestion }) => (
  <Decide title="merge_title" does="merge_do" about={`${other.name || other.customer} → ${customer.value?.id === into ? customer.value.name || into : into}`} look={() => mergePreview(into, other.customer)} act={(versions) => merge(into, other.customer, versions)} />
);

export const SplitForm = ({ of, identifier }: { of: string; identifier: Identifier }) => (
  <Decide
    title="split_title"
    does="split_do"
    help="split_help"
    about={`${word('kind', identifier.kind)}: ${identifier.value}`}
    look={() => splitPreview(of, identifier)}
    act={(versions) => split(of, identifier, versions)}
  />
);

export const RevertForm = ({ of, merge: one }: { of: string; merge: CustomerMerge }) => (
  <Decide title="revert_title" does="revert_do" about={word('merge_kind', one.kind)} look={() => revertPreview(of, one.id)} act={(versions) => revert(of, one.id, versions)} />
);

/** A no stays a no, so it is asked once more. */
export function DismissForm({ of, other }: { of: string; other: Suggestion }) {
  const go = () => {
    closeDialog();
    void attempt(() => dismiss(of, other.customer));
  };
  return (
    <Frame title="dismiss_title" does="dismiss_do" onDo={go}>
      <p><bdi>{other.name || other.customer}</bdi></p>
      <p class="quiet">{t('dismiss_help')}</p>
    </Frame>
  );
}
