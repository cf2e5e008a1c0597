// An event sealed and signed as Feishu does, and what Feishu's own library reads from it.
import { readFileSync } from "node:fs";
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import lark from "@larksuiteoapi/node-sdk";

const { encrypt_key, event, timestamp, nonce } = JSON.parse(readFileSync(0, "utf8"));
const key = createHash("sha256").update(encrypt_key).digest();
const iv = randomBytes(16);
const cipher = createCipheriv("aes-256-cbc", key, iv);
const sealed = Buffer.concat([iv, cipher.update(JSON.stringify(event), "utf8"), cipher.final()]).toString("base64");
const body = JSON.stringify({ encrypt: sealed });
const signature = createHash("sha256").update(timestamp + nonce + encrypt_key + body).digest("hex");

const seen = [];
const dispatcher = new lark.EventDispatcher({ encryptKey: encrypt_key, loggerLevel: lark.LoggerLevel.fatal }).register({
  "im.message.receive_v1": (data) => {
    seen.push({ from: data.sender.sender_id.open_id, text: JSON.parse(data.message.content).text });
  },
});
const headers = {
  "x-lark-request-timestamp": timestamp,
  "x-lark-request-nonce": nonce,
  "x-lark-signature": signature,
};
await dispatcher.invoke(Object.assign(Object.create({ headers }), JSON.parse(body)));
const read = JSON.parse(new lark.AESCipher(encrypt_key).decrypt(sealed));
console.log(JSON.stringify({ body, headers, seen, same: JSON.stringify(read) === JSON.stringify(event) }));
