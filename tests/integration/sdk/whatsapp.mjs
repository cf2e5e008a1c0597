// What whatsapp-api-js, a library that others wrote, makes of requests: which it takes, and what it reads.
import { readFileSync } from "node:fs";
import { WhatsAppAPI } from "whatsapp-api-js";

const { secret, requests } = JSON.parse(readFileSync(0, "utf8"));
const seen = [];
const api = new WhatsAppAPI({ token: "t", appSecret: secret, v: "v25.0" });
api.on.message = ({ from, message }) => {
  seen.push({ from, text: message.text?.body ?? "" });
};
const valid = [];
for (const { body, signature } of requests) {
  try {
    await api.post(JSON.parse(body), body, signature);
    valid.push(true);
  } catch {
    valid.push(false);
  }
}
console.log(JSON.stringify({ valid, seen }));
