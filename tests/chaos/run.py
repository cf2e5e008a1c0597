#!/usr/bin/python3
"""The crash campaign: load, kill -9 at random moments, and the checker's verdict.

usage: run.py [--full] [--kills N] [--seed S] [--keep] [--rounds embedded,external]

Each round starts a daemon (with its embedded store, or with a Redis of its own beside it), puts customers,
agents and a provider around it, and kills the daemon, the store or both at random moments. Rounds run side by side. In the end everything
must come to rest, and checker.py judges. The last line is "counts PASSED FAILED SKIPPED"; a round is one test, and
so is each of the checker's own tests.
"""
import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
import harness  # noqa: E402
from record import Log  # noqa: E402

AGENTS = [f"agent{number}" for number in range(6)]
BUSINESS = ("queues: [ { id: support, strategy: longest_idle, offer_timeout: 30s } ]\nagents:\n"
            + "".join(f"  - {{ id: {name}, name: {name}, queues: [support], capacity: 1000 }}\n" for name in AGENTS)
            + "rules:\n  - { name: everything, then: { queue: support } }\n")


class Keeper(threading.Thread):
    """Starts the daemon again whenever it ended, as a service manager would."""

    def __init__(self, daemon, faults):
        super().__init__(daemon=True)
        self.node = daemon
        self.faults = faults
        self.lock = threading.Lock()
        self.is_over = threading.Event()
        self.start_count = 0

    def run(self):
        while not self.is_over.is_set():
            with self.lock:
                status = self.node.process.poll()
                if status is not None:
                    self.faults.write("restart", status=status)
                    self.spawn()
            time.sleep(0.02)

    def spawn(self):
        self.start_count += 1
        with open(self.node.log, "ab") as log:
            self.node.process = subprocess.Popen([harness.BUILD / "converged", "-c", self.node.config],
                                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                 cwd=self.node.folder)


def provider_ports(folder):
    """The provider's ports for webhooks and mail, once it listens."""
    ports = folder / "ports.json"
    return harness.wait_for("the provider", lambda: ports.exists() and json.loads(ports.read_text()))


