"""The things measured. Each item returns rows (what, ours, theirs, ratio, goal, met); both sides of a ratio are in its row."""
import base64
import dataclasses
import hashlib
import hmac
import http.client
import json
import os
import secrets
import socket
import subprocess
import threading
import time

import bed
import channels
import desk
import history as behind
import historybed
import erase as erasing
import smpp as messages
import view as views
from bed import bare, cpu, load, median, say

SUT, SECOND = cpu(0), cpu(1)
LOAD = cpu(2) if len(bed.CPUS) > 2 else cpu(1)


@dataclasses.dataclass
class Plan:
    full: bool
    rounds: int
    seconds: float

    @property
    def customers(self):
        return 100_000 if self.full else 20_000


def row(what, ours, theirs, ratio, goal, at_least=True):
    met = None if goal is None else (ratio >= goal if at_least else ratio <= goal)
    return {"what": what, "ours": ours, "theirs": theirs, "ratio": ratio,
            "goal": "" if goal is None else f"{'>=' if at_least else '<='} {goal:g}", "met": met}


def per_second(results):
    return f"{median([one['rate'] for one in results]):,.0f}/s"


def ratios(ours, theirs, key="rate"):
    """The median of the ratios of the same rounds."""
    return median([mine[key] / other[key] for mine, other in zip(ours, theirs)])


def ms(results, key):
    return f"{median([one[key] for one in results]) / 1000:.2f} ms"


def walk(plan):
    """Every customer once, in order: afterwards all are known."""
    return ["-c", plan.customers, "-f", 0, "-m", plan.customers, "-s", 600]


def at_random(plan):
    return ["-c", plan.customers, "-s", plan.seconds]


def rate(plan):
    """everysec, the daemon and Redis together on one core; the same for the peer; the bare scripts on Redis alone."""
    with bed.Bed() as ground:
        redis = ground.redis("everysec", SUT)
        daemon = ground.daemon(redis, SUT)
        peer = ground.peer(redis, SUT)
        token = daemon.token()
        for port in (daemon.port, peer.port):
            load(port, SECOND, *walk(plan))
        for kind in ("six", "admit"):
            bare(redis, kind, SECOND, *walk(plan))
        seen = {"six": [], "admit": [], "peer": [], "daemon": []}
        for number in range(plan.rounds):
            for kind in ("six", "admit"):
                seen[kind].append(bare(redis, kind, SECOND, *at_random(plan)))
            seen["peer"].append(load(peer.port, SECOND, *at_random(plan), pids=[peer.pid, redis.pid]))
            seen["daemon"].append(load(daemon.port, SECOND, *at_random(plan), pids=[daemon.pid, redis.pid]))
            say(f"  round {number + 1}: " + ", ".join(f"{name} {list_[-1]['rate']:,.0f}/s" for name, list_ in seen.items()))
        rows = rate_rows(seen)
        return rows + half_load(plan, daemon, peer, redis, token, seen)


def rate_rows(seen):
    ours = seen["daemon"]
    redis_us, daemon_us = median([one["cpu"][1] for one in ours]), median([one["cpu"][0] for one in ours])
    return [
        row("intake on one core, stored (everysec) / R' (admit.lua bare)", per_second(ours), per_second(seen["admit"]),
            ratios(ours, seen["admit"]), 0.70),
        row("the same / R (six steps bare)", per_second(ours), per_second(seen["six"]), ratios(ours, seen["six"]), 0.50),
        row("the same / F' (fastify + ioredis + admit.lua)", per_second(ours), per_second(seen["peer"]),
            ratios(ours, seen["peer"]), 3.0),
        row("CPU a message, daemon / Redis", f"{daemon_us:.1f} us", f"{redis_us:.1f} us",
            median([one["cpu"][0] / one["cpu"][1] for one in ours]), 0.6, at_least=False),
        row("Redis CPU a message, under the daemon / bare admit.lua", f"{redis_us:.1f} us",
            f"{median([one['cpu'][0] for one in seen['admit']]):.1f} us",
            median([one["cpu"][1] / other["cpu"][0] for one, other in zip(ours, seen["admit"])]), None),
        row("Redis CPU a message, admit.lua bare / six steps bare", f"{median([one['cpu'][0] for one in seen['admit']]):.1f} us",
            f"{median([one['cpu'][0] for one in seen['six']]):.1f} us",
            median([one["cpu"][0] / other["cpu"][0] for one, other in zip(seen["admit"], seen["six"])]), 1.35, at_least=False),
        row("CPU a message, peer / daemon", f"{daemon_us:.1f} us", f"{median([one['cpu'][0] for one in seen['peer']]):.1f} us",
            median([other["cpu"][0] / one["cpu"][0] for one, other in zip(ours, seen["peer"])]), None),
    ]


