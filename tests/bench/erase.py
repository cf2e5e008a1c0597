"""Erasing one person among many: from the request to a job that says done."""
import json
import http.client
import random
import time

import bed
import history
from bed import load, say


class Ground:
    def __init__(self, ground, customers, messages, processor, load_cpu):
        began = time.monotonic()
        redis = ground.redis("everysec", processor)
        self.daemon = ground.daemon(redis, processor, history="sqlite:var/history.db")
        load(self.daemon.port, load_cpu, "-c", customers, "-f", 0, "-m", messages, "-s", 7200)
        bed.wait_for("the history", lambda: history.figures(self.daemon).get("entries_total", 0) >= messages, 3600)
        self.token = self.daemon.token("alice", "supervisor")
        self.link = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
        size = (self.daemon.folder / "var" / "history.db").stat().st_size
        say(f"  {customers:,} customers, {messages:,} messages, {size / 1e6:.0f} MB of SQLite, {redis.used() / 1e6:.0f} MB of Redis, "
            f"in {time.monotonic() - began:.0f} s")

    def ask(self, method, path):
        self.link.request(method, path, headers={"Authorization": f"Bearer {self.token}"})
        answer = self.link.getresponse()
        body = json.loads(answer.read())
        if answer.status not in (200, 202):
            raise RuntimeError(f"{path}: {answer.status} {body}")
        return body

    def erase(self, customer):
        """Seconds."""
        began = time.monotonic()
        job = self.ask("DELETE", f"/v1/customers/{customer}")["id"]
        bed.wait_for("the job", lambda: self.ask("GET", f"/v1/jobs/{job}")["state"] == "done", 600)
        return time.monotonic() - began

    def times(self, count):
        items = self.ask("GET", "/v1/work-items?limit=200")["data"]
        return [self.erase(one["customer"]["id"]) for one in random.sample(items, count)]
