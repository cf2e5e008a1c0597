"""Attachments of the web chat and of the generic webhook channel, both ways, with Chinese names."""
import unittest
import urllib.parse

import harness

NAME = "退款凭证（最终版）.pdf"
CONTENT = b"%PDF-1 \x00\xff" * 1000


class ChatFiles(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon("  - { name: site, connector: webchat }\n")
        self.alice = self.daemon.token()
        self.visitor = self.visit()

    def visit(self):
        answer = self.daemon.request("POST", "/chat/site/sessions", {})
        self.assertIn(answer.status, (200, 201), answer)
        return answer.json["token"]

    def upload(self, content=CONTENT, name=NAME, visitor=None):
        path = f"/chat/site/attachments?name={urllib.parse.quote(name)}&type=application/pdf"
        return self.daemon.request("POST", path, content, visitor or self.visitor,
                                   headers={"Content-Type": "application/octet-stream"})

    def say(self, file, visitor=None, text=""):
        return self.daemon.request("POST", "/chat/site/messages", {"text": text, "attachments": [file]},
                                   visitor or self.visitor)

    def send(self):
        kept = self.upload()
        self.assertEqual((kept.status, kept.json["name"], kept.json["size"]), (201, NAME, len(CONTENT)), kept)
        said = self.say({key: kept.json[key] for key in ("blob", "name", "type")})
        self.assertEqual(said.status, 201, said)
        item = self.daemon.claim(self.alice)
        (file,) = self.daemon.messages(item["conversation"], self.alice)[0]["attachments"]
        return item, file

    def test_a_visitors_file_reaches_the_agent(self):
        _, file = self.send()
        self.assertEqual((file["name"], file["type"]), (NAME, "application/pdf"))
        got = self.daemon.request("GET", f"/v1/attachments/{file['id']}?name={urllib.parse.quote(NAME)}", token=self.alice)
        self.assertEqual((got.status, got.body), (200, CONTENT))
        self.assertIn(urllib.parse.quote(NAME), got.headers["Content-Disposition"])

    def test_an_agents_file_reaches_the_visitor_and_nobody_else(self):
        item, own = self.send()
        kept = self.daemon.request("POST", "/v1/attachments?name=a.bin&type=image/png", b"answer", self.alice)
        sent = self.daemon.reply(item["conversation"], "见附件", self.alice,
                                 attachments=[{"blob": kept.json["blob"], "name": "答复.png", "type": "image/png"}])
        self.assertEqual(sent.status, 201, sent)
        events = self.daemon.events("/chat/site/events", self.visitor)
        self.addCleanup(events.close)
        shown = events.wait(lambda event: event["event"] == "message" and event["data"]["direction"] == "out")
        (file,) = shown["data"]["attachments"]
        self.assertEqual(file["name"], "答复.png")
        for blob, content in ((file["id"], b"answer"), (own["id"], CONTENT)):
            path = f"/chat/site/attachments/{blob}"
            self.assertEqual(self.daemon.request("GET", path, token=self.visitor).body, content)
            self.assertEqual(self.daemon.request("GET", f"{path}?token={self.visitor}").body, content)
            self.assertEqual(self.daemon.request("GET", path, token=self.visit()).status, 404)
            self.assertEqual(self.daemon.request("GET", path).status, 401)

    def test_a_file_of_a_note_is_not_for_the_visitor(self):
        item, _ = self.send()
        kept = self.daemon.request("POST", "/v1/attachments?name=a.bin", b"internal", self.alice).json
        self.daemon.reply(item["conversation"], "内部", self.alice, kind="note",
                          attachments=[{"blob": kept["blob"], "name": "a.bin", "type": "image/png"}])
        self.assertEqual(self.daemon.request("GET", f"/chat/site/attachments/{kept['blob']}", token=self.visitor).status, 404)

    def test_another_visitors_upload_or_a_bare_hash_cannot_be_sent(self):
        kept = self.upload().json
        thief = self.visit()
        for blob in (kept["blob"], kept["blob"][:64], kept["blob"][:64] + "-" + "0" * 32, ""):
            answer = self.say({"blob": blob, "name": "x", "type": "x/y"}, thief, "给我")
            self.assertEqual((answer.status, answer.json["code"]), (400, "bad_attachment"), blob)
        hidden = self.daemon.request("POST", "/chat/site/messages",
                                     b'{"text":"x","\\u0061ttachments":[{"blob":"' + kept["blob"][:64].encode() + b'"}]}', thief)
        self.assertEqual(hidden.status, 400, hidden)

    def test_uploads_have_limits(self):
        self.assertEqual(self.upload(b"").status, 400)
        self.assertEqual(self.upload(b"x" * (11 * 1024 * 1024)).status, 413)
        self.assertEqual(self.upload(b"x" * (2 * 1024 * 1024)).status, 201)
        self.assertEqual(self.daemon.request("POST", "/chat/site/attachments", b"x").status, 401)

    def test_uploads_count_against_the_visitors_rate(self):
        self.daemon = self.start_daemon("  - { name: site, connector: webchat }\n", "slow",
                                        extra="limits: { visitor_messages_per_minute: 4 }\n")
        self.visitor = self.visit()
        statuses = [self.upload(b"x").status for _ in range(10)]
        self.assertEqual(statuses[:4], [201] * 4)
        self.assertIn(429, statuses)
        self.assertEqual(self.upload(b"x", visitor=self.visit()).status, 201)


class WebhookFiles(harness.TestCase):
    def start(self, more=""):
        self.secret = harness.new_secret()
        self.sink = self.start_sink(self.secret)
        self.daemon = self.start_daemon(f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
                                        f'deliver_url: "{self.sink.url}", allow_private_urls: true{more} }}\n')
        self.alice = self.daemon.token()
        said = self.daemon.post_signed("shop", self.secret, {
            "id": "1", "from": {"id": "u1", "name": "韩梅"}, "text": "看图",
            "attachments": [{"url": "https://shop.example/1.pdf", "type": "application/pdf", "name": NAME}]})
        self.assertEqual(said.status, 200, said)
        return self.daemon.claim(self.alice)

    def answer(self, item):
        path = f"/v1/attachments?name={urllib.parse.quote(NAME)}&type=application/pdf"
        kept = self.daemon.request("POST", path, CONTENT, self.alice).json
        sent = self.daemon.reply(item["conversation"], "", self.alice, attachments=[kept])
        self.assertEqual(sent.status, 201, sent)
        harness.wait_for("the delivery", lambda: self.sink.received)
        (file,) = self.sink.received[0]["data"]["attachments"]
        return file

    def test_a_file_comes_in_as_its_url(self):
        item = self.start()
        (file,) = self.daemon.messages(item["conversation"], self.alice)[0]["attachments"]
        self.assertEqual((file["url"], file["name"]), ("https://shop.example/1.pdf", NAME))

    def test_a_file_goes_out_as_a_signed_link(self):
        file = self.answer(self.start())
        self.assertEqual((file["name"], file["type"]), (NAME, "application/pdf"))
        got = self.daemon.request("GET", file["url"])
        self.assertEqual((got.status, got.body), (200, CONTENT))
        for wrong in (file["url"].replace("expires=1", "expires=2"), file["url"].split("&signature")[0],
                      file["url"].replace("/files/", "/files/0")):
            self.assertIn(self.daemon.request("GET", wrong).status, (403, 404))

    def test_the_link_stands_under_public_url(self):
        file = self.answer(self.start(', public_url: "https://desk.example/converge/"'))
        self.assertTrue(file["url"].startswith("https://desk.example/converge/files/"), file)


if __name__ == "__main__":
    unittest.main()
