// Signatures by Twilio's own library, and its verdict on requests.
import { readFileSync } from "node:fs";
import twilio from "twilio";

const { token, requests } = JSON.parse(readFileSync(0, "utf8"));
const signatures = requests.map(({ url, params }) => twilio.getExpectedTwilioSignature(token, url, params));
const valid = requests.map(({ url, params }, at) => twilio.validateRequest(token, signatures[at], url, params));
console.log(JSON.stringify({ signatures, valid }));
