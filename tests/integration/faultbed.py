"""What providers do to us, as a table: every fault against every connector, over the providers' stand-ins. A fault is
aimed at one message of one conversation, so that all of a connector's run at once; what must come of it stands in its row.

sent       at the provider exactly once, and we know it
uncertain  nobody knows: marked so, and not sent again by itself
failed     a dead letter with a reason, at the provider not at all
kept       waits, with the reason, for better days
"""
import http.server
import json
import ssl
import subprocess
import threading

import channelbed
import harness


class Fault:
    """One row. arm: the stand-in's fault; expected: one outcome, or by a property of the connector."""

    def __init__(self, name, kind, expected, needs=None, **more):
        self.name, self.kind, self.expected, self.needs, self.more = name, kind, expected, needs, more


def lost(connector):
    """Nobody knows whether it was taken: asked again only where that does no harm."""
    return "sent" if connector.idempotent else "uncertain"


OUTBOUND = (
    Fault("429-seconds", "retry_after", "sent", seconds=1),
    Fault("429-date", "retry_after_date", "sent", seconds=2),
    Fault("500", "status", "sent", status=500),
    Fault("502", "status", "sent", status=502),
    Fault("503", "status", "sent", status=503),
    Fault("504", "status", lambda one: one.after_504, status=504),
    Fault("cut-after-it-was-taken", "drop_after_accept", lost),
    Fault("cut-before-it-was-taken", "drop_before", lost),
    Fault("hangs-after-it-was-taken", "delay", lost, ms=40000),
    Fault("half-an-answer", "truncate", lost),
    Fault("slow-answer", "slow", "sent", ms=200),
    Fault("late-answer", "delay", "sent", ms=3000),
    Fault("no-answer-but-a-page", "garbage", lambda one: one.after_garbage),
    Fault("redirect", "redirect", lambda one: one.after_redirect),
    Fault("closed-window", "window_closed", "failed", needs="window"),
    Fault("refused-content", "error", "failed", needs="refusal"),
    Fault("unheard-of-error", "error", "failed", needs="nonsense"),
)


