import type { Attributes, Identity } from './client';
import type { Chat } from './main';

// The one script of a page: a button, and the rest of the chat when it is first pressed. A classic script, so nothing of
// it may reach the page's own names, but for converge().
(() => {
  const script = document.currentScript as HTMLScriptElement;
  const language = script.dataset.lang ?? document.documentElement.lang ?? navigator.language;
  const isChinese = /^zh/i.test(language || navigator.language);
  const host = document.createElement('div');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    ':host{all:initial!important;display:block!important;position:fixed!important;inset-block-end:20px!important;inset-inline-end:20px!important;' +
      'z-index:2147483000!important;color-scheme:light dark}' +
      'button{font:600 16px/1.4 system-ui,sans-serif;min-height:48px;padding:0 20px;border:0;border-radius:24px;' +
      'background:#1d4ed8;color:#fff;cursor:pointer}' +
      'button:focus-visible{outline:3px solid #f59e0b;outline-offset:2px}[hidden]{display:none!important}',
  );
  root.adoptedStyleSheets = [sheet];
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = isChinese ? '在线咨询' : 'Chat with us';
  button.setAttribute('aria-haspopup', 'dialog');
  root.append(button);
  let chat: Chat | undefined;
  let attributes: Attributes = {};
  let identity: Identity | undefined = script.dataset.identity ? async () => script.dataset.identity! : undefined;
  button.onclick = async () => {
    if (!chat) {
      button.disabled = true;
      try {
        const main = await import(/* @vite-ignore */ new URL('widget-main.js', script.src).href);
        chat ??= main.start({
          base: new URL('.', script.src).href,
          channel: script.dataset.channel ?? 'site',
          identity,
          attributes,
          ask: script.dataset.ask ?? '',
          isChinese,
          root,
          button,
        });
      } catch {
        button.textContent = isChinese ? '暂时无法咨询，请重试' : 'Not available now. Try again';
      } finally {
        button.disabled = false;
      }
    }
    chat?.open();
  };
  // Merged; null takes one away.
  const setAttributes = (more: Attributes) => {
    attributes = Object.fromEntries(Object.entries({ ...attributes, ...more }).filter(([, value]) => value !== null));
    chat?.setAttributes(attributes);
  };
  const identify = (next: Identity) => {
    identity = next;
    chat?.identify(next);
  };
  const calls: Record<string, (...given: never[]) => void> = {
    open: () => button.click(),
    setAttributes,
    identify: (token: string) => identify(async () => token),
    on: (name: string, call: Identity) => name === 'identity' && identify(call),
  };
  // What the page asked for before this was loaded waits in a queue.
  const page = window as unknown as { converge?: { (name: string, ...given: never[]): void; q?: [string, ...never[]][] } };
  const asked = page.converge?.q ?? [];
  page.converge = (name, ...given) => calls[name]?.(...given);
  for (const [name, ...given] of asked) page.converge(name, ...given);
  const put = () => document.body.append(host);
  if (document.body) put();
  else addEventListener('DOMContentLoaded', put);
})();
