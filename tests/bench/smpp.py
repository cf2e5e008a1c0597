"""SMPP's way in beside the signed webhook's in the same run, and in to answer beside Kannel's."""
import contextlib
import json
import os
import socket
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


KANNEL = """\
group = core
admin-port = {admin}
admin-password = x
smsbox-port = {boxes}
log-level = 4
log-file = "{folder}/bearerbox.log"

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {centre}
smsc-username = bench
smsc-password = secret
system-type = ""
transceiver-mode = true
max-pending-submits = 100

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-level = 4
log-file = "{folder}/smsbox.log"

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{service}/?text=%a"
max-messages = 1
"""


def program(ground, name, processor, *words):
    """peer/answer.mjs: the bot of ours, or the service that Kannel asks."""
    one = ground.start(name, ["node", bed.HERE / "peer" / "answer.mjs", *words], processor)
    bed.wait_for(name, lambda: one.check() or "ready" in one.log.read_text())
    return one


def kannel(ground, processors):
    """bearerbox and smsbox bound to a centre of their own: the centre, and their pids."""
    sut, generator, other = processors
    ports = {name: bed.free_port() for name in ("admin", "boxes", "centre", "sendsms", "service")}
    centre = Centre(ports["centre"], 20_000, generator)
    path = ground.folder / "kannel.conf"
    path.write_text(KANNEL.format(folder=ground.folder, **ports))
    program(ground, "service", other, ports["service"])
    boxes = []
    for name in ("bearerbox", "smsbox"):
        boxes.append(ground.start(name, [f"/usr/sbin/{name}", "-v", "4", path], sut))
        bed.wait_for(name, lambda: boxes[-1].check() or is_open(ports["boxes"]))
    return centre, [one.pid for one in boxes]


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def answered(ground, plan, processors):
    """A message in, a program outside told, its answer out: alternated rounds of ours and of Kannel's."""
    sut, generator, other = processors
    redis = ground.redis("everysec", sut)
    port = bed.free_port()
    ours, theirs = Centre(port, 20_000, generator), None
    try:
        daemon = ground.daemon(redis, sut, channels=yaml(port))
        ours.run(6, [])  # the people become known
        program(ground, "bot", other, daemon.port, daemon.token("alice", "admin"))
        theirs, boxes = kannel(ground, processors)
        theirs.run(5, [], "answers ")
        seen = {"ours": [], "kannel": []}
        for number in range(plan.rounds):
            seen["ours"].append(ours.run(plan.seconds, [daemon.pid, redis.pid], "answers "))
            seen["kannel"].append(theirs.run(plan.seconds, boxes, "answers "))
            say(f"  answers {number + 1}: " + ", ".join(f"{name} {list_[-1]['rate']:,.0f}/s at {sum(list_[-1]['cpu']):.0f} us"
                                                     for name, list_ in seen.items()))
        return seen["ours"], seen["kannel"]
    finally:
        for centre in (ours, theirs):
            if centre:
                centre.stop()
