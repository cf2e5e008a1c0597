"""The checker itself: a clean run passes, and each invariant's breach is seen."""
import copy
import unittest

from checker import Checker


def clean():
    """Two customers, three messages, one reply that left once."""
    text = {name: f"id:{name}: text" for name in ("a-0", "a-1", "b-0")}
    generator = []
    for t, name in enumerate(("a-0", "a-1", "b-0")):
        sender, seq = name.split("-")
        generator.append({"t": t, "op": "offer", "id": name, "sender": sender, "seq": int(seq)})
        generator.append({"t": t + 0.5, "op": "ack", "id": name, "sender": sender, "seq": int(seq), "status": 200})
    generator.append({"t": 9, "op": "end"})

    def message(name, direction="in", delivery=None):
        return {"id": f"msg_{name}", "direction": direction, "text": text.get(name, "key:r1: ok"),
                "delivery": delivery, "kind": "text"}
    threads = {"A": [message("a-0"), message("a-1"), message("r1", "out", "sent")], "B": [message("b-0")]}
    agent = [{"t": 5, "op": "reply", "key": "r1", "status": 201, "id": "msg_r1", "conversation": "A"}]
    agent += [{"t": 6, "op": "displayed", "conversation": "A", "messages": [message("r1", "out", "queued")]}]
    agent += [{"t": 8, "op": "final", "conversation": name, "messages": list(rows)} for name, rows in threads.items()]
    agent += [{"t": 9, "op": "end"}]
    provider = [{"t": 6, "op": "out", "hook": "msg_r1", "id": "msg_r1", "text": "key:r1: ok", "to": "a",
                 "signed": True, "status": 204}]
    faults = [{"t": 2, "op": "kill"}]
    return [generator, agent, provider, faults], (copy.deepcopy(threads), [], [])


class CheckerTest(unittest.TestCase):
    def setUp(self):
        self.logs, self.store = clean()
        self.generator, self.agent, self.provider, self.faults = self.logs
        self.final = next(row for row in self.agent if row["op"] == "final")["messages"]

    def seen(self):
        return {invariant for invariant, _ in Checker().judge(self.logs, self.store)}

    def test_a_clean_run_passes(self):
        self.assertEqual(self.seen(), set())

    def test_i1_acknowledged_and_not_stored(self):
        self.store[0]["A"].pop(1)
        self.assertEqual(self.seen(), {"I1"})

    def test_i1_acknowledged_and_not_visible(self):
        self.final.pop(1)
        self.assertEqual(self.seen(), {"I1"})

    def test_i1_a_file_that_is_lost_or_another(self):
        self.generator[0]["file"] = "abc"
        self.assertEqual(self.seen(), {"I1"})
        self.agent.append({"t": 8, "op": "file", "message": "msg_a-0", "text": "id:a-0: text", "sha256": "abd"})
        self.assertEqual(self.seen(), {"I1"})
        self.agent[-1]["sha256"] = "abc"
        self.assertEqual(self.seen(), set())

    def test_an_offer_without_acknowledgement_may_be_stored_or_not(self):
        self.generator.insert(0, {"t": 0, "op": "offer", "id": "c-0", "sender": "c", "seq": 0})
        self.assertEqual(self.seen(), set())

    def test_i2_stored_twice(self):
        self.store[0]["B"].append(self.store[0]["B"][0])
        self.assertIn("I2", self.seen())

    def test_i2_visible_in_two_conversations(self):
        self.final.insert(0, {"id": "msg_x", "direction": "in", "text": "id:b-0: text", "delivery": None, "kind": "text"})
        self.assertIn("I2", self.seen())

    def test_i3_stored_in_another_order(self):
        rows = self.store[0]["A"]
        rows[0], rows[1] = rows[1], rows[0]
        self.assertEqual(self.seen(), {"I3"})

    def test_i3_displayed_in_another_order(self):
        self.final[0], self.final[1] = self.final[1], self.final[0]
        self.assertEqual(self.seen(), {"I3"})

    def test_i4_stored_and_never_offered(self):
        self.store[0]["B"].append({"id": "msg_y", "direction": "in", "text": "id:z-9: text"})
        self.assertEqual(self.seen(), {"I4"})

    def test_i4_a_conversation_from_nowhere(self):
        self.store[0]["C"] = []
        self.assertEqual(self.seen(), {"I4"})

    def test_i5_sent_again_by_itself(self):
        self.provider.append({**self.provider[0], "t": 7})
        self.assertEqual(self.seen(), {"I5"})

    def test_a_repeat_after_a_refusal_or_a_fault_is_allowed(self):
        self.provider.append({**self.provider[0], "t": 7})
        self.provider[0]["status"] = 503
        self.assertEqual(self.seen(), set())
        self.provider[0]["status"] = 204
        self.faults.append({"t": 6.5, "op": "kill"})
        self.assertEqual(self.seen(), set())

    def test_i5_one_reply_as_two_messages(self):
        self.provider.append({**self.provider[0], "id": "msg_r2", "hook": "msg_r2"})
        self.assertEqual(self.seen(), {"I5"})

    def test_i5_wrong_signature(self):
        self.provider[0]["signed"] = False
        self.assertEqual(self.seen(), {"I5"})

    def test_a_mail_may_come_again_after_a_refusal(self):
        self.provider[:] = [self.mail(status=451), self.mail()]
        self.assertEqual(self.seen(), set())

    def test_i5_a_mail_taken_twice_even_around_a_fault(self):
        self.faults.append({"t": 6.5, "op": "kill"})
        self.provider[:] = [self.mail(), self.mail(t=7)]
        self.assertEqual(self.seen(), {"I5"})

    def test_i5_one_reply_as_two_mails(self):
        self.provider[:] = [self.mail(status=451), self.mail(id="<2@x>")]
        self.assertEqual(self.seen(), {"I5"})

    def test_i4_a_mail_that_nobody_wrote(self):
        self.provider[:] = [self.mail(text="hello")]
        self.assertEqual(self.seen(), {"I4"})

    def test_i6_a_mail_that_was_taken_and_is_marked_failed(self):
        self.provider[:] = [self.mail()]
        self.final[-1]["delivery"] = "failed"
        self.assertEqual(self.seen(), {"I6"})

    def mail(self, **more):
        return {"t": 6, "op": "mail", "id": "<1@x>", "text": "key:r1: ok", "to": "a", "status": 250, **more}

    def test_i6_stuck_work_and_stuck_replies(self):
        self.agent.append({"t": 9, "op": "leftover", "item": "wrk_1", "state": "assigned"})
        self.assertEqual(self.seen(), {"I6"})

    def test_i6_a_reply_on_its_way_for_ever(self):
        self.final[-1]["delivery"] = "sending"
        self.assertEqual(self.seen(), {"I6"})

    def test_i6_an_outbox_that_is_not_empty(self):
        self.store[2].append("{main}:oq:A msg_r1")
        self.assertEqual(self.seen(), {"I6"})

    def test_i6_a_load_that_never_ended(self):
        self.generator.pop()
        self.assertEqual(self.seen(), {"I6"})

    def test_i7_a_foreign_workspace(self):
        self.store[1].append(("{other}:m:A", "id:a-0: text"))
        self.assertEqual(self.seen(), {"I7"})

    def test_i8_a_state_that_goes_back(self):
        late = {"t": 10, "op": "displayed", "conversation": "A", "messages": [{**self.final[-1], "delivery": "queued"}]}
        self.agent.append(late)
        self.assertEqual(self.seen(), {"I8"})


if __name__ == "__main__":
    unittest.main()