class ExpiredTls:
    """A server whose certificate is over, and is for somebody else."""

    def __init__(self, folder):
        pem = folder / "over.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", folder / "over.crt",
                        "-days", "-1", "-subj", "/CN=over.example.test"], check=False, stderr=subprocess.DEVNULL)
        if not (folder / "over.crt").exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out",
                            folder / "over.crt", "-days", "1", "-subj", "/CN=over.example.test"], check=True,
                           stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "over.crt", pem)
        self.asked = []
        tls = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                tls.asked.append(self.path)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Table(channelbed.Bed):
    """The rows of one connector. Its channel is `c`; `dns`, `tls` and `gone` are the same with addresses that lead nowhere."""

    idempotent = False
    after_504 = "sent"
    after_redirect = "failed"    # never followed: refused for good, or asked again at the right place
    after_garbage = "uncertain"  # a 200 that is none of the provider's: it may have been taken
    window = None          # has a window that closes
    refusal = None         # the provider's code for what it will never take
    nonsense = None        # a code that nobody has heard of
    proof = "signature"    # what a forger lacks; None: nothing in the request
    proof_has_a_time = False  # a signature is refused when its time is over
    token_is_fetched = False
    unknown = None         # say() of something that no connector knows
    unreadable = '{"hello'
    pulls = False          # an address that leads nowhere brings nothing in, or is not where answers go

    def channel_yaml(self):
        self.tls = ExpiredTls(self.folder)
        self.addCleanup(self.tls.close)
        gone = harness.free_port()
        base = self.channel_settings()
        connector = self.connector or self.provider
        rows = [{"name": "c", "connector": connector, **base}]
        for name, address in (("dns", "https://sim.provider.invalid"), ("tls", f"https://127.0.0.1:{self.tls.port}"),
                              ("gone", f"http://127.0.0.1:{gone}")):
            rows.append({"name": name, "connector": connector, **self.settings_at(base, address)})
        return "".join("  - " + json.dumps(row) + "\n" for row in rows)

    def settings_at(self, settings, address):
        """The same channel at another address of its provider."""
        return {**settings, "api_base": address}

    def stand_settings(self):
        return {"hurry": 20000, "rate": 0}

    # --- words ---

    def person(self, number):
        return f"{self.who}{number:03d}"

    def talk(self, text, number, channel="c", **what):
        """A customer of its own writes; the work item that alice has."""
        self.stand.set(**{"in": f"http://127.0.0.1:{self.daemon.http_port}/in/{channel}"})
        self.stand.say(text, **{"from_": self.person(number), **what})
        while True:
            item = self.daemon.claim(self.alice, wait_s=20)
            self.assertIsNotNone(item, f"nothing to do for {text}")
            if text in [one["text"] for one in self.inbound(item)]:
                return item

    def state_of(self, item, message):
        return next(one["delivery"] for one in self.daemon.messages(item["conversation"], self.alice) if one["id"] == message)

    def ended(self, item, message, *states, patience_s=60):
        def look():
            delivery = self.state_of(item, message)
            return delivery if delivery["state"] in states else None
        try:
            return harness.wait_for(f"an end of {message}", look, patience_s)
        except AssertionError:
            return self.state_of(item, message)

    def at_provider(self, text):
        return sum(1 for one in self.stand.sent() if text in (one["text"] or ""))

    def check(self, name, text, got, expected):
        """Adds to what is wrong: a row whose outcome is another, or that is not at the provider as often as it says."""
        count = self.at_provider(text)
        states = {"sent": ("sent", "delivered", "read"), "kept": ("queued", "sending", "retrying", "waiting"),
                  "failed": ("failed", "expired"), "uncertain": ("uncertain",)}[expected]
        fits = {"sent": count == 1, "kept": count == 0, "failed": count == 0, "uncertain": count <= 1}[expected]
        self.rows[name] = f"{got['state']} x{count}"
        if got["state"] not in states or not fits:
            self.wrong.append(f"{name}: {got} and {count} at the provider, expected {expected}")
        elif expected != "sent" and not got["error"]:
            self.wrong.append(f"{name}: {expected} without a reason")

    # --- the rows ---

    def outbound(self):
        waiting = []
        for number, row in enumerate(OUTBOUND):
            needed = getattr(self, row.needs) if row.needs else True
            if not needed:
                continue
            text = f"F{number:02d}-{row.name}"
            item = self.talk(f"about {row.name}", number)
            code = {"code": needed} if row.kind == "error" else {}
            self.stand.fault(row.kind, match=text, **row.more, **code)
            waiting.append((row, text, item, self.answer(item, text)))
        for row, text, item, message in waiting:
            expected = row.expected(self) if callable(row.expected) else row.expected
            got = self.ended(item, message, "sent", "delivered", "uncertain", "failed", "expired")
            self.check(row.name, text, got, expected)

    def nowhere(self):
        """Names that do not resolve, certificates that are over, ports where nobody listens: kept, with the reason."""
        for number, channel in enumerate(() if self.pulls else ("dns", "tls", "gone"), 100):
            item = self.talk(f"by {channel}", number, channel)
            message = self.answer(item, f"N-{channel}")
            harness.wait_for(f"an attempt by {channel}", lambda: self.state_of(item, message)["error"])
            self.check(channel, f"N-{channel}", self.state_of(item, message), "kept")
        if self.tls.asked:
            self.wrong.append("tls: was asked although its certificate is over")

    def a_dead_letter(self):
        """Is there with its reason, and is driven again once."""
        if not self.refusal:
            return
        item = self.talk("refuse me", 110)
        self.stand.fault("error", match="D-letter", code=self.refusal)
        message = self.answer(item, "D-letter")
        self.check("dead-letter", "D-letter", self.ended(item, message, "failed"), "failed")
        self.daemon.ctl("deadletter", "redrive", message)
        self.check("redriven", "D-letter", self.ended(item, message, "sent", "delivered"), "sent")
        if self.daemon.ctl_result("deadletter", "redrive", message).returncode == 0:
            self.wrong.append("redriven: a second time")

    def a_bad_token(self):
        """In the middle of a batch: all are there in the end, each once."""
        items = [self.talk(f"token {number}", 120 + number) for number in range(4)]
        self.stand.fault("expire_token", after=1, **({} if self.token_is_fetched else {"count": 10000, "on": "any"}))
        messages = [self.answer(item, f"T{number}-token") for number, item in enumerate(items)]
        if not self.token_is_fetched:
            harness.wait_for("the channel to be parked", self.parked)
            self.stand.clear_faults()
            self.daemon.ctl("channel", "test", "c")
        for number, (item, message) in enumerate(zip(items, messages)):
            self.check(f"bad-token-{number}", f"T{number}-token", self.ended(item, message, "sent", "delivered"), "sent")

    def parked(self):
        admin = self.daemon.token("admin", None)
        rows = self.daemon.request("GET", "/v1/channels", token=admin).json["data"]
        return next(row for row in rows if row["name"] == "c")["parked_because"]

    def inbound_row(self, name, expected, item):
        texts = [one["text"] for one in self.inbound(item)]
        self.rows[name] = f"{len(texts)} kept"
        if texts != expected:
            self.wrong.append(f"{name}: {texts}, expected {expected}")

    def post_states(self, before):
        return [post["status"] for post in self.stand.wait_taken(before, ok=False)]

    def what_comes_in(self):
        self.stand.fault("duplicate", times=64)
        item = self.talk("64 times", 140)
        self.stand.wait_taken()
        self.inbound_row("64-times", ["64 times"], item)
        self.stand.fault("replay", count=1000)
        self.stand.wait_taken()
        self.inbound_row("replayed", ["64 times"], item)
        item = self.talk("before", 141)
        self.stand.fault("reorder")
        self.stand.write("first", from_=self.person(141))
        self.stand.write("second", from_=self.person(141))
        harness.wait_for("both", lambda: len(self.inbound(item)) == 3)
        self.rows["reordered"] = "both kept"
        if {one["text"] for one in self.inbound(item)} != {"before", "first", "second"}:
            self.wrong.append("reordered: lost or doubled")
        for name, kind, refused, more in (("forged", "wrong_signature", self.proof is not None, {}),
                                          ("clock-2-h-off", "clock_skew", self.proof_has_a_time, {"ms": -7200000})):
            before = len(self.stand.state()["posts"])
            self.stand.fault(kind, **more)
            self.stand.write(f"by {name}", from_=self.person(141))
            statuses = self.post_states(before)
            self.rows[name] = str(statuses)
            if (401 in statuses) != refused:
                self.wrong.append(f"{name}: {statuses}")

    def what_nobody_knows(self):
        """Is taken (or refused) for good: the provider does not come again and again."""
        before = len(self.stand.state()["posts"])
        self.stand.write(from_=self.person(142), **self.unknown)
        self.rows["unknown-kind"] = str(self.post_states(before))
        if self.stand.wait_taken(before, ok=False)[0]["attempts"] != 1:
            self.wrong.append("unknown-kind: came again: " + self.rows["unknown-kind"])
        before = len(self.stand.state()["posts"])
        self.stand.write(raw=self.unreadable, from_=self.person(143))
        self.rows["unreadable"] = str(self.post_states(before))
        if set(self.post_states(before)) != {200}:  # kept, and not to come again
            self.wrong.append("unreadable: an error loop: " + self.rows["unreadable"])

    def attempts(self):
        """No storm: a fault of one answer costs one more call, and never more than the schedule has."""
        calls = len(self.stand.calls())
        self.rows["calls"] = str(calls)
        if calls > 3 * (len(OUTBOUND) + 10):
            self.wrong.append(f"calls: {calls} requests to send")

    def run_the_table(self):
        self.rows, self.wrong = {}, []
        self.outbound()
        self.nowhere()
        self.a_dead_letter()
        self.what_comes_in()
        self.what_nobody_knows()
        self.a_bad_token()
        self.attempts()
        print(f"{self.provider}: {len(self.rows)} rows: {self.rows}")
        self.assertEqual(self.wrong, [], "\n".join(self.wrong))
        item = self.talk("still there?", 150)
        message = self.answer(item, "Z-still-here")
        self.assertIn(self.ended(item, message, "sent", "delivered")["state"], ("sent", "delivered"))
