import type { ComponentChildren } from 'preact';
import { t, type Key } from '../../words';

/** One line: what it is, and beside it in quiet who said so and when. */
export function Fact({ children, beside }: { children: ComponentChildren; beside?: (string | false | null | undefined)[] }) {
  const quiet = (beside ?? []).filter(Boolean).join(' · ');
  return (
    <dd>
      {children} {quiet && <span class="quiet">{quiet}</span>}
    </dd>
  );
}

export function Section({ title, children }: { title: Key; children: ComponentChildren[] }) {
  if (!children.length) return null;
  return (
    <>
      <dt>{t(title)}</dt>
      {children}
    </>
  );
}
