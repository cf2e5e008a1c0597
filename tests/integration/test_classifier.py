"""The classifier hook: what a good, a slow, a wrong and a lying one can do, and that none delays a message."""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import unittest

import harness

BUSINESS = """
queues: [ { id: support }, { id: money } ]
agents: [ { id: alice, name: Alice, queues: [support, money] } ]
rules:
  - { name: rest, then: { queue: support, type: question } }
"""
GOOD = {"type": "complaint", "topic": "billing", "urgency": "urgent", "queue": "money", "confidence": 0.935}


class Classifier:
    """Answers as it is told; `gate` holds answers back while it is not set."""

    def __init__(self):
        self.asked = []
        self.status, self.answer, self.headers = 200, GOOD, {}
        self.gate = threading.Event()
        self.gate.set()
        classifier = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                classifier.asked.append((dict(self.headers), raw))
                classifier.gate.wait(60)
                answer = classifier.answer
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                try:
                    self.send_response(classifier.status)
                    self.send_header("Content-Length", str(len(body)))
                    for name, value in classifier.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the daemon did not wait

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class Hook(harness.TestCase):
    def begin(self, extra="limits: { private_classifiers: true }\n", **fields):
        self.classifier = Classifier()
        self.addCleanup(self.classifier.close)
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
            f'deliver_url: "http://127.0.0.1:1/", allow_private_urls: true }}\n', business=BUSINESS, extra=extra)
        self.admin = self.daemon.token(role="admin", agent=None)
        self.alice = self.daemon.token()
        self.key = harness.new_secret()
        put = self.daemon.request("PUT", "/v1/classifiers/llm", {
            "url": f"http://127.0.0.1:{self.classifier.port}/classify", "secret": self.key, **fields}, self.admin)
        self.assertEqual(put.status, 200, put)
        # The reader starts "from now on": what it has read proves that it runs.
        harness.wait_for("the hook to run", lambda: self.probe())

    def probe(self):
        self.posted = getattr(self, "posted", 0) + 1
        self.post(f"probe {self.posted}", sender=f"probe{self.posted}")
        try:
            return harness.wait_for("an outcome", lambda: sum(self.outcomes().values()) > 0, patience_s=1)
        except AssertionError:
            return False

    def post(self, text, sender="u1"):
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": f"{sender}-{text}", "from": {"id": sender, "name": "Li Lei"}, "text": text})
        self.assertEqual(answer.status, 200, answer)

    def outcomes(self):
        lines = self.daemon.request("GET", "/metrics", token=self.admin).body.decode().splitlines()
        rows = [line for line in lines if line.startswith("converged_classified_total{")]
        return {row.split('outcome="')[1].split('"')[0]: int(row.split()[-1]) for row in rows}

    def newest(self):
        return self.daemon.request("GET", "/v1/work-items?limit=1", token=self.admin).json["data"][0]

    def ends_as(self, outcome, text="hello"):
        """Posts, waits for that outcome, and gives the item."""
        before = self.outcomes()[outcome]
        self.post(text)
        harness.wait_for(outcome, lambda: self.outcomes()[outcome] == before + 1)
        return self.newest()

    def assert_untouched(self, item):
        self.assertEqual((item["queue"], item["type"], item["topic"], item["urgency"], item["version"]),
                         ("support", "question", "", "normal", 1))
        self.assertNotIn("classifier", item)

    def test_a_good_answer_is_applied_and_says_who_gave_it(self):
        self.begin()
        item = self.ends_as("applied")
        self.assertEqual((item["queue"], item["type"], item["topic"], item["urgency"]),
                         ("money", "complaint", "billing", "urgent"))
        self.assertEqual(item["classifier"], {"id": "llm", "confidence": 93, "needs_human": False})
        explain = self.daemon.request("GET", f"/v1/work-items/{item['id']}/explain", token=self.admin).json
        self.assertEqual(set(explain["given_by"].values()), {"classifier:llm"})
        headers, raw = self.classifier.asked[-1]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + raw
        wanted = hmac.new(base64.b64decode(self.key[len("whsec_"):]), signed, hashlib.sha256).digest()
        self.assertEqual(headers["webhook-signature"], "v1," + base64.b64encode(wanted).decode())
        asked = json.loads(raw)
        self.assertEqual((asked["type"], asked["data"]["work_item"], asked["data"]["message"]["text"]),
                         ("work_item.classify", item["id"], "hello"))
        claimed = self.daemon.claim(self.alice, queues=["money"])
        self.assertIsNotNone(claimed, "it waits where the classifier put it")

    def test_an_unsure_answer_only_asks_for_a_person(self):
        self.begin(min_confidence=95)
        item = self.ends_as("needs_human")
        self.assertEqual((item["queue"], item["type"]), ("support", "question"))
        self.assertEqual(item["classifier"], {"id": "llm", "confidence": 93, "needs_human": True})

    def test_what_a_wrong_or_lying_one_says_changes_nothing(self):
        self.begin()
        for answer in (b"not json", [], {"type": "x"}, {**GOOD, "confidence": 7}, {**GOOD, "queue": "no-such"},
                       {**GOOD, "urgency": "very"}, {**GOOD, "type": 5}, {**GOOD, "topic": "two\nlines"},
                       {**GOOD, "type": "x" * 41}, {**GOOD, "needs_human": "yes"}):
            with self.subTest(answer=answer):
                self.classifier.answer = answer
                self.assert_untouched(self.ends_as("refused", text=f"lie {answer}"))
                self.daemon.request("POST", f"/v1/work-items/{self.newest()['id']}/close", {}, self.admin)

    def test_errors_redirects_and_floods_are_failures(self):
        self.begin()
        for number, (status, headers, answer) in enumerate((
                (500, {}, GOOD), (404, {}, GOOD), (200, {}, b" " * 200000),
                (302, {"Location": f"http://127.0.0.1:{self.classifier.port}/other"}, GOOD))):
            with self.subTest(status=status):
                self.classifier.status, self.classifier.headers, self.classifier.answer = status, headers, answer
                asked = len(self.classifier.asked)
                self.assert_untouched(self.ends_as("failed", text=f"failure {number}"))
                self.assertEqual(len(self.classifier.asked), asked + 1, "asked once, redirects are not followed")
                self.daemon.request("POST", f"/v1/work-items/{self.newest()['id']}/close", {}, self.admin)

    def test_a_slow_one_delays_nothing(self):
        self.begin(deadline="300ms")
        self.classifier.gate.clear()
        self.post("first")
        claimed = self.daemon.claim(self.alice, queues=["support"])
        self.assertIsNotNone(claimed, "it can be worked on while the classifier thinks")
        before = self.outcomes()["failed"]
        self.post("second", sender="u2")
        harness.wait_for("the deadline", lambda: self.outcomes()["failed"] > before)
        self.assert_untouched(self.newest())

    def test_an_item_that_somebody_has_touched_is_left_alone(self):
        self.begin(deadline="60s")
        self.classifier.gate.clear()
        asked = len(self.classifier.asked)
        self.post("hello", sender="u3")
        harness.wait_for("the question", lambda: len(self.classifier.asked) > asked)
        item = self.newest()
        held = self.daemon.request("POST", f"/v1/work-items/{item['id']}/snooze", {}, self.admin)
        self.assertGreaterEqual(held.status, 400, "a queued item cannot be snoozed")
        moved = self.daemon.request("POST", f"/v1/work-items/{item['id']}/transfer",
                                    {"target": "queue:money", "reason": "mine"}, self.admin)
        self.assertEqual(moved.status, 200, moved)
        before = self.outcomes()["late"]
        self.classifier.gate.set()
        harness.wait_for("late", lambda: self.outcomes()["late"] > before)
        self.assertEqual(self.newest()["type"], "question")

    def test_the_own_network_is_not_asked_unless_the_operator_says_so(self):
        self.begin(extra="")
        self.assertEqual(self.classifier.asked, [])
        self.assertGreater(self.outcomes()["failed"], 0)

    def test_a_question_is_asked_again_after_a_crash(self):
        self.begin(deadline="60s")
        self.classifier.gate.clear()
        asked = len(self.classifier.asked)
        self.post("hello", sender="u4")
        harness.wait_for("the question", lambda: len(self.classifier.asked) > asked)
        self.daemon.kill()
        self.classifier.gate.set()
        self.daemon.start(apply=False)
        harness.wait_for("the answer", lambda: self.newest()["type"] == "complaint")

    def test_it_is_asked_only_about_its_queues_and_channels(self):
        self.begin()
        put = self.daemon.request("PUT", "/v1/classifiers/llm", {
            "url": f"http://127.0.0.1:{self.classifier.port}/", "secret": self.key, "queues": ["money"]}, self.admin)
        self.assertEqual(put.status, 200, put)
        self.assert_untouched(self.ends_as("unwanted", text="not for it"))

    def test_a_rule_chooses_which_one_is_asked(self):
        self.begin()
        other = Classifier()
        self.addCleanup(other.close)
        other.answer = {"topic": "chosen", "confidence": 1}
        for path, body in (
                ("classifiers/strict", {"url": f"http://127.0.0.1:{other.port}/", "secret": self.key, "only_by_rule": True,
                                        "queues": ["money"]}),
                ("rules/a-choice", {"name": "a-choice", "when": {"text": "choose"}, "then": {"classifier": "strict"}})):
            put = self.daemon.request("PUT", f"/v1/{path}", body, self.admin)
            self.assertEqual(put.status, 200, put)
        item = self.ends_as("applied", text="please choose")
        self.assertEqual((item["topic"], item["type"], item["classifier"]["id"], len(other.asked)), ("chosen", "question", "strict", 1))
        given = self.daemon.request("GET", f"/v1/work-items/{item['id']}/explain", token=self.admin).json["given_by"]
        self.assertEqual(given, {"queue": "rest", "type": "rest", "topic": "classifier:strict", "urgency": None, "classifier": "a-choice"})
        self.daemon.request("POST", f"/v1/work-items/{item['id']}/close", {}, self.admin)
        self.assertEqual(self.ends_as("applied", text="as ever")["classifier"]["id"], "llm")
        self.assertEqual(len(other.asked), 1)
        tried = self.daemon.request("POST", "/v1/rules/test", {"text": "choose"}, self.admin).json
        self.assertEqual((tried["classifier"], tried["given_by"]["classifier"]), ("strict", "a-choice"))
        gone = self.daemon.request("DELETE", "/v1/classifiers/strict", token=self.admin)
        self.assertEqual((gone.status, gone.json["code"]), (409, "in_use"), gone)
        wrong = self.daemon.request("PUT", "/v1/rules/b", {"name": "b", "then": {"classifier": "stricter"}}, self.admin)
        self.assertIn('no classifier "stricter"; did you mean "strict"?', wrong.json["detail"])

    def test_its_secret_is_for_admins_and_must_be_one(self):
        self.begin()
        self.assertEqual(self.daemon.request("GET", "/v1/classifiers/llm", token=self.alice).status, 403)
        for wrong in ({"secret": "whsec_short"}, {"url": "ftp://x/"}, {"queues": ["no-such"]}):
            body = {"url": "https://example.com/", "secret": self.key, **wrong}
            answer = self.daemon.request("PUT", "/v1/classifiers/other", body, self.admin)
            self.assertEqual(answer.status, 400, answer)
            self.assertNotIn("whsec_short", answer.body.decode())

    def test_its_secret_is_not_shown_again_and_stays_when_it_is_not_given(self):
        self.begin()
        shown = "set:" + hashlib.sha256(self.key.encode()).hexdigest()[:8]
        url = f"http://127.0.0.1:{self.classifier.port}/classify"

        def stored(answer):
            self.assertEqual(answer.status, 200, answer)
            self.assertNotIn(self.key, answer.body.decode())
            return answer.json

        def put(**fields):
            return self.daemon.request("PUT", "/v1/classifiers/llm", {"url": url, **fields}, self.admin)

        one = stored(self.daemon.request("GET", "/v1/classifiers/llm", token=self.admin))
        self.assertEqual(one["secret"], shown)
        self.assertEqual(stored(self.daemon.request("GET", "/v1/classifiers", token=self.admin))["data"][0]["secret"], shown)
        self.assertEqual(stored(put(min_confidence=50))["secret"], shown)
        self.assertEqual(stored(put(min_confidence=40, secret=shown))["min_confidence"], 40)
        self.assertEqual(stored(self.daemon.request("POST", "/v1/configuration", {"put": [
            {"kind": "classifiers", "object": {"id": "llm", "url": url, "min_confidence": 30}}]}, self.admin))["changed"], 1)
        item = self.ends_as("applied")
        headers, raw = self.classifier.asked[-1]
        signed = f"{item['id']}.{headers['webhook-timestamp']}.".encode() + raw
        wanted = hmac.new(base64.b64decode(self.key[len("whsec_"):]), signed, hashlib.sha256).digest()
        self.assertEqual(headers["webhook-signature"], "v1," + base64.b64encode(wanted).decode(), "the old secret signs")
        file = self.folder / "classifiers.yaml"
        file.write_text(f'classifiers: [ {{ id: llm, url: "{url}", secret: "{self.key}", min_confidence: 30 }} ]\n')
        self.assertIn("0 new, 1 changed", self.daemon.ctl("apply", "-f", str(file)))  # its order is new
        self.assertIn("0 new, 0 changed, 1 as they were", self.daemon.ctl("apply", "-f", str(file)))
        other = harness.new_secret()
        self.assertEqual(stored(put(secret=other))["secret"], "set:" + hashlib.sha256(other.encode()).hexdigest()[:8])
        for body in ({"url": url}, {"url": url, "secret": shown}):
            fresh = self.daemon.request("PUT", "/v1/classifiers/fresh", body, self.admin)
            self.assertEqual((fresh.status, fresh.json["code"]), (400, "invalid_object"), fresh)


if __name__ == "__main__":
    unittest.main()
