"""Administrative acts are kept: who, when, from where, what it was and what it became, without secrets."""
import json
import unittest

import harness
from test_evict import NEVER, Bed


class AuditTest(Bed):
    def entries(self, query=""):
        found, after = [], ""
        while after is not None:
            page = self.get("/v1/audit?limit=2" + query + (f"&after={after}" if after else ""))
            found, after = found + page["data"], page["next_cursor"]
        return found

    def ended(self, kind, count=1):
        """Those of a type, once so many have ended."""
        harness.wait_for(kind, lambda: sum(one["status"] is not None for one in self.entries(f"&type={kind}")) >= count)
        return self.entries(f"&type={kind}")

    def ask(self, method, path, body=None, token=None, status=(200, 201, 202, 204)):
        answer = self.daemon.request(method, path, body, token or self.boss)
        self.assertIn(answer.status, status, answer)
        return answer.json

    def test_every_act_is_kept_with_what_it_was_and_became(self):
        self.begin(NEVER)
        lead = self.daemon.token("supervisor", "bob")
        secret = harness.new_secret()
        hook = {"url": "http://127.0.0.1:9/", "secret": secret}
        self.ask("PUT", "/v1/queues/vip", {"name": "VIP"})
        self.ask("PUT", "/v1/queues/vip", {"name": "Very important"})
        self.ask("PUT", "/v1/order-hooks/shop", hook)
        self.ask("DELETE", "/v1/queues/vip")
        made = self.ask("POST", "/v1/tokens", {"role": "integration", "name": "crm"})
        self.ask("DELETE", f"/v1/tokens/{made['id']}")
        self.ask("PUT", "/v1/agents/alice/presence", {"status": "away"}, lead)
        for name in ("ann", "bea"):
            self.say(name, "hello")
        ann, bea = (self.take()["customer"]["id"] for _ in range(2))
        self.ask("POST", f"/v1/customers/{ann}/merge?preview=true", {"from": bea}, self.alice)
        merge = self.ask("POST", f"/v1/customers/{ann}/merge", {"from": bea, "reason": "she said so"}, self.alice)["merge"]
        self.ask("POST", f"/v1/customers/merges/{merge}/revert", {}, self.alice)
        self.ask("PUT", f"/v1/customers/{ann}/hold", {"reason": "case 7"}, lead)
        self.ask("DELETE", f"/v1/customers/{ann}", token=lead, status=(409,))
        self.ask("DELETE", f"/v1/customers/{ann}/hold")
        self.ask("POST", f"/v1/customers/{ann}/export", {}, lead)
        job = self.ask("DELETE", f"/v1/customers/{ann}", token=lead)["id"]
        self.ask("GET", "/v1/export/customers")

        puts = self.ended("queues.put", 2)
        self.assertEqual([(one["before"] and one["before"]["name"], one["after"]["name"]) for one in puts],
                         [("VIP", "Very important"), (None, "VIP")])
        self.assertEqual(self.ended("queues.delete")[0]["before"]["name"], "Very important")
        self.assertIn("set:", json.dumps(self.ended("order-hooks.put")[0]["after"]))
        token = self.ended("tokens.delete")[0]
        self.assertEqual(token["target"], made["id"])
        made_entry = [one for one in self.ended("tokens") if one["result"] == made["id"]][0]
        self.assertEqual(made_entry["detail"]["role"], "integration")
        self.assertIsNone(made_entry["after"])
        presence = self.ended("agents.presence")[0]
        self.assertEqual((presence["actor"]["id"], presence["target"], presence["detail"]["status"]), ("bob", "alice", "away"))
        merged = self.ended("customers.merge")[0]
        self.assertEqual((merged["target"], merged["detail"]["from"], merged["result"]), (ann, bea, merge))
        self.assertEqual(merged["actor"], {"id": "alice", "name": merged["actor"]["name"], "role": "agent"})
        self.assertEqual(len(self.entries("&type=customers.merge")), 1)  # the preview is no act
        self.assertEqual(self.ended("customers.merges.revert")[0]["target"], merge)
        self.assertEqual(self.ended("customers.hold.put")[0]["address"], "127.0.0.1")
        erased = self.ended("customers.delete", 2)
        self.assertEqual([(one["status"], one["result"]) for one in erased], [(202, job), (409, None)])
        self.assertEqual(self.ended("customers.export")[0]["status"], 200)
        self.assertEqual(len(self.ended("export.customers")), 1)
        self.assertTrue(all(one["request"].startswith("req_") for one in self.entries()))

        everything = json.dumps(self.entries())
        for word in (secret, made["token"], "she said so", "case 7"):
            self.assertNotIn(word, everything)
        mine = self.entries("&actor=bob")
        self.assertEqual({one["actor"]["id"] for one in mine}, {"bob"})
        first = self.entries("&order=asc")
        self.assertEqual(first, self.entries()[::-1])
        self.assertEqual(self.entries(f"&from={erased[0]['at']}")[-1]["at"], erased[0]["at"])
        self.assertNotIn(erased[0]["id"], [one["id"] for one in self.entries("&to=2020-01-01T00:00:00Z")])

        self.daemon.restart(apply=False)
        self.assertEqual(self.entries("&order=asc")[:len(first)], first)
        folder = self.folder / "out"
        self.daemon.ctl("export", str(folder))
        kept = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
        self.assertEqual(kept[:len(first)], first)

    def test_applying_a_file_names_what_it_changed_and_only_admins_read(self):
        self.begin(NEVER)
        self.daemon.request("POST", "/v1/configuration", {"put": [{"kind": "skills", "object": {"id": "zh", "name": "Chinese"}}]},
                            self.boss)
        secret = harness.new_secret()
        self.ask("PUT", "/v1/skills/en", {"name": "English"})
        self.ask("POST", "/v1/configuration", {
            "put": [{"kind": "skills", "object": {"id": "zh", "name": "Mandarin"}},
                    {"kind": "order_hooks", "object": {"id": "shop", "url": "http://127.0.0.1:9/", "secret": secret}}],
            "delete": [{"kind": "skills", "id": "en"}]})
        newest = self.ended("configuration", 2)[0]["detail"]
        named = {(one["kind"], one["id"]): (one["before"] and one["before"].get("name"), one["after"] and one["after"].get("name"))
                 for one in newest["changes"]}
        self.assertEqual(named[("skills", "zh")], ("Chinese", "Mandarin"))
        self.assertEqual(named[("skills", "en")], ("English", None))
        self.assertEqual(newest["objects"], 3)
        self.assertIn("set:", json.dumps(newest))
        self.assertNotIn(secret, json.dumps(self.entries()))
        self.assertEqual(self.daemon.request("GET", "/v1/audit", token=self.daemon.token("supervisor", "bob")).status, 403)
        self.assertEqual(self.daemon.request("GET", "/v1/audit?from=yesterday", token=self.boss).status, 400)

    def test_nothing_is_done_that_cannot_be_kept(self):
        self.begin(NEVER)
        self.redis.kill()
        self.assertEqual(self.daemon.request("PUT", "/v1/queues/vip", {"name": "VIP"}, self.boss).status, 503)


if __name__ == "__main__":
    unittest.main()
