import { useState } from 'preact/hooks';
import type { Customer, Identifier, Suggestion } from '../../api/types';
import { dialog } from '../../state/dialogs';
import { plain, setShared, setTags } from '../../state/customer';
import { talk } from '../../state/thread';
import { ago, t, word } from '../../words';
import { Fact, Section } from './Fact';

function Tags({ tags }: { tags: string[] }) {
  const [text, setText] = useState('');
  return (
    <dd>
      <ul class="chips">
        {tags.map((tag) => (
          <li key={tag}>
            <bdi>{tag}</bdi>
            <button type="button" class="plain small" aria-label={`${t('remove')}: ${tag}`} onClick={() => setTags(tags.filter((one) => one !== tag))}>
              ✕
            </button>
          </li>
        ))}
      </ul>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          const tag = text.trim();
          if (tag && !tags.includes(tag)) setTags([...tags, tag]);
          setText('');
        }}
      >
        <input aria-label={t('add_tag')} placeholder={t('add_tag')} maxLength={60} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </form>
    </dd>
  );
}

/** Why somebody may be the same person: what was shown, over which channel, and how sure that is. */
function evidenceText({ evidence = [] }: Suggestion): string {
  return evidence.map((one) => [`${word('kind', one.kind)}: ${one.value}`, one.proof && t(one.proof), one.channel].filter(Boolean).join(', ')).join('; ');
}

function Maybe({ of, one }: { of: string; one: Suggestion }) {
  return (
    <Fact beside={[`${t('score')} ${one.score}`, evidenceText(one)]}>
      <bdi>{one.name || one.customer}</bdi>
      <span class="row">
        <button type="button" class="small" onClick={() => (dialog.value = { name: 'merge', into: of, other: one })}>{t('merge')}</button>
        <button type="button" class="small" onClick={() => (dialog.value = { name: 'dismiss', of, other: one })}>{t('dismiss')}</button>
      </span>
    </Fact>
  );
}

/** Who is known by it, how sure that is, and what to do where it is wrong. */
function Known({ of, one, isOnly }: { of: Customer; one: Identifier; isOnly: boolean }) {
  const name = `${word('kind', one.kind)}: ${one.value}`;
  return (
    <dd>
      <details class="identifier">
        <summary>
          <span class={`proof ${one.proof}`} aria-hidden="true">{one.proof === 'proved' ? '✓' : '?'}</span> <bdi>{name}</bdi>{' '}
          <span class="quiet">{[t(one.proof) + (one.by ? `, ${word('by', one.by)}` : ''), one.shared && t('shared')].filter(Boolean).join(' · ')}</span>
        </summary>
        <div class="row">
          <button type="button" class="small" aria-pressed={!!one.shared} onClick={() => setShared(of, one, !one.shared)}>{t('share')}</button>
          {!isOnly && <button type="button" class="small" onClick={() => (dialog.value = { name: 'split', of: of.id, identifier: one })}>{t('split')}</button>}
        </div>
      </details>
    </dd>
  );
}

/** Who it is. */
export function Person({ known }: { known: Customer }) {
  return (
    <>
      <dt class="name"><bdi>{known.name || t('unnamed')}</bdi> {known.tier && <span class="badge">{known.tier}</span>}</dt>
      <dd><button type="button" class="small" onClick={() => (dialog.value = { name: 'person' })}>{t('customer_edit')}</button></dd>
      <dt>{t('identifiers')}</dt>
      {known.identifiers.map((one) => <Known key={one.kind + one.scope + one.value} of={known} one={one} isOnly={known.identifiers.length < 2} />)}
      <Section title="maybe">
        {(known.suggestions ?? []).filter((one) => one.state === 'open').map((one) => <Maybe key={one.customer} of={known.id} one={one} />)}
      </Section>
      <dt>{t('tags')}</dt>
      <Tags tags={known.tags} />
      <Section title="attributes">
        {Object.entries(known.attributes).map(([name, one]) => (
          <Fact key={name} beside={[one.source, one.at && ago(one.at)]}><bdi>{`${name}: ${plain(one.value)}`}</bdi></Fact>
        ))}
      </Section>
      <Section title="page_attributes">
        {Object.entries(talk.value?.page_attributes ?? {}).map(([name, value]) => (
          <Fact key={name} beside={[t('claimed')]}><span class="proof claimed" aria-hidden="true">?</span> <bdi>{`${name}: ${value}`}</bdi></Fact>
        ))}
      </Section>
      <Section title="conflicts">
        {(known.conflicts ?? []).map((one, place) => <Fact key={place}><bdi>{`${one.field}: ${plain(one.value)}`}</bdi></Fact>)}
      </Section>
    </>
  );
}
