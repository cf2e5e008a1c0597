"""Every action on a work item in every state: done, or 409 with the state and what it allows instead."""
import unittest

import harness

# What the API can do in each state. Whatever is not here is refused, also for a supervisor.
ALLOWED = {
    "new": "",
    "bot": "",
    "queued": "transfer escalate resolve close assign barge",
    "offered": "accept decline transfer escalate assign barge",
    "assigned": "release extend resolve close transfer escalate consult snooze assign barge",
    "waiting": "reopen release resolve close transfer escalate consult assign barge",
    "wrapping": "resolve close reopen release extend transfer escalate assign barge",
    "resolved": "reopen close",
    "closed": "",
    "cancelled": "",
}
BODIES = {"transfer": {"target": "queue:second"}, "escalate": {"target": "queue:second"}, "consult": {"target": "agent:alice"},
          "assign": {"target": "agent:alice"}}
# What else a state may lack although it allows the action: an offer that is mine, a lease, a timer, somebody to join.
LACKS = {"accept": "not_assignee", "decline": "not_assignee", "extend": ("no_lease", "no_more"), "barge": "joined"}


class Transitions(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.redis = self.start_redis()
        self.daemon = self.start_daemon(extra=f"store: unix:{self.redis.socket}\n")
        self.boss = self.daemon.token("supervisor", "bob")
        admin = self.daemon.token("admin", None)
        self.assertEqual(self.daemon.request("PUT", "/v1/queues/second", {}, admin).status, 200)
        self.actions = [path.rpartition("/")[2] for path, methods in
                        self.daemon.request("GET", "/openapi.json").json["paths"].items()
                        if path.startswith("/v1/work-items/{id}/") and "post" in methods
                        and not path.endswith("/rating")]  # says something of it, and changes no state

    def item_in(self, state):
        made = self.daemon.request("POST", "/v1/work-items", {"queue": "support"}, self.boss)
        self.assertEqual(made.status, 201, made)
        item = made.json["id"]
        agent = "bob" if state in ("assigned", "waiting", "wrapping") else ""
        self.redis.ask("HSET", f"{{main}}:w:{item}", "s", state, "a", agent)
        if state != "queued":
            self.redis.ask("ZREM", "{main}:q:support", item)
        return item

    def test_every_action_in_every_state(self):
        known = set(" ".join(ALLOWED.values()).split())
        self.assertEqual(known, set(self.actions), "a new action belongs into the table")
        for state, words in ALLOWED.items():
            for action in sorted(known):
                with self.subTest(state=state, action=action):
                    item = self.item_in(state)
                    answer = self.daemon.request("POST", f"/v1/work-items/{item}/{action}", BODIES.get(action, {}), self.boss)
                    now = self.daemon.request("GET", f"/v1/work-items/{item}", token=self.boss).json
                    if action in words.split():
                        if answer.status != 200:
                            self.assertIn(answer.json["code"], LACKS.get(action, ""), answer)
                        continue
                    self.assertEqual((answer.status, answer.json["code"]), (409, "illegal_state"), answer)
                    self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
                    self.assertEqual((answer.json["state"], answer.json["allowed"]), (state, words.split()))
                    self.assertEqual((now["state"], now["version"]), (state, 1))

    def test_an_item_that_is_not_there(self):
        for item in ("wrk_none", "wrk_" + "0" * 26, "x", "%20", "cnv_1"):
            for action in self.actions:
                with self.subTest(item=item, action=action):
                    answer = self.daemon.request("POST", f"/v1/work-items/{item}/{action}", BODIES.get(action, {}), self.boss)
                    self.assertEqual((answer.status, answer.json["code"]), (404, "no_such_work_item"), answer)


if __name__ == "__main__":
    unittest.main()
