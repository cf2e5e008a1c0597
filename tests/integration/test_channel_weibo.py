"""weibo against the stand-in of the fans' service."""
import unittest

import channelbed
import harness


class Weibo(channelbed.Channel):
    provider = "weibo"
    names = ("app_secret", "access_token")
    who = "2489000002"
    media_out = False
    has_window = True

    def test_the_address_is_proved(self):
        self.assertTrue(self.stand.handshake()["ok"])

    def test_a_place_a_menu_and_following(self):
        item, thread = self.take(None, kind="location")
        self.assertEqual(thread[0]["kind"], "location")
        self.stand.say(from_=self.who, kind="postback", payload="order")
        self.stand.say(from_=self.who, kind="event", event="follow")
        texts = harness.wait_for("both", lambda: [one["text"] for one in self.inbound(item)][2:] and self.inbound(item))
        self.assertEqual([one["text"] for one in texts][1:], ["order", "[follow]"])

    def test_a_long_answer_is_parted(self):
        item, _ = self.take("tell me everything")
        text = "。".join("第" + str(number) + "句" + "很长" * 40 for number in range(10))
        self.delivery(item, self.answer(item, text), "sent")
        texts = self.stand.texts()
        self.assertEqual("".join(texts), text)
        self.assertGreater(len(texts), 2)


if __name__ == "__main__":
    unittest.main()
