"""Over which of a customer's channels an answer may go, and answering over another one."""
import secrets

import harness


class ReplyWays(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.redis = self.start_redis()
        self.secret = harness.new_secret()
        hook = f'connector: webhook, secret: "{self.secret}", deliver_url: "http://127.0.0.1:9/", allow_private_urls: true'
        self.daemon = self.start_daemon(
            f"  - {{ name: shop, {hook}, window: 1h }}\n  - {{ name: free, {hook} }}\n  - {{ name: site, connector: webchat }}\n"
            '  - { name: mail, connector: email, address: us@example.test, smtp: { url: "smtp://127.0.0.1:9" } }\n',
            extra=f"store: unix:{self.redis.socket}\n")
        self.alice, self.bob = self.daemon.token(), self.daemon.token(agent="bob")
        self.lead = self.daemon.token("supervisor")
        self.say("shop", "ann", "hello", email="ann@example.test")
        self.item = self.daemon.claim(self.alice)
        self.talk = self.item["conversation"]

    def say(self, channel, sender, text, **more):
        answer = self.daemon.post_signed(channel, self.secret, {"id": f"{channel}-{text}", "from": {"id": sender, **more}, "text": text})
        self.assertEqual(answer.status, 200, answer)

    def ways(self, token=None, talk=None):
        answer = self.daemon.request("GET", f"/v1/conversations/{talk or self.talk}/ways", token=token or self.alice)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["data"]

    def way(self, channel, **more):
        return next(one for one in self.ways(**more) if one["channel"] == channel)

    def start(self, channel, to, text="over here", token=None, answers=None):
        return self.daemon.request("POST", "/v1/conversations", {
            "channel": channel, "to": to, "text": text, "answers": answers or self.talk}, token or self.alice,
            headers={"Idempotency-Key": secrets.token_hex(8)})

    def test_all_of_them_with_their_reasons(self):
        here, *others = self.ways()
        self.assertEqual((here["channel"], here["to"], here["here"], here["how"], here["proof"], here["may_send"], here["reason"]),
                         ("shop", "ann", True, "reply", "proved", True, None))
        self.assertIsNotNone(here["until"])
        self.assertEqual({one["channel"]: (one["to"], one["may_send"], one["reason"], one["how"]) for one in others}, {
            "free": (None, False, "no_address", "start"), "site": (None, False, "no_address", "start"),
            "mail": ("ann@example.test", True, None, "start")})
        self.assertEqual(self.way("mail")["proof"], "claimed")
        self.redis.ask("HSET", f"{{main}}:c:{self.talk}", "wd", "1000 ")
        here = self.way("shop")
        self.assertEqual((here["may_send"], here["reason"], here["until"]), (False, "window_closed", None))

    def test_an_answer_over_another_way_stays_the_customer_s(self):
        started = self.start("mail", "ann@example.test")
        self.assertEqual(started.status, 201, started)
        talk = started.json["conversation"]
        known = self.daemon.request("GET", f"/v1/conversations/{talk}", token=self.alice).json
        self.assertEqual((known["channel"], known["customer"]["id"]), ("mail", self.item["customer"]["id"]))
        mail = self.way("mail")
        self.assertEqual((mail["how"], mail["conversation"], mail["work_item"], mail["agent"], mail["may_send"]),
                         ("reply", talk, known["work_item"], "alice", True))
        self.assertEqual(self.daemon.reply(talk, "and again", self.alice).status, 201)
        # It is hers: another agent is told so, a supervisor may.
        self.assertEqual((self.way("mail", token=self.bob)["reason"], self.way("mail", token=self.lead)["may_send"]),
                         ("other_agent", True))
        # Seen from there, the first one is the other way.
        self.assertEqual([(one["channel"], one["to"], one["here"], one["conversation"]) for one in self.ways(talk=talk)
                          if one["to"]], [("mail", "ann@example.test", True, talk), ("shop", "ann", False, self.talk)])
        self.daemon.request("PUT", f"/v1/conversations/{talk}/opt-out", {"state": "withdrawn", "reason": "said so"}, self.lead)
        mail = self.way("mail")
        self.assertEqual((mail["may_send"], mail["reason"]), (False, "opted_out"))

    def test_only_over_the_customer_s_own(self):
        self.say("shop", "eve", "hi", email="eve@example.test")
        self.say("free", "eve", "hi")
        for channel, to in (("mail", "eve@example.test"), ("free", "ann"), ("free", "eve"), ("shop", "eve")):
            refused = self.start(channel, to)
            self.assertEqual((refused.status, refused.json["errors"][0]["pointer"]), (400, "#/body/to"), (channel, to))
        refused = self.start("mail", "ann@example.test", answers="cnv_" + "0" * 26)
        self.assertEqual((refused.status, refused.json["errors"][0]["pointer"]), (400, "#/body/answers"))
        nowhere = self.daemon.request("GET", f"/v1/conversations/cnv_{'0' * 26}/ways", token=self.alice)
        self.assertEqual(nowhere.status, 404)
