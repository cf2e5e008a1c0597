"""Starts the real daemon and the peers it talks to, each with its own files and free ports.

Standard library only, but for aiosmtpd (SmtpSink). Everything of one test lies in one folder under
build/test-runs; it is removed when the test passed and kept, with all logs, when it failed.
"""
import base64
import contextlib
import hashlib
import hmac
import http.client
import http.server
import imaplib
import json
import os
import pathlib
import pwd
import queue
import re
import secrets
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CONVERGE_BUILD", ROOT / "build" / "dev"))
RUNS = ROOT / "build" / "test-runs"
PATIENCE_S = float(os.environ.get("CONVERGE_PATIENCE_S", "20"))

SANITIZER_TEXT = re.compile(r"(Address|Leak|Undefined|Thread|Memory)Sanitizer|runtime error:")
# The workers' sandbox hides /proc from the search for leaks.
SANITIZER_BLIND = re.compile(r"LeakSanitizer (has encountered a fatal error|does not work under ptrace)|HINT:")

BUSINESS = """\
queues:
  - { id: support, strategy: longest_idle, offer_timeout: 30s }
agents:
  - { id: alice, name: Alice, queues: [support], skills: { refunds: 3, zh: 5 }, capacity: 100 }
  - { id: bob, name: Bob, queues: [support], skills: { refunds: 1 }, capacity: 100 }
rules:
  - { name: refunds, when: { text: "退款|refund" }, then: { queue: support, type: refund, urgency: high, priority: 60 } }
  - { name: everything-else, then: { queue: support } }
"""


def wait_for(what, check, patience_s=PATIENCE_S):
    """Polls check() until it returns something true, and returns that."""
    deadline = time.monotonic() + patience_s
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience_s:.0f} s for {what}")
        time.sleep(0.02)


