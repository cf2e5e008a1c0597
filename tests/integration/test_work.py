"""A work item in the hands of people: hand-over, offers, presence, snooze."""
import unittest

import harness


class Work(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
            f'deliver_url: "http://127.0.0.1:1/", allow_private_urls: true }}\n')
        self.alice = self.daemon.token()
        self.bob = self.daemon.token(agent="bob")

    def post(self, message_id="m1", text="hello", sender="u1"):
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": message_id, "from": {"id": sender, "name": "Li Lei"}, "text": text})
        self.assertEqual(answer.status, 200, answer)

    def do(self, item, word, token, body=None):
        return self.daemon.request("POST", f"/v1/work-items/{item['id']}/{word}", body or {}, token)

    def test_a_transfer_keeps_the_old_owner_until_it_is_accepted(self):
        self.post()
        item = self.daemon.claim(self.alice)
        handed = self.do(item, "transfer", self.alice, {"target": "agent:bob", "reason": "knows it better"})
        self.assertEqual(handed.status, 200, handed)
        self.assertEqual((handed.json["state"], handed.json["agent"]), ("assigned", "alice"))
        self.assertTrue(handed.json["transfer"].startswith("trf_"))
        again = self.do(item, "transfer", self.alice, {"target": "agent:bob"})
        self.assertEqual(again.status, 409, again)
        taken = self.do(item, "accept", self.bob)
        self.assertEqual(taken.status, 200, taken)
        self.assertEqual((taken.json["agent"], taken.json["transfer"]), ("bob", None))
        self.assertEqual(self.daemon.reply(item["conversation"], "no longer mine", self.alice).status, 403)
        self.assertEqual(self.daemon.reply(item["conversation"], "mine now", self.bob).status, 201)

    def test_a_declined_transfer_changes_nothing(self):
        self.post()
        item = self.daemon.claim(self.alice)
        self.do(item, "transfer", self.alice, {"target": "agent:bob"})
        self.assertEqual(self.do(item, "decline", self.bob).status, 200)
        now = self.daemon.request("GET", f"/v1/work-items/{item['id']}", token=self.alice).json
        self.assertEqual((now["agent"], now["transfer"]), ("alice", None))

    def test_an_online_agent_is_offered_the_work_and_says_so(self):
        stream = self.daemon.events("/v1/events", self.alice)
        self.addCleanup(stream.close)
        self.daemon.request("PUT", "/v1/me/presence", {"status": "online"}, self.alice)
        self.post()
        offer = stream.wait(lambda event: event["event"] == "offer.created")
        self.assertEqual(offer["data"]["agent"], "alice")
        listed = self.daemon.request("GET", "/v1/work-items?state=offered", token=self.alice).json["data"]
        self.assertEqual(len(listed), 1)
        self.assertEqual(self.do(listed[0], "accept", self.bob).status, 403)
        taken = self.do(listed[0], "accept", self.alice)
        self.assertEqual((taken.status, taken.json["state"]), (200, "assigned"))
        wrong = self.do(listed[0], "accept", self.alice)
        self.assertEqual((wrong.status, wrong.json["state"]), (409, "assigned"))
        self.assertIn("resolve", wrong.json["allowed"])

    def test_a_declined_offer_goes_to_the_other_agent(self):
        for token in (self.alice, self.bob):
            self.daemon.request("PUT", "/v1/me/presence", {"status": "online"}, token)
        stream = self.daemon.events("/v1/events?types=offer.created", self.alice)
        self.addCleanup(stream.close)
        self.post()
        first = stream.wait(lambda event: True)
        who = first["data"]["agent"]
        other = {"alice": "bob", "bob": "alice"}[who]
        item = self.daemon.request("GET", "/v1/work-items?state=offered", token=self.alice).json["data"][0]
        self.assertEqual(self.do(item, "decline", getattr(self, who), {"reason": "lunch"}).status, 200)
        self.assertEqual(stream.wait(lambda event: True)["data"]["agent"], other)

    def test_a_message_wakes_an_item_that_waits_for_the_customer(self):
        self.post()
        item = self.daemon.claim(self.alice)
        self.daemon.request("PUT", "/v1/me/presence", {"status": "online"}, self.alice)
        self.assertEqual(self.do(item, "snooze", self.alice, {"waiting_for": "customer"}).json["state"], "waiting")
        self.post("m2", "here I am")
        harness.wait_for("the item to wake", lambda: self.daemon.request(
            "GET", f"/v1/work-items/{item['id']}", token=self.alice).json["state"] == "assigned")

    def test_a_new_message_reopens_what_was_resolved_and_not_what_was_closed(self):
        self.post()
        item = self.daemon.claim(self.alice)
        self.do(item, "resolve", self.alice)
        self.do(item, "resolve", self.alice)  # a queue with a wrap-up time wraps first
        self.post("m2", "one more thing")
        again = self.daemon.claim(self.alice)
        self.assertEqual(again["id"], item["id"])
        self.do(again, "close", self.alice)
        self.post("m3", "hello again")
        fresh = self.daemon.claim(self.alice)
        self.assertNotEqual(fresh["id"], item["id"])
        self.assertEqual(fresh["conversation"], item["conversation"])


if __name__ == "__main__":
    unittest.main()
