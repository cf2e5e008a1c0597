"""wechat in safe, compatible and plain mode, against the stand-in of the Official Account's API."""
import hashlib
import secrets
import time
import unittest
import urllib.parse

import channelbed
import harness
import sdkbed


class Safe(channelbed.Channel):
    provider = "wechat"
    names = ("app_id", "app_secret", "token", "encoding_aes_key")
    who = "oABCD1234567890abcdefghijkl0"
    has_window = True
    token_is_fetched = True

    def test_the_console_proves_the_address(self):
        self.assertTrue(self.stand.handshake()["ok"])
        self.stand.fault("wrong_signature", on="post")
        self.assertFalse(self.stand.handshake()["ok"])

    def test_every_post_is_answered_success(self):
        self.stand.say("hello", from_=self.who)
        self.stand.say(None, from_=self.who, kind="event", event="brand_new")
        self.assertTrue(all(post["ok"] for post in self.stand.state()["posts"]))

    def test_a_place_and_a_click(self):
        item, thread = self.take("人民广场", kind="location")
        self.assertEqual(thread[0]["kind"], "location")
        self.stand.say(from_=self.who, kind="postback", payload="ORDER_STATUS")
        texts = harness.wait_for("the click", lambda: [one["text"] for one in self.inbound(item)][1:])
        self.assertEqual(texts, ["ORDER_STATUS"])

    def test_the_count_of_messages_is_kept(self):
        item, _ = self.take("hello")
        for number in range(5):
            self.delivery(item, self.answer(item, f"answer {number}"), "sent")
        refused = self.daemon.reply(item["conversation"], "one too many", self.alice)
        self.assertEqual(refused.status, 409, refused)
        self.assertEqual(self.stand.refused(), [])
        self.stand.say("still there", from_=self.who)
        harness.wait_for("the second message", lambda: len(self.inbound(item)) == 2)
        self.delivery(item, self.answer(item, "again"), "sent")

    def test_what_takes_more_than_is_left_is_refused_whole(self):
        item, _ = self.take("hello")
        path = f"/v1/conversations/{item['conversation']}/messages"
        long = "很长的一句话。" * 1000
        refused = self.daemon.request("POST", path, {"kind": "reply", "text": long}, self.alice, headers={"Idempotency-Key": "k"})
        self.assertEqual((refused.status, refused.json["code"]), (409, "window_too_small"), refused)
        self.assertRegex(refused.json["detail"], r"takes \d+ messages, and the channel takes 5 more")
        seen = self.daemon.request("POST", path + "/preview", {"text": long}, self.alice).json
        self.assertEqual((seen["may_send"], seen["reason"]), (False, "window_too_small"))
        self.assertEqual(self.stand.sent(), [])
        self.delivery(item, self.answer(item, "short"), "sent")
        self.assertEqual([one["text"] for one in self.stand.sent()], ["short"])

    def test_a_template_and_its_receipt(self):
        item, _ = self.take("hello")
        template = {"name": "tpl_order", "parameters": [{"name": "thing1", "value": "已发货"}]}
        message = self.answer(item, "", template=template)
        self.delivery(item, message, "sent")
        sent = self.stand.sent()[-1]
        self.assertEqual((sent["kind"], sent["text"]), ("template", "tpl_order"))
        self.stand.receipt(sent["id"], "delivered", from_=self.who)
        self.delivery(item, message, "delivered")

    def test_a_long_answer_is_parted(self):
        item, _ = self.take("tell me")
        text = "。".join("第" + str(number) + "句" + "很长" * 60 for number in range(12))
        self.delivery(item, self.answer(item, text), "sent")
        self.assertEqual("".join(self.stand.texts()), text)
        self.assertLessEqual(max(len(one.encode()) for one in self.stand.texts()), 2048)

    def test_a_file_that_is_gone_is_given_up(self):
        self.stand.fault("error", code="40009", on="media", count=100)
        item, _ = self.take(None, kind="image", media=(channelbed.PICTURE, "image/png", "x.png"))
        def state():
            return [file["state"] for one in self.inbound(item) for file in one["attachments"]] == ["failed"]
        harness.wait_for("the file to be given up", state)

    def test_the_channel_can_be_tried(self):
        self.assertIn("ok", self.daemon.ctl("channel", "test", "c"))


    def post(self, sealed, signature, sign):
        """What WeChat would post, signed anew but for the message's own signature."""
        words = sorted([self.stand.settings["token"], sign["timestamp"], sign["nonce"]])
        query = {**sign, "signature": hashlib.sha1("".join(words).encode()).hexdigest(), "encrypt_type": "aes",
                 "msg_signature": signature}
        body = f"<xml><ToUserName><![CDATA[gh_0]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        return self.daemon.request("POST", "/in/c?" + urllib.parse.urlencode(query), body.encode(),
                                   headers={"Content-Type": "text/xml"}).status

    def test_messages_sealed_by_the_libraries_of_others(self):
        known = self.stand.settings
        now = int(time.time())
        for number, name in enumerate(("wecom", "wechat")):
            sign = {"timestamp": str(now), "nonce": secrets.token_hex(4)}
            message = (f"<xml><FromUserName><![CDATA[{self.who}]]></FromUserName><CreateTime>{now}</CreateTime><MsgType>"
                       f"<![CDATA[text]]></MsgType><Content><![CDATA[从 {name} 来]]></Content><MsgId>99{number}</MsgId></xml>")
            made = sdkbed.sdk("weixin", {"token": known["token"], "key": known["encoding_aes_key"], "id": known["app_id"],
                                         "message": message, **sign})
            self.assertEqual(made["opened"], [message, message])
            sealed, signature = made["sealed"][name], made["signatures"][name]
            self.assertEqual(self.post(sealed, signature[::-1], sign), 401)
            self.assertEqual(self.post(sealed, signature, sign), 200)
        item = self.daemon.claim(self.alice)
        texts = harness.wait_for("both", lambda: (lambda got: got if len(got) == 2 else None)(
            [one["text"] for one in self.inbound(item)]))
        self.assertEqual(texts, ["从 wecom 来", "从 wechat 来"])

    def test_a_message_sealed_for_another_account(self):
        known = self.stand.settings
        sign = {"timestamp": str(int(time.time())), "nonce": "n"}
        made = sdkbed.sdk("weixin", {"token": known["token"], "key": known["encoding_aes_key"], "id": "wx0000000000000000",
                                     "message": "<xml></xml>", **sign})
        self.assertEqual(self.post(made["sealed"]["wecom"], made["signatures"]["wecom"], sign), 401)