def new_secret():
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret, message_id, timestamp, body):
    """Standard Webhooks 1.0: the value of webhook-signature."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def http_request(port, method, path, body=None, headers=None, timeout=PATIENCE_S + 60):
    """One request on a connection of its own. A dict or list as body goes out as JSON."""
    headers = dict(headers or {})
    if isinstance(body, (dict, list)):
        body = json.dumps(body, ensure_ascii=False).encode()
        headers.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


class Events:
    """Reads an SSE stream in a thread; next() gives the next event as a dict, in order."""

    def __init__(self, port, path, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self.connection.request("GET", path, headers={"Accept": "text/event-stream", **(headers or {})})
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.seen = []
        self.queue = queue.Queue()
        self.thread = threading.Thread(target=self._read, daemon=True)
        if self.status == 200:
            self.thread.start()

    def _read(self):
        event = {"event": "message", "data": []}
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            for raw in self.response:
                line = raw.decode().rstrip("\r\n")
                if line:
                    name, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    if name == "data":
                        event["data"].append(value)
                    elif name:
                        event[name] = value
                    continue
                if event["data"]:
                    text = "\n".join(event["data"])
                    event["data"] = json.loads(text) if text[:1] in "{[" else text
                    self.queue.put(event)
                event = {"event": "message", "data": []}
        self.queue.put(None)

    def next(self, patience_s=PATIENCE_S):
        try:
            event = self.queue.get(timeout=patience_s)
        except queue.Empty:
            raise AssertionError(f"no event within {patience_s:.0f} s; seen {self.seen}") from None
        if event is None:
            raise AssertionError(f"the stream ended; seen {self.seen}")
        self.seen.append(event)
        return event

    def wait(self, check, patience_s=PATIENCE_S):
        """The first event that check(event) accepts; others are passed over."""
        deadline = time.monotonic() + patience_s
        while True:
            event = self.next(max(0.01, deadline - time.monotonic()))
            if check(event):
                return event

    def close(self):
        with contextlib.suppress(OSError):
            self.connection.sock and self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


class Redis:
    """A redis-server beside the daemon, with the append-only file synced at every write."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "redis.sock"
        self.options = [str(option) for option in options]
        self.process = None

    def start(self):
        with open(self.folder / "redis.log", "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--appendonly",
                 "yes", "--appendfsync", "always", "--save", "", "--maxmemory", "512mb", "--maxmemory-policy",
                 "noeviction", *self.options], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def ask(self, *words):
        """One command in plain words; the answer as redis-cli prints it, "" while nobody answers."""
        return subprocess.run(["redis-cli", "-s", self.socket, *map(str, words)], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout.strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


class Daemon:
    """One converged with its own state_dir. `channels` is YAML text of the channel list."""

    def __init__(self, folder, channels="", business=BUSINESS, extra=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.http_port = free_port()
        self.lmtp_port = free_port()
        self.config = self.folder / "converged.yaml"
        self.business = business
        self.log = self.folder / "converged.log"
        self.process = None
        self.tokens = {}
        self.write_config(channels, extra)

    def write_config(self, channels, extra=""):
        self.config.write_text(
            f"state_dir: ./var\n"
            f"listen: {{ http: 127.0.0.1:{self.http_port}, lmtp: 127.0.0.1:{self.lmtp_port} }}\n"
            + ("" if "store:" in extra else "store: embedded\n")
            + ("" if "limits:" in extra else "limits: { api_per_second: 100000, visitor_messages_per_minute: 10000 }\n")
            + extra + "channels:\n" + (channels or "  - { name: site, connector: webchat }\n"))
        self.config.chmod(0o600)

    @property
    def state_dir(self):
        return self.folder / "var"

    def start(self, apply=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BUILD / "converged", "-c", self.config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.folder)
        wait_for("the daemon to be ready", self._is_ready)
        if apply and self.business:
            path = self.folder / "business.yaml"
            path.write_text(self.business)
            self.ctl("apply", "-f", str(path))
            self.business = None
        return self

    def _is_ready(self):
        status = self.process.poll()
        if status is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            raise AssertionError(f"the daemon ended with status {status}:\n{tail}")
        try:
            return http_request(self.http_port, "GET", "/readyz", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self):
        """kill -9; the embedded store dies with it."""
        self.process.kill()
        self.process.wait()
        self.check_log()

    def check_log(self):
        """What a sanitizer said of the daemon or a worker of it is a failure of whatever ran."""
        lines = self.log.read_text(errors="replace").splitlines()
        for at, line in enumerate(lines):
            if SANITIZER_TEXT.search(line) and not SANITIZER_BLIND.search(line):
                raise AssertionError("a sanitizer speaks in " + str(self.log) + ":\n" + "\n".join(lines[at:at + 40]))

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the daemon did not end on SIGTERM") from None
        self.check_log()
        if self.process.returncode != 0:
            raise AssertionError(f"the daemon ended with status {self.process.returncode} on SIGTERM")

    def restart(self, apply=True):
        self.kill()
        self.start(apply)

    def store_pid(self):
        """Pid of the embedded redis-server: the daemon's child of that name."""
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                name, _, rest = path.read_text().partition("(")[2].rpartition(")")
                if name.startswith("redis-server") and int(rest.split()[1]) == self.process.pid:
                    return int(path.parent.name)
        return None

    def kill_store(self):
        pid = wait_for("the store's process", self.store_pid)
        os.kill(pid, signal.SIGKILL)
        return pid

    def ctl_result(self, *arguments, stdin=None):
        return subprocess.run([BUILD / "convergectl", "-c", self.config, *arguments], input=stdin,
                              capture_output=True, text=True, timeout=120)

    def ctl(self, *arguments, stdin=None):
        done = self.ctl_result(*arguments, stdin=stdin)
        if done.returncode != 0:
            raise AssertionError(f"convergectl {' '.join(arguments)} ended with {done.returncode}: "
                                 f"{done.stdout}{done.stderr}")
        return done.stdout

    def token(self, role="agent", agent="alice", workspace="main"):
        key = (role, agent, workspace)
        if key not in self.tokens:
            words = ["-w", workspace, "token", "create", "--role", role, "-o", "json"]
            if agent and role in ("agent", "supervisor"):
                words += ["--agent", agent]
            self.tokens[key] = json.loads(self.ctl(*words))["token"]
        return self.tokens[key]

    def request(self, method, path, body=None, token=None, headers=None, **more):
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return http_request(self.http_port, method, path, body, headers, **more)

    def events(self, path, token=None, headers=None):
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return Events(self.http_port, path, headers)

    # --- the words of the contract ---

    def post_signed(self, channel, secret, body, message_id=None, timestamp=None, signature=None):
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        message_id = message_id or "hook_" + secrets.token_hex(12)
        timestamp = str(int(time.time()) if timestamp is None else timestamp)
        return self.request("POST", f"/in/{channel}", raw, headers={
            "Content-Type": "application/json", "webhook-id": message_id, "webhook-timestamp": timestamp,
            "webhook-signature": sign(secret, message_id, timestamp, raw) if signature is None else signature})

    def claim(self, token, wait_s=10, queues=None):
        """The next work item, or None."""
        body = {"wait_s": wait_s}
        if queues:
            body["queues"] = queues
        answer = self.request("POST", "/v1/work/claim", body, token,
                              headers={"Idempotency-Key": secrets.token_hex(12)})
        if answer.status == 204:
            return None
        if answer.status != 200:
            raise AssertionError(f"claim: {answer}")
        return answer.json

    def messages(self, conversation, token):
        answer = self.request("GET", f"/v1/conversations/{conversation}/messages?limit=200", token=token)
        if answer.status != 200:
            raise AssertionError(f"messages: {answer}")
        return answer.json["data"]

    def reply(self, conversation, text, token, kind="reply", key=None, **more):
        return self.request("POST", f"/v1/conversations/{conversation}/messages",
                            {"kind": kind, "text": text, **more}, token,
                            headers={"Idempotency-Key": key or secrets.token_hex(12)})


class WebhookSink:
    """Takes the daemon's outgoing webhooks; `answers` are statuses for the next requests, then 204."""

    def __init__(self, secret=None):
        self.secret = secret
        self.received = []
        self.bad = []
        self.answers = []
        self.lock = threading.Lock()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = sink.take(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/out"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        with self.lock:
            status = self.answers.pop(0) if self.answers else 204
            wanted = None
            if self.secret:
                wanted = sign(self.secret, headers.get("webhook-id", ""), headers.get("webhook-timestamp", ""), body)
            if wanted and wanted not in headers.get("webhook-signature", "").split(" "):
                self.bad.append((path, dict(headers), body))
                return 401
            event = json.loads(body)
            event["webhook_id"] = headers.get("webhook-id")
            event["status_given"] = status
            self.received.append(event)
            return status

    def texts(self):
        with self.lock:
            return [event["data"].get("text") for event in self.received if event["status_given"] < 300]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class SmtpSink:
    """A real SMTP server that keeps what it gets: (envelope from, [envelope to], bytes)."""

    def __init__(self, answers=None):
        from aiosmtpd.controller import Controller
        self.mails = []
        self.answers = answers or []
        sink = self

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                answer = sink.answers.pop(0) if sink.answers else "250 kept"
                if answer.startswith("250"):
                    sink.mails.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
                return answer

        self.port = free_port()
        self.controller = Controller(Handler(), hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True)
        self.controller.start()

    def close(self):
        self.controller.stop()


class Dovecot:
    """An IMAP server of our own on a free port: user `support`, password in `password`."""

    user = "support"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.password = secrets.token_hex(12)
        self.process = None
        for part in ("run", "state"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "dovecot.log"
        owner = pwd.getpwuid(os.getuid())
        # Not below the source tree: the mail processes must not be root, and a tree in /root is closed to others.
        self.mail = pathlib.Path(tempfile.mkdtemp(prefix="converge-dovecot-"))
        if owner.pw_uid == 0:
            # The login processes are Debian's own users.
            mailer = pwd.getpwnam("nobody")
            users = ""
            os.chown(self.mail, mailer.pw_uid, mailer.pw_gid)
        else:
            mailer = owner
            users = f"default_login_user = {owner.pw_name}\ndefault_internal_user = {owner.pw_name}\n" \
                    f"default_internal_group = {owner.pw_gid}\n"
        (self.folder / "dovecot.conf").write_text(f"""\
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.log}
listen = 127.0.0.1
protocols = imap
ssl = no
disable_plaintext_auth = no
{users}mail_location = maildir:{self.mail}/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password={self.password}
}}
userdb {{
  driver = static
  args = uid={mailer.pw_uid} gid={mailer.pw_gid} home={self.mail}/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
""")

    def start(self):
        with open(self.folder / "dovecot.out", "ab") as out:
            self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", self.folder / "dovecot.conf"],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_for("Dovecot", self._answers)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("Dovecot ended: " + self.log.read_text(errors="replace")[-2000:])
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self.login().logout()
            return True
        return False

    def login(self):
        box = imaplib.IMAP4("127.0.0.1", self.port, timeout=PATIENCE_S)
        box.login(self.user, self.password)
        return box

    def deliver(self, mail):
        """Puts a mail (bytes) into INBOX, unread."""
        box = self.login()
        status, detail = box.append("INBOX", "", None, mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        box.logout()
        if status != "OK":
            raise AssertionError(f"APPEND: {detail}")

    def flags(self):
        """Flags of every mail in INBOX, by UID."""
        box = self.login()
        box.select("INBOX", readonly=True)
        _, data = box.uid("FETCH", "1:*", "(UID FLAGS)")
        box.logout()
        return [line.decode() for line in data if line]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE_S)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.mail, ignore_errors=True)


def send_lmtp(port, sender, recipient, mail):
    """One mail by LMTP; raises smtplib.SMTPException when it is refused."""
    with smtplib.LMTP("127.0.0.1", port) as client:
        client.ehlo_or_helo_if_needed()
        client.sendmail(sender, [recipient], mail)


class TestCase(unittest.TestCase):
    """self.folder is the test's own; what start_* began is stopped behind it."""

    def setUp(self):
        # Short: the path of a unix socket has 107 bytes.
        self.folder = RUNS / secrets.token_hex(4)
        self.folder.mkdir(parents=True)
        (self.folder / "test-id").write_text(self.id() + "\n")
        # Last added runs first: everything has ended before the folder is judged.
        self.addCleanup(self._clear_folder)

    def _clear_folder(self):
        result = self._outcome.result
        broken = [test for test, _ in result.failures + result.errors if test is self]
        own = getattr(self._outcome, "success", True)
        if own and not broken:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"logs of {self.id()} kept in {self.folder}", file=sys.stderr)

    def start_daemon(self, channels="", name="node", **more):
        daemon = Daemon(self.folder / name, channels, **more)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def start_redis(self, name="redis", *options):
        redis = Redis(self.folder / name, *options)
        self.addCleanup(redis.stop)
        return redis.start()

    def start_sink(self, secret=None):
        sink = WebhookSink(secret)
        self.addCleanup(sink.close)
        return sink

    def start_smtp(self, **more):
        sink = SmtpSink(**more)
        self.addCleanup(sink.close)
        return sink

    def start_dovecot(self):
        server = Dovecot(self.folder / "dovecot")
        self.addCleanup(server.stop)
        return server.start()
