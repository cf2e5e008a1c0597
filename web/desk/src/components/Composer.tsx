import { useEffect, useRef, useState } from 'preact/hooks';
import { post, upload } from '../api/client';
import type { Attachment, Way, WorkItem } from '../api/types';
import { dialog } from '../state/dialogs';
import { draftOf, isDraftKept } from '../state/drafts';
import { doesEnterSend } from '../state/look';
import { namedIn } from '../state/mentions';
import { attempt, problem } from '../state/notices';
import { isMine, talk, write } from '../state/thread';
import { chosenWay, mayCarry, mayTake, writeOver } from '../state/ways';
import { t } from '../words';
import { CannedList, useCanned } from './Canned';
import { NamingList, useNaming } from './Mentions';
import { ReplyVia } from './ReplyVia';

const TYPING_EVERY_MS = 4000;

interface Loading {
  name: string;
  share: number;
}

/** Enter belongs to the input method while it composes; Safari ends a composition just before its keydown. */
function useComposition() {
  const endedAt = useRef(0);
  return {
    onCompositionEnd: () => (endedAt.current = performance.now()),
    isComposing: (event: KeyboardEvent) => event.isComposing || event.keyCode === 229 || (event.key === 'Enter' && performance.now() - endedAt.current < 30),
  };
}

function useFiles() {
  const [files, setFiles] = useState<Attachment[]>([]);
  const [loading, setLoading] = useState<Loading[]>([]);
  async function add(file: File): Promise<void> {
    const progress = (share: number) => setLoading((all) => [...all.filter((one) => one.name !== file.name), { name: file.name, share }]);
    progress(0);
    try {
      const query = `name=${encodeURIComponent(file.name)}&type=${encodeURIComponent(file.type || 'application/octet-stream')}`;
      const done = await upload<{ blob: string; name: string; type: string; size: number }>(`/v1/attachments?${query}`, file, progress);
      setFiles((all) => [...all, { id: done.blob, name: done.name, type: done.type, size: done.size }]);
    } finally {
      setLoading((all) => all.filter((one) => one.name !== file.name));
    }
  }
  const addAll = (list: FileList | null | undefined) => {
    for (const file of list ?? []) void attempt(() => add(file));
  };
  return { files, loading, addAll, setFiles };
}

function FileChips({ files, loading, onDrop }: { files: Attachment[]; loading: Loading[]; onDrop: (file: Attachment) => void }) {
  return (
    <ul class="chips">
      {files.map((file) => (
        <li key={file.id}>
          📎 <bdi>{file.name}</bdi>
          <button type="button" class="plain small" aria-label={`${t('remove')}: ${file.name}`} onClick={() => onDrop(file)}>
            ✕
          </button>
        </li>
      ))}
      {loading.map((one) => (
        <li key={one.name}>
          <bdi>{one.name}</bdi> <progress max={1} value={one.share} aria-label={`${t('uploading')}: ${one.name}`} />
        </li>
      ))}
    </ul>
  );
}

function useTypingSign(conversation: string): { tell: () => void; end: () => void } {
  const last = useRef(-TYPING_EVERY_MS);
  const tell = () => {
    if (!isMine.value || performance.now() - last.current < TYPING_EVERY_MS) return;
    last.current = performance.now();
    // Nobody misses it where it does not arrive.
    post(`/v1/conversations/${conversation}/typing`).catch(() => null);
  };
  return { tell, end: () => (last.current = -TYPING_EVERY_MS) };
}

interface ToolsProps {
  addFiles: (list: FileList | null) => void;
  onCanned: () => void;
}

