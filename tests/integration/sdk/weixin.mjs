// Messages sealed and signed by two libraries of the WeChat family, and what each opens of the other's.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { decrypt, encrypt, getSignature } from "@wecom/crypto";

const WXBizMsgCrypt = createRequire(import.meta.url)("wechat-crypto");
const { token, key, id, timestamp, nonce, message } = JSON.parse(readFileSync(0, "utf8"));
const other = new WXBizMsgCrypt(token, key, id);

const sealed = { wecom: encrypt(key, message, id), wechat: other.encrypt(message) };
const signatures = {
  wecom: getSignature(token, timestamp, nonce, sealed.wecom),
  wechat: other.getSignature(timestamp, nonce, sealed.wechat),
};
const opened = [decrypt(key, sealed.wechat).message, other.decrypt(sealed.wecom).message];
console.log(JSON.stringify({ sealed, signatures, opened }));
