"""What the bench starts and reads: Redis, the daemon, the peer, the two generators, CPU times. Standard library only."""
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "integration"))
from ports import free_port  # noqa: E402

HERE = ROOT / "tests" / "bench"
BUILD = pathlib.Path(os.environ.get("CONVERGE_BUILD", ROOT / "build"))
TOOLS = ROOT / "build" / "bench"
SCRIPTS = ROOT / "daemon" / "store" / "scripts"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # the key in load.c and peer/fastify.js
CPUS = sorted(os.sched_getaffinity(0))
BUSINESS = """\
queues:
  - { id: support, strategy: longest_idle, offer_timeout: 30s }
agents:
  - { id: alice, name: Alice, queues: [support], capacity: 100 }
rules:
  - { name: everything-else, then: { queue: support } }
"""


def cpu(number):
    """The number-th processor; the last one where there are fewer."""
    return CPUS[min(number, len(CPUS) - 1)]


def say(text):
    print(text, file=sys.stderr, flush=True)


def wait_for(what, check, patience_s=30):
    deadline = time.monotonic() + patience_s
    while not check():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {patience_s} s for {what}")
        time.sleep(0.02)


def build_tools():
    """Compiles the bench's own programs into build/bench."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    gmime = subprocess.check_output(["pkg-config", "--cflags", "--libs", "gmime-3.0"], text=True).split()
    for name, sources, libraries in (("load", ["load.c", "wire_times.c"], ["-lcrypto"]), ("turns", ["turns.c"], ["-lcrypto"]), ("smsc", ["smsc.c"], []),
                                     ("bare", ["bare.c"], ["-lhiredis"]), ("gmime", ["gmime.c"], gmime)):
        subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o", TOOLS / name,
                        *[HERE / source for source in sources], *libraries], check=True)
    core = subprocess.check_output(["pkg-config", "--libs", "libevent", "libevent_openssl", "hiredis", "libcurl", "json-c", "yaml-0.1",
                                    "libcrypto", "gmime-3.0", "libsodium", "libseccomp", "libpcre2-8", "gumbo"], text=True).split()
    subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-I", ROOT / "daemon", "-I", ROOT / "include",
                    "-o", TOOLS / "route", HERE / "route.c", BUILD / "libcore.a", *core, "-lesmtp", "-lunistring", "-lm"], check=True)
    # Every connector asks for what the core has: all of it is linked.
    subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-I", ROOT / "daemon", "-I", ROOT / "include",
                    "-I", ROOT / "tests" / "contract", "-o", TOOLS / "parsing", HERE / "parsing.c", HERE / "parsing_bare.c", BUILD / "libcore.a", *core, "-lexpat",
                    "-lidn2", "-lssl", "-lesmtp", "-lunistring", "-lm", "-ldl"], check=True)
    core = subprocess.check_output(["pkg-config", "--libs", "json-c", "libcrypto", "sqlite3", "libpq", "libseccomp"], text=True).split()
    subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-I", ROOT / "daemon", "-I", ROOT / "include",
                    "-o", TOOLS / "search", HERE / "search.c", BUILD / "libcore.a", *core, "-lunistring", "-lm"], check=True)
    text = (SCRIPTS / "admit.lua").read_text()
    used = re.sub(r"^--@use (\w+)$", lambda found: (SCRIPTS / "prelude" / f"{found[1]}.lua").read_text(), text, flags=re.M)
    (TOOLS / "admit.lua").write_text(used)


def install_peer():
    """fastify, ioredis and BullMQ at the versions of peer/package-lock.json, into build/bench/peer."""
    folder = TOOLS / "peer"
    folder.mkdir(parents=True, exist_ok=True)
    lock = HERE / "peer" / "package-lock.json"
    fresh = (folder / "node_modules").is_dir() and (folder / "installed.json").is_file() and \
        (folder / "installed.json").read_bytes() == lock.read_bytes()
    for path in (HERE / "peer").iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    if not fresh:
        subprocess.run(["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(lock, folder / "installed.json")
    return folder


def task_seconds(pid):
    """CPU of one process with all its threads, in seconds."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def memory_kb(pid, key, source="status"):
    return int(re.search(rf"^{key}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/{source}").read_text(), re.M)[1])


