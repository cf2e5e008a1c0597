"""GET /v1/search as a caller sees it; what is found is the business of tests/unit/test_history_search.c."""
import contextlib
import sqlite3
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
        self.check_notes(daemon, token, hit["customer"])
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

    def check_notes(self, daemon, token, customer):
        """A note is found as the customer whom it is about, by staff alone, until it is deleted; after a merge too."""
        path = f"/v1/customers/{customer}"
        note = daemon.request("POST", f"{path}/notes", {"text": "喜歡打電話 <afternoon>"}, token, headers={"Idempotency-Key": "n1"}).json
        hit = self.found(daemon, token, 1, q="电话", type="customers", customer=customer, channel="shop")["data"][0]
        self.assertEqual((hit["type"], hit["id"], hit["customer"], hit["field"], hit["name"], hit["at"], hit["snippet"]),
                         ("customer", customer, customer, "note", "Zoë 0", note["created_at"],
                          "喜歡打<mark>電話</mark> &lt;afternoon&gt;"))
        admin = daemon.token("admin", None)
        bot = daemon.request("POST", "/v1/tokens", {"role": "integration", "view": "bot"}, admin).json["token"]
        for words, query in ((bot, {}), (bot, {"type": "customers"}), (token, {"type": "messages"}), (token, {"channel": "site"}),
                             (token, {"customer": "cus_other"}), (token, {"agent": "alice"})):
            self.assertEqual(self.ask(daemon, words, q="电话", **query).json["data"], [])
        other = self.found(daemon, token, 1, q="4711")["data"][0]["customer"]
        merged = daemon.request("POST", f"/v1/customers/{other}/merge", {"from": customer}, admin, headers={"Idempotency-Key": "m1"})
        self.assertEqual(merged.status, 200, merged)
        harness.wait_for("the merge", lambda: self.ask(daemon, token, q="电话", customer=other).json["data"])
        gone = daemon.request("DELETE", f"/v1/customers/{other}/notes/{note['id']}", None, token, headers={"Idempotency-Key": "n2"})
        self.assertEqual(gone.status, 204, gone)
        self.found(daemon, token, 0, q="电话")
        daemon.request("POST", f"/v1/customers/{other}/merges/{merged.json['merge']}/revert", {}, admin, headers={"Idempotency-Key": "m2"})
        self.found(daemon, token, 1, q="谢谢", customer=customer)

    def check_renewal(self, daemon, run, words):
        """Words of an older tokenizer: the index is made anew when the daemon starts, and found in as before."""
        token = daemon.token()
        before = {q: self.found(daemon, token, count, q=q)["data"] for q, count in (("谢谢", 1), ("cafe", 2), ("zoe", 3), ("4711", 1))}
        daemon.stop()
        run("UPDATE history SET value = '0' WHERE name = 'words'")
        run(f"UPDATE search SET words = {words}")
        daemon.start(apply=False)
        for q, data in before.items():
            self.assertEqual(self.found(daemon, token, len(data), q=q)["data"], data)
        self.found(daemon, token, 0, q="older")
        harness.wait_for("the end of it", lambda: run("SELECT value FROM history WHERE name = 'words' AND value <> '0'"))
        self.assertEqual(run("SELECT value FROM history WHERE name = 'words_at'"), [])

    def test_what_was_said_is_found_in_sqlite(self):
        daemon = self.talk()
        self.check(daemon)
        self.check_renewal(daemon, lambda words: self.run_sqlite(daemon, words), "'older'")

    def run_sqlite(self, daemon, words):
        with contextlib.closing(sqlite3.connect(daemon.state_dir / "history.db", timeout=30)) as db, db:
            return db.execute(words).fetchall()

    def test_what_was_said_is_found_in_postgresql(self):
        postgres = historybed.Postgres()
        self.addCleanup(postgres.stop)
        postgres.start()
        secret = self.folder / "history-password"
        secret.write_text(postgres.password + "\n")
        secret.chmod(0o600)
        daemon = self.talk(f"history: {{ url: '{postgres.url}', password_file: {secret} }}\n")
        self.check(daemon)
        self.check_renewal(daemon, postgres.rows, "CAST('older' AS tsvector)")

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
