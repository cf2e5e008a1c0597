// What dingtalk-encrypt, DingTalk's published code, reads from our sealed answer.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const DingTalkEncryptor = createRequire(import.meta.url)("dingtalk-encrypt");
const { token, aes_key, owner, answer } = JSON.parse(readFileSync(0, "utf8"));
const encryptor = new DingTalkEncryptor(token, aes_key, owner);
const text = encryptor.getDecryptMsg(answer.msg_signature, answer.timeStamp, answer.nonce, answer.encrypt);
console.log(JSON.stringify({ text }));
