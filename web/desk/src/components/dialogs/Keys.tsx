import { useState } from 'preact/hooks';
import { areKeysOn } from '../../state/look';
import { bindings, isRemapped, remap, resetKeys, type Binding } from '../../state/keys';
import { t, type Key } from '../../words';
import { Frame } from './Frame';

/** What a key stroke means while another key is chosen: a key, none, or undefined where it is no answer. */
function chosen(event: KeyboardEvent): string | undefined {
  if (event.key === 'Delete' || event.key === 'Backspace') return '';
  return event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey ? event.key : undefined;
}

interface RowProps {
  binding: Binding;
  isChoosing: boolean;
  choose: (means: Key | null) => void;
  take: (key: string) => void;
}

function Row({ binding: { key, means }, isChoosing, choose, take }: RowProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isChoosing || event.isComposing || event.key === 'Tab') return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === 'Escape') choose(null);
    const wanted = chosen(event);
    if (wanted !== undefined) take(wanted);
  };
  return (
    <tr>
      <td>
        <button
          type="button"
          class="small"
          aria-label={`${t(means)}: ${isChoosing ? t('keys_press') : key || t('keys_none')}`}
          aria-pressed={isChoosing}
          onClick={() => choose(isChoosing ? null : means)}
          onBlur={() => isChoosing && choose(null)}
          onKeyDown={onKeyDown}
        >
          {isChoosing ? '…' : key ? <kbd>{key}</kbd> : '–'}
        </button>
      </td>
      <th scope="row">{t(means)}</th>
    </tr>
  );
}

export function Keys() {
  const [choosing, setChoosing] = useState<Key | null>(null);
  const [conflict, setConflict] = useState<Binding | null>(null);
  const choose = (means: Key | null) => {
    setChoosing(means);
    setConflict(null);
  };
  const take = (key: string) => {
    const holder = choosing && remap(choosing, key);
    setConflict(holder);
    if (!holder) setChoosing(null);
  };
  return (
    <Frame title="keys_title">
      <p class="quiet" id="keys-hint" role="status">
        {t(choosing ? 'keys_press' : 'keys_change')}
      </p>
      <p class="bad" role="alert">
        {conflict && `${conflict.key}: ${t('keys_taken')} ${t(conflict.means)}`}
      </p>
      <table class="keys">
        <tbody>
          {bindings.value.map((one) => (
            <Row key={one.means} binding={one} isChoosing={choosing === one.means} choose={choose} take={take} />
          ))}
          <tr><td><kbd>Ctrl</kbd>+<kbd>Enter</kbd></td><th scope="row">{t('key_send')}</th></tr>
          <tr><td><kbd>Esc</kbd></td><th scope="row">{t('key_leave_input')}</th></tr>
        </tbody>
      </table>
      <p class="quiet">{t('keys_inputs')}</p>
      <div class="row spread">
        <label class="check">
          <input type="checkbox" checked={areKeysOn.value} onChange={(event) => (areKeysOn.value = event.currentTarget.checked)} /> {t('keys_on')}
        </label>
        <button type="button" disabled={!isRemapped.value} onClick={resetKeys}>
          {t('keys_reset')}
        </button>
      </div>
    </Frame>
  );
}
