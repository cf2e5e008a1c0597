// /widget/demo/{channel}: the line to paste, and the widget that it puts on a page.
// A bundle of its own: what it shared with the widget would become a third file of the widget.

const make = <K extends keyof HTMLElementTagNameMap>(name: K, text = '', fields: Record<string, string> = {}) => {
  const element = Object.assign(document.createElement(name), { textContent: text });
  for (const [field, value] of Object.entries(fields)) element.setAttribute(field, value);
  return element;
};

const english = {
  title: 'The chat widget', channel: 'Channel: ', paste: 'Paste this line into your page:', copy: 'Copy', copied: 'Copied', notCopied: 'Select the line and copy it.',
  origin: 'The address your page is served from (its origin, such as https://shop.example) must be in the channel’s origins.',
  run: 'The button in the corner is this widget at work: what you write there reaches your team.', name: 'English',
};
const chinese: typeof english = {
  title: '聊天挂件', channel: '渠道：', paste: '把这一行放进您的网页：', copy: '复制', copied: '已复制', notCopied: '请选中这一行并复制。',
  origin: '网页的来源（例如 https://shop.example）须写入该渠道的 origins。',
  run: '角落里的按钮就是正在运行的挂件：在那里写下的内容会送达您的团队。', name: '中文',
};

const style = `
:root{color-scheme:light dark}
body{margin:0;font:400 16px/1.6 system-ui,sans-serif;background:#fff;color:#111827}
main{max-inline-size:44rem;margin:0 auto;padding:24px 16px 96px}
h1{font-size:24px;margin:8px 0}
nav{display:flex;gap:16px}a{color:#1d4ed8;padding:4px 0}a[aria-current]{color:inherit;font-weight:600;text-decoration:none}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:14px;padding:12px;border:1px solid #6b7280;border-radius:8px;background:#f3f4f6}
button{font:inherit;min-height:44px;padding:0 16px;border:1px solid #6b7280;border-radius:8px;background:none;color:inherit;cursor:pointer}
:focus-visible{outline:3px solid #1d4ed8;outline-offset:2px}
[role=status]{margin-inline-start:12px}
@media (prefers-color-scheme:dark){body{background:#111827;color:#f3f4f6}a:not([aria-current]){color:#93c5fd}pre{background:#1f2937}:focus-visible{outline-color:#93c5fd}}
`;

const language = new URLSearchParams(location.search).get('lang') ?? navigator.language;
const isChinese = /^zh/i.test(language);
const words = isChinese ? chinese : english;
const channel = decodeURIComponent(location.pathname.split('/').pop()!);
const attribute = channel.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
const line = `<script src="${location.origin}/widget.js" data-channel="${attribute}" async></script>`;

const sheet = new CSSStyleSheet();
sheet.replaceSync(style);
document.adoptedStyleSheets = [sheet];
document.documentElement.lang = isChinese ? 'zh-CN' : 'en';
document.title = `${words.title} · ${channel}`;

const languages = make('nav');
for (const [code, other] of [['zh', chinese], ['en', english]] as const) {
  const link = make('a', other.name, { href: `?lang=${code}`, lang: code });
  if (other === words) link.setAttribute('aria-current', 'true');
  languages.append(link);
}
const shown = make('pre', line, { tabindex: '0', dir: 'ltr', translate: 'no', 'aria-label': words.paste });
const copy = make('button', words.copy, { type: 'button' });
const state = make('span', '', { role: 'status' });
copy.onclick = async () => {
  try {
    await navigator.clipboard.writeText(line); // only pages over https have a clipboard
    state.textContent = words.copied;
  } catch {
    getSelection()!.selectAllChildren(shown);
    state.textContent = words.notCopied;
  }
};
const main = make('main');
main.append(languages, make('h1', words.title), make('p', words.channel + channel), make('p', words.run), make('p', words.paste), shown, copy, state, make('p', words.origin));
document.body.append(main, make('script', '', { src: '/widget.js', 'data-channel': channel, async: '' }));
