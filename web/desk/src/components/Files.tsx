import type { Attachment } from '../api/types';
import { dialog } from '../state/dialogs';
import { word } from '../words';

const PICTURES = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;

export const addressOf = (file: Attachment): string => `/v1/attachments/${encodeURIComponent(file.id!)}?name=${encodeURIComponent(file.name || 'file')}`;

const sizeOf = (bytes: number | undefined): string =>
  bytes === undefined ? '' : bytes < 1024 ? `${bytes} B` : bytes < 1_048_576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;

function File({ file }: { file: Attachment }) {
  const name = file.name || file.url || file.id?.slice(0, 8) || '';
  if (!file.id)
    return <span class="file">📎 <bdi>{[name, word('file', file.state), file.state === 'failed' ? file.error : ''].filter(Boolean).join(' · ')}</bdi></span>;
  const words = (
    <>
      <bdi>{name}</bdi> <span class="quiet">{sizeOf(file.size)}</span>
    </>
  );
  if (PICTURES.test(file.type))
    return (
      <button type="button" class="plain file" onClick={() => (dialog.value = { name: 'picture', address: addressOf(file), title: name })}>
        <img src={addressOf(file)} alt={name} loading="lazy" /> {words}
      </button>
    );
  return (
    <a class="file" href={addressOf(file)} download={file.name || 'file'}>
      <span aria-hidden="true">📎 </span>
      {words}
    </a>
  );
}

export function Files({ files }: { files: Attachment[] }) {
  if (!files.length) return null;
  return (
    <span class="files">
      {files.map((file, place) => (
        <File key={file.id ?? place} file={file} />
      ))}
    </span>
  );
}