class Round:
    def __init__(self, kind, options, number):
        self.kind = kind
        self.options = options
        self.random = random.Random(f"{options.seed}-{kind}-{number}")
        self.folder = harness.RUNS / f"chaos-{kind}-{number}-{os.getpid()}"
        self.folder.mkdir(parents=True)
        self.faults = Log(self.folder / "faults.log")
        self.secret = harness.new_secret()
        self.redis = None
        self.children = []

    def start(self):
        extra = ""
        if self.kind == "external":
            self.redis = harness.Redis(self.folder / "redis").start()
            extra = f"store: unix:{self.redis.socket}\n"
        # A refused mail is tried again after a minute, and holds its conversation: only the long campaign has the time.
        self.spawn("provider", "--secret", self.secret, "--refuse-mail", "0.02" if self.options.full else "0")
        provider_port, mail_port = provider_ports(self.folder)
        channels = (f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
                    f'deliver_url: "http://127.0.0.1:{provider_port}/out", allow_private_urls: true }}\n'
                    "  - { name: site, connector: webchat }\n"
                    f'  - {{ name: post, connector: email, address: desk@example.test, '
                    f'smtp: {{ url: "smtp://127.0.0.1:{mail_port}" }} }}\n')
        self.daemon = harness.Daemon(self.folder / "node", channels, BUSINESS, extra)
        self.daemon.start()
        tokens = {name: self.daemon.token(agent=name) for name in AGENTS}
        tokens["supervisor"] = self.daemon.token("admin", None)
        self.agent = self.spawn("agent", "--port", str(self.daemon.http_port), "--tokens", json.dumps(tokens))
        self.generator = self.spawn("generator", "--port", str(self.daemon.http_port), "--secret", self.secret,
                                    "--lmtp-port", str(self.daemon.lmtp_port), "--rate", str(self.options.rate), "--chat",
                                    str(self.options.chat), "--mail", str(self.options.mail))
        self.keeper = Keeper(self.daemon, self.faults)
        self.keeper.start()

    def spawn(self, name, *arguments):
        with open(self.folder / f"{name}.out", "ab") as out:
            child = subprocess.Popen([sys.executable, HERE / f"{name}.py", "--folder", self.folder, *arguments],
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.children.append(child)
        return child

    def store_socket(self):
        if self.redis:
            return self.redis.socket
        return next(iter(self.daemon.state_dir.glob("*redis*.sock")), self.daemon.state_dir / "redis.sock")

    def signal_store(self, number):
        if self.redis:
            self.redis.process.send_signal(number)
            return
        with contextlib.suppress(ProcessLookupError), self.keeper.lock:
            pid = self.daemon.store_pid()
            if pid:
                os.kill(pid, number)

    def kill_daemon(self):
        with self.keeper.lock:
            self.daemon.process.kill()
            self.daemon.process.wait()

    def kill_once(self):
        """One fault: the daemon, the store, both at once, or both after the store had hung for a moment."""
        target = self.random.choice(["daemon", "store", "store", "both", "hung"])
        self.faults.write("kill", target=target)
        if target == "hung":
            self.signal_store(signal.SIGSTOP)
            time.sleep(self.random.uniform(0.1, 0.8))
        if target in ("daemon", "both", "hung"):
            self.kill_daemon()
        if target in ("store", "both", "hung"):
            self.signal_store(signal.SIGKILL)
        if self.redis and target != "daemon":
            self.redis.process.wait()
            time.sleep(self.random.random())
            self.redis.start()
        self.faults.write("over", target=target)

    def torment(self, kills):
        for _ in range(kills):
            # Some kills hit a daemon that has just come up, some one that is still starting.
            if self.random.random() < 0.8:
                harness.wait_for("the daemon after a kill", self.is_ready, 60)
            time.sleep(self.random.uniform(0.05, self.options.gap))
            self.kill_once()

    def is_ready(self):
        try:
            return harness.http_request(self.daemon.http_port, "GET", "/readyz", timeout=5).status == 200
        except (OSError, harness.http.client.HTTPException):
            return False

    def settle(self):
        """Faults are over: the customers finish, the agents drain, everything comes to rest."""
        harness.wait_for("the daemon after the last kill", self.is_ready, 60)
        time.sleep(self.options.calm)
        (self.folder / "stop").touch()
        self.generator.wait(180)
        (self.folder / "drain").touch()
        self.agent.wait(540)

    def judge(self):
        done = subprocess.run([sys.executable, HERE / "checker.py", self.folder, "--redis",
                               f"unix:{self.store_socket()}", "--least", str(self.options.least)],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print("".join(f"{line}\n" for line in done.stdout.splitlines()) + f"-- {self.kind}: that was it", flush=True)
        return done.returncode

    def end(self):
        if hasattr(self, "keeper"):
            self.keeper.is_over.set()
            self.keeper.join()
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
        try:
            if hasattr(self, "daemon"):
                self.daemon.stop()
                self.daemon.check_log()
        finally:
            if self.redis:
                self.redis.stop()

    def play(self, kills):
        """0: the checker is content."""
        try:
            self.start()
            self.torment(kills)
            self.settle()
            code = self.judge()
        except (AssertionError, OSError, subprocess.TimeoutExpired) as trouble:
            print(f"-- {self.kind}: FAIL: {trouble}", flush=True)
            code = 3
        try:
            self.end()
        except AssertionError as trouble:
            print(f"-- {self.kind}: FAIL: {trouble}", flush=True)
            code = code or 3
        if code == 0 and not self.options.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"-- {self.kind}: logs in {self.folder}", flush=True)
        return code


def check_the_checker():
    suite = unittest.defaultTestLoader.discover(str(HERE), "test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout).run(suite)
    failed = len(result.failures) + len(result.errors)
    return result.testsRun - failed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help="1000 kills")
    parser.add_argument("--kills", type=int, help="per round; default 14")
    parser.add_argument("--rounds", default="embedded,external")
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--chat", type=float, default=0.25, help="share of web-chat customers")
    parser.add_argument("--mail", type=float, default=0.125, help="share of customers who write mail")
    parser.add_argument("--gap", type=float, default=2.0, help="longest pause before a kill, s")
    parser.add_argument("--calm", type=float, default=1.0, help="load after the last kill, s")
    parser.add_argument("--least", type=int, default=100)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    kills = options.kills if options.kills is not None else (500 if options.full else 14)
    print(f"seed {options.seed}")
    passed, failed = check_the_checker()
    kinds = options.rounds.split(",")
    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
        codes = list(pool.map(lambda pair: Round(pair[1], options, pair[0]).play(kills), enumerate(kinds)))
    code = codes[0]
    passed, failed = passed + codes.count(0), failed + len(codes) - codes.count(0)
    print("counts", passed, failed, 0)
    # One round alone hands its own verdict on: sabotage asks whether the checker or something else said no.
    return (code if "," not in options.rounds else 1) if failed else 0


if __name__ == "__main__":
    sys.exit(main())