def half_load(plan, daemon, peer, redis, token, seen):
    half = {name: median([one["rate"] for one in seen[name]]) / 2 for name in ("daemon", "peer")}
    words = ["node", bed.TOOLS / "peer" / "bullmq.js", redis.path]
    jobs = median([bed.run_json([*words, "rate", plan.seconds], SECOND, [redis.pid])["rate"] for _ in range(3)])
    ours, theirs, wire, queue, busy = [], [], [], [], []
    for number in range(plan.rounds):
        began = time.monotonic()
        ours.append(load(daemon.port, SECOND, *at_random(plan), "-r", half["daemon"], pids=[daemon.pid, redis.pid]))
        busy.append(sum(ours[-1]["cpu"]) * ours[-1]["done"] / 1e4 / (time.monotonic() - began))
        theirs.append(load(peer.port, SECOND, *at_random(plan), "-r", half["peer"], pids=[peer.pid, redis.pid]))
        wire.append(load(daemon.port, SECOND, *at_random(plan), "-r", half["daemon"], "-e", token, pids=[daemon.pid, redis.pid]))
        if wire[-1]["wire_done"] != wire[-1]["done"]:
            raise RuntimeError(f"events are missing: {wire[-1]}")
        queue.append(bed.run_json([*words, "latency", plan.seconds, jobs / 2], SECOND, [redis.pid]))
        say(f"  half load {number + 1}: ack p99 {ours[-1]['p99_us']} us, peer {theirs[-1]['p99_us']} us; "
            f"wire p50 {wire[-1]['wire_p50_us']} p99 {wire[-1]['wire_p99_us']} us, "
            f"BullMQ p50 {queue[-1]['p50_us']} p99 {queue[-1]['p99_us']} us")
    wire_ratio = {at: median([one[f"wire_{at}_us"] / other[f"{at}_us"] for one, other in zip(wire, queue)]) for at in ("p50", "p99")}
    return [
        row(f"ack p99 at half load ({half['daemon']:,.0f}/s), daemon / F' at its half ({half['peer']:,.0f}/s)", ms(ours, "p99_us"),
            ms(theirs, "p99_us"), ratios(ours, theirs, "p99_us"), 0.25, at_least=False),
        row("ack p50 at half load, daemon / F'", ms(ours, "p50_us"), ms(theirs, "p50_us"), ratios(ours, theirs, "p50_us"), None),
        row(f"message in to SSE wire p50, half load / BullMQ add to processed at its half ({jobs / 2:,.0f}/s)",
            ms(wire, "wire_p50_us"), ms(queue, "p50_us"), wire_ratio["p50"], 0.1, at_least=False),
        row("message in to SSE wire p99 / BullMQ", ms(wire, "wire_p99_us"), ms(queue, "p99_us"), wire_ratio["p99"], 0.1,
            at_least=False),
        row("core busy at half load, percent", f"{median(busy):.0f} %", "", median(busy) / 100, None),
    ]


def always(plan):
    """appendfsync always: the daemon and Redis on a core each; a 2xx means on disk."""
    with bed.Bed() as ground:
        redis = ground.redis("always", SECOND)
        daemon = ground.daemon(redis, SUT)
        load(daemon.port, LOAD, *walk(plan))
        bare(redis, "admit", SUT, *walk(plan))
        ours, theirs = [], []
        for number in range(plan.rounds):
            theirs.append(bare(redis, "admit", SUT, *at_random(plan)))
            ours.append(load(daemon.port, LOAD, *at_random(plan), pids=[daemon.pid, redis.pid]))
            say(f"  round {number + 1}: bare {theirs[-1]['rate']:,.0f}/s, daemon {ours[-1]['rate']:,.0f}/s")
        return [row("intake on two cores, durable (always) / R' (admit.lua bare)", per_second(ours), per_second(theirs),
                    ratios(ours, theirs), 0.85)]


def idle(plan):
    """An idle daemon, then idle SSE connections of an agent."""
    count = 10_000
    bed.raise_limits()
    with bed.Bed() as ground:
        redis = ground.redis("everysec", SECOND)
        daemon = ground.daemon(redis, SUT)
        token = daemon.token()
        pids = [daemon.pid, *bed.children(daemon.pid)]
        rss = [bed.memory_kb(pid, "VmRSS") for pid in pids]
        pss = [bed.memory_kb(pid, "Pss", "smaps_rollup") for pid in pids]
        before = bed.memory_kb(daemon.pid, "VmRSS")
        request = f"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        links = [open_stream(daemon.port, request) for _ in range(count)]
        each = (bed.memory_kb(daemon.pid, "VmRSS") - before) * 1024 / count
        for link in links:
            link.close()
        workers = ", ".join(f"{kb / 1024:.1f}" for kb in rss[1:])
        return [
            row("idle daemon, resident MB (shared libraries counted in full)", f"{rss[0] / 1024:.1f} MB", f"workers {workers} MB",
                rss[0] / 1024, 12, at_least=False),
            row("idle daemon, proportional MB (shared pages divided)", f"{pss[0] / 1024:.1f} MB",
                f"with workers {sum(pss) / 1024:.1f} MB", pss[0] / 1024, None),
            row(f"idle SSE connection at {count:,}, bytes of user memory", f"{each:,.0f} B", "", each, 2.2 * 1024, at_least=False),
        ]


