"""GET /v1/search as a caller sees it; what is found is the business of tests/unit/test_history_search.c."""
import unittest
import urllib.parse

import harness


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

    def test_without_history_it_says_how_to_get_one(self):
        daemon = self.start_daemon(extra="history: none\n")
        answer = self.ask(daemon, daemon.token("admin", None), q="a")
        self.assertEqual((answer.status, answer.json["code"]), (501, "no_history"), answer)
        self.assertIn("sqlite:", answer.json["detail"])


if __name__ == "__main__":
    unittest.main()
