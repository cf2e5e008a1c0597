"""May we send now? The reply window as the API shows it, as a reply meets it, and as what waited meets it."""
import json
import time
import unittest

import harness


class Windows(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.redis = self.start_redis()
        self.secret = harness.new_secret()
        self.sink = self.start_sink(self.secret)
        shop = {"name": "shop", "connector": "webhook", "secret": self.secret, "window": "1h", "deliver_url": self.sink.url,
                "allow_private_urls": True}
        free = {"name": "free", "connector": "webhook", "secret": self.secret, "deliver_url": self.sink.url,
                "allow_private_urls": True}
        self.daemon = self.start_daemon("".join(f"  - {json.dumps(row)}\n" for row in (shop, free)),
                                        extra=f"store: unix:{self.redis.socket}\n")
        self.alice = self.daemon.token()

    def write(self, channel, text="hello"):
        answer = self.daemon.post_signed(channel, self.secret, {"id": f"{channel}-{text}", "from": {"id": "ann"}, "text": text})
        self.assertEqual(answer.status, 200, answer)

    def item(self, channel):
        self.write(channel)
        return self.daemon.claim(self.alice)["conversation"]

    def window(self, conversation):
        return self.daemon.request("GET", f"/v1/conversations/{conversation}", token=self.alice).json["window"]

    def keep(self, conversation, ends_in_s, left=""):
        self.redis.ask("HSET", f"{{main}}:c:{conversation}", "wd", f"{int((time.time() + ends_in_s) * 1000)} {left}")

    def delivery(self, conversation, message):
        found = [one["delivery"] for one in self.daemon.messages(conversation, self.alice) if one["id"] == message]
        return found[0] if found[0]["state"] not in ("queued", "sending") else None

    def test_open_and_closed(self):
        conversation = self.item("shop")
        shown = self.window(conversation)
        self.assertEqual((shown["open"], shown["reason"], shown["left"], shown["template"]), (True, None, None, False))
        self.assertIsNotNone(shown["until"])
        self.assertEqual(self.daemon.reply(conversation, "in time", self.alice).status, 201)
        self.keep(conversation, -1)
        refused = self.daemon.reply(conversation, "too late", self.alice)
        self.assertEqual((refused.status, refused.json["code"], refused.json["allowed"]), (409, "window_closed", ["note"]))
        self.assertEqual(self.window(conversation)["open"], False)
        self.assertEqual(self.daemon.reply(conversation, "nobody answered", self.alice, kind="note").status, 201)
        self.write("shop", "again")
        harness.wait_for("the window to open again", lambda: self.window(conversation)["open"])
        self.assertEqual(self.daemon.reply(conversation, "in time again", self.alice).status, 201)

    def test_so_many_and_no_more(self):
        conversation = self.item("shop")
        self.keep(conversation, 3000, 2)
        for text in ("one", "two"):
            message = self.daemon.reply(conversation, text, self.alice).json["id"]
            harness.wait_for("it to be sent", lambda: self.delivery(conversation, message))
        self.assertEqual(self.window(conversation)["reason"], "window_used_up")
        refused = self.daemon.reply(conversation, "three", self.alice)
        self.assertEqual((refused.status, refused.json["code"]), (409, "window_used_up"))

    def test_the_last_one_asked_for_again_is_the_one_that_was_sent(self):
        conversation = self.item("shop")
        self.keep(conversation, 3000, 1)
        first = self.daemon.reply(conversation, "the last", self.alice, key="k1")
        harness.wait_for("it to be sent", lambda: self.delivery(conversation, first.json["id"]))
        again = self.daemon.reply(conversation, "the last", self.alice, key="k1")
        self.assertEqual((again.status, again.body, again.headers["Idempotency-Replayed"]), (201, first.body, "true"))
        for text, key, status in (("another", "k1", 422), ("another", "k2", 409)):
            self.assertEqual(self.daemon.reply(conversation, text, self.alice, key=key).status, status)

    def test_what_waited_too_long_fails_with_the_reason(self):
        conversation = self.item("shop")
        self.sink.answers = [503]
        self.keep(conversation, 3000)
        message = self.daemon.reply(conversation, "first", self.alice).json["id"]
        harness.wait_for("the first attempt", lambda: self.sink.received)
        self.keep(conversation, -1)
        delivery = harness.wait_for("it to end", lambda: self.delivery(conversation, message))
        self.assertEqual(delivery["state"], "failed")
        self.assertIn("window_closed", json.dumps(delivery))
        self.assertEqual(self.sink.texts(), [])

    def test_a_channel_without_one(self):
        shown = self.window(self.item("free"))
        self.assertEqual(shown, {"open": True, "reason": None, "until": None, "left": None, "template": False,
                                 "quiet": False})

    def test_the_rule_of_the_channel(self):
        rows = self.daemon.request("GET", "/v1/channels", token=self.daemon.token("admin", None)).json["data"]
        rules = {row["name"]: row["window"] for row in rows}
        self.assertEqual(rules["shop"], {"open_s": 3600, "count": None, "after": "nothing", "template_only": False})
        self.assertEqual(rules["free"]["open_s"], 0)


if __name__ == "__main__":
    unittest.main()