class Compatible(channelbed.Bed):
    provider = "wechat"
    names = Safe.names
    who = Safe.who

    def stand_settings(self):
        return {"hurry": 20, "mode": "compatible"}

    def test_the_sealed_fields_count(self):
        _, thread = self.take("你好")
        self.assertEqual([one["text"] for one in thread], ["你好"])


class Plain(channelbed.Bed):
    provider = "wechat"
    names = ("app_id", "app_secret", "token")
    who = Safe.who

    def stand_settings(self):
        return {"hurry": 20, "mode": "plain"}

    def test_text_both_ways(self):
        item, thread = self.take("你好")
        self.assertEqual([one["text"] for one in thread], ["你好"])
        self.delivery(item, self.answer(item, "您好"), "sent")
        self.assertEqual(self.stand.texts(), ["您好"])


class Downgrade(channelbed.Bed):
    provider = "wechat"
    names = Safe.names
    who = Safe.who

    def stand_settings(self):
        return {"hurry": 20, "mode": "plain"}

    def test_a_plain_message_is_refused_where_sealed_ones_are_wanted(self):
        self.stand.write("not sealed", from_=self.who)
        posts = self.stand.wait_taken(ok=False)
        self.assertEqual({post["status"] for post in posts}, {401})


if __name__ == "__main__":
    unittest.main()
