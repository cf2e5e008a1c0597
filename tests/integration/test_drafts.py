"""What an agent has written and not sent: kept for each agent and conversation, gone with the message or with the person."""
import harness


class Drafts(harness.TestCase):
    def setUp(self):
        super().setUp()
        secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{secret}", '
            f'deliver_url: "http://127.0.0.1:1/", allow_private_urls: true }}\n')
        self.alice = self.daemon.token()
        self.bob = self.daemon.token(agent="bob")
        self.lead = self.daemon.token("supervisor")
        answer = self.daemon.post_signed("shop", secret, {"id": "m1", "from": {"id": "u1"}, "text": "hello"})
        self.assertEqual(answer.status, 200, answer)
        self.item = self.daemon.claim(self.alice)
        self.talk = self.item["conversation"]

    def draft(self, method="GET", body=None, token=None, talk=None):
        return self.daemon.request(method, f"/v1/conversations/{talk or self.talk}/draft", body, token or self.alice)

    def put(self, text, token=None, **more):
        answer = self.draft("PUT", {"text": text, **more}, token)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def text(self, token=None):
        return self.draft(token=token).json["text"]

    def test_as_what_and_over_what(self):
        self.assertEqual(self.draft().json, {"kind": "reply", "text": "", "channel": None, "to": None, "updated_at": None})
        put = self.put("亲爱的\r\n客户", kind="note", channel="shop", to="u1")
        self.assertEqual((put["text"], put["kind"], put["channel"], put["to"]), ("亲爱的\n客户", "note", "shop", "u1"))
        self.assertEqual(self.draft().json, put)
        self.assertEqual(self.draft("PUT", {"text": "x", "kind": "poem"}).status, 400)

    def test_the_message_takes_it_away(self):
        self.put("Dear")
        self.put("mine stays", self.bob)
        refused = self.daemon.reply(self.talk, "Dear", self.bob)
        self.assertEqual((refused.status, self.text(self.bob)), (403, "mine stays"))
        self.assertEqual(self.daemon.reply(self.talk, "Dear", self.alice, key="k").status, 201)
        self.assertEqual((self.text(), self.text(self.bob)), ("", "mine stays"))
        # What was begun since is not touched by the same request again.
        self.put("next")
        self.assertEqual(self.daemon.reply(self.talk, "Dear", self.alice, key="k").status, 201)
        self.assertEqual(self.text(), "next")
        self.assertEqual(self.daemon.reply(self.talk, "a word", self.bob, kind="note").status, 201)
        self.assertEqual(self.text(self.bob), "")

    def test_erased_with_the_customer(self):
        self.put("about you")
        self.daemon.request("POST", f"/v1/work-items/{self.item['id']}/close", {}, self.alice)
        erased = self.daemon.request("DELETE", f"/v1/customers/{self.item['customer']['id']}", token=self.lead)
        self.assertEqual(erased.status, 202, erased)
        harness.wait_for("the erasure", lambda: self.daemon.request(
            "GET", f"/v1/jobs/{erased.json['id']}", token=self.lead).json["state"] == "done")
        self.assertEqual(self.draft().status, 404)
        self.assertEqual(self.draft("PUT", {"text": "again"}).status, 404)
