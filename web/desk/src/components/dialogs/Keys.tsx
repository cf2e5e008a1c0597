import { areKeysOn } from '../../state/look';
import { bindings } from '../../state/keys';
import { t } from '../../words';
import { Frame } from './Frame';

export function Keys() {
  return (
    <Frame title="keys_title">
      <table class="keys">
        <tbody>
          {bindings().map(({ key, means }) => (
            <tr key={means}>
              <th scope="row"><kbd>{key}</kbd></th>
              <td>{t(means)}</td>
            </tr>
          ))}
          <tr><th scope="row"><kbd>Ctrl</kbd>+<kbd>Enter</kbd></th><td>{t('key_send')}</td></tr>
          <tr><th scope="row"><kbd>Esc</kbd></th><td>{t('key_leave_input')}</td></tr>
        </tbody>
      </table>
      <p class="quiet">{t('keys_inputs')}</p>
      <label class="check">
        <input type="checkbox" checked={areKeysOn.value} onChange={(event) => (areKeysOn.value = event.currentTarget.checked)} /> {t('keys_on')}
      </label>
    </Frame>
  );
}
