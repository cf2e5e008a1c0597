"""Message centres for the channel smpp: one of npm's library smpp, held over its standard input and output."""
import contextlib
import itertools
import json
import pathlib
import queue
import socket
import struct
import subprocess
import threading

import harness
import sdkbed


class Centre:
    """sdk/smpp.mjs under way. A method is a command of it."""

    def __init__(self, test, **given):
        sdkbed.ready()
        self.given = {"system_id": "esme1", "password": "secret", **given}
        self.child = subprocess.Popen(["node", str(sdkbed.SDK / "smpp.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, env=sdkbed.ENVIRONMENT)
        test.addCleanup(self.stop)
        self.numbers = itertools.count(1)
        self.waiting = {}
        self._write(self.given)
        self.port = json.loads(self.child.stdout.readline())["port"]
        threading.Thread(target=self._read, daemon=True).start()

    def stop(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()

    def _write(self, value):
        self.child.stdin.write(json.dumps(value) + "\n")
        self.child.stdin.flush()

    def _read(self):
        try:
            for line in self.child.stdout:
                answer = json.loads(line)
                self.waiting.pop(answer.pop("n")).put(answer)
        except ValueError:
            pass  # stopped

    def begin(self, command, **more):
        """The place where the answer will be."""
        number, answer = next(self.numbers), queue.Queue()
        self.waiting[number] = answer
        self._write({"command": command, "n": number, **more})
        return answer

    def ask(self, command, **more):
        return self.begin(command, **more).get(timeout=harness.PATIENCE_S)

    def acknowledged(self):
        return self.state().get("acknowledged", 0)

    def state(self):
        return self.ask("state")

    def deliver(self, text=None, **more):
        message = {**({} if text is None else {"text": text}), **more}
        return self.ask("deliver", message=message)

    def fault(self, kind, times=1, status=None):
        self.ask("fault", kind=kind, times=times, status=status)

    def wait_bound(self, count=1):
        return harness.wait_for(f"{count} binds", lambda: len(self.state()["bound"]) == count and self.state())

    def wait_submits(self, count):
        return harness.wait_for(f"{count} submits", lambda: (seen := self.state()["submits"]) and len(seen) >= count and seen)


class PerlCentre:
    """peers/smsc.pl under way: lines of what it saw."""

    def __init__(self, test):
        script = pathlib.Path(__file__).resolve().parent / "peers/smsc.pl"
        self.child = subprocess.Popen(["perl", str(script)], stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.stop)
        self.port = self.next()["port"]

    def next(self):
        return json.loads(self.child.stdout.readline())

    def stop(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


RESPONSE = 0x80000000
SUBMIT, DELIVER = 4, 5


def pdu(command, status=0, sequence=1, body=b""):
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def sm(text, source=b"8613900000000", tlvs=b""):
    return (b"\0\1\1" + source + b"\0\0\1" + b"10690000\0" + bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, len(text)]) + text + tlvs)


class Line:
    """A message centre by hand, for what no library does. Each connection is told byte by byte what to say."""

    def __init__(self, test):
        self.listener = socket.create_server(("127.0.0.1", 0))
        test.addCleanup(self.listener.close)
        self.listener.settimeout(harness.PATIENCE_S)
        self.port = self.listener.getsockname()[1]
        self.test = test
        self.peer = None

    def accept(self):
        self.peer, _ = self.listener.accept()
        self.peer.settimeout(harness.PATIENCE_S)
        self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.test.addCleanup(self.peer.close)
        return self

    def _exactly(self, size):
        got = b""
        while len(got) < size:
            more = self.peer.recv(size - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def read(self):
        """The next PDU but for enquire_link, which is answered: command, status, sequence, body."""
        while True:
            length, command, status, sequence = struct.unpack(">IIII", self._exactly(16))
            self.test.assertTrue(16 <= length <= 65536 and 1 <= sequence <= 0x7fffffff, (length, sequence))
            body = self._exactly(length - 16)
            if command != 0x15:
                return command, status, sequence, body
            self.write(pdu(0x15 | RESPONSE, 0, sequence))

    def expect(self, command):
        got = self.read()
        self.test.assertEqual(hex(got[0]), hex(command), got)
        return got

    def write(self, *pdus):
        self.peer.sendall(b"".join(pdus))

    def bind(self, *behind):
        """Accepts a connection and its bind; behind: PDUs in the same segment as the answer."""
        self.accept()
        _, _, sequence, body = self.expect(9)
        self.test.assertEqual(body.split(b"\0")[:2], [b"esme1", b"secret"])
        self.write(pdu(9 | RESPONSE, 0, sequence, b"LINE\0"), *behind)
        return self

    def is_closed(self):
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                self.read()
        return True


def channel(port, **more):
    row = {"name": "c", "connector": "smpp", "host": "127.0.0.1", "port": port, "system_id": "esme1", "password": "secret",
           "source_addr": "10690000", "reconnect": "100ms", **more}
    return "  - " + json.dumps(row) + "\n"


class Bed(harness.TestCase):
    """A centre, a daemon bound to it, and alice who answers."""

    centre_settings = {}
    channel_settings = {}
    binds = 1

    def start_centre(self):
        return Centre(self, **self.centre_settings)

    def setUp(self):
        super().setUp()
        self.centre = self.start_centre()
        self.daemon = harness.Daemon(self.folder / "node", channel(self.centre.port, **self.channel_settings))
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        self.alice = self.daemon.token()
        self.admin = self.daemon.token("admin", None)
        if self.binds:
            self.centre.wait_bound(self.binds)

    def take(self, text="hello", **more):
        """A customer writes, alice has it."""
        self.assertEqual(self.centre.deliver(text, **more), {"status": 0})
        return self.claim()

    def claim(self):
        item = self.daemon.claim(self.alice)
        self.assertIsNotNone(item, "nothing to do")
        return item

    def answer(self, item, text):
        answer = self.daemon.reply(item["conversation"], text, self.alice)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["id"]

    def inbound(self, item):
        return [one for one in self.daemon.messages(item["conversation"], self.alice) if one["direction"] == "in"]

    def delivery(self, item, message, *states):
        def look():
            for one in self.daemon.messages(item["conversation"], self.alice):
                if one["id"] == message:
                    seen.append(one["delivery"])
                    return one["delivery"] if one["delivery"]["state"] in states else None
        seen = []
        try:
            return harness.wait_for(f"{message} to be {states}", look)
        except AssertionError as late:
            raise AssertionError(f"{late}; it is {seen[-1:]}") from None
