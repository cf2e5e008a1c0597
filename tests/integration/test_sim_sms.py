"""The stand-ins of the SMS providers, as test_sim_providers.py does it for the chats."""
import base64
import hashlib
import hmac
import json
import time
import urllib.parse

import harness
from simcase import PNG, Case, hmac256, vector

FORM = "application/x-www-form-urlencoded"


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class Twilio(Case):
    def send(self, status=201, login=None, **fields):
        form = urllib.parse.urlencode({"To": "+15005550001", "From": self.set["number"], "Body": "好", **fields}, doseq=True)
        return self.post(f"/2010-04-01/Accounts/{self.set['account_sid']}/Messages.json", form.encode(), status,
                         login or basic(self.set["account_sid"], self.set["auth_token"]), FORM)

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("twilio")
        self.assertEqual(self.send()["status"], "queued")
        self.send(login=basic(self.set["api_key_sid"], self.set["api_key_secret"]))
        for code, fields in ((21211, {"To": "13900000000"}), (21606, {"From": "+15005559999"}), (21602, {"Body": ""}),
                             (21617, {"Body": "x" * 1601}), (21623, {"MediaUrl": ["https://a/b"] * 11})):
            self.assertEqual(self.send(400, **fields)["code"], code)
        self.assertEqual(self.send(401, basic(self.set["account_sid"], "old"))["code"], 20003)
        self.sim.customer("+15005550001", blocked=True)
        self.assertEqual(self.send(400)["code"], 21610)
        self.assertEqual(len(self.sim.sent()), 2)

    def test_known_answers(self):
        for name in ("twilio-form-official-1", "twilio-form-official-2", "twilio-status-callback", "twilio-voice-status"):
            known = vector(name)
            given = known["inputs"]
            self.start("twilio", auth_token=given["auth_token"], signed_url=given["url"])
            self.sim.say(params=given["params"])
            _, _, headers, body = self.broker.next()
            self.assertEqual(headers["X-Twilio-Signature"], known["expected"]["x_twilio_signature"])
            self.assertEqual(dict(urllib.parse.parse_qsl(body.decode())), given["params"])
        known = vector("twilio-json-body")
        given = known["inputs"]
        self.start("twilio", auth_token=given["auth_token"], signed_url=given["url"].partition("&bodySHA256")[0])
        self.sim.say(raw=given["raw_body"])
        _, path, headers, _ = self.broker.next()
        self.assertEqual((headers["X-Twilio-Signature"], path.partition("bodySHA256=")[2]),
                         (known["expected"]["x_twilio_signature"], known["expected"]["bodySHA256"]))

    def test_files_receipts_and_its_one_attempt(self):
        self.start("twilio")
        self.sim.say("look", kind="image", media=(PNG, "image/png", "a.png"))
        form = dict(urllib.parse.parse_qsl(self.broker.next()[3].decode()))
        path = form["MediaUrl0"].removeprefix(self.sim.base)
        login = basic(self.set["account_sid"], self.set["auth_token"])
        self.get(path, 401)
        stored = urllib.parse.urlsplit(self.get(path, 307, login).headers["Location"]).path
        self.get(stored, 400, login)
        self.assertEqual(self.get(stored).body, PNG)
        callback = "https://shop.example.test/in/it?x=1#rc=2"
        sid = self.send(StatusCallback=callback)["sid"]
        self.sim.receipt(sid, "undelivered", code="30003")
        _, path, headers, body = self.broker.next()
        fields = dict(urllib.parse.parse_qsl(body.decode()))
        self.assertEqual((path, fields["MessageStatus"], fields["ErrorCode"]), ("/in/it?x=1", "undelivered", "30003"))
        text = callback.partition("#")[0] + "".join(name + fields[name] for name in sorted(fields))
        self.assertEqual(headers["X-Twilio-Signature"], base64.b64encode(
            hmac.new(self.set["auth_token"].encode(), text.encode(), hashlib.sha1).digest()).decode())
        self.broker.answers = [(500, "text/plain", b""), (200, "text/xml", b"<Response/>"), (200, "text/plain", b"ok"),
                               (200, "text/xml", b"<Response><Enqueue>support</Enqueue></Response>")]
        for taken in (False, True, False):
            before = len(self.sim.state()["posts"])
            self.sim.write("hi", from_="whatsapp:+15005550001")
            self.assertEqual([(post["ok"], post["attempts"]) for post in self.sim.wait_taken(before, ok=False)], [(taken, 1)])
        self.sim.say(kind="call", status="ringing")
        messages = self.get(f"/2010-04-01/Accounts/{self.set['account_sid']}/Messages.json?To=x", headers=login).json["messages"]
        self.assertEqual(len(messages), 4, "what was lost can be asked for")


