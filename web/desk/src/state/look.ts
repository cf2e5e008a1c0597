// How the page looks and which view is open; kept in the browser.
import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
export type View = 'desk' | 'wall' | 'settings';

const stored = (name: string, otherwise: string): string => localStorage.getItem(name) ?? otherwise;

export const theme = signal<Theme>(stored('theme', 'auto') as Theme);
export const areKeysOn = signal(stored('keys', 'on') === 'on');
export const doesEnterSend = signal(stored('enter', 'off') === 'on');

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem('theme', theme.value);
});
effect(() => localStorage.setItem('keys', areKeysOn.value ? 'on' : 'off'));
effect(() => localStorage.setItem('enter', doesEnterSend.value ? 'on' : 'off'));

/** "#/settings/queues" is view "settings" with part "queues". */
function readHash(): { view: View; part: string } {
  const [, view = '', part = ''] = location.hash.split('/');
  return { view: view === 'wall' || view === 'settings' ? view : 'desk', part };
}

export const place = signal(readHash());
addEventListener('hashchange', () => {
  place.value = readHash();
});