class Process:
    def __init__(self, words, processor, log, folder):
        with open(log, "ab") as out:
            self.popen = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          cwd=folder, preexec_fn=lambda: os.sched_setaffinity(0, processor if isinstance(processor, set) else {processor}))
        self.pid = self.popen.pid
        self.log = log

    def check(self):
        if self.popen.poll() is not None:
            raise RuntimeError(f"{self.log.name} ended: {self.log.read_text(errors='replace')[-1500:]}")

    def stop(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(20)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


class Bed:
    """One folder, and everything started in it; ends it all when left."""

    def __enter__(self):
        # Short: the path of a unix socket has 107 bytes. On a disk, because fsync is measured.
        place = pathlib.Path(os.environ.get("BENCH_DIR", ROOT / "build"))
        place.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=place))
        self.running = []
        return self

    def __exit__(self, *_):
        for one in reversed(self.running):
            one.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, words, processor, folder=None):
        process = Process(words, processor, self.folder / f"{name}.log", folder or self.folder)
        self.running.append(process)
        return process

    def redis(self, policy, processor, name="redis"):
        return Redis(self, policy, processor, name)

    def daemon(self, redis, processor, name="daemon", business=True, history="none", channels=""):
        return Daemon(self, redis, processor, name, business, history, channels)

    def peer(self, redis, processor):
        folder = install_peer()
        port = free_port()
        process = self.start("peer", ["node", folder / "fastify.js", port, redis.path, TOOLS / "admit.lua"], processor, folder)
        wait_for("the peer", lambda: process.check() or "ready" in process.log.read_text())
        process.port = port
        return process


class Redis:
    def __init__(self, bed, policy, processor, name):
        self.path = bed.folder / f"{name}.sock"
        data = bed.folder / name
        data.mkdir()
        self.process = bed.start(name, [
            "redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "yes", "--appendfsync",
            policy, "--dir", data, "--auto-aof-rewrite-percentage", "0", "--stream-node-max-bytes", "1024"], processor)
        self.pid = self.process.pid
        wait_for("Redis", lambda: self.process.check() or self.path.exists() and self.call("PING") == "PONG")

    def call(self, *words):
        done = subprocess.run(["redis-cli", "-s", str(self.path), *words], capture_output=True, text=True)
        return done.stdout.strip()

    def used(self):
        return int(re.search(r"^used_memory:(\d+)", self.call("INFO", "memory"), re.M)[1])


class Daemon:
    def __init__(self, bed, redis, processor, name, business, history, channels):
        folder = self.folder = bed.folder / name
        folder.mkdir()
        self.port = free_port()
        self.lmtp_port = free_port()
        self.config = folder / "converged.yaml"
        self.config.write_text(f"""\
state_dir: ./var
listen: {{ http: 127.0.0.1:{self.port}, lmtp: 127.0.0.1:{self.lmtp_port} }}
store: {{ url: "unix:{redis.path}", allow_unsafe: true }}
history: {history}
limits: {{ api_per_second: 100000 }}
channels:
  - {{ name: shop, connector: webhook, secret: "{SECRET}" }}
  - {{ name: support, connector: email, address: support@example.test, smtp: {{ url: "smtp://127.0.0.1:1" }} }}
{channels}""")
        self.config.chmod(0o600)
        self.start = lambda: bed.start(name, [BUILD / "converged", "-c", self.config], processor, folder)
        self._run()
        if business:
            (folder / "business.yaml").write_text(BUSINESS)
            self.ctl("apply", "-f", folder / "business.yaml")

    def _run(self):
        self.process = self.start()
        self.pid = self.process.pid
        wait_for("the daemon", self._is_ready)

    def restart(self):
        self.process.stop()
        self.process.log.unlink()
        self._run()

    def _is_ready(self):
        self.process.check()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as link:
            link.sendall(b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return b" 200 " in link.recv(64)
        return False

    def ctl(self, *words):
        return subprocess.run([BUILD / "convergectl", "-c", self.config, *words], check=True, capture_output=True,
                              text=True).stdout

    def token(self, agent="alice", role="agent"):
        return json.loads(self.ctl("token", "create", "--role", role, "--agent", agent, "-o", "json"))["token"]

    def apply(self, text):
        (self.config.parent / "more.yaml").write_text(text)
        self.ctl("apply", "-f", self.config.parent / "more.yaml")


def run_json(words, processor, pids=()):
    """Runs one generator to its end; its JSON, with rate and microseconds of CPU a message of each of pids."""
    before = [task_seconds(pid) for pid in pids]
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, check=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {processor}))
    result = json.loads(done.stdout)
    if result["bad"] or not result["done"]:
        raise RuntimeError(f"{words[0]}: {result}")
    result["rate"] = result["done"] / result["seconds"]
    result["cpu"] = [(task_seconds(pid) - was) / result["done"] * 1e6 for pid, was in zip(pids, before)]
    return result


def put_online(port, token):
    body = b'{"status":"online"}'
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.sendall(b"PUT /v1/me/presence HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer "
                     + token.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        answer = link.recv(200)
    if b" 200 " not in answer:
        raise RuntimeError(f"presence was refused: {answer!r}")


def load(port, processor, *more, pids=()):
    return run_json([TOOLS / "load", "-p", port, "-t", "/in/shop", *more], processor, pids)


def bare(redis, kind, processor, *more):
    script = HERE / "six.lua" if kind == "six" else TOOLS / "admit.lua"
    return run_json([TOOLS / "bare", "-u", redis.path, "-l", script, "-k", kind, *more], processor, [redis.pid])


def median(values):
    return statistics.median(values)


def raise_limits():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
