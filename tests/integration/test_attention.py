"""What an agent has in hand decides what comes next: costs, limits, interruption, waiting and waking."""
import harness

BUSINESS = """\
queues:
  - { id: support }
agents:
  - { id: alice, name: Alice, capacity: 3, limits: [ { channel: post, at_once: 1 } ] }
rules:
  - { name: all, then: { queue: support } }
channel_costs:
  - { id: shop, cost: 2, waiting_cost: 1, interrupts: [] }
"""


class Attention(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon("".join(
            f'  - {{ name: {name}, connector: webhook, secret: "{self.secret}", '
            f'deliver_url: "http://127.0.0.1:1/", allow_private_urls: true }}\n' for name in ("shop", "post")), business=BUSINESS)
        self.alice = self.daemon.token()
        self.stream = self.daemon.events("/v1/events?types=offer.created", self.alice)
        self.addCleanup(self.stream.close)
        self.assertEqual(self.daemon.request("PUT", "/v1/me/presence", {"status": "online"}, self.alice).status, 200)

    def post(self, channel, message_id, sender):
        answer = self.daemon.post_signed(channel, self.secret, {
            "id": message_id, "from": {"id": sender, "name": "Li Lei"}, "text": "hello"})
        self.assertEqual(answer.status, 200, answer)

    def do(self, item, word, body=None):
        answer = self.daemon.request("POST", f"/v1/work-items/{item['id']}/{word}", body or {}, self.alice)
        self.assertEqual(answer.status, 200, answer)

    def taken(self):
        """The next offer, accepted."""
        event = self.stream.next()
        item = self.daemon.request("GET", f"/v1/work-items/{event['data']['work_item']}", token=self.alice).json
        self.do(item, "accept")
        return item

    def load(self):
        return self.daemon.request("GET", "/v1/live", token=self.daemon.token(role="supervisor")).json["agents"][0]["load"]

    def test_waiting_costs_less_and_what_wakes_may_exceed(self):
        self.post("shop", "m1", "u1")
        first = self.taken()
        self.assertEqual(self.load(), 2)
        self.post("shop", "m2", "u2")
        waiting = self.daemon.request("GET", "/v1/work-items?state=queued", token=self.alice).json["data"]
        self.assertEqual(len(waiting), 1)
        why = self.daemon.request("GET", f"/v1/work-items/{waiting[0]['id']}/explain", token=self.alice).json
        self.assertEqual([(one["agent"], one["standing"]) for one in why["agents"]], [("alice", "full")])
        self.do(first, "snooze", {"waiting_for": "customer"})
        second = self.taken()
        self.assertEqual(self.load(), 3)
        self.post("shop", "m3", "u1")
        self.assertEqual(self.load(), 4)
        self.post("shop", "m4", "u3")
        self.do(second, "resolve", {"reason": "done"})
        self.assertEqual(self.load(), 2)
        self.do(first, "resolve", {"reason": "done"})
        third = self.taken()
        self.assertNotIn(third["id"], (first["id"], second["id"]))
        self.assertEqual(self.load(), 2)

    def test_a_claim_may_ask_for_channels(self):
        self.daemon.request("PUT", "/v1/me/presence", {"status": "away"}, self.alice)
        self.post("shop", "m1", "u1")
        self.post("post", "m2", "u2")

        def claim(**more):
            return self.daemon.request("POST", "/v1/work/claim", {"wait_s": 1, **more}, self.alice)

        self.assertEqual(claim(channels=["post"]).json["channel"], "post", "though another one waits longer")
        self.assertEqual(claim(channels=["post"]).status, 204)
        wrong = claim(channels=["pots"])
        self.assertEqual((wrong.status, wrong.json["code"]), (400, "unknown_name"), wrong)
        self.assertIn('did you mean "post"?', wrong.json["detail"])
        self.daemon.request("PUT", "/v1/me/presence", {"status": "online"}, self.alice)

    def test_what_may_not_interrupt_waits_and_limits_hold(self):
        self.post("post", "m1", "u1")
        letter = self.taken()
        self.post("post", "m2", "u2")
        self.post("shop", "m3", "u3")
        self.assertEqual(self.load(), 1)
        why = {item["channel"]: self.daemon.request("GET", f"/v1/work-items/{item['id']}/explain", token=self.alice).json
               for item in self.daemon.request("GET", "/v1/work-items?state=queued", token=self.alice).json["data"]}
        self.assertEqual({channel: said["agents"][0]["standing"] for channel, said in why.items()},
                         {"post": "limit", "shop": "may_not_interrupt"})
        self.assertIn('1 have as much of channel "post" as they may.', why["post"]["text"]["en"])
        self.assertIn("1 名在渠道“post”上已达上限。", why["post"]["text"]["zh"])
        self.assertIn('1 have work in hand that channel "shop" may not interrupt.', why["shop"]["text"]["en"])
        self.assertIn("1 名手上的工作不可被渠道“shop”打断。", why["shop"]["text"]["zh"])
        self.do(letter, "resolve", {"reason": "done"})
        self.assertEqual(self.taken()["channel"], "post")
        self.assertEqual(self.load(), 1)

