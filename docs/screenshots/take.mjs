// usage: node docs/screenshots/take.mjs   (CONVERGE_BUILD: the build to show, build/ otherwise)
// Takes the pictures of the two READMEs anew: runs the demonstration, signs in, and photographs its pages in English and
// Chinese, light and dark. Needs what the tests install (./tests/run), and the ports of the demonstration free.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const { chromium } = createRequire(path.join(root, 'tests/e2e/package.json'))('playwright-core');
const build = path.resolve(process.env.CONVERGE_BUILD ?? path.join(root, 'build'));
const state = mkdtempSync(path.join(tmpdir(), 'converge-screenshots-'));
const LIVELY = 8; // work items that wait before the first picture is worth it
const LOOKS = [
  { name: 'en-light', locale: 'en-US', colorScheme: 'light', chat: ['Chat with us', 'Write a message', 'Hello, where is my order 4711?'] },
  { name: 'en-dark', locale: 'en-US', colorScheme: 'dark' },
  { name: 'zh-light', locale: 'zh-CN', colorScheme: 'light', chat: ['在线咨询', '输入消息', '你好，订单 4711 到哪里了？'] },
  { name: 'zh-dark', locale: 'zh-CN', colorScheme: 'dark' },
];

/** The demonstration, its address and the password of each of its agents, once it says them. */
function startDemo() {
  const daemon = spawn(path.join(build, 'converged'), ['--demo'], { cwd: state, env: { ...process.env, TMPDIR: state }, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (bytes) => {
      said += bytes;
      const base = said.match(/http:\/\/127\.0\.0\.1:\d+(?=\/\s)/)?.[0];
      if (base && said.includes('event=ready')) resolve({ daemon, base, passwords: Object.fromEntries([...said.matchAll(/^ +(\w+) +\w+ +password (\S+)/gm)].map(([, who, password]) => [who, password])) });
    };
    daemon.stdout.on('data', hear);
    daemon.stderr.on('data', hear);
    daemon.on('exit', () => reject(new Error(`the demonstration ended:\n${said}`)));
  });
}

async function signIn(browser, base, agent, password, { locale, colorScheme }) {
  const page = await (await browser.newContext({ locale, colorScheme, viewport: { width: 1280, height: 760 }, reducedMotion: 'reduce' })).newPage();
  await page.goto(`${base}/`);
  await page.locator('#login input').first().fill(agent);
  await page.locator('#login input[type=password]').fill(password);
  await page.keyboard.press('Enter');
  await page.locator('#live.live').waitFor();
  return page;
}

/** WebP, a third of a PNG's size, which only the browser's own protocol makes. */
async function shoot(page, name) {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 85 });
  writeFileSync(path.join(here, `${name}.webp`), Buffer.from(data, 'base64'));
}

const { daemon, base, passwords } = await startDemo();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const first = await signIn(browser, base, 'alice', passwords.alice, LOOKS[0]);
  await first.waitForFunction((count) => document.querySelectorAll('#waiting .item').length >= count, LIVELY, { timeout: 300_000 });
  for (let pulled = 0; pulled < 3; pulled++) {
    await first.locator('#pull').click();
    await first.waitForFunction((count) => document.querySelectorAll('#items .item').length >= count, pulled + 1);
  }
  await first.context().close();
  for (const look of LOOKS) {
    const desk = await signIn(browser, base, 'alice', passwords.alice, look);
    await desk.locator('#items .item').last().click();
    await desk.locator('#messages li[data-message]').first().waitFor();
    await desk.locator('#customer h2, #customer h3').first().waitFor();
    await shoot(desk, `desk-${look.name}`);
    await desk.context().close();
    if (!look.chat) {
      const wall = await signIn(browser, base, 'carol', passwords.carol, look);
      await wall.goto(`${base}/#/wall`);
      await wall.locator('#wall .chart canvas').waitFor();
      await shoot(wall, `wall-${look.name}`);
      await wall.context().close();
      continue;
    }
    const [open, write, text] = look.chat;
    const shop = await (await browser.newContext({ locale: look.locale, viewport: { width: 440, height: 660 } })).newPage();
    await shop.route('**/shop', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<!doctype html><html lang="${look.locale}"><title>shop</title><body><script src="/widget.js" data-channel="site" async></script>` }));
    await shop.goto(`${base}/shop`);
    await shop.getByRole('button', { name: open }).click();
    await shop.getByLabel(write).fill(text);
    await shop.keyboard.press('Enter');
    await shop.locator('li.own').waitFor();
    await shoot(shop, `widget-${look.name}`);
    await shop.context().close();
  }
} finally {
  await browser.close();
  daemon.removeAllListeners('exit');
  daemon.kill('SIGTERM');
  await new Promise((resolve) => daemon.on('exit', resolve));
  rmSync(state, { recursive: true, force: true });
}
