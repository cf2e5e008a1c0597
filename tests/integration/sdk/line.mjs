// Which of some signatures LINE's own library takes for a body.
import { readFileSync } from "node:fs";
import { validateSignature } from "@line/bot-sdk";

const { secret, body, signatures } = JSON.parse(readFileSync(0, "utf8"));
const valid = signatures.map((signature) => validateSignature(body, secret, signature));
console.log(JSON.stringify({ valid }));