function Tools({ addFiles, onCanned }: ToolsProps) {
  const picker = useRef<HTMLInputElement>(null);
  return (
    <div class="row tools">
      <button type="button" class="plain" onClick={onCanned}>{t('canned')}</button>
      <button type="button" class="plain" onClick={() => picker.current?.click()}>{t('attach')}</button>
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-label={t('attach')}
        onChange={(event) => {
          addFiles(event.currentTarget.files);
          event.currentTarget.value = '';
        }}
      />
      <label class="quiet">
        <input type="checkbox" checked={doesEnterSend.value} onChange={(event) => (doesEnterSend.value = event.currentTarget.checked)} /> {t('enter_sends')}
      </label>
    </div>
  );
}

export function Composer({ conversation, item }: { conversation: string; item: WorkItem }) {
  const draft = draftOf(conversation);
  const area = useRef<HTMLTextAreaElement>(null);
  const { files, loading, addAll, setFiles } = useFiles();
  const canned = useCanned(area, draft, item);
  const naming = useNaming(area, draft);
  const composition = useComposition();
  const typing = useTypingSign(conversation);
  useEffect(() => {
    if (isMine.value) area.current?.focus();
  }, []);
  const way = chosenWay.value;
  const mayReply = isMine.value && (way ? mayTake(way) : talk.value?.window?.open !== false);

  function send(kind: 'reply' | 'note'): void {
    problem.value = '';
    if (kind === 'reply' && !mayReply) return;
    if (loading.length) {
      problem.value = t('still_uploading');
      return;
    }
    if (kind === 'reply' && way && !way.here) return sendOver(way);
    write(kind, draft.value, files, kind === 'note' ? namedIn(draft.value) : []);
    setFiles([]);
    typing.end();
    area.current?.focus();
  }

  function sendOver(over: Way): void {
    if (!mayCarry(over, files)) {
      problem.value = t('via_no_files');
      return;
    }
    writeOver(over, draft.value, files);
    setFiles([]);
    typing.end();
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (composition.isComposing(event)) return;
    if (canned.onKey(event) || naming.onKey(event)) return;
    const isSend = event.key === 'Enter' && (event.ctrlKey || event.metaKey || (doesEnterSend.value && !event.shiftKey));
    if (!isSend) return;
    event.preventDefault();
    send(event.altKey ? 'note' : 'reply');
  }

  return (
    <form
      id="reply-form"
      onSubmit={(event) => {
        event.preventDefault();
        send('reply');
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        addAll(event.dataTransfer?.files);
      }}
    >
      <Tools addFiles={addAll} onCanned={canned.open} />
      <ReplyVia conversation={conversation} />
      <FileChips files={files} loading={loading} onDrop={(file) => setFiles((all) => all.filter((one) => one !== file))} />
      <CannedList canned={canned} />
      <NamingList naming={naming} />
      <textarea
        id="text"
        ref={area}
        rows={3}
        aria-label={t('text')}
        aria-describedby="reply-hint"
        aria-haspopup="listbox"
        aria-controls={naming.isOpen ? 'naming' : 'canned'}
        aria-autocomplete="list"
        aria-activedescendant={canned.isOpen ? `canned-${canned.chosen}` : naming.isOpen ? `naming-${naming.chosen}` : undefined}
        value={draft.value}
        onInput={(event) => {
          draft.value = event.currentTarget.value;
          typing.tell();
        }}
        onCompositionEnd={composition.onCompositionEnd}
        onPaste={(event) => event.clipboardData?.files.length && addAll(event.clipboardData.files)}
        onKeyDown={onKeyDown}
      />
      <span id="reply-hint" class="quiet">
        {t(doesEnterSend.value ? 'hint_enter' : 'hint')} · {t('canned_hint')}
        {isDraftKept(conversation) && ` · ${t('draft_kept')}`}
      </span>
      <button class="primary" disabled={!mayReply}>{t('reply')}</button>
      <button id="note" type="button" onClick={() => send('note')}>{t('note')}</button>
      <button id="resolve" type="button" disabled={!isMine.value} onClick={() => (dialog.value = { name: 'resolve' })}>{t('resolve')}</button>
    </form>
  );
}
