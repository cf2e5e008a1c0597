// What grammY, a library that others wrote, reads from an update, and whether it takes the secret of a webhook.
import { readFileSync } from "node:fs";
import { Bot, webhookCallback } from "grammy";

const { updates, secret } = JSON.parse(readFileSync(0, "utf8"));
const seen = [];
const bot = new Bot("123456:ABC-DEF", { botInfo: { id: 1, is_bot: true, first_name: "b", username: "b_bot" } });
bot.use((context) => {
  seen.push({
    from: String(context.from?.id ?? ""),
    chat: String(context.chat?.id ?? ""),
    text: context.msg?.text ?? context.msg?.caption ?? context.callbackQuery?.data ?? "",
  });
});
const handle = webhookCallback(bot, "std/http", { secretToken: secret });
const statuses = [];
for (const { update, token } of updates) {
  const request = new Request("https://x/", {
    method: "POST",
    body: JSON.stringify(update),
    headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": token },
  });
  statuses.push((await handle(request)).status);
}
console.log(JSON.stringify({ seen, statuses }));