def open_stream(port, request):
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(request)
    seen = b""
    while b"retry:" not in seen:
        more = link.recv(4096)
        if not more:
            raise RuntimeError(f"a stream was refused: {seen[:200]!r}")
        seen += more
    return link


def growth(plan):
    """CPU a message with few customers and with many, both stores side by side."""
    many, messages = (1_000_000, 10_000_000) if plan.full else (200_000, 600_000)
    with bed.Bed() as ground:
        sides = []
        for name, customers in (("small", 10_000), ("large", many)):
            redis = ground.redis("everysec", SECOND, f"redis-{name}")
            daemon = ground.daemon(redis, SUT, f"daemon-{name}")
            load(daemon.port, LOAD, "-c", customers, "-f", 0, "-m", customers if name == "small" else messages, "-s", 7200)
            sides.append((daemon, redis, customers, []))
        for number in range(plan.rounds):
            for daemon, redis, customers, seen in sides:
                seen.append(load(daemon.port, LOAD, "-c", customers, "-s", plan.seconds, pids=[daemon.pid, redis.pid]))
            say(f"  round {number + 1}: " + ", ".join(f"{sum(seen[-1]['cpu']):.1f} us" for *_, seen in sides))
        small, large = ([sum(one["cpu"]) for one in seen] for *_, seen in sides)
        return [row(f"CPU a message (daemon and Redis): {many:,} customers, {messages:,} messages / 10,000 customers",
                    f"{median(large):.1f} us", f"{median(small):.1f} us",
                    median([mine / other for mine, other in zip(large, small)]), 1.2, at_least=False)]


def memory(plan):
    """Redis bytes a customer; the log has its own bound (log.max_bytes) and is not counted."""
    count = plan.customers
    with bed.Bed() as ground:
        redis = ground.redis("everysec", SECOND)
        daemon = ground.daemon(redis, SUT)
        before = redis.used()
        bare(redis, "admit", SECOND, "-w", "closed", "-q", "", "-c", count, "-f", 0, "-m", count, "-s", 600)
        plain = (redis.used() - before - log_bytes(redis, "closed")) / count
        before = redis.used() - log_bytes(redis, "main")
        load(daemon.port, LOAD, *walk(plan))
        waiting = (redis.used() - before - log_bytes(redis, "main")) / count
        return [
            row(f"Redis bytes: customer, conversation, one message of 500 bytes ({count:,})", f"{plain:,.0f} B", "", plain,
                1.8 * 1024, at_least=False),
            row("the same with its open work item in a queue", f"{waiting:,.0f} B", "", waiting, None),
        ]


def left(plan):
    """Redis bytes of a further message while it is hot, and of a customer once everything of theirs has left."""
    count = 5000 if plan.full else 1000
    with bed.Bed() as ground:
        redis = ground.redis("everysec", SECOND)
        for name, value in (("value", 1024), ("entries", 256)):  # as the embedded store has them
            redis.call("CONFIG", "SET", f"hash-max-listpack-{name}", str(value))
        daemon = ground.daemon(redis, SUT)
        text = daemon.config.read_text().replace("connector: webhook,", "connector: webhook, trust_addresses: true,")
        daemon.config.write_text(text + "history: { keep_hot: 30d }\n")
        daemon.restart()
        load(daemon.port, LOAD, "-c", count, "-m", count, "-s", 600)
        before = redis.used()
        messages = 20 * count
        load(daemon.port, LOAD, "-c", count, "-m", messages, "-s", 600)
        hot = (redis.used() - before) / messages
        redis.call("FLUSHALL")
        daemon.config.write_text(text + "history: { keep_hot: 1ms }\n")
        daemon.restart()
        (daemon.config.parent / "business.yaml").write_text(bed.BUSINESS)
        daemon.ctl("apply", "-f", daemon.config.parent / "business.yaml")
        token = daemon.token()
        for number in range(count):
            three_identifiers(daemon.port, number)
            item = ask(daemon.port, token, "/v1/work/claim", {"wait_s": 10})
            ask(daemon.port, token, f"/v1/work-items/{item['id']}/close", {"reason": "done"})
        bed.wait_for("everything to leave", lambda: redis.call("ZCARD", "{main}:rest") == "0")
        index = "{main}:i:"
        share = [int(redis.call("HLEN", key)) for key in redis.call("--scan", "--pattern", index + "*").split()]
        say(f"  {sum(share) / len(share):.1f} identifiers share a key of the index; with many customers its own bytes vanish")
        records = sum(int(redis.call("MEMORY", "USAGE", key, "SAMPLES", "0")) for key in
                      redis.call("--scan", "--pattern", "{main}:u:*").split()) / count
        redis.call("HSET", "bucket", *(word for at in range(64) for word in (f"{at:016}", f"cus_{at:026}")))
        full = int(redis.call("MEMORY", "USAGE", "bucket", "SAMPLES", "0")) / 64
        redis.call("DEL", "bucket")
        buckets = sum(int(redis.call("MEMORY", "USAGE", key, "SAMPLES", "0")) for key in
                      redis.call("--scan", "--pattern", "{main}:[ui]:*").split())
        return [
            row(f"Redis bytes: further message of 500 bytes, its entry of the log counted ({messages:,})", f"{hot:,.0f} B", "", hot,
                700, at_least=False),
            row(f"Redis bytes: customer with 3 identifiers and nothing open: record, and index at 64 to a key ({count:,})",
                f"{records + 3 * full:,.0f} B", "", records + 3 * full, 700, at_least=False),
            row(f"the same with the index of only {count:,} customers, where most keys hold one",
                f"{buckets / count:,.0f} B", "", buckets / count, None),
        ]


