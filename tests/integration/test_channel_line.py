"""line against the stand-in of the Messaging API, and LINE's own library as the judge of signatures."""
import base64
import hashlib
import hmac
import json
import unittest

import channelbed
import harness
import sdkbed


class Line(channelbed.Channel):
    provider = "line"
    names = ("channel_secret", "channel_access_token")
    who = "U" + "1" * 32
    idempotent = True
    media_out = False  # LINE takes no uploads: test_files_go_out_as_links

    def channel_settings(self):
        return {**super().channel_settings(), "public_url": "https://converge.example"}

    def test_a_name_is_asked_for(self):
        item, _ = self.take("hello")
        named = lambda: self.daemon.request("GET", f"/v1/conversations/{item['conversation']}", token=self.admin).json["customer"]
        harness.wait_for("the name", lambda: named()["name"] or None)
        self.assertEqual(named()["name"], "Taro")
        customer = self.daemon.request("GET", f"/v1/customers/{named()['id']}", token=self.admin).json
        self.assertEqual(customer["name"], "Taro")

    def test_files_go_out_as_links(self):
        item, _ = self.take("send me the picture")
        message = self.answer(item, "here", attachments=[self.upload(channelbed.PICTURE, "image/png", "答复.png")])
        self.delivery(item, message, "sent")
        picture = [one for one in self.stand.wait_sent(2) if one["kind"] == "image"]
        self.assertIn("https://converge.example/", json.dumps(picture[0]["body"]))
        message = self.answer(item, "", attachments=[self.upload(b"%PDF-1", "application/pdf", "a.pdf")])
        self.delivery(item, message, "sent")
        self.assertIn("a.pdf https://converge.example/", self.stand.texts()[-1])

    def test_the_monthly_quota_is_not_a_rate(self):
        item, _ = self.take("hello")
        self.stand.fault("error", code="quota")
        failed = self.delivery(item, self.answer(item, "too many"), "failed", "sent")
        self.assertEqual(failed["state"], "failed")

    def test_what_cannot_be_read_is_kept_and_not_asked_for_again(self):
        """A webhook that answers 400 is called again for hours, then switched off; and the bytes would be lost."""
        secret = self.stand.settings["channel_secret"]
        for body in (b'{"destination":"Ubot"}', b"not json", b'{"destination":"Ubot"}'):
            signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
            answer = self.daemon.request("POST", "/in/c", body, headers={
                "Content-Type": "application/json", "x-line-signature": signature})
            self.assertEqual(answer.status, 200, answer)
        seen = []
        for _ in range(2):
            message = self.inbound(self.daemon.claim(self.alice))[0]
            self.assertEqual(message["kind"], "unknown")
            self.assertIn("could not be read", message["text"])
            kept = self.daemon.request("GET", f"/v1/attachments/{message['raw']}", token=self.alice)
            self.assertEqual(kept.status, 200, kept)
            seen.append(kept.body)
        self.assertEqual(sorted(seen), [b"not json", b'{"destination":"Ubot"}'])
        self.assertIsNone(self.daemon.claim(self.alice))

    def test_the_library_agrees(self):
        secret = self.stand.settings["channel_secret"]
        body = json.dumps({"destination": "Ubot", "events": [{
            "type": "message", "mode": "active", "timestamp": 1767322545123, "webhookEventId": "01JSDK",
            "deliveryContext": {"isRedelivery": False}, "source": {"type": "user", "userId": self.who}, "replyToken": "r",
            "message": {"type": "text", "id": "9001", "text": "从 SDK 来"}}]}, ensure_ascii=False)
        signature = base64.b64encode(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()).decode()
        said = sdkbed.sdk("line", {"secret": secret, "body": body, "signatures": [signature, signature[:-4] + "AAA="]})
        self.assertEqual(said["valid"], [True, False])
        for one, status in ((signature, 200), (signature[:-4] + "AAA=", 401)):
            answer = self.daemon.request("POST", "/in/c", body.encode(), headers={
                "Content-Type": "application/json", "x-line-signature": one})
            self.assertEqual(answer.status, status, answer)
        self.assertEqual(self.inbound(self.daemon.claim(self.alice))[0]["text"], "从 SDK 来")


if __name__ == "__main__":
    unittest.main()
