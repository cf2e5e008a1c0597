"""What the load's programs share: a log of JSON lines, and HTTP that outlives a dead daemon.

The checker does not use this file: it shares no code with what it judges.
"""
import http.client
import json
import os
import threading
import time


class Log:
    """Appends one JSON object a line; a line is written whole, in one call, as it happens."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.lock = threading.Lock()

    def write(self, op, **fields):
        line = json.dumps({"t": time.time(), "op": op, **fields}, ensure_ascii=False) + "\n"
        with self.lock:
            os.write(self.fd, line.encode())


class Caller:
    """One keep-alive connection; call() gives (status, body) or None when no answer came."""

    def __init__(self, port, timeout=40):
        self.port = port
        self.timeout = timeout
        self.connection = None

    def call(self, method, path, body=None, headers=None):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            status, data = answer.status, answer.read()
            if answer.will_close:
                self.close()
            return status, data
        except (OSError, http.client.HTTPException):
            self.close()
            return None

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None
