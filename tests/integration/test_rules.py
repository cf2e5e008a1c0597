"""Rules: what they may look at, which one gave what, and what is kept of their versions."""
import unittest

import harness

BUSINESS = """
queues: [ { id: support }, { id: gold }, { id: again }, { id: chinese } ]
agents: [ { id: alice, name: Alice, queues: [support, gold, again, chinese] } ]
calendars:
  - { id: never, time_zone: UTC, hours: [ { days: [mon], from: "00:00", to: "00:01" } ], holidays: [] }
rules:
  - { name: money, when: { keywords: [refund, 退款] }, then: { type: refund, urgency: high } }
  - { name: angry, when: { text: "!!" }, then: { topic: anger } }
  - { name: rich, when: { tier: gold, attributes: { country: [cn, hk] } }, then: { queue: gold } }
  - { name: back, when: { previous: { state: [resolved, closed], within: 1h } }, then: { queue: again } }
  - { name: chinese, when: { language: zh }, then: { queue: chinese } }
  - { name: rest, then: { queue: support, type: question } }
"""


class Rules(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
            f'deliver_url: "http://127.0.0.1:1/", allow_private_urls: true }}\n', business=BUSINESS)
        self.alice = self.daemon.token()
        self.admin = self.daemon.token(role="admin", agent=None)

    def post(self, text, sender="u1", message_id=None, **more):
        self.posted = getattr(self, "posted", 0) + 1
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": message_id or f"m{self.posted}", "from": {"id": sender, "name": "Li Lei"}, "text": text, **more})
        self.assertEqual(answer.status, 200, answer)

    def get(self, path, status=200):
        answer = self.daemon.request("GET", path, token=self.admin)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def newest(self):
        return self.get("/v1/work-items?limit=1")["data"][0]

    def test_each_output_names_the_rule_that_gave_it(self):
        self.post("I want a refund!!")
        item = self.newest()
        self.assertEqual((item["queue"], item["type"], item["topic"], item["urgency"]),
                         ("support", "refund", "anger", "high"))
        explain = self.get(f"/v1/work-items/{item['id']}/explain")
        self.assertEqual(explain["given_by"],
                         {"queue": "rest", "type": "money", "topic": "angry", "urgency": "money"})
        self.assertGreater(explain["rules_version"], 0)

    def test_what_is_stored_of_a_customer_decides(self):
        self.post("hello")
        item = self.newest()
        self.assertEqual(item["queue"], "support")
        changed = self.daemon.request("PATCH", f"/v1/customers/{item['customer']['id']}",
                                      {"tier": "gold", "attributes": {"country": "hk"}}, self.alice)
        self.assertEqual(changed.status, 200, changed)
        self.post("hello again", thread="t2")
        self.assertEqual(self.newest()["queue"], "gold")
        self.post("hello from another", sender="u2")
        self.assertEqual(self.newest()["queue"], "support")

    def test_earlier_work_of_the_customer_decides(self):
        self.post("hello")
        item = self.newest()
        closed = self.daemon.request("POST", f"/v1/work-items/{item['id']}/close", {}, self.admin)
        self.assertEqual(closed.status, 200, closed)
        self.post("it is still broken")
        again = self.newest()
        self.assertNotEqual(again["id"], item["id"])
        self.assertEqual(again["queue"], "again")

    def test_the_language_decides(self):
        self.post("请问我的订单在哪里")
        self.assertEqual(self.newest()["queue"], "chinese")

    def test_a_rule_may_name_only_a_calendar_that_is_there(self):
        rule = {"name": "closed", "when": {"hours": {"calendar": "nevver"}}, "then": {"queue": "support"}}
        wrong = self.daemon.request("PUT", "/v1/rules/closed", rule, self.admin)
        self.assertEqual((wrong.status, wrong.json["code"]), (400, "unknown_name"), wrong)
        self.assertIn('did you mean "never"', wrong.json["detail"])
        rule["when"]["hours"]["calendar"] = "never"
        self.assertEqual(self.daemon.request("PUT", "/v1/rules/closed", rule, self.admin).status, 200)

    def test_versions_are_kept_and_can_be_read(self):
        first = self.get("/v1/rules/versions")["data"]
        self.assertEqual(len(first), 1, "a file that is applied is one change")
        self.post("hello")
        explain = self.get(f"/v1/work-items/{self.newest()['id']}/explain")
        self.assertEqual(explain["rules_version"], first[0]["version"])
        rule = {"name": "rest", "then": {"queue": "again"}}
        self.assertEqual(self.daemon.request("PUT", "/v1/rules/rest", rule, self.admin).status, 200)
        self.assertEqual(self.daemon.request("DELETE", "/v1/rules/rich", token=self.admin).status, 204)
        versions = [row["version"] for row in self.get("/v1/rules/versions")["data"]]
        self.assertEqual(versions, [first[0]["version"] + 2, first[0]["version"] + 1, first[0]["version"]])
        names = {number: [row["name"] for row in self.get(f"/v1/rules/versions/{number}")["rules"]]
                 for number in versions}
        self.assertEqual(names[versions[2]], ["money", "angry", "rich", "back", "chinese", "rest"])
        self.assertNotIn("rich", names[versions[0]])
        kept = self.get(f"/v1/rules/versions/{versions[2]}")["rules"][-1]
        self.assertEqual(kept["then"]["queue"], "support")
        self.get("/v1/rules/versions/99", 404)

    def test_a_file_is_in_force_whole_or_not_at_all(self):
        before = self.get("/v1/rules/versions")["data"]
        rules = [{"kind": "rules", "object": {"id": "new", "name": "new", "then": {"queue": "support"}}},
                 {"kind": "rules", "object": {"id": "bad", "name": "bad", "when": {"text": "("}, "then": {"queue": "q"}}}]
        wrong = self.daemon.request("POST", "/v1/configuration", {"put": rules}, self.admin)
        self.assertEqual(wrong.status, 400, wrong)
        self.assertIn('"bad"', wrong.json["errors"][0]["detail"])
        self.assertEqual(self.get("/v1/rules/versions")["data"], before)
        right = self.daemon.request("POST", "/v1/configuration", {"put": rules[:1], "delete": [
            {"kind": "rules", "id": "money"}, {"kind": "queues", "id": "no such"}]}, self.admin)
        self.assertEqual((right.status, right.json["changed"]), (200, 2), right)
        self.assertEqual(len(self.get("/v1/rules/versions")["data"]), len(before) + 1)
        names = [row["name"] for row in self.get("/v1/rules?limit=200")["data"]]
        self.assertIn("new", names)
        self.assertNotIn("money", names)
        self.assertEqual(self.daemon.request("POST", "/v1/configuration", {"put": rules[:1]}, self.alice).status, 403)
        nowhere = {"kind": "rules", "object": {"id": "n", "name": "n", "then": {"queue": "suport"}}}
        wrong = self.daemon.request("POST", "/v1/configuration", {"put": rules[:1] + [nowhere]}, self.admin)
        self.assertEqual((wrong.status, wrong.json["code"]), (400, "unknown_name"), wrong)
        both = [{"kind": "queues", "object": {"id": "suport"}}, nowhere]
        self.assertEqual(self.daemon.request("POST", "/v1/configuration", {"put": both}, self.admin).status, 200)

    def test_a_file_that_names_no_calendar_of_ours_is_refused_where_it_does(self):
        file = self.folder / "hours.yaml"
        file.write_text("rules:\n  - { name: night, when: { hours: { calendar: nevr } }, then: { queue: support } }\n")
        done = self.daemon.ctl_result("apply", "-f", str(file))
        self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
        self.assertRegex(done.stderr, r'hours\.yaml:2:\d+: error: .*"nevr".*did you mean "never"')
        self.daemon.request("DELETE", "/v1/calendars/never", token=self.admin)
        self.assertEqual(self.daemon.ctl_result("apply", "-f", str(file)).returncode, 78)

    def test_rules_are_tried_without_changing_anything(self):
        shown = self.daemon.ctl("rules", "test", "-m", "退款!!", "--channel", "shop", "--tier", "gold",
                                "--attribute", "country=cn")
        self.assertIn("+ money: gives type, urgency", shown)
        self.assertIn('- back: previous does not hold', shown)
        self.assertIn("+ chinese: gives nothing that an earlier rule has not given", shown)
        self.assertRegex(shown, r'queue +gold +\(rule "rich"\)')
        tried = self.daemon.request("POST", "/v1/rules/test", {"text": "bonjour, où est ma commande"}, self.alice)
        self.assertEqual(tried.status, 200, tried)
        chinese = [rule for rule in tried.json["rules"] if rule["name"] == "chinese"][0]
        self.assertEqual(chinese["failed"], {"condition": "language", "wanted": "zh", "found": "fr"})
        self.assertIn("条件 language 不成立", chinese["text"]["zh"])
        given = self.daemon.request("POST", "/v1/rules/test", {"text": "x", "rules": [
            {"name": "a", "when": {"text": "x"}, "then": {"queue": "q"}}]}, self.alice).json
        self.assertEqual((given["queue"], given["version"]), ("q", None))
        self.assertEqual(self.get("/v1/work-items")["data"], [])

    def test_a_lint_says_what_is_odd(self):
        file = self.folder / "odd.yaml"
        file.write_text('queues: [ { id: support } ]\nrules:\n  - { name: all, then: { queue: support } }\n'
                        '  - { name: late, when: { text: "\\\\b退款\\\\b" }, then: { queue: support } }\n')
        shown = self.daemon.ctl("rules", "lint", "-f", str(file))
        self.assertRegex(shown, r'odd\.yaml:4:\d+: warning: rule "late": ')
        self.assertIn("2 rules, 2 warnings", shown)
        self.assertIn("6 rules, 0 warnings", self.daemon.ctl("rules", "lint"))

    def test_a_pattern_that_takes_too_long_is_counted_and_told_once(self):
        rule = {"name": "slow", "order": 0, "when": {"text": "(a+)+$"}, "then": {"queue": "gold"}}
        self.assertEqual(self.daemon.request("PUT", "/v1/rules/slow", rule, self.admin).status, 200)

        def stopped():
            text = self.daemon.request("GET", "/metrics", token=self.admin).body.decode()
            return int(text.split('converged_rules_stopped_total{workspace="main"} ')[1].split()[0])

        def attack():
            self.post("a" * 5000 + "!", sender=f"u{self.posted if hasattr(self, 'posted') else 0}")
            return stopped() >= 3

        harness.wait_for("three stopped patterns", attack)
        self.assertEqual(self.newest()["queue"], "support", "as if it did not match")
        self.assertEqual(self.daemon.log.read_text().count("event=rule_stopped"), 1)


if __name__ == "__main__":
    unittest.main()
