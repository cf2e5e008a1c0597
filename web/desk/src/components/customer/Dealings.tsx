import { useState } from 'preact/hooks';
import type { Customer, CustomerNote, Order, SlaClock } from '../../api/types';
import { removeNote } from '../../state/customer';
import { attempt } from '../../state/notices';
import { open, openConversation } from '../../state/thread';
import { now } from '../../state/work';
import { ago, duration, remaining, t, when, word } from '../../words';
import { ChannelBadge } from '../marks';
import { Fact, Section } from './Fact';

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

/** A note that is taken away is gone, so it is asked once more. */
function Note({ one }: { one: CustomerNote }) {
  const [isSure, setSure] = useState(false);
  return (
    <Fact beside={[one.author.name, ago(one.created_at)]}>
      <bdi class="text">{one.text}</bdi>{' '}
      <button type="button" class="plain small" aria-label={`${t(isSure ? 'sure_remove' : 'remove')}: ${one.text.slice(0, 40)}`} onBlur={() => setSure(false)} onClick={() => (isSure ? removeNote(one.id) : setSure(true))}>
        {isSure ? t('sure_remove') : '✕'}
      </button>
    </Fact>
  );
}

/** What there was with the customer: work, orders, talks, consent, notes. */
export function Dealings({ known }: { known: Customer }) {
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
        {(known.notes ?? []).map((one) => (
          <Note key={one.id} one={one} />
        ))}
      </Section>
    </>
  );
}
