import { useEffect, useState } from 'preact/hooks';
import type { Happening } from '../../api/types';
import { timelinePage } from '../../state/customer';
import { attempt, background } from '../../state/notices';
import { t, when, word } from '../../words';

function happeningText(one: Happening): string {
  if (one.type === 'message') return one.message!.text || word('kind', one.message!.kind);
  return one.type === 'note' ? one.note!.text : `#${one.work_item!.number} ${word('state', one.work_item!.state)}`;
}

const happeningWho = (one: Happening): string =>
  one.type === 'message' ? word('author', one.message!.author.type) : one.type === 'note' ? t('notes') : t('work');

export function Timeline({ id }: { id: string }) {
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
