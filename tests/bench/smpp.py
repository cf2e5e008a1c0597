"""SMPP's way in beside the signed webhook's in the same run, and in to answer beside Kannel's."""
import json
import os
import subprocess

import bed
from bed import load, median, say

WINDOW = 64  # as many as the load has connections


class Centre:
    """smsc.c under way."""

    def __init__(self, port, customers, processor, window=WINDOW):
        self.port = port
        self.popen = subprocess.Popen([str(bed.TOOLS / "smsc"), str(port), str(window), str(customers)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {processor}))

    def run(self, seconds, pids, how=""):
        before = [bed.task_seconds(pid) for pid in pids]
        self.popen.stdin.write(f"{how}{seconds}\n")
        self.popen.stdin.flush()
        result = json.loads(self.popen.stdout.readline())
        if result["bad"] or result["lost"] or not result["done"]:
            raise RuntimeError(f"smsc: {result}")
        result["rate"] = result["done"] / result["seconds"]
        result["cpu"] = [(bed.task_seconds(pid) - was) / result["done"] * 1e6 for pid, was in zip(pids, before)]
        return result

    def stop(self):
        self.popen.stdin.close()
        self.popen.wait(10)


def yaml(port):
    row = {"name": "sms", "connector": "smpp", "host": "127.0.0.1", "port": port, "system_id": "bench", "password": "secret",
           "source_addr": "10690000", "reconnect": "100ms", "window_size": 100}
    return f"  - {json.dumps(row)}\n"


def admitted(ground, plan, processors):
    """Alternated rounds of both on one daemon: (webhook's, SMPP's)."""
    sut, generator = processors
    redis = ground.redis("everysec", sut)
    port = bed.free_port()
    centre = Centre(port, plan.customers, generator)
    try:
        daemon = ground.daemon(redis, sut, channels=yaml(port))
        pids = [daemon.pid, redis.pid]
        walk = ["-c", plan.customers, "-f", 0, "-m", plan.customers, "-s", 600]
        load(daemon.port, generator, *walk)
        centre.run(plan.customers * 3 / 10000, pids)  # the people become known
        webhook, smpp = [], []
        for number in range(plan.rounds):
            webhook.append(load(daemon.port, generator, "-c", plan.customers, "-s", plan.seconds, pids=pids))
            smpp.append(centre.run(plan.seconds, pids))
            say(f"  round {number + 1}: webhook {webhook[-1]['rate']:,.0f}/s, SMPP {smpp[-1]['rate']:,.0f}/s, "
                f"CPU a message {sum(webhook[-1]['cpu']):.1f} and {sum(smpp[-1]['cpu']):.1f} us")
        return webhook, smpp
    finally:
        centre.stop()
