// What the provider's redirect left in the address: a session, or the reason why there is none.
import { endedBecause } from './session';
import { word } from '../words';

/** True where a session waits in the cookie. The address is made clean, so that a reload does not come here again. */
export function returned(): boolean {
  const [, place = '', reason = ''] = location.hash.split('/');
  if (place !== 'signed-in' && place !== 'sign-in') return false;
  history.replaceState(null, '', '#/');
  if (place === 'sign-in') endedBecause.value = word('sign_in', reason);
  return place === 'signed-in';
}