def ask(port, token, path, body):
    words = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)}
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("POST", path, json.dumps(body).encode(), words)
    answer = link.getresponse()
    raw = answer.read()
    link.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {raw[:200]!r}")
    return json.loads(raw)


def three_identifiers(port, number):
    raw = json.dumps({"id": f"three{number}", "text": "x" * 500,
                      "from": {"id": f"customer-{number:08}", "name": "Customer Name", "email": f"customer.{number:08}@example.test",
                               "phone": f"+8613{number:09}"}}).encode()
    name, at = f"hook{number}", str(int(time.time()))
    mac = hmac.new(base64.b64decode(bed.SECRET.removeprefix("whsec_")), f"{name}.{at}.".encode() + raw, hashlib.sha256).digest()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("POST", "/in/shop", raw, {"Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": at,
                                           "webhook-signature": "v1," + base64.b64encode(mac).decode()})
    answer = link.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"/in/shop: {answer.status} {answer.read()[:200]!r}")
    link.close()


def log_bytes(redis, workspace):
    return int(redis.call("MEMORY", "USAGE", f"{{{workspace}}}:log", "SAMPLES", "0") or 0)


def mail(plan):
    """A 20 KB multipart mail by LMTP: CPU of the daemon, its workers and Redis against GMime alone."""
    count = 4000 if plan.full else 800
    with bed.Bed() as ground:
        redis = ground.redis("everysec", SECOND)
        daemon = ground.daemon(redis, SUT)
        sample = ground.folder / "mail.eml"
        sample.write_bytes(mail_bytes(0))
        send_mails(daemon.lmtp_port, 50, 0)  # the workers have started
        ours, theirs, parts = [], [], []
        for number in range(plan.rounds):
            done = subprocess.check_output(["taskset", "-c", str(SUT), bed.TOOLS / "gmime", sample, str(count)], text=True)
            theirs.append(json.loads(done)["cpu_us"])
            pids = [daemon.pid, redis.pid, *bed.children(daemon.pid)]
            before = [bed.task_seconds(pid) for pid in pids]
            send_mails(daemon.lmtp_port, count, (number + 1) * 1_000_000)
            used = [(bed.task_seconds(pid) - was) / count * 1e6 for pid, was in zip(pids, before)]
            parts.append((used[0], used[1], sum(used[2:])))
            ours.append(sum(used))
            say(f"  round {number + 1}: GMime {theirs[-1]:.0f} us, ours {ours[-1]:.0f} us "
                f"(daemon {used[0]:.0f}, Redis {used[1]:.0f}, workers {sum(used[2:]):.0f})")
        split = ", ".join(f"{name} {median([one[i] for one in parts]):.0f}" for i, name in enumerate(("daemon", "Redis", "workers")))
        return [row(f"CPU of a {len(mail_bytes(0)) / 1000:.0f} KB mail ({split} us) / GMime parse and decode", f"{median(ours):.0f} us",
                    f"{median(theirs):.0f} us", median([mine / other for mine, other in zip(ours, theirs)]), 1 / 0.6, at_least=False)]