class Aliyun(Case):
    def call(self, action="SendSms", status=200, version="2017-05-25", tamper=False, nonce=None, at=None, key=None, **query):
        """A request with a V3 signature of our own making."""
        at = time.time() if at is None else at
        line = "&".join(f"{urllib.parse.quote(name, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}"
                        for name, value in sorted(query.items()))
        headers = {"host": f"127.0.0.1:{self.sim.port}", "x-acs-action": action, "x-acs-version": version,
                   "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
                   "x-acs-signature-nonce": nonce or harness.secrets.token_hex(16),
                   "x-acs-content-sha256": hashlib.sha256(b"").hexdigest()}
        names = ";".join(sorted(headers))
        canonical = "\n".join(["POST", "/", line, "".join(f"{name}:{headers[name]}\n" for name in sorted(headers)), names,
                               headers["x-acs-content-sha256"]])
        text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        mac = hmac256(self.set["access_key_secret"], text).hexdigest()
        headers["Authorization"] = (f"ACS3-HMAC-SHA256 Credential={key or self.set['access_key_id']},SignedHeaders={names},"
                                    f"Signature={mac}")
        if tamper:
            line += "&RegionId=cn-hangzhou"
        answer = self.sim.request("POST", f"/?{line}", b"", headers=headers)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    SMS = {"PhoneNumbers": "15300000001", "SignName": "阿里云短信测试专用", "TemplateCode": "SMS_71390007",
           "TemplateParam": '{"customer":"test"}', "OutId": "m-1"}

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("aliyun_sms")
        sent = self.call(**self.SMS)
        self.assertEqual(sent["Code"], "OK")
        for code, change in (("isv.MOBILE_NUMBER_ILLEGAL", {"PhoneNumbers": "123"}),
                             ("isv.SMS_SIGNATURE_ILLEGAL", {"SignName": "x"}),
                             ("isv.SMS_TEMPLATE_ILLEGAL", {"TemplateCode": "SMS_7"}),
                             ("isv.TEMPLATE_MISSING_PARAMETERS", {"TemplateParam": "{}"}),
                             ("isv.INVALID_JSON_PARAM", {"TemplateParam": "customer"}),
                             ("isv.INVALID_PARAMETERS", {"TemplateParam": '{"customer":1}'})):
            self.assertEqual(self.call(**{**self.SMS, **change})["Code"], code)
        self.assertEqual(self.call(status=400, tamper=True, **self.SMS)["Code"], "SignatureDoesNotMatch")
        self.assertEqual(self.call(status=404, key="other", **self.SMS)["Code"], "InvalidAccessKeyId.NotFound")
        self.assertEqual(self.call(status=400, at=time.time() - 1000, **self.SMS)["Code"], "InvalidTimeStamp.Expired")
        self.call(nonce="once", **self.SMS)
        self.assertEqual(self.call(status=400, nonce="once", **self.SMS)["Code"], "SignatureNonceUsed")
        self.assertEqual(self.sim.request("POST", "/?Action=SendSms", b"").json["Code"], "MissingAuthorization")
        details = self.call("QuerySendDetails", PhoneNumber="15300000001", BizId=sent["BizId"], SendDate="20260102",
                            PageSize="10", CurrentPage="1")
        self.assertEqual([one["OutId"] for one in details["SmsSendDetailDTOs"]["SmsSendDetailDTO"]], ["m-1"])

    def test_known_answer(self):
        known = vector("aliyun-v3-official")
        given = known["inputs"]
        self.start("aliyun_sms", access_key_secret=given["access_key_secret"], access_key_id=given["access_key_id"],
                   now=given["headers"]["x-acs-date"])
        headers = {**given["headers"], "Authorization": known["expected"]["authorization"]}
        path = "/?" + urllib.parse.urlencode(given["query"])
        self.assertEqual(self.sim.request("POST", path, b"", headers=headers).json["Code"], "InvalidVersion", "it was signed rightly")
        headers["Authorization"] = headers["Authorization"][:-1] + "1"
        self.assertEqual(self.sim.request("POST", path, b"", headers=headers).json["Code"], "SignatureDoesNotMatch")

    def test_pushes(self):
        self.start("aliyun_sms")
        good = (200, "application/json", b'{"code":0,"msg":"ok"}')
        self.broker.answers = [(200, "application/json", b'{"code":"0"}'), (503, "text/plain", b""), good, good, good]
        self.sim.say(texts=["TD", "你好"], from_="13800000001")
        pushes = [self.broker.next_json() for _ in range(3)]
        self.assertEqual(pushes[0], pushes[2], "the same until it is answered")
        self.assertEqual([one["content"] for one in pushes[0]], ["TD", "你好"])
        sent = self.call(**self.SMS)
        self.sim.receipt(sent["BizId"], "failed", code="MOBILE_SEND_LIMIT")
        report = self.broker.next_json()[0]
        self.assertEqual((report["biz_id"], report["success"], report["err_code"], report["out_id"]),
                         (sent["BizId"], False, "MOBILE_SEND_LIMIT", "m-1"))
        self.assertTrue(self.sim.handshake()["ok"])


