// Mail as its sender formatted it: DOMPurify takes out what runs or loads, and what is left stands in a frame of its own
// that may run no script. The page's policy holds in the frame too, so nothing from elsewhere is ever loaded.
import DOMPurify from 'dompurify';
import { useEffect, useRef } from 'preact/hooks';
import type { Attachment } from '../api/types';
import { t } from '../words';
import { addressOf } from './Files';

const FORBIDDEN = ['style', 'form', 'input', 'button', 'textarea', 'select', 'iframe', 'object', 'embed', 'video', 'audio', 'link', 'meta', 'base', 'svg', 'math', 'template', 'slot', 'picture', 'source'];
const LONGEST_PX = 1200;

/** A picture of the mail itself ("cid:") is shown, one from elsewhere is not asked for. */
function mendPicture(image: HTMLImageElement, attachments: (Attachment & { content_id?: string })[]): void {
  const source = image.getAttribute('data-source') ?? '';
  const part = attachments.find((one) => one.id && one.content_id && source === `cid:${one.content_id.replace(/[<>]/g, '')}`);
  image.removeAttribute('srcset');
  if (part) image.src = addressOf(part);
  else if (source.startsWith('data:image/')) image.src = source;
  else image.replaceWith(image.ownerDocument.createTextNode(image.alt ? `[${image.alt}]` : ''));
}

// Pictures must not be asked for before it is known which ones are the mail's own.
DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'IMG') return;
  node.setAttribute('data-source', node.getAttribute('src') ?? '');
  node.removeAttribute('src');
});

/** The page's policy refuses style attributes, so they are set one by one, as the browser has understood them. */
function mendStyle(node: HTMLElement): void {
  const meant = document.createElement('i').style;
  meant.cssText = node.getAttribute('style') ?? '';
  node.removeAttribute('style');
  for (const name of meant) {
    const value = meant.getPropertyValue(name);
    if (name !== 'position' && !/url\(|image-set\(|var\(/i.test(value)) node.style.setProperty(name, value);
  }
}

function purified(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, {
    RETURN_DOM_FRAGMENT: true,
    FORBID_TAGS: FORBIDDEN,
    FORBID_ATTR: ['id', 'name', 'class', 'srcset', 'background', 'poster', 'ping', 'action', 'formaction', 'tabindex', 'accesskey'],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel|cid|data:image\/):?/i,
  });
}

function fill(frame: HTMLIFrameElement, html: string, attachments: Attachment[]): void {
  const page = frame.contentDocument!;
  page.body.replaceChildren(page.importNode(purified(html), true));
  for (const image of page.querySelectorAll('img')) mendPicture(image, attachments);
  for (const link of page.querySelectorAll('a')) {
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
  }
  for (const node of page.querySelectorAll<HTMLElement>('[style]')) mendStyle(node);
  Object.assign(page.body.style, { margin: '8px', font: '14px/1.5 system-ui, sans-serif', color: '#111', background: '#fff', overflowWrap: 'anywhere' });
  frame.style.height = `${Math.min(page.documentElement.scrollHeight + 4, LONGEST_PX)}px`;
}

export function HtmlMail({ html, attachments }: { html: string; attachments: Attachment[] }) {
  const frame = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    if (frame.current) fill(frame.current, html, attachments);
  }, [html, attachments]);
  return (
    <>
      {/* Of our own origin so that the page can fill it, but nothing in it may run, be sent or lead the page away. */}
      <iframe ref={frame} class="mail" sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" title={t('html_mail')} />
      <span class="quiet">{t('images_off')}</span>
    </>
  );
}
