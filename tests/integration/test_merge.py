"""Customers who are one person, and those who are not: merge, split, revert, by the API and beside the way in."""
import concurrent.futures
import random
import urllib.parse

import harness

CHANNELS = """\
  - {{ name: shop, connector: webhook, secret: "{secret}" }}
  - {{ name: crm, connector: webhook, secret: "{secret}" }}
"""


class MergeTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(CHANNELS.format(secret=self.secret))
        self.token = self.daemon.token()
        self.sent = 0

    def say(self, sender, text="hello", channel="shop", thread=None, **claims):
        """A message of somebody; who it was found to be."""
        self.sent += 1
        body = {"id": f"m{self.sent}", "from": {"id": sender, "name": sender, **claims}, "text": text}
        if thread:
            body["thread"] = thread
        answer = self.daemon.post_signed(channel, self.secret, body)
        self.assertEqual(answer.status, 200, answer)
        return self.owner(sender, channel)

    def owner(self, sender, channel="shop"):
        [one] = self.found(f"webhook:{channel}:{sender}")
        return self.view(one)["id"]

    def found(self, identifier):
        answer = self.daemon.request("GET", "/v1/customers?identifier=" + urllib.parse.quote(identifier), token=self.token)
        self.assertEqual(answer.status, 200, answer)
        return [row["id"] for row in answer.json["data"]]

    def view(self, customer):
        answer = self.daemon.request("GET", f"/v1/customers/{customer}", token=self.token)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def post(self, path, body=None, status=200, key=None):
        answer = self.daemon.request("POST", f"/v1/customers/{path}", body or {}, token=self.token,
                                     headers={"Idempotency-Key": key} if key else None)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def merge(self, into, origin, status=200, **more):
        return self.post(f"{into}/merge", {"from": origin, **more}, status)

    def senders(self, customer):
        return {one["value"] for one in self.view(customer)["identifiers"] if one["kind"] == "webhook"}

    def talks(self, customer):
        return {one["id"] for one in self.view(customer)["conversations"]}

    def test_a_merge_moves_identifiers_and_old_ids_lead_to_it_for_ever(self):
        a, b = self.say("a"), self.say("b")
        done = self.merge(a, b)
        self.assertEqual((done["customer"], done["other"], done["conversations"]), (a, b, 1))
        self.assertEqual(self.senders(a), {"a", "b"})
        self.assertEqual(self.view(b)["id"], a)
        self.assertEqual(len(self.talks(a)), 2)
        for one in self.view(a)["work_items"]:
            self.assertEqual(one["customer"]["id"], a)
        self.assertEqual(self.say("b", "again"), a)
        self.assertEqual(self.daemon.request("PATCH", f"/v1/customers/{b}", {"name": "x"}, token=self.token).status, 200)
        self.assertEqual(self.view(a)["name"], "x")

    def test_a_preview_changes_nothing_and_says_all(self):
        a, b = self.say("a"), self.say("b")
        for one, tier in ((a, "gold"), (b, "silver")):
            self.daemon.request("PATCH", f"/v1/customers/{one}", {"tier": tier, "attributes": {"city": tier}}, token=self.token)
        seen = self.post(f"{a}/merge?preview=true", {"from": b})
        self.assertEqual([one["value"] for one in seen["identifiers"]], ["b"])
        self.assertEqual({one["id"] for one in seen["conversations"]}, self.talks(b))
        self.assertIn({"field": "tier", "into": "gold", "from": "silver"}, seen["conflicts"])
        self.assertIn({"field": "attributes.city", "into": "gold", "from": "silver"}, seen["conflicts"])
        self.assertEqual((self.owner("a"), self.owner("b")), (a, b))
        self.daemon.request("PATCH", f"/v1/customers/{b}", {"tier": "lead"}, token=self.token)
        self.merge(a, b, status=412, versions=seen["versions"])
        self.merge(a, b, versions=self.post(f"{a}/merge?preview=true", {"from": b})["versions"])

    def test_a_revert_gives_back_also_what_came_since(self):
        a, b = self.say("a"), self.say("b")
        done = self.merge(a, b)
        self.say("b", "since", thread="another")
        self.say("a", "mine", thread="mine")
        self.assertEqual(len(self.talks(a)), 4)
        seen = self.post(f"{a}/merges/{done['merge']}/revert?preview=true")
        self.assertEqual(len(seen["conversations"]), 2)
        self.post(f"{a}/merges/{done['merge']}/revert")
        self.assertEqual((self.senders(a), self.senders(b)), ({"a"}, {"b"}))
        self.assertEqual((len(self.talks(a)), len(self.talks(b))), (2, 2))
        self.assertEqual((self.owner("b"), self.say("b", "and now")), (b, b))
        for one in self.view(b)["work_items"]:
            self.assertEqual(one["customer"]["id"], b)
        self.post(f"merges/{done['merge']}/revert", status=409)

    def test_merges_are_reverted_in_any_order(self):
        a, b, c, d = (self.say(one) for one in "abcd")
        first, second, third = self.merge(a, b)["merge"], self.merge(c, a)["merge"], self.merge(d, c)["merge"]
        self.assertEqual(self.senders(d), {"a", "b", "c", "d"})
        self.assertEqual([self.view(one)["id"] for one in (a, b, c)], [d, d, d])
        self.post(f"merges/{first}/revert")
        self.assertEqual((self.senders(b), self.senders(d)), ({"b"}, {"a", "c", "d"}))
        self.post(f"merges/{third}/revert")
        self.assertEqual((self.senders(c), self.senders(d)), ({"a", "c"}, {"d"}))
        self.assertEqual(self.view(a)["id"], c)
        self.post(f"merges/{second}/revert")
        self.assertEqual([self.senders(one) for one in (a, b, c, d)], [{"a"}, {"b"}, {"c"}, {"d"}])

    def test_one_identifier_splits_off_and_comes_back(self):
        a, b = self.say("a"), self.say("b")
        self.merge(a, b)
        kept = self.talks(a)
        moved = {one["id"] for one in self.post(f"{a}/split?preview=true", {"identifier": "webhook:shop:b"})["conversations"]}
        done = self.post(f"{a}/split", {"identifier": "webhook:shop:b", "name": "Bee"})
        new = done["customer"]
        self.assertNotIn(new, (a, b))
        self.assertEqual((self.senders(a), self.senders(new), self.view(new)["name"]), ({"a"}, {"b"}, "Bee"))
        self.assertEqual((self.talks(new), self.talks(a)), (moved, kept - moved))
        self.assertEqual(self.say("b", "more"), new)
        self.post(f"{new}/split", {"identifier": "webhook:shop:b"}, status=409)
        self.post(f"{a}/split", {"identifier": "webhook:shop:nobody"}, status=404)
        self.post(f"{a}/merges/{done['merge']}/revert")
        self.assertEqual(self.senders(a), {"a", "b"})
        self.assertEqual(self.view(new)["id"], a)
        self.assertEqual(self.say("b", "back"), a)

    def test_a_customer_is_not_merged_with_itself_or_with_nobody(self):
        a, b = self.say("a"), self.say("b")
        self.merge(a, a, status=409)
        self.merge(a, "cus_00000000000000000000000000", status=404)
        self.merge(a, b)
        self.merge(b, a, status=409)
        self.assertEqual(self.senders(a), {"a", "b"})

    def test_a_repeated_request_is_one_merge(self):
        a, b = self.say("a"), self.say("b")
        first = self.post(f"{a}/merge", {"from": b}, key="k1")
        self.assertEqual(self.post(f"{a}/merge", {"from": b}, key="k1"), first)
        split = self.post(f"{a}/split", {"identifier": "webhook:shop:b"}, key="k2")
        self.assertEqual(self.post(f"{a}/split", {"identifier": "webhook:shop:b"}, key="k2"), split)
        self.post(f"{a}/merge", {"from": b, "reason": "other"}, status=422, key="k1")

    def test_who_may(self):
        a, b = self.say("a"), self.say("b")
        tool = self.daemon.token("integration", agent=None)
        answer = self.daemon.request("POST", f"/v1/customers/{a}/merge", {"from": b}, token=tool)
        self.assertEqual(answer.status, 403)
        other = self.daemon.token("admin", agent=None, workspace="other")
        answer = self.daemon.request("POST", f"/v1/customers/{a}/merge", {"from": b}, token=other)
        self.assertEqual(answer.status, 404)

    def test_the_list_of_merges_and_the_event(self):
        a, b = self.say("a"), self.say("b")
        events = self.daemon.events("/v1/events?types=customer.merged", token=self.token)
        done = self.merge(a, b, reason="same voice")
        event = events.wait(lambda one: one["event"] == "customer.merged")
        self.assertEqual((event["data"]["customer"], event["data"]["object"]), (a, b))
        events.close()
        listed = self.daemon.request("GET", f"/v1/customers/{b}/merges", token=self.token).json["data"]
        self.assertEqual([(one["id"], one["kind"], one["state"], one["by"], one["evidence"]) for one in listed],
                         [(done["merge"], "merge", "merged", "agent:alice", {"kind": "manual", "reason": "same voice"})])

    def test_a_shared_identifier_is_marked(self):
        a = self.say("a", email="family@example.test")
        path = f"/v1/customers/{a}/identifiers/" + urllib.parse.quote("email:family@example.test")
        answer = self.daemon.request("PUT", path, {"shared": True}, token=self.token)
        self.assertEqual(answer.status, 200, answer)
        marked = {one["value"]: one["shared"] for one in answer.json["identifiers"]}
        self.assertEqual(marked, {"a": False, "family@example.test": True})
        answer = self.daemon.request("PUT", path, {"shared": False}, token=self.token)
        self.assertFalse(any(one["shared"] for one in answer.json["identifiers"]))

    def test_the_command_line_shows_before_it_does(self):
        a, b = self.say("a"), self.say("b")
        self.assertIn(a, self.daemon.ctl("customer", "find", "webhook:shop:a"))
        seen = self.daemon.ctl("customer", "merge", a, b, "--preview")
        self.assertIn("nothing done", seen)
        self.assertIn("moves    webhook b (proved)", seen)
        self.assertIn("differs  name: a stays, b is kept beside it", seen)
        self.assertEqual(self.owner("b"), b)
        self.daemon.ctl("customer", "merge", a, b, "--reason", "same voice")
        [row] = [line for line in self.daemon.ctl("customer", "merges", a).splitlines() if "mrg_" in line]
        self.daemon.ctl("customer", "revert", row.split()[0])
        self.assertEqual(self.owner("b"), b)
        self.daemon.ctl("customer", "merge", a, b)
        self.assertIn("a new customer", self.daemon.ctl("customer", "split", a, "webhook:shop:b", "--preview"))
        self.assertIn('"customer"', self.daemon.ctl("customer", "split", a, "webhook:shop:b", "-o", "json"))

    def test_concurrent_merges_end_in_one_customer_and_no_cycle(self):
        everybody = [self.say(f"p{number}") for number in range(12)]
        pairs = [(one, other) for one in everybody for other in everybody if one != other]
        random.Random(7).shuffle(pairs)

        def attempt(pair):
            answer = self.daemon.request("POST", f"/v1/customers/{pair[0]}/merge", {"from": pair[1]}, token=self.token)
            return answer.status

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(attempt, pairs))
        self.assertEqual(statuses.count(200), 11)
        self.assertEqual(set(statuses), {200, 409})
        [one] = {self.view(customer)["id"] for customer in everybody}
        self.assertEqual(len(self.senders(one)), 12)
        self.assertEqual(len(self.talks(one)), 12)

    def test_messages_while_customers_are_merged_and_split(self):
        a, b = self.say("a"), self.say("b")

        def write(number):
            body = {"id": f"w{number}", "from": {"id": "ab"[number % 2], "name": "x"}, "text": str(number), "thread": f"t{number % 20}"}
            return self.daemon.post_signed("shop", self.secret, body).status

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            writes = [pool.submit(write, number) for number in range(300)]
            for _ in range(6):
                merge = self.merge(a, b)["merge"]
                self.post(f"merges/{merge}/revert")
            self.assertEqual({one.result() for one in writes}, {200})
        self.assertEqual((self.senders(a), self.senders(b)), ({"a"}, {"b"}))
        told = 0
        for one in (a, b):
            for talk in self.view(one)["conversations"]:
                self.assertEqual(self.daemon.request("GET", f"/v1/conversations/{talk['id']}", token=self.token).json["customer"]["id"], one)
                told += talk["messages"]
        self.assertEqual(told, 302)
