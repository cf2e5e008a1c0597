"""GET /v1/search as a caller sees it; what is found is the business of tests/unit/test_history_search.c."""
import unittest
import urllib.parse

import harness
import historybed


class Search(harness.TestCase):
    def ask(self, daemon, token, **query):
        return daemon.request("GET", "/v1/search?" + urllib.parse.urlencode(query), token=token)

    def test_a_bad_request_says_where_and_what(self):
        daemon = self.start_daemon()
        token = daemon.token("admin", None)
        for query, code, position in (({"q": 'a "b'}, "bad_query", 3), ({"q": "..."}, "bad_query", 1), ({}, "bad_query", 1),
                                      ({"q": "a", "type": "message"}, "bad_type", None),
                                      ({"q": "a", "type": ""}, "bad_type", None),
                                      ({"q": "a", "from": "yesterday"}, "bad_time", None),
                                      ({"q": "a", "after": "eA"}, "bad_cursor", None),
                                      ({"q": "a", "limit": "0"}, "bad_limit", None)):
            with self.subTest(query=query):
                answer = harness.wait_for("an answer of the history", lambda: self.settled(daemon, token, query))
                self.assertEqual((answer.status, answer.json["code"]), (400, code), answer)
                self.assertEqual(answer.json.get("position"), position)
        self.assertEqual(self.ask(daemon, None, q="a").status, 401)

    def settled(self, daemon, token, query):
        answer = self.ask(daemon, token, **query)
        return answer if answer.status != 503 else None

    def found(self, daemon, token, count, **query):
        """Waits until the history has written so much."""
        def enough():
            answer = self.ask(daemon, token, **query)
            return answer.json if answer.status == 200 and len(answer.json["data"]) == count else None

        return harness.wait_for(f"{count} found by {query}", enough)

    def talk(self, extra=""):
        secret = harness.new_secret()
        daemon = self.start_daemon(f'  - {{ name: shop, connector: webhook, secret: "{secret}" }}\n', extra=extra)
        for number, text in enumerate(("我要退款，謝謝", "<b>Café</b> & 發票", "Bitte um Café-Rechnung 4711")):
            answer = daemon.post_signed("shop", secret, {
                "id": f"m{number}", "from": {"id": f"c{number}", "name": f"Zoë {number}", "phone": f"+8613800138{number:03}"},
                "text": text})
            self.assertIn(answer.status, (200, 201), answer)
        return daemon

    def check(self, daemon):
        token = daemon.token()
        hit = self.found(daemon, token, 1, q="谢谢")["data"][0]
        self.assertEqual((hit["type"], hit["field"], hit["snippet"]), ("message", "text", "我要退款，<mark>謝謝</mark>"))
        conversation = daemon.request("GET", f"/v1/conversations/{hit['conversation']}", token=token).json
        self.assertEqual((hit["customer"], hit["channel"]), (conversation["customer"]["id"], "shop"))
        self.assertEqual(self.found(daemon, token, 1, q="发票")["data"][0]["snippet"],
                         "&lt;b&gt;Café&lt;/b&gt; &amp; <mark>發票</mark>")
        both = self.found(daemon, token, 2, q="cafe", type="messages")
        self.assertIsNotNone(both["as_of"])
        self.assertEqual(self.found(daemon, token, 2, q="cafe", type="messages", order="asc")["data"], both["data"][::-1])
        first = self.found(daemon, token, 1, q="cafe", limit=1)
        second = self.found(daemon, token, 1, q="cafe", limit=1, after=first["next_cursor"])
        self.assertEqual(first["data"] + second["data"], both["data"])
        self.assertIsNone(second["next_cursor"])
        self.assertEqual(len(self.found(daemon, token, 3, q="zoe", type="customers")["data"]), 3)
        work = self.found(daemon, token, 1, q="1", type="work_items")["data"][0]
        self.assertEqual((work["number"], work["queue"]), (1, "support"))
        self.found(daemon, token, 0, q="café", channel="other")
        self.found(daemon, token, 1, q="café", customer=both["data"][0]["customer"])
        rows = daemon.ctl("search", "cafe", "--type", "messages")
        self.assertIn("<mark>Café</mark>-Rechnung", rows)

    def test_what_was_said_is_found_in_sqlite(self):
        self.check(self.talk())

    def test_what_was_said_is_found_in_postgresql(self):
        postgres = historybed.Postgres()
        self.addCleanup(postgres.stop)
        postgres.start()
        secret = self.folder / "history-password"
        secret.write_text(postgres.password + "\n")
        secret.chmod(0o600)
        self.check(self.talk(f"history: {{ url: '{postgres.url}', password_file: {secret} }}\n"))

    def test_another_workspace_finds_nothing(self):
        daemon = self.talk()
        self.found(daemon, daemon.token(), 2, q="cafe", type="messages")
        self.found(daemon, daemon.token("admin", None, "other"), 0, q="cafe")

    def test_without_history_it_says_how_to_get_one(self):
        daemon = self.start_daemon(extra="history: none\n")
        answer = self.ask(daemon, daemon.token("admin", None), q="a")
        self.assertEqual((answer.status, answer.json["code"]), (501, "no_history"), answer)
        self.assertIn("sqlite:", answer.json["detail"])


if __name__ == "__main__":
    unittest.main()
