// Which of some requests Slack's own library takes.
import { readFileSync } from "node:fs";
import bolt from "@slack/bolt";

const { secret, requests, now_ms } = JSON.parse(readFileSync(0, "utf8"));
const valid = requests.map(({ body, timestamp, signature }) => {
  try {
    bolt.verifySlackRequest?.({
      signingSecret: secret,
      body,
      headers: { "x-slack-signature": signature, "x-slack-request-timestamp": timestamp },
      nowMilliseconds: now_ms,
    });
    return true;
  } catch {
    return false;
  }
});
console.log(JSON.stringify({ valid, known: typeof bolt.verifySlackRequest }));
