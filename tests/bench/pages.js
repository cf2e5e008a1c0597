// usage: node pages.js BASE AGENT PASSWORD
// How long the desk takes from an input to the frame that shows it, with a long thread open and a long queue beside it; prints JSON.
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../e2e/package.json', import.meta.url))('playwright-core');
const [base, agent, password] = process.argv.slice(2);
const TIMES = 60;

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await (await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 } })).newPage();
page.setDefaultTimeout(120_000);

/** Milliseconds from act() to behind the next frame, for each of `times`; act is run in the page and gets the number of the turn. */
const frames = (act, times = TIMES) =>
  page.evaluate(
    async ({ source, count }) => {
      const run = new Function('turn', source);
      const took = [];
      for (let turn = 0; turn < count; turn++) {
        const began = performance.now();
        run(turn);
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        took.push(performance.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return took;
    },
    { source: act, count: times },
  );

function figures(took) {
  const all = [...took].sort((a, b) => a - b);
  return { median: all[Math.floor(all.length / 2)], p95: all[Math.floor(all.length * 0.95)], worst: all.at(-1) };
}

const key = (name) => `(document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', { key: '${name}', bubbles: true, cancelable: true }))`;
const result = {};

await page.goto(`${base}/`);
await page.locator('#login input').first().fill(agent);
await page.locator('#login input[type=password]').fill(password);
await page.keyboard.press('Enter');
await page.locator('#live.live').waitFor();
await page.locator('#items button').first().click();
await page.locator('#messages li[data-message]').first().waitFor();

// All of the thread and all of the queue, as somebody who goes to their ends would have them.
const began = Date.now();
while (await page.locator('#earlier').count()) {
  const shown = await page.locator('#messages li[data-message]').count();
  await page.locator('#earlier').click();
  await page.waitForFunction((before) => document.querySelectorAll('#messages li[data-message]').length > before || !document.getElementById('earlier'), shown);
}
result.thread = await page.locator('#messages li[data-message]').count();
result.thread_load_ms = Date.now() - began;
const queueBegan = Date.now();
while (await page.locator('#further').count()) {
  const shown = await page.locator('#waiting .item').count();
  await page.evaluate(() => document.getElementById('further')?.click());
  await page.waitForFunction((before) => document.querySelectorAll('#waiting .item').length > before || !document.getElementById('further'), shown);
}
result.queue = await page.locator('#waiting .item').count();
result.queue_load_ms = Date.now() - queueBegan;

await page.locator('#waiting .item').nth(100).focus();
result.next_in_queue = figures(await frames(key('j')));
result.scroll_queue = figures(await frames(`document.querySelector('#mine').scrollTop += 700`));
result.scroll_thread = figures(await frames(`document.getElementById('messages').scrollTop -= 900`));
await page.locator('#text').focus();
result.type = figures(
  await frames(`
  const text = document.getElementById('text');
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(text, 'x'.repeat(turn + 1));
  text.dispatchEvent(new InputEvent('input', { bubbles: true }));`),
);
result.note = figures(
  await frames(
    `
  const text = document.getElementById('text');
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(text, 'note ' + turn);
  text.dispatchEvent(new InputEvent('input', { bubbles: true }));
  document.getElementById('note').click();`,
    20,
  ),
);
result.language = figures(await frames(`[...document.querySelectorAll('header button')].find((one) => /^(中文|English)$/.test(one.textContent)).click()`, 6));
console.log(JSON.stringify(result));
await browser.close();
