// When somebody is there again, by the visitor's own clock and in the widget's language.
import type { Words } from './words';

const DAY_MS = 24 * 3600_000;

/** The day of the week is enough for the next six days; after those it would be taken for the wrong one. */
export function opensAgain(at: string, words: Words): string {
  const time = new Date(at);
  const date = time.getTime() - Date.now() < 6 * DAY_MS ? {} : ({ month: 'long', day: 'numeric' } as const);
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  return words.opens(new Intl.DateTimeFormat(words.locale, { weekday: words.weekday, ...date, ...clock }).format(time));
}