def mail_bytes(number):
    """Text and HTML quoted-printable, a picture in base64; about 20 KB."""
    line = "Guten Tag, die Bestellung {n} ist besch=C3=A4digt angekommen; bitte um Erstattung=2E =E9=80=80=E6=AC=BE\r\n"
    text = "".join(line.replace("{n}", str(i)) for i in range(35))
    html = "<p>" + "<br>".join(line.replace("{n}", str(i)).replace("\r\n", "=\r\n") for i in range(38)) + "</p>\r\n"
    picture = "".join("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9\r\n"[:74] + "Aw==\r\n"[4:]
                      for _ in range(122))
    alternative = (f"--b2\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{text}\r\n"
                   f"--b2\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{html}\r\n"
                   "--b2--\r\n")
    return (f"From: Kunde {number} <kunde{number % 500}@customer.test>\r\nTo: support@example.test\r\n"
            f"Subject: =?utf-8?Q?Erstattung_{number}?=\r\nDate: Sun, 22 Nov 2026 10:00:00 +0800\r\n"
            f"Message-ID: <bench-{os.getpid()}-{number}@customer.test>\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n"
            f"Content-Type: multipart/alternative; boundary=b2\r\n\r\n{alternative}--b1\r\n"
            "Content-Type: image/png; name=schaden.png\r\nContent-Disposition: attachment; filename=schaden.png\r\n"
            f"Content-Transfer-Encoding: base64\r\n\r\n{picture}--b1--\r\n").encode()


