import { Fragment } from 'preact';
import type { Hit } from '../api/types';
import { attempt } from '../state/notices';
import { hits, nextHits, query, search } from '../state/search';
import { openHit } from '../state/thread';
import { t, when, word } from '../words';

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };
const plain = (text: string): string => text.replace(/&(lt|gt|quot|#39|amp);/g, (_, one: string) => ENTITIES[one] ?? '');

/** A snippet is escaped HTML with <mark>; it is taken apart instead of being handed to the page as HTML. */
function Snippet({ html }: { html: string }) {
  return (
    <bdi>
      {html.split(/<mark>|<\/mark>/).map((part, place) => (
        <Fragment key={place}>{place % 2 ? <mark>{plain(part)}</mark> : plain(part)}</Fragment>
      ))}
    </bdi>
  );
}

function HitRow({ hit }: { hit: Hit }) {
  const facts = [word('hit', hit.type), hit.number && `#${hit.number}`, hit.channel, hit.at && when(hit.at)];
  return (
    <li>
      <button type="button" class="item" onClick={() => void attempt(() => openHit(hit))}>
        <span class="quiet">{facts.filter(Boolean).join(' · ')}</span>
        <Snippet html={hit.snippet} />
      </button>
    </li>
  );
}

export function SearchBox() {
  return (
    <>
      <form
        role="search"
        class="row search"
        onSubmit={(event) => {
          event.preventDefault();
          void attempt(() => search(null));
        }}
      >
        <input
          id="query"
          type="search"
          maxLength={200}
          aria-label={t('search')}
          value={query.value}
          onInput={(event) => (query.value = event.currentTarget.value)}
        />
        <button>{t('search')}</button>
      </form>
      <div id="found" role="region" aria-label={t('found')} hidden={!hits.value}>
        <ul id="hits" class="list">
          {hits.value?.map((hit) => <HitRow key={`${hit.type}${hit.id}${hit.snippet}`} hit={hit} />)}
          {hits.value && !hits.value.length && <li class="quiet">{t('nothing')}</li>}
        </ul>
        {nextHits.value && (
          <button type="button" onClick={() => void attempt(() => search(nextHits.value))}>
            {t('more')}
          </button>
        )}
      </div>
    </>
  );
}
