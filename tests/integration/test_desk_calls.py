"""What the desk needs beside the work: drafts, notes that name somebody, who is looking."""
import secrets
import unittest

import harness


class DeskCalls(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n')
        self.alice, self.bob = self.daemon.token(), self.daemon.token(agent="bob")
        self.daemon.post_signed("shop", self.secret, {"id": "m1", "from": {"id": "u1"}, "text": "help"})
        self.item = self.daemon.claim(self.alice)
        self.place = f"/v1/conversations/{self.item['conversation']}"

    def draft(self, token, text=None):
        answer = self.daemon.request("GET" if text is None else "PUT", f"{self.place}/draft",
                                     None if text is None else {"text": text}, token)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["text"]

    def write(self, token, **body):
        return self.daemon.request("POST", f"{self.place}/messages", body, token,
                                   headers={"Idempotency-Key": secrets.token_hex(12)})

    def mentions(self, token):
        return self.daemon.request("GET", "/v1/me/mentions", None, token).json["data"]

    def test_a_draft_is_kept_for_its_agent(self):
        self.assertEqual(self.draft(self.alice), "")
        self.assertEqual(self.draft(self.alice, "您好，\nhalf a sen"), "您好，\nhalf a sen")
        self.assertEqual(self.draft(self.bob), "")
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.draft(self.alice), "您好，\nhalf a sen")

    def test_a_message_takes_its_writer_s_draft_away(self):
        self.draft(self.alice, "answer")
        self.draft(self.bob, "remark")
        self.assertEqual(self.write(self.alice, kind="reply", text="answer").status, 201)
        self.assertEqual((self.draft(self.alice), self.draft(self.bob)), ("", "remark"))
        self.assertEqual(self.draft(self.bob, ""), "")
        self.assertEqual(self.draft(self.bob), "")

    def test_a_draft_has_a_limit_and_a_conversation(self):
        long = self.daemon.request("PUT", f"{self.place}/draft", {"text": "x" * 70_000}, self.alice)
        self.assertEqual((long.status, long.json["errors"][0]["pointer"]), (400, "#/body/text"))
        nowhere = self.daemon.request("PUT", "/v1/conversations/cnv_01J00000000000000000000000/draft", {"text": "x"}, self.alice)
        self.assertEqual((nowhere.status, nowhere.json["code"]), (404, "no_such_conversation"))

    def test_who_is_named_is_told_until_it_is_seen(self):
        note = self.write(self.alice, kind="note", text="@bob 请看一下", mentions=["bob"])
        self.assertEqual((note.status, note.json["extra"]["mentions"]), (201, ["bob"]))
        self.write(self.alice, kind="note", text="nobody")
        told = self.mentions(self.bob)
        self.assertEqual([(one["message"], one["conversation"], one["by"]) for one in told],
                         [(note.json["id"], self.item["conversation"], "alice")])
        self.assertEqual(self.mentions(self.alice), [])
        self.daemon.request("POST", "/v1/me/mentions/seen", {"message": "msg_other"}, self.bob)
        self.assertEqual(len(self.mentions(self.bob)), 1)
        self.daemon.request("POST", "/v1/me/mentions/seen", {"message": note.json["id"]}, self.bob)
        self.assertEqual(self.mentions(self.bob), [])

    def test_who_a_program_names_is_told_too(self):
        program = self.daemon.token("integration", None)
        note = self.write(program, kind="note", text="@bob the parcel is lost", mentions=["bob"])
        self.assertEqual(note.status, 201, note)
        self.assertEqual([one["message"] for one in self.mentions(self.bob)], [note.json["id"]])

    def test_who_is_named_is_told_at_once(self):
        ticket = self.daemon.request("POST", "/v1/events/ticket", {}, self.bob).json["ticket"]
        stream = self.daemon.events(f"/v1/events?ticket={ticket}&types=message.created")
        self.addCleanup(stream.close)
        self.write(self.alice, kind="note", text="nobody")
        note = self.write(self.alice, kind="note", text="@bob @alice", mentions=["bob", "alice"]).json["id"]
        told = stream.wait(lambda event: event["event"] == "message.created" and event["data"]["message"] == note)["data"]
        self.assertEqual((told["mentions"], told["agent"]), (["bob", "alice"], "alice"))
        self.assertNotIn("text", told)

    def test_only_agents_are_named_and_only_in_notes(self):
        for body, why in (({"kind": "note", "text": "x", "mentions": ["nobody"]}, "entry 0"),
                          ({"kind": "reply", "text": "x", "mentions": ["bob"]}, "only a note"),
                          ({"kind": "note", "text": "x", "mentions": ["bob"] * 21}, "too many")):
            answer = self.write(self.alice, **body)
            self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (400, "#/body/mentions"))
            self.assertIn(why, answer.json["detail"])

    def test_who_is_looking_is_told_to_the_others(self):
        ticket = self.daemon.request("POST", "/v1/events/ticket", {}, self.bob).json["ticket"]
        stream = self.daemon.events(f"/v1/events?ticket={ticket}")
        self.addCleanup(stream.close)
        for is_here in (True, False):
            self.assertEqual(self.daemon.request("POST", f"{self.place}/viewing", {"is_here": is_here}, self.alice).status, 204)
            told = stream.wait(lambda event: event["event"] == "viewing")["data"]
            self.assertEqual(told, {"conversation": self.item["conversation"], "by": "alice", "is_here": is_here})


if __name__ == "__main__":
    unittest.main()
