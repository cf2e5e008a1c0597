"""Names that are not there: refused with the nearest one, wherever they are given."""
import json
import subprocess
import unittest

import harness


class Names(harness.TestCase):
    def setUp(self):
        super().setUp()
        secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{secret}", deliver_url: "https://example.com/" }}\n'
            f'  - {{ name: spare, workspace: spares, connector: webhook, secret: "{secret}", '
            f'deliver_url: "https://example.com/" }}\n')
        self.admin = self.daemon.token("admin", None)
        self.alice = self.daemon.token()

    def ctl_refused(self, *words, says, code=1):
        done = self.daemon.ctl_result(*words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(says, done.stderr)

    def api_refused(self, method, path, body, says, token=None):
        answer = self.daemon.request(method, path, body, token or self.admin)
        self.assertEqual(answer.status, 400, answer)
        self.assertEqual(answer.json["code"], "unknown_name")
        self.assertIn(says, answer.json["detail"])

    def test_filters_of_lists_and_events_are_checked(self):
        self.ctl_refused("tail", "--types", "message.crated", says='did you mean "message.created"?')
        self.ctl_refused("tail", "--types", "work_item.state,nonsense", says='"nonsense" is not known')
        self.ctl_refused("tail", "--queue", "suport", says='did you mean "support"?')
        self.ctl_refused("work", "list", "--state", "queud", says='did you mean "queued"?')
        self.ctl_refused("work", "list", "--queue", "suport", says='did you mean "support"? (there is: support)')
        self.ctl_refused("work", "list", "--agent", "alcie", says='did you mean "alice"?')
        for words in (["--state", "queued"], ["--queue", "support"], ["--agent", "bob"]):
            self.assertEqual(self.daemon.ctl_result("work", "list", *words).returncode, 0)

    def test_a_queue_that_was_deleted_with_work_in_it_can_still_be_listed(self):
        self.daemon.request("PUT", "/v1/queues/old", {"id": "old"}, self.admin)
        answer = self.daemon.request("POST", "/v1/work-items", {"queue": "old", "type": "case"}, self.admin)
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(self.daemon.request("DELETE", "/v1/queues/old", token=self.admin).status, 204)
        rows = self.daemon.request("GET", "/v1/work-items?queue=old", token=self.admin).json["data"]
        self.assertEqual([row["id"] for row in rows], [answer.json["id"]])

    def test_what_is_named_is_not_deleted(self):
        def refused(method, path, says, body=None):
            answer = self.daemon.request(method, path, body, self.admin)
            self.assertEqual((answer.status, answer.json["code"]), (409, "in_use"), answer)
            for word in says:
                self.assertIn(word, answer.json["detail"])

        refused("DELETE", "/v1/queues/support", ['"support" of queues', '"alice" of agents (queues)', '"refunds" of rules (then.queue)'])
        for path, body in (("calendars/day", {}), ("skills/refunds", {}), ("skills/zh", {}), ("departments/money", {"queue": "support"}),
                           ("rules/night", {"name": "night", "when": {"hours": {"calendar": "day"}}, "then": {"queue": "support"}}),
                           ("sla-policies/slow", {"resolution": "8h", "calendar": "day"})):
            self.assertEqual(self.daemon.request("PUT", f"/v1/{path}", body, self.admin).status, 200, path)
        refused("DELETE", "/v1/calendars/day", ['"night" of rules (when.hours.calendar)', '"slow" of sla_policies (calendar)'])
        refused("DELETE", "/v1/skills/refunds", ['"alice" of agents (skills)'])
        both = [{"kind": "calendars", "id": "day"}, {"kind": "rules", "id": "night"}]
        refused("POST", "/v1/configuration", ['"slow" of sla_policies'], {"delete": both})
        put = [{"kind": "sla_policies", "object": {"id": "slow", "resolution": "8h"}}]
        answer = self.daemon.request("POST", "/v1/configuration", {"put": put, "delete": both}, self.admin)
        self.assertEqual(answer.status, 200, answer)
        back = [{"kind": "sla_policies", "object": {"id": "slow", "resolution": "8h", "calendar": "day"}}]
        self.assertEqual(self.daemon.request("PUT", "/v1/calendars/day", {}, self.admin).status, 200)
        refused("POST", "/v1/configuration", ['"slow" of sla_policies'], {"put": back, "delete": both[:1]})
        self.assertEqual(self.daemon.request("DELETE", "/v1/departments/money", token=self.admin).status, 204)

    def test_a_rule_cannot_have_the_name_of_an_address(self):
        for name in ("versions", "test", "lint"):
            answer = self.daemon.request("POST", "/v1/configuration", {"put": [{"kind": "rules", "object": {
                "id": name, "name": name, "then": {"queue": "support"}}}]}, self.admin)
            self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_field"), answer)
            self.assertIn("must be another name", answer.json["detail"])
            file = self.folder / "rules.yaml"
            file.write_text(f"rules: [ {{ name: {name}, then: {{ queue: support }} }} ]\n")
            self.ctl_refused("apply", "-f", str(file), says="rules.yaml:1:18: error:", code=78)

    def test_requests_that_name_queues_and_agents_are_checked(self):
        self.api_refused("POST", "/v1/work/claim", {"queues": ["support", "suport"]}, 'no queue "suport"', self.alice)
        self.api_refused("POST", "/v1/work-items", {"queue": "suport"}, "support")
        self.api_refused("POST", "/v1/tokens", {"role": "agent", "agent": "alicee"}, 'did you mean "alice"?')
        self.api_refused("PUT", "/v1/agents/bobb/presence", {"status": "online"}, 'did you mean "bob"?')
        self.api_refused("PUT", "/v1/agents/bobb/password", {"password": "long enough 1"}, 'did you mean "bob"?')

    def test_objects_that_name_what_is_not_there_are_refused(self):
        self.api_refused("PUT", "/v1/agents/dave", {"queues": ["support", "supprt"]}, 'queues: there is no queue "supprt"')
        rule = {"name": "r", "then": {"queue": "suport"}}
        self.api_refused("PUT", "/v1/rules/r", rule, 'then.queue: there is no queue "suport"; did you mean "support"?')
        rule["then"] = {"queue": "support", "skills": {"refund": 1}}
        self.api_refused("PUT", "/v1/rules/r", rule, 'no skill "refund"; did you mean "refunds"?')
        rule["then"]["skills"] = {"refunds": 1}
        self.assertEqual(self.daemon.request("PUT", "/v1/rules/r", rule, self.admin).status, 200)
        agent = {"skills": {"jokes": 1}}
        self.assertEqual(self.daemon.request("PUT", "/v1/agents/dave", agent, self.admin).status, 200)
        self.daemon.request("PUT", "/v1/skills/refunds", {"id": "refunds"}, self.admin)
        self.api_refused("PUT", "/v1/agents/erin", agent, 'skills: there is no skill "jokes"')

    def test_all_that_is_wrong_with_an_object_is_told_and_where(self):
        body = {"strategy": "lucky", "offer_timeot": "1m", "overflow": [{"when": {"wait": "soon"}, "to": "support"}, {"when": {}}]}
        answer = self.daemon.request("PUT", "/v1/queues/vip", body, self.admin)
        self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_object"), answer)
        self.assertEqual({error["pointer"]: error["code"] for error in answer.json["errors"]}, dict.fromkeys(
            ("#/body/strategy", "#/body/offer_timeot", "#/body/overflow/0/when/wait", "#/body/overflow/1/to"),
            "invalid_field"))
        self.assertIn(answer.json["detail"], [error["detail"] for error in answer.json["errors"]])
        rule = {"name": "r", "when": {"attributes": {"a/b~c": [""]}}, "then": {"steps": [{"agents": ["alice", "boob"]}]}}
        [error] = self.daemon.request("PUT", "/v1/rules/r", rule, self.admin).json["errors"]
        self.assertEqual(error["pointer"], "#/body/when/attributes/a~1b~0c/0")
        del rule["when"]
        [error] = self.daemon.request("PUT", "/v1/rules/r", rule, self.admin).json["errors"]
        self.assertEqual((error["pointer"], error["code"]), ("#/body/then/steps/0/agents/1", "unknown_name"))

    def test_kinds_tell_their_inner_fields_once(self):
        kinds = {kind["id"]: kind for kind in self.daemon.request("GET", "/v1/configuration/kinds", None, self.admin).json["data"]}

        def field(fields, name):
            return next(one for one in fields if one["name"] == name)
        when = field(kinds["rules"]["fields"], "when")
        self.assertEqual(field(field(when["fields"], "hours")["fields"], "calendar")["names"], "calendars")
        self.assertEqual([field(when["fields"], name).get("fields_of") for name in ("all", "any", "not")], ["when"] * 3)
        slots = field(field(kinds["calendars"]["fields"], "workdays")["fields"], "hours")["fields"]
        self.assertEqual([one["name"] for one in slots], ["from", "to"])

    def test_the_sample_configuration_applies(self):
        sample = harness.ROOT / "conf" / "business.yaml"
        self.assertNotIn(" 0 new", self.daemon.ctl("apply", "-f", sample))
        self.assertIn("0 new, 0 changed", self.daemon.ctl("apply", "-f", sample))

    def test_skills_in_expressions_and_calendars_are_checked(self):
        rule = {"name": "r", "then": {"queue": "support", "need": "refunds>=2&(zh>=3|enn>=1)"}}
        self.api_refused("PUT", "/v1/rules/r", rule, 'then.need: there is no skill "enn"')
        rule["then"]["need"] = "refunds>=2&zh>=3"
        self.assertEqual(self.daemon.request("PUT", "/v1/rules/r", rule, self.admin).status, 200)
        self.assertEqual(self.daemon.request("PUT", "/v1/calendars/work", {}, self.admin).status, 200)
        policy = {"first_response": "1h", "calendar": "wrok"}
        self.api_refused("PUT", "/v1/sla-policies/p", policy, 'no calendar "wrok"; did you mean "work"?')

    def test_objects_may_name_each_other_in_a_file(self):
        path = self.folder / "ring.yaml"
        path.write_text("queues:\n"
                        "  - { id: a, overflow: [ { when: { length: 5 }, to: b } ], "
                        "escalation: [ { after: 1m, to: \"agent:dave\" } ] }\n"
                        "  - { id: b, overflow: [ { when: { length: 5 }, to: a } ] }\n"
                        "agents: [ { id: dave, queues: [a] } ]\n")
        self.daemon.ctl("apply", "-f", path)
        path.write_text(path.read_text().replace("to: b", "to: bb").replace("agent:dave", "agent:dav"))
        done = self.daemon.ctl_result("apply", "-f", path)
        self.assertEqual(done.returncode, 78, done.stdout)
        self.assertIn("among the queues", done.stderr)
        self.assertIn('there is no "dav" among the agents (did you mean "dave"?)', done.stderr)
        self.api_refused("PUT", "/v1/queues/a", {"overflow": [{"when": {"length": 5}, "to": "bb"}]}, "overflow.to")

    def test_many_objects_at_once_may_name_each_other_and_nothing_else(self):
        def put(kind, **more):
            return {"kind": kind, "object": more}
        rule = {"name": "vip", "id": "vip", "then": {"queue": "vip", "skills": {"golf": 1}}}
        body = {"put": [put("rules", **rule), put("queues", id="vip"),
                        put("agents", id="erin", queues=["vip", "support"], skills={"golf": 5})]}
        answer = self.daemon.request("POST", "/v1/configuration", body, self.admin)
        self.assertEqual(answer.status, 200, answer)
        body["put"][2]["object"]["queues"] = ["vip", "suport"]
        self.api_refused("POST", "/v1/configuration", body, 'queues of "erin" in agents: there is no queue "suport"')
        rule["then"]["skills"] = {"gulf": 1}
        self.api_refused("POST", "/v1/configuration", {"put": [put("rules", **rule)]}, 'did you mean "golf"?')

    def test_what_is_asked_for_by_name_is_suggested(self):
        self.ctl_refused("queue", "show", "suport", says='there is no "suport" here; did you mean "support"?')
        self.ctl_refused("agent", "show", "bobb", says='did you mean "bob"?')
        self.ctl_refused("channel", "test", "shopp", says='there is no channel "shopp"; did you mean "shop"?')
        self.ctl_refused("channel", "test", "spar", says='there is no channel "spar" (')
        answer = self.daemon.request("POST", "/v1/conversations", {"channel": "shpo", "to": "a", "text": "b"}, self.admin)
        self.assertIn('did you mean "shop"?', answer.json["detail"])

    def test_apply_refuses_a_file_as_a_whole_and_says_where(self):
        path = self.folder / "new.yaml"
        path.write_text("queues: [ { id: sales } ]\n"
                        "agents: [ { id: dave, queues: [sales, suport], skills: { zh: 1 } } ]\n"
                        "rules:\n  - { name: r, then: { queue: sale, skills: { refunsd: 2 } } }\n")
        done = self.daemon.ctl_result("apply", "-f", path)
        self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
        self.assertIn(f'{path}:2:39: error: there is no "suport" among the queues (did you mean "support"?)', done.stderr)
        self.assertIn(':4:31: error: there is no "sale" among the queues (did you mean "sales"?)', done.stderr)
        self.assertIn('there is no "refunsd" among the skills (did you mean "refunds"?)', done.stderr)
        self.assertEqual(self.daemon.request("GET", "/v1/queues/sales", token=self.admin).status, 404)

    def test_a_workspace_that_is_not_there_is_refused_and_only_made_aloud(self):
        self.ctl_refused("-w", "spare", "work", "list", says='there is no workspace "spare"; did you mean "spares"?')
        self.ctl_refused("-w", "nowhere", "tail", says='there is no workspace "nowhere"')
        self.assertEqual(self.daemon.ctl_result("-w", "spares", "work", "list").returncode, 0)
        made = self.daemon.ctl_result("-w", "fresh", "token", "create", "--role", "admin")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn('there is no workspace "fresh"', made.stderr)
        again = self.daemon.ctl_result("-w", "fresh", "token", "list", "-o", "json")
        self.assertEqual(len(json.loads(again.stdout)), 1)
        self.daemon.restart()
        self.assertEqual(self.daemon.ctl_result("-w", "fresh", "token", "list").returncode, 0)

    def test_presence_of_another_says_nothing_of_the_caller(self):
        shown = json.loads(self.daemon.ctl("agent", "set-status", "bob", "away", "-o", "json"))
        self.assertEqual((shown["agent"], shown["status"]), ("bob", "away"))
        self.assertNotIn("role", shown)

    def test_lists_show_lists_as_words(self):
        self.assertRegex(self.daemon.ctl("agent", "list"), r"(?m)^alice +Alice +agent +100 +support$")


class CommandLine(unittest.TestCase):
    """What the program says without a daemon."""

    def run_ctl(self, *words, code=64):
        done = subprocess.run([harness.BUILD / "convergectl", *words], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_wrong_words_are_answered_with_the_right_ones(self):
        self.assertIn("Did you mean: agent\n", self.run_ctl("agnet", "list"))
        shown = self.run_ctl("agent", "lst")
        self.assertIn("Did you mean: list\nKnown here: list, show, set-status, password, totp-remove\n", shown)
        shown = self.run_ctl("work", "list", "--stat", "queued")
        self.assertIn("Did you mean: --state\n", shown)
        self.assertIn("--queue", shown)

    def test_usage_names_what_the_command_takes(self):
        self.assertIn("usage: convergectl [-c FILE] [-w WORKSPACE] [-o table|json] NOUN [VERB] [ARGUMENT...]\n",
                      self.run_ctl("--help", code=0))
        self.assertIn("] agent VERB [ARGUMENT...]\n", self.run_ctl("agent", "--help", code=0))
        self.assertIn("] agent set-status ID STATUS [OPTION...]\n", self.run_ctl("agent", "set-status", "--help", code=0))
        self.assertIn("] doctor\n", self.run_ctl("doctor", "--help", code=0))


if __name__ == "__main__":
    unittest.main()