class HttpSms(Case):
    def test_both_of_its_ways(self):
        self.start("http_sms")
        key = {"X-Api-Key": self.set["api_key"]}
        message = {"from": "10690000", "to": "+8613900000000", "text": "好", "reference": "m-1"}
        self.assertEqual(self.post("/v1/messages", message, 202, key)["message"]["parts"], 1)
        self.assertEqual(self.post("/v1/messages", message, 401)["error"]["code"], "unauthorized")
        for code, change in (("invalid_recipient", {"to": "you"}), ("empty_text", {"text": ""}), ("invalid_sender", {"from": "1"}),
                             ("text_too_long", {"text": "x" * 1001})):
            self.assertEqual(self.post("/v1/messages", {**message, **change}, 400, key)["error"]["code"], code)
        form = {"user": "shop", "password": self.set["password"], "to": "13900000000", "text": "hi there"}
        self.assertTrue(self.get("/send?" + urllib.parse.urlencode(form)).body.startswith(b"OK g-"))
        self.assertEqual(self.sim.request("POST", "/send", urllib.parse.urlencode({**form, "to": ""}).encode(),
                                          {"Content-Type": FORM}).body, b"ERR invalid_recipient")
        self.get("/send?user=shop", 401)
        self.assertEqual(self.sim.texts(), ["好", "hi there"])

    def test_what_it_posts(self):
        self.start("http_sms")
        self.sim.say("在吗", from_="+8613900000000")
        _, _, headers, body = self.broker.next()
        self.assertEqual(headers["X-Signature"], "sha256=" + hmac256(self.set["secret"], body).hexdigest())
        self.assertEqual(json.loads(body)["text"], "在吗")
        self.sim.receipt("g-1", "failed", code="absent")
        self.assertEqual(self.broker.next_json()["error"], "absent")


if __name__ == "__main__":
    harness.unittest.main()
