// The words of the page in the language of the moment: whoever reads t() while drawing is drawn anew by a change of it.
import { signal } from '@preact/signals';
import { en, type Key } from './en';
import { zh } from './zh';

export type { Key };
export type Language = 'en' | 'zh';

const catalogs: Record<Language, Record<Key, string>> = { en, zh };

export const language = signal<Language>((localStorage.getItem('language') ?? navigator.language).startsWith('zh') ? 'zh' : 'en');

export const localeOf = (of: Language): string => (of === 'zh' ? 'zh-CN' : 'en');

export function setLanguage(next: Language): void {
  language.value = next;
  localStorage.setItem('language', next);
  document.documentElement.lang = localeOf(next);
}

export const t = (key: Key): string => catalogs[language.value][key];

/** The word for a value of the API, such as ("state", "queued"); a value without a word is shown as it is. */
export function word(kind: string, value: string | null | undefined): string {
  if (!value) return '';
  return (catalogs[language.value] as Record<string, string>)[`${kind}_${value}`] ?? value;
}

const space = (): string => (language.value === 'zh' ? '' : ' ');

export function when(time: string): string {
  const date = new Date(time);
  const locale = localeOf(language.value);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? date.toLocaleTimeString(locale, { timeStyle: 'short' }) : date.toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}

export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} ${t('seconds')}`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} ${t('minutes')}`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} ${t('hours')}`;
  return `${Math.round(seconds / 86400)} ${t('days')}`;
}

export const secondsSince = (time: string, now = Date.now()): number => Math.max(0, Math.round((now - Date.parse(time)) / 1000));

export const ago = (time: string): string => `${duration(secondsSince(time))}${space()}${t('age')}`;

/** How long something still has. */
export const remaining = (seconds: number): string => (language.value === 'zh' ? `${t('left')} ${duration(seconds)}` : `${duration(seconds)} ${t('left')}`);
