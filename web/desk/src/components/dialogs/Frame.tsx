import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { closeDialog } from '../../state/dialogs';
import { t, type Key } from '../../words';

interface FrameProps {
  title: Key;
  /** The word on the button that does it; without one there is only a way out. */
  does?: Key;
  onDo?: () => void;
  children: ComponentChildren;
}

/** A modal form; Ctrl+Enter does it, Escape leaves, and the focus goes back to where it was. */
export function Frame({ title, does, onDo, children }: FrameProps) {
  const node = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    node.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={node}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        // The browser tells of the closing later than of the next key, which would be lost.
        event.preventDefault();
        closeDialog();
      }}
      onClose={closeDialog}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onDo?.();
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) event.currentTarget.requestSubmit();
        }}
      >
        <h2 id="dialog-title">{t(title)}</h2>
        {children}
        <div class="row end">
          <button type="button" onClick={closeDialog}>{t(does ? 'cancel' : 'close')}</button>
          {does && <button class="primary">{t(does)}</button>}
        </div>
      </form>
    </dialog>
  );
}
