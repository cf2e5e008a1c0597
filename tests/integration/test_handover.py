"""Handing work on: to a queue, a department, an agent; escalation, consultation, and what a supervisor may do."""
import harness

BUSINESS = """\
queues:
  - { id: support, parallel_offers: 2, wrap_up: 10m, wrap_up_extensions: 1 }
  - { id: billing, exceed_on_transfer: false, escalation: [ { after: 30d, to: "agent:carol", urgency: urgent, priority: 30 } ] }
  - { id: night, overflow: [ { when: { nobody: true }, to: billing } ] }
  - { id: slow, escalation: [ { after: 1s, to: "agent:bob", accept: 1s }, { after: 30d, to: "queue:support", urgency: high } ] }
  - { id: empty }
  - { id: twice, escalation: [ { after: 1s, to: "queue:empty", accept: 1s }, { after: 30d, to: "agent:bob" } ] }
departments:
  - { id: money, name: 财务部, queue: billing, accept: 2h }
agents:
  - { id: alice, name: Alice, queues: [support], capacity: 5 }
  - { id: bob, name: Bob, queues: [support, billing], capacity: 5 }
  - { id: carol, name: 王小红, queues: [billing], capacity: 1, role: supervisor }
rules:
  - { name: money, when: { text: "发票" }, then: { queue: billing } }
  - { name: night, when: { text: "夜里" }, then: { queue: night } }
  - { name: slow, when: { text: "慢" }, then: { queue: slow } }
  - { name: twice, when: { text: "两级" }, then: { queue: twice } }
  - { name: expert, when: { text: "专家" }, then: { queue: support, skills: { law: 5 },
      steps: [ { agents: [bob], for: 1s }, { for: 1s } ] } }
  - { name: rest, then: { queue: support } }
"""


