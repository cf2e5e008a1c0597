"""An empty store is filled from the history: who is one person with whom, and what was known of them."""
import contextlib
import sqlite3
import unittest

import harness
import test_evict
from test_evict import NEVER

EVERYTHING = "DELETE FROM customer_merge; DELETE FROM suggestion"


class Restored(test_evict.Bed):
    def begin(self, *words):
        super().begin(NEVER, *words)
        self.channels += f'  - {{ name: sure, connector: webhook, secret: "{self.secret}", trust_addresses: true }}\n'
        self.keep(NEVER)
        self.sent_by_us = 0

    def who(self, channel, sender, **addresses):
        self.sent_by_us += 1
        answer = self.daemon.post_signed(channel, self.secret, {
            "id": f"r{self.sent_by_us}", "from": {"id": sender, "name": "", **addresses}, "text": "hello"})
        self.assertEqual(answer.status, 200, answer)
        found = self.get(f"/v1/customers?identifier=webhook:{channel}:{sender}")["data"]
        return found[0]["id"]

    def act(self, path, body=None):
        answer = self.post(f"/v1/customers/{path}", body or {})
        self.assertIn(answer.status, (200, 201), answer)
        return answer.json

    def until_written(self):
        def same():
            newest = self.redis.ask("XREVRANGE", "{main}:log", "+", "-", "COUNT", "1").split("\n")[0]
            return self.redis.ask("GET", "{main}:cur:history").endswith("-" + newest)
        harness.wait_for("the history to have all of it", same)

    def lose_the_store(self):
        self.until_written()
        self.daemon.stop()
        self.redis.stop()
        self.redis = self.start_redis("redis-new")
        self.daemon.write_config(self.channels, self.extra())
        self.daemon.business = harness.BUSINESS
        self.daemon.tokens.clear()
        self.daemon.start()
        self.alice, self.boss = self.daemon.token(), self.daemon.token("admin", None)

    def restore(self):
        said = self.daemon.ctl("history", "restore")
        harness.wait_for("the end", lambda: self.get("/v1/history")["restore"]["doing"] == "done")
        return said

    def seen(self, customers):
        state = []
        for customer in customers:
            view = self.get(f"/v1/customers/{customer}")
            view["identifiers"].sort(key=lambda one: (one["kind"], one["value"]))
            state.append([view[key] for key in ("id", "version", "identifiers", "notes", "merged", "suggestions")])
            state.append(self.get(f"/v1/customers/{customer}/merges"))
        return state

    def test_who_wants_no_messages_gets_none(self):
        self.begin()
        ann, bob = self.who("shop", "ann"), self.who("shop", "bob")
        talks = [self.get(f"/v1/customers/{one}")["conversations"][0]["id"] for one in (ann, bob)]
        out = self.daemon.request("PUT", f"/v1/conversations/{talks[0]}/opt-out",
                                  {"state": "withdrawn", "reason": "by phone"}, self.boss)
        self.assertEqual(out.status, 200, out)
        self.lose_the_store()
        self.restore()
        answers = [self.daemon.reply(talk, "hello?", self.boss) for talk in talks]
        self.assertEqual([one.status for one in answers], [409, 201], answers)
        self.assertEqual(answers[0].json["code"], "opted_out")
        self.assertEqual([one["state"] for one in self.get(f"/v1/customers/{ann}")["consent"]], ["withdrawn"])

    def test_merges_suggestions_and_notes_come_back(self):
        self.begin()
        one, two, three, four = (self.who("shop", name) for name in ("ann", "bob", "cid", "dan"))
        self.act(f"{two}/merge", {"from": three})
        self.until_written()  # what follows changes where three leads to
        merge = self.act(f"{one}/merge", {"from": two, "reason": "one voice"})["merge"]
        undone = self.act(f"{one}/merge", {"from": four})["merge"]
        self.act(f"merges/{undone}/revert")
        hidden, known = self.who("sure", "bsuid"), self.who("sure", "caller", phone="+8613800138000")
        self.who("sure", "bsuid", phone="+8613800138000")
        self.act(f"{one}/notes", {"text": "likes tea"})
        gone = self.act(f"{one}/notes", {"text": "wrong"})["id"]
        answer = self.daemon.request("DELETE", f"/v1/customers/{one}/notes/{gone}", token=self.alice)
        self.assertEqual(answer.status, 204, answer)
        people = (one, two, three, four, hidden, known)
        before = self.seen(people)
        self.assertEqual([before[i][0] for i in (0, 2, 4, 6)], [one, one, one, four])
        self.assertEqual([row["state"] for row in before[8][5]], ["open"])
        self.assertEqual([row["state"] for row in before[6][5]], ["dismissed"])
        self.lose_the_store()
        said = self.restore()
        self.assertIn("tokens (convergectl token create)", said)
        self.assertEqual(self.seen(people), before)
        done = self.get("/v1/history")["restore"]
        self.assertEqual([done[key] for key in ("customers", "notes", "suggestions", "merges")], [6, 1, 4, 3])
        # Again changes nothing, and what came back can be acted upon.
        self.restore()
        self.assertEqual(self.seen(people), before)
        self.until_written()
        self.act(f"merges/{merge}/revert")
        self.assertEqual([self.get(f"/v1/customers/{name}")["id"] for name in people[:3]], [one, two, two])
        self.act(f"{known}/suggestions/{hidden}/accept")
        self.assertEqual(self.get(f"/v1/customers/{hidden}")["id"], known)
        # The old redirects of a merge that was undone have gone from the history as well.
        again = self.seen(people)
        self.lose_the_store()
        self.restore()
        self.assertEqual(self.seen(people), again)

    def test_rebuilding_finds_them_too(self):
        self.begin()
        one, two = self.who("shop", "ann"), self.who("shop", "bob")
        self.act(f"{one}/merge", {"from": two})
        self.who("sure", "bsuid"), self.who("sure", "caller", phone="+8613800138000")
        self.who("sure", "bsuid", phone="+8613800138000")
        harness.wait_for("the history", lambda: self.rows() == (1, 2))
        self.forget()
        self.assertEqual(self.rows(), (0, 0))
        self.daemon.ctl("history", "rebuild")
        harness.wait_for("the history", lambda: self.rows() == (1, 2))

    def rows(self):
        rows = self.get("/v1/history")["rows"]
        return rows["merge"], rows["suggestion"]

    def forget(self):
        with contextlib.closing(sqlite3.connect(self.daemon.state_dir / "history.db", timeout=60)) as base, base:
            base.executescript(EVERYTHING)


class RestoredFromPostgresql(Restored):
    database = "postgresql"

    def forget(self):
        self.postgres.rows(EVERYTHING)


if __name__ == "__main__":
    unittest.main()
