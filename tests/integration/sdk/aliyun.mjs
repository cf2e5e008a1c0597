// The Authorization that Alibaba Cloud's own library puts on a request.
import { readFileSync } from "node:fs";
import util from "@alicloud/openapi-util";

const { method, query, headers, key_id, key_secret } = JSON.parse(readFileSync(0, "utf8"));
const request = { method, pathname: "/", query, headers };
const client = util.default ?? util;
console.log(JSON.stringify({
  authorization: client.getAuthorization(request, "ACS3-HMAC-SHA256", headers["x-acs-content-sha256"], key_id, key_secret),
}));