class Handover(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
            f'deliver_url: "http://127.0.0.1:1/", allow_private_urls: true }}\n', business=BUSINESS)
        self.alice = self.daemon.token()
        self.bob = self.daemon.token(agent="bob")
        self.carol = self.daemon.token(role="supervisor", agent="carol")

    def post(self, message_id="m1", text="hello", sender="u1"):
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": message_id, "from": {"id": sender, "name": "Li Lei"}, "text": text})
        self.assertEqual(answer.status, 200, answer)

    def do(self, item, word, token, body=None, status=200):
        answer = self.daemon.request("POST", f"/v1/work-items/{item['id']}/{word}", body or {}, token)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def get(self, item):
        return self.daemon.request("GET", f"/v1/work-items/{item['id']}", token=self.carol).json

    def chain(self, item):
        answer = self.daemon.request("GET", f"/v1/work-items/{item['id']}/transfers", token=self.carol)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["data"]

    def online(self, token):
        self.daemon.request("PUT", "/v1/me/presence", {"status": "online"}, token)

    def mine(self):
        self.post()
        return self.daemon.claim(self.alice)

    def test_what_goes_to_a_queue_stays_with_its_agent_until_another_takes_it(self):
        item = self.mine()
        handed = self.do(item, "transfer", self.alice, {"target": "queue:billing", "reason": "money", "note": "wants an invoice"})
        self.assertEqual((handed["state"], handed["queue"], handed["agent"]), ("queued", "billing", "alice"))
        self.assertEqual(self.daemon.reply(item["conversation"], "one moment", self.alice).status, 201)
        taken = self.daemon.claim(self.bob)
        self.assertEqual((taken["id"], taken["agent"], taken["transfer"]), (item["id"], "bob", None))
        self.assertEqual(self.daemon.reply(item["conversation"], "late", self.alice).status, 403)
        live = {one["queue"]: one for one in self.daemon.request("GET", "/v1/live", token=self.carol).json["queues"]}
        self.assertEqual((live["support"]["arrived"], live["support"]["accepted"]), (1, 1))
        self.assertEqual((live["billing"]["arrived"], live["billing"]["accepted"], live["billing"]["waiting"]), (1, 1, 0))
        self.assertEqual(live["billing"]["service_level"], {"percent": 100, "within_s": 20})
        chain = self.chain(item)
        self.assertEqual([(one["kind"], one["state"], one["from_agent"], one["to_queue"], one["summary"]) for one in chain],
                         [("transfer", "accepted", "alice", "billing", "wants an invoice")])

    def test_what_a_department_does_not_take_comes_back_when_it_is_called_back(self):
        item = self.mine()
        handed = self.do(item, "transfer", self.alice, {"target": "department:money"})
        waiting = self.chain(item)[0]
        self.assertEqual((waiting["department"], waiting["state"], waiting["fallback"]), ("money", "pending", "back"))
        back = self.daemon.request("POST", f"/v1/transfers/{handed['transfer']}/cancel", {}, self.alice)
        self.assertEqual(back.status, 200, back)
        self.assertEqual((back.json["state"], back.json["agent"], back.json["queue"]), ("assigned", "alice", "support"))

    def test_a_transfer_that_nobody_takes_comes_back_by_its_deadline(self):
        self.online(self.alice)
        item = self.mine()
        self.do(item, "transfer", self.alice, {"target": "queue:billing", "accept_within_s": 1})
        back = harness.wait_for("the item back with alice", lambda: self.get(item)["state"] == "assigned" and self.get(item))
        self.assertEqual((back["agent"], back["queue"], back["transfer"]), ("alice", "support", None))
        self.assertEqual(self.chain(item)[0]["state"], "timeout")

    def test_or_goes_where_its_fallback_says(self):
        item = self.mine()
        self.do(item, "transfer", self.alice, {"target": "agent:bob", "accept_within_s": 1, "fallback": "queue:billing"})
        harness.wait_for("the item in billing", lambda: self.get(item)["queue"] == "billing")
        self.assertEqual((self.get(item)["state"], self.get(item)["agent"]), ("queued", None))

    def test_unknown_targets_are_named_with_the_nearest_known_one(self):
        item = self.mine()
        for target, words in (("queue:biling", 'did you mean "billing"'), ("agent:bop", 'did you mean "bob"'),
                              ("department:x", "no department"), ("bob", "target must be")):
            answer = self.do(item, "transfer", self.alice, {"target": target}, status=400)
            self.assertIn(words, answer["detail"])
        self.do({"id": "wrk_01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "transfer", self.alice, {"target": "queue:x"}, status=404)
        self.do(item, "transfer", self.alice, {"target": "agent:alice"}, status=409)
        self.assertEqual(self.do(item, "transfer", self.alice, {"target": "queue:support"})["state"], "queued")
        self.do(item, "transfer", self.alice, {"target": "queue:support"}, status=409)

    def test_capacity_binds_a_transfer_where_its_queue_says_so(self):
        self.post("b1", "发票", "u2")
        held = self.daemon.claim(self.carol)
        self.assertEqual(held["queue"], "billing")
        self.post("b2", "发票", "u3")
        item = self.daemon.claim(self.bob)
        self.do(item, "transfer", self.bob, {"target": "agent:carol"})
        self.assertEqual(self.do(item, "accept", self.carol, status=409)["code"], "capacity")
        self.do(held, "resolve", self.carol)
        self.assertEqual(self.do(item, "accept", self.carol)["agent"], "carol")

    def test_two_agents_are_asked_and_the_first_wins(self):
        stream = self.daemon.events("/v1/events", self.carol)
        self.addCleanup(stream.close)
        self.online(self.alice)
        self.online(self.bob)
        self.post()
        asked = [stream.wait(lambda event: event["event"] == "offer.created")["data"] for _ in range(2)]
        self.assertEqual({one["agent"] for one in asked}, {"alice", "bob"})
        item = {"id": asked[0]["work_item"]}
        self.assertEqual(len(self.get(item)["offers"]), 2)
        self.assertEqual(self.do(item, "accept", self.bob)["agent"], "bob")
        ended = [stream.wait(lambda event: event["event"] == "offer.ended")["data"]["object"] for _ in range(2)]
        self.assertEqual(set(ended), {one["object"] for one in asked})
        self.do(item, "accept", self.alice, status=409)
        self.post("m2", sender="u2")
        again = stream.wait(lambda event: event["event"] == "offer.created" and event["data"]["work_item"] != item["id"])
        self.assertIn(again["data"]["agent"], ("alice", "bob"))

    def test_what_is_held_out_to_me_is_listed_until_it_ends(self):
        def held_out(token):
            answer = self.daemon.request("GET", "/v1/me/offers", token=token)
            self.assertEqual(answer.status, 200, answer)
            return [(one["kind"], one["work_item"], one.get("from_agent"), one.get("summary")) for one in answer.json["data"]]

        self.assertEqual(held_out(self.bob), [])
        first = self.mine()
        self.do(first, "transfer", self.alice, {"target": "agent:bob", "note": "yours", "accept_within_s": 600})
        self.post("m2", sender="u2")
        second = self.daemon.claim(self.alice)
        asked = self.do(second, "consult", self.alice, {"target": "agent:bob", "note": "how?", "accept_within_s": 500})
        self.online(self.bob)
        self.post("m3", sender="u3")
        offered = harness.wait_for("an offer", lambda: [one for one in held_out(self.bob) if one[0] == "offer"])[0]
        self.assertEqual(held_out(self.bob), [offered, ("consult", second["id"], "alice", "how?"),
                                              ("transfer", first["id"], "alice", "yours")])
        self.do({"id": offered[1]}, "accept", self.bob)
        self.daemon.request("POST", f"/v1/transfers/{asked['consultation']}/cancel", {}, self.alice)
        self.assertEqual([one[0] for one in held_out(self.bob)], ["transfer"])
        self.do(first, "decline", self.bob)
        self.assertEqual((held_out(self.bob), held_out(self.alice)), ([], []))

    def test_escalation_asks_the_next_level_and_raises_the_urgency(self):
        self.post(text="发票")
        item = self.daemon.claim(self.bob)
        raised = self.do(item, "escalate", self.bob, {"reason": "angry"})
        self.assertEqual((raised["urgency"], raised["priority"], raised["escalation_level"], raised["agent"]),
                         ("urgent", 30, 1, "bob"))
        self.assertIn("levels", self.do(item, "escalate", self.bob, status=400)["detail"])
        self.assertEqual(self.do(item, "accept", self.carol)["agent"], "carol")
        self.assertEqual([(one["kind"], one["level"], one["state"]) for one in self.chain(item)], [("escalation", 1, "accepted")])

    def test_a_consulted_agent_helps_and_leaves(self):
        item = self.mine()
        asked = self.do(item, "consult", self.alice, {"target": "agent:bob", "note": "what about tax?"})
        self.do(item, "consult", self.alice, {"target": "agent:carol"}, status=409)
        helped = self.do(item, "accept", self.bob)
        self.assertEqual((helped["agent"], helped["helpers"], helped["consultation"]), ("alice", ["bob"], None))
        self.assertEqual(self.daemon.reply(item["conversation"], "6 %", self.bob, kind="note").status, 201)
        done = self.daemon.request("POST", f"/v1/transfers/{asked['consultation']}/cancel", {}, self.alice)
        self.assertEqual((done.status, done.json["helpers"]), (200, []), done)

    def test_a_supervisor_gives_work_away_and_joins(self):
        item = self.mine()
        self.do(item, "assign", self.alice, {"target": "agent:bob"}, status=403)
        self.do(item, "barge", self.bob, status=403)
        self.assertEqual(self.do(item, "barge", self.carol)["helpers"], ["carol"])
        given = self.do(item, "assign", self.carol, {"target": "agent:bob", "reason": "alice is ill"})
        self.assertEqual((given["state"], given["agent"]), ("assigned", "bob"))
        self.assertEqual({one["kind"] for one in self.chain(item)}, {"assign", "consult"})

    def test_wrap_up_is_extended_as_often_as_the_queue_allows(self):
        item = self.mine()
        self.assertEqual(self.do(item, "resolve", self.alice)["state"], "wrapping")
        self.do(item, "extend", self.alice)
        self.assertEqual(self.do(item, "extend", self.alice, status=409)["code"], "no_more")

    def test_a_plan_relaxes_step_by_step_and_says_so(self):
        stream = self.daemon.events("/v1/events", self.carol)
        self.addCleanup(stream.close)
        self.online(self.alice)
        self.post(text="专家")
        offer = stream.wait(lambda event: event["event"] == "offer.created")["data"]
        self.assertEqual(offer["agent"], "alice", "nobody has the skill, so after two steps anybody will do")
        steps = [one for one in stream.seen if one["event"] == "work_item.state" and one["data"]["to"] == "queued"]
        self.assertEqual(len(steps), 2, steps)

    def test_explain_says_who_stands_where_and_what_comes_next(self):
        self.post(text="专家")
        item = self.only()
        said = self.daemon.request("GET", f"/v1/work-items/{item['id']}/explain", token=self.carol).json
        self.assertEqual([(one["step"], one["need"], one["agents"]) for one in said["plan"]],
                         [(1, "law>=5", ["bob"]), (2, "law>=5", [])])
        self.assertEqual({one["agent"]: one["standing"] for one in said["agents"]}["bob"], "lacks_skill")
        self.assertEqual((said["place"], said["waiting"]), (1, 1))
        self.assertRegex(said["text"]["en"], 'number 1 of 1.*(Step 1 of 2|any agent of the queue)')
        self.assertIn("排第 1 位", said["text"]["zh"])
        self.do(item, "assign", self.carol, {"target": "agent:bob"})
        said = self.daemon.request("GET", f"/v1/work-items/{item['id']}/explain", token=self.carol).json
        self.assertEqual(said["text"], {"en": 'It is with agent "bob".', "zh": "正由坐席“bob”处理。"})

    def only(self):
        listed = self.daemon.request("GET", "/v1/work-items", token=self.carol).json["data"]
        self.assertEqual(len(listed), 1)
        return listed[0]

    def test_where_nobody_is_on_duty_work_overflows(self):
        stream = self.daemon.events("/v1/events", self.carol)
        self.addCleanup(stream.close)
        self.post(text="夜里")
        moved = stream.wait(lambda event: event["event"] == "work_item.state")["data"]
        self.assertEqual((moved["from"], moved["to"], moved["queue"]), ("queued", "queued", "billing"))
        self.assertEqual(self.only()["queue"], "billing")

    def test_levels_are_climbed_until_somebody_takes_it(self):
        self.post(text="很慢")
        item = harness.wait_for("the second level", lambda: self.only()["queue"] == "support" and self.only())
        self.assertEqual((item["escalation_level"], item["urgency"]), (2, "high"))
        self.assertEqual([(one["level"], one["state"]) for one in self.chain(item)], [(2, "pending"), (1, "timeout")])
        taken = self.daemon.claim(self.alice)
        self.assertEqual((taken["id"], taken["transfer"]), (item["id"], None))

    def test_a_level_that_was_a_queue_is_climbed_too(self):
        self.post(text="两级")
        item = harness.wait_for("the second level", lambda: self.only().get("escalation_level") == 2 and self.only())
        self.assertEqual((item["queue"], item["state"]), ("twice", "queued"))
        self.assertEqual([(one["level"], one["state"], one.get("to_agent"), one.get("to_queue")) for one in self.chain(item)],
                         [(2, "pending", "bob", None), (1, "timeout", None, "empty")])
        self.assertEqual(self.do(item, "accept", self.bob)["agent"], "bob")

    def test_a_supervisor_pauses_a_queue(self):
        self.assertEqual(self.daemon.request("POST", "/v1/queues/support/pause", {}, self.alice).status, 403)
        self.assertEqual(self.daemon.request("POST", "/v1/queues/nowhere/pause", {}, self.carol).status, 404)
        paused = self.daemon.request("POST", "/v1/queues/support/pause", {}, self.carol)
        self.assertEqual((paused.status, paused.json["paused"]), (200, True), paused)
        self.post()
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=1))
        again = self.daemon.request("POST", "/v1/queues/support/resume", {}, self.carol)
        self.assertEqual((again.status, again.json["paused"], again.json["parallel_offers"]), (200, False, 2), again)
        self.assertIsNotNone(self.daemon.claim(self.alice))