def send_mails(port, count, first):
    """Eight LMTP sessions; every mail is answered 250 before its session's next one."""
    sessions, problems = 8, []

    def session(which):
        try:
            deliver(port, range(first + which, first + count, sessions))
        except (OSError, RuntimeError) as problem:
            problems.append(problem)

    threads = [threading.Thread(target=session, args=(which,)) for which in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise RuntimeError(f"LMTP: {problems[0]}")


def deliver(port, numbers):
    with socket.create_connection(("127.0.0.1", port)) as link:
        answers = link.makefile("rb")

        def expect(code):
            while True:
                line = answers.readline()
                if not line.startswith(code):
                    raise RuntimeError(f"wanted {code!r}, got {line!r}")
                if line[3:4] == b" ":
                    return

        expect(b"220")
        link.sendall(b"LHLO bench\r\n")
        expect(b"250")
        for number in numbers:
            link.sendall(f"MAIL FROM:<kunde{number % 500}@customer.test>\r\nRCPT TO:<support@example.test>\r\nDATA\r\n".encode())
            expect(b"250")
            expect(b"250")
            expect(b"354")
            link.sendall(mail_bytes(number) + b".\r\n")
            expect(b"250")
        link.sendall(b"QUIT\r\n")


def routing(plan):
    """The desk alone, in one process: who gets an item, what an agent gets, everything anew; the plain scan beside it."""
    ask = {"1,000": ["1000"], "10,000": ["10000"], "some": ["500", "50000", "20"], "all": ["500", "50000", "0"],
           "anew": ["rebuild", "100000"]}
    seen = {name: [] for name in ask}
    for number in range(plan.rounds):
        for name, words in ask.items():
            out = subprocess.run([bed.TOOLS / "route", *words], stdout=subprocess.PIPE, text=True, check=True,
                                 preexec_fn=lambda: os.sched_setaffinity(0, {SUT}))
            seen[name].append(json.loads(out.stdout))
        say(f"  round {number + 1}: " + ", ".join(f"{name} {list_[-1]}" for name, list_ in seen.items()))
    middle = {name: {key: median([one[key] for one in list_]) for key in list_[0]} for name, list_ in seen.items()}
    few, many, some, every = (middle[name] for name in ("1,000", "10,000", "some", "all"))
    grown = median([one["decision_ns"] / other["decision_ns"] for one, other in zip(seen["10,000"], seen["1,000"])])
    return [
        row("who gets an item: 10,000 agents, 64 skills with levels, longest idle; us", f"{many['decision_ns'] / 1000:.2f} us",
            "", many["decision_ns"] / 1000, 1, at_least=False),
        row("the same, a scan over all agents / the desk", f"{many['decision_ns'] / 1000:.2f} us", f"{many['scan_ns'] / 1000:.1f} us",
            median([one["scan_ns"] / one["decision_ns"] for one in seen["10,000"]]), 20),
        row("the same, 10,000 agents / 1,000 agents", f"{many['decision_ns'] / 1000:.2f} us", f"{few['decision_ns'] / 1000:.2f} us",
            grown, 4, at_least=False),
        row("the item comes, is given and goes, the agent is free again (10,000); us", f"{many['turn_ns'] / 1000:.2f} us", "",
            many["turn_ns"] / 1000, None),
        row("what an agent of 20 queues gets: 500 queues, 50,000 items; us", f"{some['agent_ns'] / 1000:.2f} us",
            f"scan {some['scan_ns'] / 1000:,.0f} us", some["agent_ns"] / 1000, 5, at_least=False),
        row("the same, an agent of all 500 queues; us", f"{every['agent_ns'] / 1000:.2f} us", f"scan {every['scan_ns'] / 1000:,.0f} us",
            every["agent_ns"] / 1000, 5, at_least=False),
        row("1,000 agents and 100,000 waiting items put in order anew; s", f"{middle['anew']['rebuild_ms']:.0f} ms", "",
            middle["anew"]["rebuild_ms"] / 1000, 2, at_least=False),
    ]


RULES = "rules:\n" + "".join(
    f"  - {{ name: topic-{number}, when: {{ text: \"退款{number}|refund {number}|(?:order|订单) *#{number}\\\\b\", channel: [shop] }}, "
    f"then: {{ queue: support, type: topic-{number}, priority: {number}, skills: {{ refunds: {number % 5 + 1} }} }} }}\n"
    for number in range(20)) + "  - { name: everything-else, then: { queue: support } }\n"
SKILLED = "agents:\n" + "".join(
    f"  - {{ id: agent-{number}, name: Agent {number}, queues: [support], skills: {{ refunds: {number % 5 + 1} }}, capacity: 10 }}\n"
    for number in range(100))


def share(plan):
    """CPU a message of a steward with the router, 20 rules with patterns and 100 agents; then with neither rules nor router."""
    with bed.Bed() as ground:
        sides = []
        for name in ("routed", "plain"):
            redis = ground.redis("everysec", SECOND, f"redis-{name}")
            daemon = ground.daemon(redis, SUT, f"daemon-{name}", business=name == "routed")
            if name == "routed":
                daemon.apply("skills:\n  - { id: refunds }\n" + SKILLED + RULES)
            else:  # somebody else is steward: no router, no timers, no deliveries here
                redis.call("SET", "{main}:lease:steward", "bench bench", "PX", "3600000")
            load(daemon.port, LOAD, *walk(plan))
            sides.append((daemon, redis, []))
        for number in range(plan.rounds):
            for daemon, redis, seen in sides:
                seen.append(load(daemon.port, LOAD, *at_random(plan), pids=[daemon.pid, redis.pid]))
            say(f"  round {number + 1}: " + ", ".join(f"{sum(seen[-1]['cpu']):.1f} us" for *_, seen in sides))
        routed, plain = ([sum(one["cpu"]) for one in seen] for *_, seen in sides)
        part = median([(mine - other) / mine for mine, other in zip(routed, plain)])
        return [row("routing's share of a message's CPU: with rules and router / without either", f"{median(routed):.1f} us",
                    f"{median(plain):.1f} us", part, 0.05, at_least=False)]


def turns(plan):
    """Whole turns: admitted, offered over SSE, accepted, resolved. Redis alone on one core, all else on the other; BullMQ likewise."""
    count, agents = (20_000 if plan.full else 4_000), [f"agent-{number}" for number in range(64)]
    with bed.Bed() as ground:
        redis = ground.redis("everysec", SUT)
        daemon = ground.daemon(redis, SECOND)
        daemon.apply("agents:\n" + "".join(f"  - {{ id: {agent}, name: {agent}, queues: [support], capacity: 100 }}\n" for agent in agents))
        tokens = {agent: daemon.token(agent) for agent in agents}
        for token in tokens.values():
            bed.put_online(daemon.port, token)
        watcher = daemon.token("alice", "supervisor")
        words = [bed.TOOLS / "turns", "-p", daemon.port, "-t", "/in/shop", "-w", watcher, "-m", count,
                 *[f"{agent}={token}" for agent, token in tokens.items()]]
        bed.install_peer()
        queue = ["node", bed.TOOLS / "peer" / "bullmq.js", redis.path, "rate", plan.seconds]
        ours, theirs = [], []
        for number in range(plan.rounds):
            ours.append(bed.run_json(words, SECOND, [daemon.pid, redis.pid]))
            theirs.append(bed.run_json(queue, SECOND, [redis.pid]))
            say(f"  round {number + 1}: {ours[-1]['rate']:,.0f} turns/s (daemon {ours[-1]['cpu'][0]:.0f}, Redis {ours[-1]['cpu'][1]:.0f} us), "
                f"BullMQ {theirs[-1]['rate']:,.0f} jobs/s (Redis {theirs[-1]['cpu'][0]:.0f} us)")
        daemon_us, redis_us = (median([one["cpu"][at] for one in ours]) for at in (0, 1))
        return [
            row("admitted, offered over SSE, accepted and resolved by POST / BullMQ add to processed", per_second(ours), per_second(theirs),
                ratios(ours, theirs), 3.0),
            row(f"Redis CPU of such a turn (daemon {daemon_us:.0f} us beside it) / of a BullMQ job", f"{redis_us:.0f} us",
                f"{median([one['cpu'][0] for one in theirs]):.0f} us",
                median([mine["cpu"][1] / other["cpu"][0] for mine, other in zip(ours, theirs)]), None),
        ]


def rebuild(plan):
    """A new steward reads 100,000 waiting items from the store and puts them in order."""
    count, seen = 100_000, []
    with bed.Bed() as ground:
        redis = ground.redis("everysec", SECOND)
        daemon = ground.daemon(redis, SUT)
        daemon.apply("skills:\n  - { id: refunds }\n" + SKILLED + RULES)
        load(daemon.port, LOAD, "-c", count, "-f", 0, "-m", count, "-s", 600)
        for number in range(plan.rounds):
            daemon.restart()
            bed.wait_for("the router", lambda: f"items={count}" in daemon.process.log.read_text())
            line = [one for one in daemon.process.log.read_text().splitlines() if f"items={count}" in one][-1]
            seen.append(int(line.split(" ms=")[1].split()[0]))
            say(f"  round {number + 1}: {seen[-1]} ms")
        return [row(f"a new steward knows {count:,} waiting items, read from the store; s", f"{median(seen)} ms", "", median(seen) / 1000, 2,
                    at_least=False)]


def history(plan):
    """Daemon, Redis and the history's workers on two cores, the load on a third: intake with and without, and the writer's lag."""
    both = {SUT, SECOND}
    server = historybed.Postgres()
    try:
        server.start()
        rows, base = [], None
        secret = f"'{server.url.replace('@', ':' + server.password + '@')}'"
        for kind, place in (("none", "none"), ("SQLite", "sqlite:var/history.db"), ("PostgreSQL", secret)):
            with bed.Bed() as ground:
                seen = behind.one(plan, ground, kind, place, both, LOAD, walk(plan), at_random(plan))
                if kind == "none":
                    base = seen["rate"]
                    continue
                rows += [
                    row(f"intake on two cores with {kind} / without history", f"{seen['rate']:,.0f}/s", f"{base:,.0f}/s",
                        seen["rate"] / base, None),
                    row(f"{kind}: lag at the end of {5 * plan.seconds:.0f} s at 80 % of that (s; at most {seen['max']:.2f}, gone "
                        f"{seen['drained']:.2f} s later)", f"{seen['last']:.2f} s", "", seen["last"], 1.0, at_least=False)]
                if kind == "SQLite":
                    size = behind.bytes_a_message(seen["daemon"], seen["messages"])
                    rows.append(row("SQLite bytes a message, indexes, words and events included", f"{size:,.0f}", "", size, None))
        return rows
    finally:
        server.stop()


def search(plan):
    """Questions of several kinds over a history in SQLite, and a look-up by primary key there; one process, warm."""
    count = 10_000_000 if plan.full else 200_000
    with bed.Bed() as ground:
        place = f"sqlite:{ground.folder}/history.db"
        out = subprocess.run([bed.TOOLS / "search", place, str(count)], stdout=subprocess.PIPE, text=True, check=True)
    seen = json.loads(out.stdout)
    say("  " + out.stdout.strip())
    lookup = seen["lookup_p99_us"]
    return [row(f"search p99, {count:,} messages, 20 rows with snippets / a look-up by primary key: {what}", f"{seen[key + '_p99_us']:,.0f} us",
                f"{lookup:.0f} us", seen[key + "_p99_us"] / lookup, 10, at_least=False)
            for what, key in (("mixed", "mixed"), ("two characters", "pair"), ("a word", "word"), ("with a filter", "filtered"))] + [
        row("a message written with its words; us", f"{seen['load_us']:.1f} us", "", seen["load_us"], None)]


def view(plan):
    """One customer among 1,000 and among 100,000 (--full: 1,000,000 with 10,000,000 messages): found, seen whole, timeline."""
    customers, each = (1_000_000, 9) if plan.full else (100_000, 9)
    with bed.Bed() as ground:
        few = views.Side(ground, "few", 1000, 1, {SUT, SECOND}, LOAD)
        many = views.Side(ground, "many", customers, each, {SUT, SECOND}, LOAD)
        seen = views.compare(few, many, plan.rounds)
        return [row(f"{name}, p99: {customers:,} customers, {many.messages:,} messages of history / 1,000 and {few.messages:,}",
                    f"{times[3]:,.0f} us", f"{times[2]:,.0f} us", times[3] / times[2], 1.5, at_least=False)
                for name, times in (("a customer found by an identifier", seen["find"]), ("the whole 360 view", seen["view"]),
                                    ("the newest 20 of the timeline", seen["timeline"]))]


def erase(plan):
    """One person erased among 10,000, to the job's done: nothing is left in store, history, blobs and their files."""
    customers, messages = 10_000, 100_000
    with bed.Bed() as ground:
        side = erasing.Ground(ground, customers, messages, {SUT, SECOND}, LOAD)
        seconds = side.times(plan.rounds)
        say("  " + ", ".join(f"{one:.2f} s" for one in seconds))
        return [row(f"one person erased among {customers:,} with {messages:,} messages, the slowest of {len(seconds)} / 60 s", f"{max(seconds):.2f} s",
                    "60 s", max(seconds) / 60, 1, at_least=False)]


def connectors(plan):
    """Each connector: verify and parse beside json-c alone, and the whole way in beside the generic webhook's."""
    read = {name: channels.read(name, plan, SUT) for name in channels.CHANNELS}
    by = sorted((one["ours_ns"] / one["bare_ns"], name) for name, one in read.items() if name not in channels.NOT_JSON)
    middle, name = by[len(by) // 2]
    rows = [row(f"verify and parse, the median connector of JSON ({name}; {by[0][1]} {by[0][0]:.2f} to {by[-1][1]} {by[-1][0]:.2f}) / json-c alone",
                f"{read[name]['ours_ns'] / 1000:.2f} us", f"{read[name]['bare_ns'] / 1000:.2f} us", middle, 3.0, at_least=False)]
    for name in sorted(channels.NOT_JSON):
        say(f"  {name} (not JSON): {read[name]['ours_ns'] / 1000:.2f} us for {read[name]['bytes']} bytes")
    with bed.Bed() as ground:
        redis = ground.redis("everysec", SUT)
        daemon = ground.daemon(redis, SUT, channels=channels.yaml())
        rates = channels.admitted(ground, daemon, redis, plan, SECOND)
    by = channels.worst(rates)
    say("  " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in by))
    return rows + [row(f"the slowest connector's way in ({by[0][0]}; median {by[len(by) // 2][1]:.2f}) / the generic webhook's", per_second(rates[by[0][0]]),
                       per_second(rates["webhook"]), by[0][1], 0.8)]


def smpp(plan):
    """deliver_sm to its durable answer at a full window, beside the webhook, on one core with Redis."""
    with bed.Bed() as ground:
        webhook, ours = messages.admitted(ground, plan, (SUT, SECOND))
    return [row(f"SMPP deliver_sm to durable deliver_sm_resp, {messages.WINDOW} unanswered / the signed webhook, {messages.WINDOW} connections",
                per_second(ours), per_second(webhook), ratios(ours, webhook), 0.8),
            row("the same, p99", ms(ours, "p99_us"), ms(webhook, "p99_us"), ratios(ours, webhook, "p99_us"), None)] + answers(plan)


def answers(plan):
    """A message in by SMPP and the answer of a program outside out again, beside Kannel, which stores nothing."""
    with bed.Bed() as ground:
        ours, theirs = messages.answered(ground, plan, (SUT, SECOND, LOAD))
    mine, daemon = [[part(one["cpu"]) for one in ours] for part in (sum, lambda cpus: cpus[0])]
    other = [sum(one["cpu"]) for one in theirs]
    return [row("CPU from SMPP in to answer out, Kannel (bearerbox, smsbox) / daemon and Redis", f"{median(mine):.0f} us",
                f"{median(other):.0f} us", median([b / a for a, b in zip(mine, other)]), 3.0),
            row("the same / the daemon alone", f"{median(daemon):.0f} us", f"{median(other):.0f} us",
                median([b / a for a, b in zip(daemon, other)]), None),
            row(f"its rate, {messages.WINDOW} under way, one core", per_second(ours), per_second(theirs), ratios(ours, theirs), None),
            row("its p50", ms(ours, "p50_us"), ms(theirs, "p50_us"), ratios(ours, theirs, "p50_us"), None)]


def pages(plan):
    """From an input to the frame that shows it, in Chromium, with everything loaded that there is."""
    with bed.Bed() as ground:
        took = desk.taken(ground, SUT, LOAD)
    kinds = {"next_in_queue": f"j in a queue of {took['queue']:,}", "scroll_queue": "scrolling that queue", "type": f"a character beside a thread of {took['thread']:,}",
             "scroll_thread": "scrolling that thread", "note": "a note into that thread, shown", "language": "the other language, everywhere"}
    for name, what in kinds.items():
        say(f"  {what}: median {took[name]['median']:.0f} ms, p95 {took[name]['p95']:.0f} ms, worst {took[name]['worst']:.0f} ms")
    return [row(f"{what}: median to the frame / 100 ms", f"{took[name]['median']:.0f} ms", "100 ms", took[name]["median"] / 100, 1, at_least=False)
            for name, what in kinds.items()]


ITEMS = {"routing": routing, "rebuild": rebuild, "share": share, "turns": turns, "rate": rate, "always": always, "idle": idle, "growth": growth, "memory": memory, "left": left, "mail": mail, "history": history, "search": search, "view": view, "erase": erase, "connectors": connectors, "smpp": smpp, "pages": pages}
