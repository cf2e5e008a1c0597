"""One customer among few and among many: found by an identifier, the whole 360 view, the newest of the timeline."""
import contextlib
import http.client
import random
import sqlite3
import statistics
import time
import urllib.parse

import bed
import history
from bed import load, say

EARLIER_MS = 86_400_000  # what is loaded in bulk was said a day before

MESSAGES = f"""
INSERT INTO message (workspace, conversation, position, id, direction, kind, author_type, author_id, created_ms, json)
SELECT m.workspace, m.conversation, m.position - {EARLIER_MS} * 4096 + n.value, printf('msg_%026d', m.number * 100 + n.value),
  m.direction, m.kind, m.author_type, m.author_id, m.created_ms - {EARLIER_MS} + n.value,
  replace(m.json, m.id, printf('msg_%026d', m.number * 100 + n.value))
FROM message m JOIN json_each(?) n WHERE m.number <= ?"""
EPISODES = f"""
INSERT INTO episode (workspace, conversation, created_ms, base)
SELECT workspace, conversation, created_ms - {EARLIER_MS}, base - {EARLIER_MS} * 4096 FROM episode"""


def add_past(path, each):
    """`each` more messages for every one that is there, of an earlier day; without words, which no view reads."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for words in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
            db.execute(f"PRAGMA {words}").fetchall()
        last = db.execute("SELECT max(number) FROM message").fetchone()[0]
        db.execute("BEGIN")
        db.execute(MESSAGES, (str(list(range(each))), last))
        db.execute(EPISODES)
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        return db.execute("SELECT count(*) FROM message").fetchone()[0]


class Side:
    """A daemon with so many customers; each has one open conversation with one message in the store and `each` in the history."""

    def __init__(self, ground, name, customers, each, processor, load_cpu):
        began = time.monotonic()
        self.redis = ground.redis("everysec", processor, f"redis-{name}")
        self.daemon = ground.daemon(self.redis, processor, f"daemon-{name}", history="sqlite:var/history.db")
        load(self.daemon.port, load_cpu, "-c", customers, "-f", 0, "-m", customers, "-s", 7200)
        bed.wait_for("the history", lambda: history.figures(self.daemon).get("entries_total", 0) >= customers, 3600)
        self.daemon.process.stop()
        path = self.daemon.folder / "var" / "history.db"
        self.messages = add_past(path, each)
        with contextlib.closing(sqlite3.connect(path)) as db:
            # Of the whole range of customers, drawn by their numbers.
            numbers = [random.randrange(customers) + 1 for _ in range(4000)]
            self.known = [row for number in numbers for row in db.execute(
                "SELECT u.id, i.kind || ':' || i.scope || ':' || i.value FROM customer u JOIN identifier i ON i.workspace = u.workspace AND i.customer = u.id"
                " WHERE u.number = ? LIMIT 1", (number,))]
        self.daemon.restart()
        self.token = self.daemon.token()
        self.link = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
        say(f"  {name}: {customers:,} customers, {self.messages:,} messages, {path.stat().st_size / 1e9:.1f} GB of SQLite, "
            f"{self.redis.used() / 1e9:.1f} GB of Redis, in {time.monotonic() - began:.0f} s")

    def get(self, path):
        began = time.perf_counter()
        self.link.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = self.link.getresponse()
        body = answer.read()
        if answer.status != 200 or b"cus_" not in body:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return (time.perf_counter() - began) * 1e6

    def times(self, what, count):
        found = []
        for customer, name in random.sample(self.known, min(count, len(self.known))):
            found.append(self.get({"find": f"/v1/customers?identifier={urllib.parse.quote(name)}", "view": f"/v1/customers/{customer}",
                                   "timeline": f"/v1/customers/{customer}/timeline?limit=20"}[what]))
        return found


def p99(values):
    return statistics.quantiles(values, n=100)[98]


def compare(few, many, rounds):
    """name: (p50 few, p50 many, p99 few, p99 many) in us: medians of alternated rounds of 1,000 questions, one at a time."""
    result = {}
    for what in ("find", "view", "timeline"):
        seen = {few: [], many: []}
        for side in (few, many):
            side.times(what, 500)
        for _ in range(rounds):
            for side in (few, many):
                seen[side].append(side.times(what, 1000))
        result[what] = [statistics.median([measure(one) for one in seen[side]])
                        for measure in (statistics.median, p99) for side in (few, many)]
        say(f"  {what}: p50 {result[what][0]:.0f} -> {result[what][1]:.0f} us, p99 {result[what][2]:.0f} -> {result[what][3]:.0f} us")
    return result
