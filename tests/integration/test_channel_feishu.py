"""feishu, sealed and bare, against the stand-in of its API."""
import json
import time
import unittest

import channelbed
import harness
import sdkbed

HURRY = 20000  # Feishu comes back after hours


class Sealed(channelbed.Channel):
    provider = "feishu"
    names = ("app_id", "app_secret", "encrypt_key", "verification_token")
    who = "ou_demo"
    idempotent = True
    token_is_fetched = True

    def stand_settings(self):
        return {"hurry": HURRY}

    def test_the_challenge_is_answered(self):
        before = len(self.stand.state()["posts"])
        self.stand.handshake()
        self.stand.wait_taken(before)

    def test_the_library_agrees(self):
        settings = self.stand.settings
        now = int(time.time())
        event = {"schema": "2.0", "header": {
            "event_id": "ev-sdk", "event_type": "im.message.receive_v1", "create_time": str(now * 1000),
            "token": settings["verification_token"], "app_id": settings["app_id"], "tenant_key": "t"}, "event": {
            "sender": {"sender_id": {"open_id": "ou_sdk"}, "sender_type": "user", "tenant_key": "t"}, "message": {
                "message_id": "om_sdk", "create_time": str(now * 1000), "chat_id": "oc_sdk", "chat_type": "p2p",
                "message_type": "text", "content": json.dumps({"text": "从 SDK 来"})}}}
        said = sdkbed.sdk("feishu", {"encrypt_key": settings["encrypt_key"], "event": event, "timestamp": str(now),
                                     "nonce": "n1"})
        self.assertTrue(said["same"])
        good = {"Content-Type": "application/json", **said["headers"]}
        bad = {**good, "x-lark-signature": "0" * 64}
        self.assertEqual([self.daemon.request("POST", "/in/c", said["body"].encode(), headers=one).status
                          for one in (bad, good)], [401, 200])
        self.assertEqual([one["text"] for one in self.inbound(self.daemon.claim(self.alice))],
                         [one["text"] for one in said["seen"]])

    def test_a_place_a_button_and_a_receipt(self):
        item, thread = self.take("人民广场", kind="location")
        self.assertEqual(thread[0]["kind"], "location")
        self.stand.say("好的", from_=self.who, kind="postback", payload="yes")
        texts = harness.wait_for("the button", lambda: [one["text"] for one in self.inbound(item)][1:])
        self.assertEqual(texts, ["好的"])
        message = self.answer(item, "收到")
        self.delivery(item, message, "sent")
        self.stand.receipt(self.stand.wait_sent(1)[0]["id"], "read", from_=self.who)
        self.delivery(item, message, "read")

    def test_a_group_is_answered_in_the_group(self):
        item, _ = self.take("大家好", chat="oc_group1")
        self.delivery(item, self.answer(item, "你好"), "sent")
        self.assertEqual(self.stand.wait_sent(1)[0]["to"], "oc_group1")

    def test_a_person_out_of_reach(self):
        item, _ = self.take("hello")
        self.stand.customer(self.who, blocked=True)
        failed = self.delivery(item, self.answer(item, "are you there?"), "failed")
        self.assertIn("230013", str(failed["error"]))


class Bare(channelbed.Bed):
    provider = "feishu"
    names = ("app_id", "app_secret", "verification_token")
    who = "ou_demo"

    def stand_settings(self):
        return {"hurry": HURRY, "encrypt_key": ""}

    def test_the_token_is_the_proof(self):
        item, thread = self.take("不加密")
        self.assertEqual(thread[0]["text"], "不加密")
        self.delivery(item, self.answer(item, "好"), "sent")
        self.stand.fault("wrong_signature", on="post")
        before = len(self.stand.state()["posts"])
        self.stand.write("forged", from_=self.who)
        posts = self.stand.wait_taken(before, ok=False)
        self.assertIn(401, [post["status"] for post in posts])


if __name__ == "__main__":
    unittest.main()
