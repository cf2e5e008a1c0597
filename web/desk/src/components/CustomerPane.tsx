import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Customer, Happening, Order, SlaClock, Suggestion } from '../api/types';
import { addCustomerNote, customer, dismiss, setTags, timelinePage } from '../state/customer';
import { dialog } from '../state/dialogs';
import { attempt, background } from '../state/notices';
import { open, openConversation } from '../state/thread';
import { now } from '../state/work';
import { ago, duration, remaining, t, when, word, type Key } from '../words';
import { ChannelBadge } from './marks';

/** One line: what it is, and beside it in quiet who said so and when. */
function Fact({ children, beside }: { children: ComponentChildren; beside?: (string | false | null | undefined)[] }) {
  const quiet = (beside ?? []).filter(Boolean).join(' · ');
  return (
    <dd>
      {children} {quiet && <span class="quiet">{quiet}</span>}
    </dd>
  );
}

function Section({ title, children }: { title: Key; children: ComponentChildren[] }) {
  if (!children.length) return null;
  return (
    <>
      <dt>{t(title)}</dt>
      {children}
    </>
  );
}

const plain = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** Only web addresses become links: an order's or a link's comes from outside. */
function Outward({ text, url }: { text: string; url?: string }) {
  if (!url || !/^https?:\/\//.test(url)) return <bdi>{text}</bdi>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      <bdi>{text}</bdi>
    </a>
  );
}

const orderFacts = (order: Order) => [order.status, [order.total, order.currency].filter(Boolean).join(' '), order.placed_at && when(order.placed_at)];

function Clock({ clock }: { clock: SlaClock }) {
  const left = clock.due_at ? (Date.parse(clock.due_at) - now.value) / 1000 : 0;
  const runs = clock.due_at && (clock.state === 'active' || clock.state === 'warned');
  return (
    <Fact beside={[word('sla', clock.state), clock.policy]}>
      <span class={`clock ${left < 0 ? 'breached' : clock.state}`}>
        {word('metric', clock.metric)}
        {runs && `: ${left < 0 ? `${t('late')} ${duration(-left)}` : remaining(left)}`}
      </span>
    </Fact>
  );
}

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

function Maybe({ of, one }: { of: string; one: Suggestion }) {
  return (
    <Fact beside={[`${t('score')} ${one.score}`]}>
      <bdi>{one.name || one.customer}</bdi>
      <span class="row">
        <button type="button" class="small" onClick={() => (dialog.value = { name: 'merge', into: of, other: one })}>{t('merge')}</button>
        <button type="button" class="small" onClick={() => void attempt(() => dismiss(of, one.customer))}>{t('dismiss')}</button>
      </span>
    </Fact>
  );
}

function Talks({ known }: { known: Customer }) {
  return (
    <Section title="channels">
      {known.conversations.map((one) => (
        <Fact key={one.id} beside={[word('state', one.state), one.messages === 1 ? t('one_message') : `${one.messages} ${t('messages')}`, one.last_message && ago(one.last_message.at)]}>
          <ChannelBadge channel={one.channel} />{' '}
          <button type="button" class="plain link" disabled={one.id === open.value?.conversation} onClick={() => void attempt(() => openConversation(one.id))}>
            <bdi>{one.subject || one.last_message?.text.slice(0, 80) || word('state', one.state)}</bdi>
          </button>
        </Fact>
      ))}
    </Section>
  );
}

function Person({ known }: { known: Customer }) {
  return (
    <>
      <dt class="name"><bdi>{known.name || t('unnamed')}</bdi> {known.tier && <span class="badge">{known.tier}</span>}</dt>
      <dt>{t('identifiers')}</dt>
      {known.identifiers.map((one) => (
        <Fact key={one.kind + one.value} beside={[t(one.proof) + (one.by ? `, ${one.by}` : ''), one.shared && t('shared')]}>
          <span class={`proof ${one.proof}`} aria-hidden="true">{one.proof === 'proved' ? '✓' : '?'}</span> <bdi>{`${word('kind', one.kind)}: ${one.value}`}</bdi>
        </Fact>
      ))}
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
      <Section title="conflicts">
        {(known.conflicts ?? []).map((one, place) => <Fact key={place}><bdi>{`${one.field}: ${plain(one.value)}`}</bdi></Fact>)}
      </Section>
    </>
  );
}

