"""The history moved into another database and back: every row, found again by people and by search."""
import contextlib
import signal
import sqlite3
import subprocess
import unittest

import harness
import historybed
import test_evict


class Moves(test_evict.Bed):
    def begin(self, *words):
        super().begin(*words)
        self.postgres = historybed.Postgres()
        self.addCleanup(self.postgres.stop)
        self.postgres.start()
        self.word = self.folder / "moved-password"
        self.word.write_text(self.postgres.password + "\n")
        self.word.chmod(0o600)
        self.file = self.daemon.state_dir / "history.db"

    def fill(self, people):
        """Some of it has left the store, some has not; two are one person, and there is a note."""
        ended = [self.talk(f"p{number}", f"第 {number} 个问题 refund", "再问一次") for number in range(people)]
        self.left(*[item["conversation"] for item in ended], *[item["id"] for item in ended])
        one, other = (item["customer"]["id"] for item in ended[:2])
        self.assertEqual(self.post(f"/v1/customers/{one}/merge", {"from": other}).status, 200)
        self.assertEqual(self.post(f"/v1/customers/{one}/notes", {"text": "likes tea"}).status, 201)
        undone = self.post(f"/v1/customers/{one}/merge", {"from": ended[2]["customer"]["id"]}).json["merge"]
        self.assertEqual(self.post(f"/v1/customers/merges/{undone}/revert", {}).status, 200)
        self.tell_event(one)
        self.say("hot", "still open")
        return [item["conversation"] for item in ended]

    def tell_event(self, customer):
        answer = self.daemon.request("POST", "/v1/customers/events", {"id": "e1", "type": "x", "customer": customer}, token=self.boss)
        self.assertEqual(answer.json["results"][0]["result"], "stored")

    def until_written(self):
        def same():
            newest = self.redis.ask("XREVRANGE", "{main}:log", "+", "-", "COUNT", "1").split("\n")[0]
            return self.redis.ask("GET", "{main}:cur:history").endswith("-" + newest)
        harness.wait_for("the history to have all of it", same)

    def move(self, to, *words, code=0):
        done = self.daemon.ctl_result("history", "move", "--to", to, "--password-file", str(self.word), *words)
        self.assertEqual(done.returncode, code, done)
        return done.stdout + done.stderr

    def begun(self, to):
        """The command itself, to be killed."""
        return subprocess.Popen([str(harness.BUILD / "convergectl"), "-c", str(self.daemon.config), "history", "move", "--to", to,
                                 "--password-file", str(self.word)], stdout=subprocess.PIPE, text=True)

    def start_at(self, place):
        self.place = place
        self.daemon.write_config(self.channels, self.extra())
        self.daemon.start(apply=False)

    def at_postgres(self):
        return f"{{ url: '{self.postgres.url}', password_file: {self.word}, {test_evict.KEEP} }}"

    def sqlite(self, path, statement):
        return historybed.sqlite_rows(path, statement)

    def tables(self):
        """Whatever SQLite has but the words and the facts."""
        names = [row[0] for row in self.sqlite(self.file, "SELECT name FROM sqlite_master WHERE type = 'table'")]
        return sorted(name for name in names if not name.startswith(("search", "sqlite_")) and name != "history")

    def seen(self, names):
        """What people see of it."""
        found = [self.get(f"/v1/search?q={word}&limit=100")["data"] for word in ("refund", "%E7%AC%AC", "tea")]
        self.assertTrue(found[0] and found[1] and found[2])
        customers = sorted({self.get(f"/v1/conversations/{name}")["customer"]["id"] for name in names})
        return ([self.daemon.messages(name, self.boss) for name in names], found,
                [self.get(f"/v1/customers/{name}/timeline")["data"] for name in customers],
                self.get("/v1/work-items?state=closed&limit=200"))

    def test_to_postgresql_and_back(self):
        self.begin()
        names = self.fill(5)
        self.until_written()
        before = self.seen(names)
        self.assertIn("the daemon runs", self.move(self.postgres.url, code=75))
        self.daemon.stop()
        self.assertIn("nothing done", self.move(self.postgres.url, "--dry-run"))
        rows = {name: sorted(self.sqlite(self.file, f"SELECT * FROM {name}")) for name in self.tables()}
        said = self.move(self.postgres.url)
        self.assertTrue(all(rows.values()), {name: len(found) for name, found in rows.items()})
        for name, found in rows.items():
            self.assertIn(f"compared  {name:16} {len(found)} rows", said)
            self.assertEqual(sorted(self.postgres.rows(f"SELECT * FROM {name}")), found, name)
        # The old one is refused, the new one is the same history, and goes on.
        with self.assertRaisesRegex(AssertionError, "another history"):
            self.daemon.start(apply=False)
        self.start_at(self.at_postgres())
        self.assertEqual(self.seen(names), before)
        more = self.talk("p9", "后来的 refund")
        self.left(more["conversation"], more["id"])
        names.append(more["conversation"])
        self.until_written()
        before = self.seen(names)
        self.daemon.stop()
        self.file = self.daemon.state_dir / "again.db"
        self.move(f"sqlite:{self.file}")
        for name in self.tables():
            self.assertEqual(sorted(self.sqlite(self.file, f"SELECT * FROM {name}")),
                             sorted(self.postgres.rows(f"SELECT * FROM {name}")), name)
        self.start_at(f"{{ url: 'sqlite:{self.file}', {test_evict.KEEP} }}")
        self.assertEqual(self.seen(names), before)
        last = self.talk("p1", "还有一次 refund")
        self.left(last["conversation"], last["id"])

    def test_a_move_that_is_killed_goes_on(self):
        self.begin()
        names = self.fill(4)
        self.until_written()
        before = self.seen(names)
        self.daemon.stop()
        for word in ("cursor", "conversation", "message", "customer_event"):
            # It cannot come to its end before it is killed: there it takes this fact away.
            hold = self.postgres.locked("SELECT name FROM history WHERE name = 'move_from' FOR UPDATE")
            with contextlib.nullcontext() if word == "cursor" else hold:
                process = self.begun(self.postgres.url)
                for line in process.stdout:
                    if line.split()[:2] == ["copied", word]:
                        break
                process.send_signal(signal.SIGKILL)
                process.wait()
                process.stdout.close()
            # Half of a history is none.
            self.assertEqual(self.postgres.rows("SELECT count(*) FROM history WHERE name = 'move_from'"), [("1",)])
        with self.assertRaisesRegex(AssertionError, "another history"):
            self.start_at(self.at_postgres())
        self.place = f"{{ {test_evict.KEEP} }}"
        self.daemon.write_config(self.channels, self.extra())
        self.move(self.postgres.url)
        self.start_at(self.at_postgres())
        self.assertEqual(self.seen(names), before)

    def test_what_is_not_the_same_is_no_history(self):
        self.begin()
        self.fill(3)
        self.until_written()
        self.daemon.stop()
        process = self.begun(self.postgres.url)
        for line in process.stdout:
            if line.split()[:2] == ["copied", "work_item"]:
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with contextlib.closing(sqlite3.connect(self.file, timeout=60)) as base, base:
            base.execute("UPDATE customer SET name = 'changed meanwhile' WHERE number = 1")
        self.assertIn("customer is not the same", self.move(self.postgres.url, code=65))
        with self.assertRaisesRegex(AssertionError, "another history"):
            self.start_at(self.at_postgres())
        self.place = f"{{ {test_evict.KEEP} }}"
        self.daemon.write_config(self.channels, self.extra())
        self.move(self.postgres.url, "--anew")
        self.start_at(self.at_postgres())
        self.daemon.stop()
        # A target that is a history of its own is left alone.
        other = self.daemon.state_dir / "other.db"
        self.move(f"sqlite:{other}")
        with contextlib.closing(sqlite3.connect(other, timeout=60)) as base, base:
            base.execute("UPDATE history SET value = 'hst-0000000000000000' WHERE name = 'id'")
        self.postgres.rows("UPDATE history SET value = 'hst-1111111111111111' WHERE name = 'id'")
        self.assertIn("a history of its own", self.move(f"sqlite:{other}", code=65))


if __name__ == "__main__":
    unittest.main()
