"""What is over so long that a rule takes it is in no file any more; what a rule keeps, or a legal hold, stays."""
import pathlib
import secrets
import unittest
import urllib.parse

import harness
from test_evict import KEEP, NEVER, Bed


def canary():
    return "canary" + secrets.token_hex(10)


class Retaining:
    """Run on each database."""

    def rule(self, name, **fields):
        answer = self.daemon.request("PUT", f"/v1/retention/{name}", fields, self.boss)
        self.assertEqual(answer.status, 200, answer)

    def due(self):
        return {row["id"]: row["conversations"] for row in self.get("/v1/retention/preview")["data"]}

    def run_job(self):
        job = self.post("/v1/retention/run", {}, self.boss)
        self.assertEqual(job.status, 202, job)
        harness.wait_for("the job", lambda: self.get(f"/v1/jobs/{job.json['id']}")["state"] == "done", 60)
        return self.get(f"/v1/jobs/{job.json['id']}")

    def found(self, words):
        """Those that a file of the store, of the blobs or of the history holds."""
        places = [pathlib.Path(self.daemon.state_dir), self.redis.folder]
        if self.database == "postgresql":
            self.postgres.rows("CHECKPOINT")
            places.append(self.postgres.folder / "data" / "base")
        bytes_of = [path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()]
        return {word for word in words if any(word.encode() in one for one in bytes_of)}

    def with_file(self, sender, text, file):
        """A case with an attachment, closed."""
        blob = self.daemon.request("POST", "/v1/attachments?name=a.bin", file.encode(), self.alice).json["blob"]
        self.say(sender, text)
        item = self.take()
        answer = self.daemon.reply(item["conversation"], f"{text} answered", self.alice,
                                   attachments=[{"blob": blob, "name": "a.bin"}])
        self.assertEqual(answer.status, 201, answer)
        self.sent(item["conversation"])
        self.close(item)
        return item["conversation"]

    def counted(self, what):
        text = self.daemon.request("GET", "/metrics", token=self.boss).body.decode()
        return next(int(line.split()[-1]) for line in text.splitlines()
                    if line.startswith("converged_retention_done_total{") and f'what="{what}"' in line)

    def test_each_thing_goes_at_its_time_and_is_in_no_file(self):
        self.begin(KEEP)
        words = {name: (canary(), canary()) for name in ("ann", "bob")}
        talks = {name: self.with_file(name, *words[name]) for name in words}
        self.left(*talks.values())
        self.assertEqual(self.found(sum(words.values(), ())), set(sum(words.values(), ())))

        self.rule("files", what="attachments", keep="1ms")
        self.assertEqual(self.due(), {"files": 2})
        self.assertEqual(self.run_job()["conversations"], 2)
        texts, files = {pair[0] for pair in words.values()}, {pair[1] for pair in words.values()}
        self.assertEqual(self.found(texts | files), texts)
        shown = self.daemon.messages(talks["ann"], self.boss)
        self.assertEqual([m["attachments"][0]["state"] for m in shown if m["attachments"]], ["failed"])
        self.assertEqual(self.due(), {"files": 0})

        self.rule("texts", what="messages", keep="1ms")
        self.run_job()
        self.assertEqual(self.found(texts | files), set())
        shown = self.daemon.messages(talks["ann"], self.boss)
        self.assertEqual([m["text"] for m in shown], ["", ""])
        self.assertTrue(all(m["removed"] for m in shown))
        self.assertEqual(self.get(f"/v1/search?q={words['ann'][0]}")["data"], [])

        self.rule("all", what="conversation", keep="1ms")
        self.run_job()
        self.assertEqual(self.daemon.request("GET", f"/v1/conversations/{talks['ann']}", token=self.boss).status, 404)
        self.assertEqual([self.counted(what) for what in ("attachments", "messages", "conversation")], [2, 2, 2])
        self.assertEqual(self.due(), {"files": 0, "texts": 0, "all": 0})

    def test_what_is_kept_stays(self):
        self.begin(NEVER)
        words = {name: canary() for name in ("held", "complaint", "young", "mail", "hot")}
        talks = {name: self.with_file(name, word, canary()) for name, word in words.items() if name != "complaint"}
        self.say("complaint", words["complaint"])
        item = self.take()
        self.redis.ask("HSET", f"{{main}}:w:{item['id']}", "ty", "complaint")
        self.close(item)
        held = self.get("/v1/customers?identifier=" + urllib.parse.quote("webhook:shop:held"))["data"][0]["id"]
        self.assertEqual(self.daemon.request("PUT", f"/v1/customers/{held}/hold", {"reason": "case 7"}, self.boss).status, 200)
        self.rule("first", type="complaint", keep="3650d", order=1)
        self.rule("posts", channel="post", keep="1ms", order=2)
        self.rule("general", keep="1ms", order=3)
        self.say("open", "still at work")
        harness.wait_for("the history", lambda: self.due()["general"] == 4)
        self.assertEqual(self.due(), {"first": 0, "posts": 0, "general": 4})
        self.assertEqual(self.run_job()["conversations"], 3)
        self.assertEqual(self.found(words.values()), {words["held"], words["complaint"]})
        self.assertEqual(self.due()["general"], 1)
        self.assertFalse(self.is_hot(talks["hot"]))
        self.assertEqual(self.daemon.request("GET", f"/v1/conversations/{item['conversation']}", token=self.boss).status, 200)
        self.assertIn("converged_retention_held_total{workspace=\"main\"} 1",
                      self.daemon.request("GET", "/metrics", token=self.boss).body.decode())

    def test_a_death_in_the_middle_ends_in_the_same(self):
        self.begin(KEEP)
        words = [canary() for _ in range(6)]
        talks = [self.with_file(f"c{n}", word, canary()) for n, word in enumerate(words)]
        self.left(*talks)
        self.rule("all", keep="1ms")
        job = self.post("/v1/retention/run", {}, self.boss).json["id"]
        for _ in range(4):
            self.daemon.kill()
            self.daemon.start(apply=False)
        harness.wait_for("the job", lambda: self.get(f"/v1/jobs/{job}")["state"] == "done", 60)
        self.assertEqual(self.found(words), set())


class OnSqlite(Retaining, Bed):
    def test_who_may(self):
        self.begin(NEVER)
        self.assertEqual(self.daemon.request("GET", "/v1/retention/preview", token=self.alice).status, 403)
        self.assertEqual(self.post("/v1/retention/run", {}).status, 403)
        self.assertEqual(self.daemon.request("PUT", "/v1/retention/run", {"keep": "1d"}, self.boss).status, 400)
        self.assertEqual(self.daemon.request("PUT", "/v1/retention/x", {"what": "all", "keep": "1d"}, self.boss).status, 400)


class OnPostgresql(Retaining, Bed):
    database = "postgresql"


if __name__ == "__main__":
    unittest.main()