function Dealings({ known }: { known: Customer }) {
  const orders = [...known.orders, ...(known.pulled_orders ?? []).flatMap((one) => one.orders)];
  return (
    <>
      <Section title="sla">{(open.value?.item?.sla ?? []).map((clock) => <Clock key={clock.metric + clock.policy} clock={clock} />)}</Section>
      <Section title="orders">
        {orders.map((order) => <Fact key={order.id} beside={orderFacts(order)}><Outward text={order.title || order.id} url={order.url} /></Fact>)}
      </Section>
      <Section title="links">{(known.links ?? []).map((one) => <Fact key={one.url}><Outward text={one.name} url={one.url} /></Fact>)}</Section>
      <Talks known={known} />
      <Section title="work">
        {known.work_items.map((one) => <Fact key={one.id} beside={[one.queue]}>{`#${one.number} ${word('state', one.state)}`}</Fact>)}
      </Section>
      <Section title="opinion">
        {known.csat.count ? [<Fact key="csat" beside={[known.csat.last?.comment]}>{`${known.csat.average} / 5 (${known.csat.count})`}</Fact>] : []}
      </Section>
      <Section title="consent">
        {known.consent.map((one) => (
          <Fact key={one.purpose + one.channel} beside={[one.at && ago(one.at)]}>{`${one.purpose}${one.channel ? ` (${one.channel})` : ''}: ${t(one.state)}`}</Fact>
        ))}
      </Section>
      <Section title="notes">
        {(known.notes ?? []).map((one) => <Fact key={one.id} beside={[one.author.name, ago(one.created_at)]}><bdi class="text">{one.text}</bdi></Fact>)}
      </Section>
    </>
  );
}

function NoteForm() {
  const [text, setText] = useState('');
  return (
    <form
      id="about-form"
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        addCustomerNote(text, setText);
        setText('');
      }}
    >
      <input id="about" maxLength={10000} aria-label={t('note_about')} placeholder={t('note_short')} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <button>{t('add')}</button>
    </form>
  );
}

function happeningText(one: Happening): string {
  if (one.type === 'message') return one.message!.text || word('kind', one.message!.kind);
  return one.type === 'note' ? one.note!.text : `#${one.work_item!.number} ${word('state', one.work_item!.state)}`;
}

const happeningWho = (one: Happening): string =>
  one.type === 'message' ? word('author', one.message!.author.type) : one.type === 'note' ? t('notes') : t('work');

function Timeline({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  const [shown, setShown] = useState<Happening[]>([]);
  const [next, setNext] = useState<string | null>('');
  async function more(): Promise<void> {
    const page = await timelinePage(id, next ?? '');
    setShown((all) => [...all, ...page.data]);
    setNext(page.next_cursor);
  }
  useEffect(() => {
    if (isOpen && next === '') void background(more);
  }, [isOpen]);
  return (
    <details id="timeline" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('timeline')}</summary>
      <ol id="happenings">
        {shown.map((one, place) => (
          <li key={place}>
            <span class="quiet">{[when(one.at), one.channel, happeningWho(one)].filter(Boolean).join(' · ')}</span>
            <bdi>{happeningText(one).slice(0, 200)}</bdi>
          </li>
        ))}
      </ol>
      {isOpen && next && (
        <button type="button" onClick={() => void attempt(more)}>{t('more')}</button>
      )}
    </details>
  );
}

export function CustomerPane() {
  const known = customer.value;
  return (
    <aside id="customer" class="pane" aria-labelledby="customer-title">
      <h2 id="customer-title">{t('customer')}</h2>
      <dl id="facts">
        {known && <Person known={known} />}
        {known && <Dealings known={known} />}
      </dl>
      {known && <NoteForm key={`note ${known.id}`} />}
      {known && <Timeline key={known.id} id={known.id} />}
    </aside>
  );
}
