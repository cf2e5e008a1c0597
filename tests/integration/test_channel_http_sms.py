"""http_sms against a gateway of no name: JSON with a key and a signature, and a form with a password and answers in plain text."""
import subprocess
import unittest

import channelbed
import harness

MANY = "退订请回复。" * 60  # 360 characters: more than one segment


class Json(channelbed.Channel):
    provider = "http_sms"
    who = "+8613900000000"
    media_in = None
    media_out = False

    def channel_settings(self):
        known = self.stand.settings
        return {
            "number": known["number"], "api_key": known["api_key"], "callback_secret": known["secret"], "allow_private_urls": True,
            "test_url": self.stand.base + "/v1/account",
            "send": {"url": self.stand.base + "/v1/messages", "headers": ["X-Api-Key: {key}"],
                     "body": '{"from":"{from}","to":"{to}","text":"{text}","reference":"{id}"}'},
            "answer": {"accepted": "status=queued", "id": "message.id", "code": "error.code", "why": "error.message",
                       "retry_codes": ["busy"]},
            "incoming": {"message_if": "type=message"},
            "receipts": {"receipt_if": "type=report", "code": "error"},
        }

    def test_receipts(self):
        item, _ = self.take("在吗")
        good, bad = self.answer(item, "一 \"quoted\" \\ {to}"), self.answer(item, "two")
        for message in (good, bad):
            self.delivery(item, message, "sent")
        sent = self.stand.sent()
        self.assertEqual(self.stand.texts(), ["一 \"quoted\" \\ {to}", "two"])
        self.stand.receipt(sent[0]["id"], "delivered")
        self.stand.receipt(sent[1]["id"], "failed", code="absent")
        self.delivery(item, good, "delivered")
        self.assertIn("absent", str(self.delivery(item, bad, "failed")["error"]))

    def test_the_reference_is_the_messages_id(self):
        item, _ = self.take("hi")
        message = self.answer(item, MANY)
        self.delivery(item, message, "sent")
        self.assertEqual((self.stand.texts(), self.stand.sent()[0]["key"]), ([MANY], message))

    def test_what_the_gateway_refuses_is_failed_with_its_words(self):
        item, _ = self.take("hi")
        self.stand.customer(self.who, blocked=True)
        self.assertIn("opted_out", str(self.delivery(item, self.answer(item, "no more"), "failed")))


class Form(channelbed.Bed):
    provider = "http_sms"
    who = "+8613900000000"

    def channel_settings(self):
        known = self.stand.settings
        return {
            "user": known["user"], "password": known["password"], "sign_name": "商店", "callback_token": known["token"],
            "allow_private_urls": True,
            "send": {"url": self.stand.base + "/send", "type": "form",
                     "body": "user={user}&password={password}&to={to_digits}&text={signed_text}&reference={id}"},
            "answer": {"format": "text", "accepted": "OK ", "id": "OK ", "code": "ERR "},
            "incoming": {"message_if": "type=message"},
        }

    def test_text_both_ways(self):
        item, thread = self.take("在吗 & more")
        self.assertEqual(thread[0]["text"], "在吗 & more")
        self.delivery(item, self.answer(item, "好的 & 100% = ok"), "sent")
        self.assertEqual((self.stand.texts(), self.stand.sent()[0]["to"]), (["【商店】好的 & 100% = ok"], "8613900000000"))

    def test_a_refusal_in_plain_text(self):
        item, _ = self.take("hi")
        self.stand.customer("8613900000000", blocked=True)
        failed = self.delivery(item, self.answer(item, "no more"), "failed")
        self.assertIn("opted_out", str(failed))


class Settings(harness.TestCase):
    def test_a_mistake_says_where(self):
        for more, words in (('send: { url: "https://g.example/{txt}" }', ("send.url", "{txt}", "{text}")),
                            ('send: { url: "http://g.example/" }', ("allow_private_urls",)),
                            ('send: { url: "https://g.example/", headers: ["X"] }', ("send.headers",)),
                            ('send: { url: "https://g.example/" }, answer: { accepted: "queued" }', ("answer.accepted", "path=value"))):
            config = self.folder / "converged.yaml"
            config.write_text("state_dir: ./var\nlisten: { http: 127.0.0.1:1 }\nstore: embedded\nchannels:\n"
                              f"  - {{ name: c, connector: http_sms, {more} }}\n")
            config.chmod(0o600)
            done = subprocess.run([harness.BUILD / "converged", "-t", "-c", config], stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 78, more)
            for word in (":5:13: error:", *words):
                self.assertIn(word, done.stderr, more)


if __name__ == "__main__":
    unittest.main()
