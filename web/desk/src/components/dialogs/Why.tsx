import { useEffect, useState } from 'preact/hooks';
import { ask } from '../../api/client';
import type { Explain } from '../../api/types';
import { background } from '../../state/notices';
import { open } from '../../state/thread';
import { nameOf } from '../../state/work';
import { language, t, word } from '../../words';
import { Frame } from './Frame';

export function Why() {
  const [answer, setAnswer] = useState<Explain | null>(null);
  const [id] = useState(open.value?.item?.id);
  useEffect(() => {
    if (id) void background(async () => setAnswer(await ask<Explain>(`/v1/work-items/${id}/explain`)));
  }, [id]);
  return (
    <Frame title="why">
      <p aria-live="polite">{answer ? answer.text[language.value] : t('loading')}</p>
      {!!answer?.agents?.length && (
        <table>
          <tbody>
            {answer.agents.map((one) => (
              <tr key={one.agent}>
                <th scope="row">{nameOf('agents', one.agent)}</th>
                <td>{word('standing', one.standing)}</td>
                <td>{`${one.load} / ${one.capacity}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Frame>
  );
}
