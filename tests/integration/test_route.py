"""convergectl route: a synthetic day, and stored work under other rules."""
import json
import subprocess

import harness

CONF = harness.ROOT / "conf"


class Route(harness.TestCase):
    def simulate(self, *more):
        done = subprocess.run([harness.BUILD / "convergectl", "route", "simulate", CONF / "simulate-day.yaml", "--business",
                               CONF / "simulate-business.yaml", "-o", "json", *more], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_everybody_who_comes_in_is_accounted_for(self):
        queues = self.simulate()["now"]["queues"]
        self.assertEqual([queue["queue"] for queue in queues], ["support", "refunds", "backup"])
        arrived = sum(queue["arrived"] for queue in queues)
        self.assertGreater(arrived, 500)
        self.assertEqual(arrived, sum(queue["taken"] + queue["gave_up"] + queue["left"] for queue in queues))
        self.assertGreater(next(queue for queue in queues if queue["queue"] == "backup")["taken"], 0)
        self.assertEqual(self.simulate(), self.simulate(), "the same seed is the same day")
        self.assertNotEqual(self.simulate(), self.simulate("--seed", "2"))

    def test_other_rules_give_another_day(self):
        rules = self.folder / "rules.yaml"
        rules.write_text("rules:\n  - { name: all, then: { queue: backup } }\n")
        both = self.simulate("--rules", str(rules))
        self.assertEqual([queue["arrived"] for queue in both["then"]["queues"]][:2], [0, 0])
        self.assertEqual(both["now"], self.simulate()["now"])

    def test_a_day_with_mistakes_is_refused_with_their_places(self):
        day = self.folder / "day.yaml"
        day.write_text("arrivals:\n  - { per_hour: many }\nshifts:\n  - { agents: [a], from: 9, to: \"17:00\" }\n")
        done = subprocess.run([harness.BUILD / "convergectl", "route", "simulate", day, "--business",
                               CONF / "simulate-business.yaml"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 78, done)
        self.assertIn("day.yaml:2:17: error: a number of customers", done.stderr)
        self.assertIn("day.yaml:4:26: error: a time of day", done.stderr)

    def test_stored_work_runs_under_other_rules(self):
        secret = harness.new_secret()
        daemon = self.start_daemon(f'  - {{ name: shop, connector: webhook, secret: "{secret}" }}\n')
        for number, text in enumerate(("我要退款", "hello", "refund please")):
            daemon.post_signed("shop", secret, {"id": f"m{number}", "from": {"id": f"u{number}"}, "text": text})
        # What is closed is replayed too.
        first = daemon.claim(daemon.token())
        answer = daemon.request("POST", f"/v1/work-items/{first['id']}/close", {}, daemon.token("supervisor", "bob"))
        self.assertEqual(answer.status, 200, answer)
        business = self.folder / "business.yaml"
        business.write_text(harness.BUSINESS)
        rules = self.folder / "rules.yaml"
        rules.write_text('queues: [ { id: support }, { id: money } ]\nrules:\n'
                         '  - { name: money, when: { text: "退款|refund" }, then: { queue: money } }\n'
                         '  - { name: rest, then: { queue: support } }\n')
        done = daemon.ctl_result("route", "replay", "--rules", rules, "--business", business)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("3 work items, 2 would go to another queue", done.stderr)
        self.assertEqual(done.stdout.count("support -> money"), 2)
        here = daemon.ctl_result("route", "replay", "--rules", rules, "--since", "1h")
        self.assertEqual((here.returncode, here.stdout), (0, done.stdout), "the daemon has the same configuration")
