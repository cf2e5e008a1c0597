"""twilio_sms against the stand-in of Twilio's API, and Twilio's own library as the signer."""
import json
import unittest
import urllib.parse

import channelbed
import harness
import sdkbed

PUBLIC = "https://converge.example"


class TwilioSms(channelbed.Channel):
    provider = "twilio"
    connector = "twilio_sms"
    names = ("account_sid", "auth_token", "number")
    who = "+15005550001"
    media_out = False  # Twilio takes links, no uploads: test_files_go_out_as_links

    def setUp(self):
        super().setUp()
        self.stand.set(signed_url=f"{PUBLIC}/in/c")

    def channel_settings(self):
        return {**super().channel_settings(), "public_url": PUBLIC}

    def test_a_duplicate_is_one_message(self):
        """Twilio asks once, and a fallback address may bring the same again."""
        self.stand.fault("duplicate", times=3, on="post")
        item, thread = self.take("only once")
        self.assertEqual(len(thread), 1)

    def test_files_go_out_as_links(self):
        item, _ = self.take("send me the picture")
        message = self.answer(item, "", attachments=[self.upload(channelbed.PICTURE, "image/png", "答复.png")])
        self.delivery(item, message, "sent", "delivered")
        self.assertIn(PUBLIC, json.dumps(self.stand.sent()[0]))

    def test_receipts(self):
        item, _ = self.take("hello")
        good, bad = self.answer(item, "one"), self.answer(item, "two")
        for message in (good, bad):
            self.delivery(item, message, "sent", "delivered")
        sent = self.stand.sent()
        self.stand.receipt(sent[0]["id"], "delivered")
        self.stand.receipt(sent[1]["id"], "undelivered", code="30003")
        self.delivery(item, good, "delivered")
        self.assertIn("30003", str(self.delivery(item, bad, "failed")["error"]))

    def test_the_library_signs(self):
        params = {"MessageSid": "SMsdk", "From": "+15005550009", "To": "+15005550006", "Body": "从 SDK 来 & more",
                  "AccountSid": self.stand.settings["account_sid"]}
        said = sdkbed.sdk("twilio", {"token": self.stand.settings["auth_token"],
                                     "requests": [{"url": f"{PUBLIC}/in/c", "params": params},
                                                  {"url": "https://other.example/in/c", "params": params}]})
        statuses = [self.daemon.request("POST", "/in/c", urllib.parse.urlencode(params).encode(), headers={
            "Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": one}).status
            for one in said["signatures"]]
        self.assertEqual((said["valid"], statuses), ([True, True], [200, 401]))
        self.assertEqual(self.inbound(self.daemon.claim(self.alice))[0]["text"], params["Body"])


if __name__ == "__main__":
    unittest.main()
