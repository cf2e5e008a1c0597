"""Phone calls: what the events of a call do to the work of people, by the generic channel and by Twilio's."""
import concurrent.futures
import json
import random
import signal
import unittest
import urllib.parse

import harness
import sdkbed

PUBLIC = "https://converge.example"
TOKEN = "twilio_auth_token_0001"
BUSINESS = """
queues: [{ id: support, name: Support, wrap_up: 1h }]
agents:
  - { id: alice, name: Alice, lines: [PJSIP/101, "client:alice"], capacity: 5 }
  - { id: bob, name: Bob, lines: ["102"] }
sla_policies: [{ id: standard, first_response: 1h, next_response: 2h }]
"""


class Calls(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: calls, connector: cti, secret: "{self.secret}" }}\n'
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", trust_addresses: true }}\n'
            f'  - {{ name: voice, connector: twilio_voice, account_sid: AC01, auth_token: {TOKEN}, '
            f'public_url: "{PUBLIC}" }}\n', business=BUSINESS)
        self.alice = self.daemon.token()
        self.bob = self.daemon.token(agent="bob")
        self.admin = self.daemon.token("admin", None)
        self.count = 0

    # --- words ---

    def tell(self, event, call="c1", status=200, **more):
        self.count += 1
        body = {"event": f"call.{event}", "event_id": f"{call}-{self.count}", "seq": self.count, "call_id": call,
                "direction": "in", "from": "+8613900000001", "to": "+864001234567", "queue": "support", **more}
        answer = self.daemon.post_signed("calls", self.secret, body, message_id=f"{call}-{self.count}")
        self.assertEqual(answer.status, status, answer)
        return body

    def items(self):
        return self.daemon.request("GET", "/v1/work-items", token=self.admin).json["data"]

    def item(self):
        items = self.items()
        self.assertEqual(len(items), 1, items)
        return items[0]

    def events(self, item):
        return [one["extra"]["call"]["event"] for one in self.daemon.messages(item["conversation"], self.admin)]

    def online(self, token):
        self.assertEqual(self.daemon.request("PUT", "/v1/me/presence", {"status": "online"}, token).status, 200)

    def load(self, agent):
        live = self.daemon.request("GET", "/v1/live", token=self.admin).json["agents"]
        return next(one for one in live if one["agent"] == agent)["load"]

    # --- the generic channel ---

    def test_a_ringing_call_is_work_with_its_customer_at_once(self):
        self.daemon.post_signed("shop", self.secret, {
            "id": "m1", "from": {"id": "u1", "name": "Li Lei", "phone": "+8613900000001"}, "text": "hello"})
        known = self.item()["customer"]
        self.tell("queued")
        call = next(one for one in self.items() if one["channel"] == "calls")
        self.assertEqual((call["state"], call["customer"]), ("queued", known))

    def test_the_events_of_a_call_are_one_piece_of_work(self):
        self.online(self.alice)
        for event in ("offered", "queued"):
            self.tell(event, wait_s=0)
        first = self.item()
        self.tell("answered", agent="PJSIP/101", wait_s=12)
        item = self.item()
        self.assertEqual((item["id"], item["state"], item["agent"]), (first["id"], "assigned", "alice"))
        self.assertIsNotNone(item["first_response_at"])
        self.assertEqual(self.load("alice"), 5, "all of her")
        self.tell("held")
        self.tell("ended", talk_s=102)
        item = self.item()
        self.assertEqual((item["id"], item["state"], item["agent"]), (first["id"], "wrapping", "alice"))
        self.assertEqual(self.events(item), ["offered", "queued", "answered", "held", "ended"])
        last = self.daemon.messages(item["conversation"], self.admin)[-1]
        self.assertEqual((last["extra"]["call"]["talk_s"], last["kind"]), (102, "event"))

    def test_an_answer_is_the_first_response_and_events_are_no_questions(self):
        self.tell("queued")
        self.tell("answered", agent="PJSIP/101")
        self.tell("held")
        self.tell("resumed")
        self.tell("queued", call="c2")

        def clocks():
            return {one["agent"]: {clock["metric"]: clock["state"] for clock in one["sla"]} for one in self.items()}
        harness.wait_for("the later call's clock", lambda: clocks()[None])
        self.assertEqual(clocks()["alice"], {"first_response": "fulfilled"})

    def test_a_transfer_moves_the_work_and_an_old_answer_does_not(self):
        self.tell("queued")
        old = self.tell("answered", agent="PJSIP/101")
        self.tell("transferred", agent="102")
        self.assertEqual(self.item()["agent"], "bob")
        self.assertEqual(self.load("alice"), 0)
        self.daemon.post_signed("calls", self.secret, old, message_id="again")
        self.assertEqual(self.item()["agent"], "bob")

    def test_a_missed_call_is_to_be_called_back(self):
        self.tell("queued")
        self.tell("left_queue", reason="abandoned", wait_s=35)
        self.tell("ended")
        item = self.item()
        self.assertEqual((item["state"], item["type"]), ("queued", "callback"))
        taken = self.daemon.claim(self.alice)
        self.assertEqual(taken["id"], item["id"])
        missed = self.daemon.messages(item["conversation"], self.admin)[1]
        self.assertEqual((missed["text"], missed["extra"]["call"]["wait_s"]), ("Missed call after 35 s", 35))

    def test_a_call_of_which_only_the_end_is_told_is_to_be_called_back(self):
        self.tell("ended")
        self.assertEqual(self.item()["type"], "callback")

    def test_an_answer_that_is_told_late_takes_the_call_back_away(self):
        self.tell("queued")
        self.tell("ended")
        self.assertEqual(self.item()["type"], "callback")
        self.tell("answered", agent="PJSIP/101")
        self.assertEqual(self.item()["state"], "resolved")

    def test_events_out_of_order_and_twice_end_in_the_same(self):
        for event, more in (("ended", {"talk_s": 9}), ("answered", {"agent": "102"}), ("queued", {})):
            body = self.tell(event, **more)
            self.daemon.post_signed("calls", self.secret, body, message_id="again")
        self.assertEqual(self.items(), [], "a call of which all is over is only written down")

    def test_an_answered_call_that_nobody_of_ours_took_is_over_when_it_ends(self):
        self.tell("queued")
        self.tell("answered", agent="somebody else")
        self.assertEqual(self.item()["state"], "queued")
        self.tell("ended", talk_s=5)
        self.assertEqual(self.item()["state"], "resolved")

    def test_an_outgoing_call_is_written_down_and_is_no_work(self):
        self.tell("ended", direction="out", talk_s=30, **{"from": "+864001234567", "to": "+8613900000001"})
        self.assertEqual(self.items(), [])

    def test_two_calls_of_one_number_are_two(self):
        self.tell("queued", call="c1")
        self.tell("queued", call="c2")
        self.assertEqual(len({one["conversation"] for one in self.items()}), 2)

    def test_a_call_waits_for_an_agent_with_nothing_to_do(self):
        self.online(self.alice)
        stream = self.daemon.events("/v1/events?types=offer.created", self.alice)
        self.addCleanup(stream.close)
        self.daemon.post_signed("shop", self.secret, {"id": "m1", "from": {"id": "u1"}, "text": "hello"})
        offer = stream.wait(lambda event: True)
        self.daemon.request("POST", f"/v1/work-items/{offer['data']['work_item']}/accept", {}, self.alice)
        self.tell("queued")
        call = next(one for one in self.items() if one["channel"] == "calls")
        why = self.daemon.request("GET", f"/v1/work-items/{call['id']}/explain", token=self.admin)
        self.assertIn("full", json.dumps(why.json), why)
        self.daemon.request("POST", f"/v1/work-items/{offer['data']['work_item']}/resolve", {}, self.alice)
        self.daemon.request("POST", f"/v1/work-items/{offer['data']['work_item']}/resolve", {}, self.alice)
        offered = stream.wait(lambda event: event["data"]["work_item"] == call["id"])
        self.assertEqual(offered["data"]["agent"], "alice")

    def test_programs_answer_no_calls(self):
        bot = self.daemon.token("integration", "bot")
        self.tell("queued")
        self.assertIsNone(self.daemon.claim(bot, wait_s=1))
        self.assertIsNotNone(self.daemon.claim(self.alice))

    def test_a_channel_of_calls_that_comes_later_costs_all_too(self):
        """The configuration is read again (SIGHUP)."""
        config = self.daemon.config.read_text()
        self.daemon.config.write_text(config + f'  - {{ name: late, connector: cti, secret: "{self.secret}" }}\n')
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_for("the channel", lambda: self.daemon.post_signed("late", self.secret, {
            "event": "queued", "event_id": "e1", "call_id": "c1", "from": "+8613900000001"}).status == 200)
        self.daemon.post_signed("late", self.secret, {"event": "answered", "event_id": "e2", "call_id": "c1", "agent": "alice"})
        harness.wait_for("all of her", lambda: self.load("alice") == 5)

    def test_calls_in_any_order_end_as_if_in_order(self):
        """Many calls at once, their events shuffled, doubled and from several senders."""
        dice = random.Random(20261123)
        stories = {"talked": ["offered", "queued", "answered", "ended"], "missed": ["queued", "abandoned", "ended"],
                   "cut": ["queued", "ended"], "long": ["queued", "answered", "held", "resumed", "transferred", "ended"],
                   "told": ["queued", "told"], "waits": ["offered", "queued"], "talks": ["queued", "answered", "transferred"]}
        ends = {"talked": ("resolved", ""), "missed": ("queued", "callback"), "cut": ("queued", "callback"),
                "long": ("resolved", ""), "told": ("resolved", ""), "waits": ("queued", ""), "talks": ("assigned", "")}
        agents = {"answered": "PJSIP/101", "transferred": "102"}
        told, wanted = [], {}
        for number in range(80):
            story = dice.choice(sorted(stories))
            call = f"{story}-{number}"
            wanted[call] = ends[story]
            for seq, event in enumerate(stories[story]):
                body = {"event": "ended" if event == "told" else event, "event_id": f"{call}/{seq}", "seq": seq, "call_id": call,
                        "from": f"+86139000{number:05}", "agent": agents.get(event), "talk_s": 30 if event == "told" else None}
                told += [body] * dice.choice([1, 1, 2])
        dice.shuffle(told)

        def tell(part):
            return [self.daemon.post_signed("calls", self.secret, body).status for body in part]
        with concurrent.futures.ThreadPoolExecutor(4) as senders:
            statuses = sum(senders.map(tell, [told[at::4] for at in range(4)]), [])
        self.assertEqual(set(statuses), {200})
        found, page = {}, self.daemon.request("GET", "/v1/work-items?limit=200", token=self.admin).json["data"]
        for item in page:
            call = self.daemon.messages(item["conversation"], self.admin)[0]["extra"]["call"]["id"]
            self.assertNotIn(call, found, "one call, one item")
            state = "resolved" if item["state"] == "wrapping" else item["state"]
            found[call] = (state, item["type"])
            if call.startswith("talks"):
                self.assertEqual(item["agent"], "bob", call)
        # Of a call whose end came first and said all, there is no work.
        done = {call: end for call, end in wanted.items() if call in found or end[0] != "resolved"}
        self.assertEqual({call: (end, done.get(call)) for call, end in found.items() if end != done.get(call)}, {})
        self.assertEqual(sorted(found), sorted(done))

    def test_bad_events_are_refused_with_where(self):
        self.assertIn("call_id", str(self.daemon.post_signed("calls", self.secret, {"event": "queued", "event_id": "1"})))
        self.tell("queued", status=400, ts="yesterday")
        self.assertEqual(self.items(), [])

    # --- Twilio ---

    def twilio(self, query="", **params):
        params = {"CallSid": "CA1", "AccountSid": "AC01", "From": "+15005550001", "To": "+15005550006",
                  "Direction": "inbound", **params}
        path = f"/in/voice{query}"
        signed = sdkbed.sdk("twilio", {"token": TOKEN, "requests": [{"url": PUBLIC + path, "params": params}]})
        answer = self.daemon.request("POST", path, urllib.parse.urlencode(params).encode(), headers={
            "Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signed["signatures"][0]})
        self.assertEqual(answer.status, 200, answer)
        return answer

    def test_twilio_is_told_what_to_do_and_tells_how_it_went(self):
        answer = self.twilio(CallStatus="ringing")
        self.assertEqual(answer.body.decode(),
                         f'<Response><Enqueue action="{PUBLIC}/in/voice">support</Enqueue></Response>')
        self.assertEqual(self.item()["state"], "queued")
        leg = {"CallSid": "CAleg", "ParentCallSid": "CA1", "From": "+15005550006", "To": "client:alice",
               "Direction": "outbound-dial"}
        self.twilio("?from=%2B15005550001", CallStatus="in-progress", SequenceNumber="2", **leg)
        self.assertEqual((self.item()["state"], self.item()["agent"]), ("assigned", "alice"))
        self.twilio(CallStatus="completed", CallDuration="42", SequenceNumber="3")
        self.assertEqual(self.item()["state"], "wrapping")
        self.assertEqual(self.events(self.item()), ["ringing", "answered", "completed"])

    def test_a_caller_who_hangs_up_in_twilios_queue_is_called_back(self):
        self.twilio(CallStatus="ringing")
        self.twilio(CallStatus="completed", CallDuration="35", SequenceNumber="3")
        self.twilio(CallStatus="completed", QueueResult="hangup", QueueSid="QU1", QueueTime="35")
        self.assertEqual((self.item()["state"], self.item()["type"]), ("queued", "callback"))

    def test_a_forged_event_of_twilio_is_refused(self):
        answer = self.daemon.request("POST", "/in/voice", b"CallSid=CA1&CallStatus=ringing", headers={
            "Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "AAAA"})
        self.assertEqual((answer.status, self.items()), (401, []))


if __name__ == "__main__":
    unittest.main()
