"""aliyun_sms against the stand-in of Alibaba Cloud's API and pushes, and its own library as the judge of signatures."""
import json
import secrets
import unittest
import urllib.parse

import channelbed
import harness
import sdkbed
import simcase

TEMPLATE = {"name": "SMS_71390007", "parameters": {"customer": "王先生"}}


class Push(channelbed.Bed):
    def setUp(self):
        super().setUp()
        self.stand.set(**{"in": f"http://127.0.0.1:{self.daemon.http_port}/in/c?token=a-long-random-word"})

    def channel_settings(self):
        known = self.stand.settings
        return {"api_base": self.stand.base, "access_key_id": known["access_key_id"], "access_key_secret": known["access_key_secret"],
                "sign_name": "测试", "push_token": "a-long-random-word", **self.more}

    def template(self, item, template, status=201):
        answer = self.daemon.request("POST", f"/v1/conversations/{item['conversation']}/messages",
                                     {"kind": "reply", "template": template}, self.alice,
                                     headers={"Idempotency-Key": secrets.token_hex(8)})
        self.assertEqual(answer.status, status, answer)
        return answer.json.get("id") if status == 201 else answer.json


class FreeWords(channelbed.Channel, Push):
    """Replies in free words go in a template that holds them."""

    provider = "aliyun_sms"
    who = "13900000000"
    media_in = None
    media_out = False
    more = {"reply_template": "SMS_71390007", "reply_variable": "customer", "extend_code": "77"}

    def shown(self, text):
        return json.loads(text)["customer"]

    def test_what_is_sent(self):
        item, _ = self.take("在吗")
        message = self.answer(item, "好的 \"引号\"")
        self.delivery(item, message, "sent", "delivered")
        sent = self.stand.sent()[0]
        self.assertEqual((sent["to"], sent["kind"], json.loads(sent["text"]), sent["key"], sent["media"]),
                         ("13900000000", "SMS_71390007", {"customer": "好的 \"引号\""}, message, "77"))

    def test_a_wrong_signature_is_refused(self):
        """Pushes are not signed: the word in the address is all there is."""
        self.stand.set(**{"in": f"http://127.0.0.1:{self.daemon.http_port}/in/c?token=another"})
        self.stand.write("forged", from_=self.who)
        harness.wait_for("the refusal", lambda: [one for one in self.stand.state()["posts"] if one.get("status") == 401])
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=0))


class Templates(Push):
    provider = "aliyun_sms"
    who = "13900000000"

    def test_free_words_are_refused_before_they_are_sent(self):
        item, thread = self.take("在吗")
        self.assertEqual(thread[0]["text"], "在吗")
        answer = self.daemon.reply(item["conversation"], "free words", self.alice)
        self.assertEqual((answer.status, answer.json["code"]), (409, "template_only"), answer)
        message = self.template(item, TEMPLATE)
        self.delivery(item, message, "sent", "delivered")
        self.assertEqual(json.loads(self.stand.sent()[0]["text"]), TEMPLATE["parameters"])

    def test_an_uncertain_send_is_settled_by_its_report(self):
        item, _ = self.take("在吗")
        self.stand.fault("drop_after_accept")
        message = self.template(item, TEMPLATE)
        self.delivery(item, message, "uncertain")
        self.stand.receipt(self.stand.sent()[0]["id"], "delivered")
        self.delivery(item, message, "delivered")
        self.assertEqual(len(self.stand.sent()), 1)

    def test_reports(self):
        item, _ = self.take("在吗")
        message = self.template(item, TEMPLATE)
        self.delivery(item, message, "sent")
        self.stand.receipt(self.stand.sent()[0]["id"], "failed", code="MOBILE_SEND_LIMIT")
        self.assertIn("MOBILE_SEND_LIMIT", str(self.delivery(item, message, "failed")["error"]))

    def test_several_in_one_push_and_what_is_wrong_with_a_template(self):
        self.stand.write(texts=["一", "二", "三"], from_=self.who)
        item = self.daemon.claim(self.alice)
        harness.wait_for("three", lambda: [one["text"] for one in self.inbound(item)] == ["一", "二", "三"])
        for template, code in (({"name": "SMS_7"}, "isv.SMS_TEMPLATE_ILLEGAL"), ({**TEMPLATE, "parameters": {}}, "isv.TEMPLATE_MISSING_PARAMETERS"),
                               ({**TEMPLATE, "parameters": ["x"]}, "an object")):
            self.assertIn(code, str(self.delivery(item, self.template(item, template), "failed")))
        self.assertTrue(self.stand.handshake()["ok"])


class Signature(harness.TestCase):
    def test_the_library_signs_the_same(self):
        broker = simcase.Broker()
        self.addCleanup(broker.close)
        broker.answers = [(200, "application/json", b'{"Code":"OK","BizId":"1^0"}')] * 2
        base = broker.url.removesuffix("/in/it")
        row = {"name": "c", "connector": "aliyun_sms", "access_key_id": "LTAI5t", "access_key_secret": "s3cr3t", "sign_name": "阿里云*测试~",
               "push_token": "w", "api_base": base}
        daemon = self.start_daemon("  - " + json.dumps(row) + "\n")
        alice = daemon.token()
        push = [{"phone_number": "13900000000", "content": "x", "send_time": "2026-01-02 10:55:45", "sequence_id": "1"}]
        self.assertEqual(daemon.request("POST", "/in/c?token=w", json.dumps(push).encode(),
                                        headers={"Content-Type": "application/json"}).json, {"code": 0, "msg": "ok"})
        item = daemon.claim(alice)
        daemon.request("POST", f"/v1/conversations/{item['conversation']}/messages", {
            "kind": "reply", "template": {"name": "SMS_1", "parameters": {"name": "王 (a+b)*'!"}}}, alice,
            headers={"Idempotency-Key": "1"})
        method, path, fields, _ = broker.next()
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        names = fields["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        said = sdkbed.sdk("aliyun", {"method": method, "query": query, "headers": {name: fields[name] for name in names},
                                     "key_id": "LTAI5t", "key_secret": "s3cr3t"})
        self.assertEqual(fields["authorization"], said["authorization"])
        self.assertEqual((query["PhoneNumbers"], query["SignName"]), ("13900000000", "阿里云*测试~"))


if __name__ == "__main__":
    unittest.main()
