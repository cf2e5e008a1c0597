"""A careful client for the tests of the stand-ins: Python's own HTTP, both ways."""
import hashlib
import hmac
import http.server
import json
import queue
import threading
import urllib.parse

import harness
import simbed

VECTORS = {one["id"]: one for one in json.loads((harness.ROOT / "tests/data/vectors.json").read_text())["vectors"]}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


class Broker:
    """Takes what a stand-in posts: .next() gives (method, path, headers, body); `answers` are (status, type, bytes)."""

    def __init__(self):
        self.got = queue.Queue()
        self.answers = []
        broker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                one = (self.command, self.path, self.headers, body)
                status, kind, answer = broker.answers.pop(0) if broker.answers else (200, "text/plain", b"")
                if callable(answer):
                    answer = answer(*one)
                broker.got.put(one)  # before the answer: what the stand-in posts next comes behind it
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = take

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/in/it"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        return self.got.get(timeout=harness.PATIENCE_S)

    def next_json(self):
        return json.loads(self.next()[3])

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def vector(name):
    return VECTORS[name]


def query_of(path):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query, keep_blank_values=True))


def hmac256(key, text):
    return hmac.new(key.encode(), text if isinstance(text, bytes) else text.encode(), hashlib.sha256)


def multipart(fields, files=()):
    """A multipart/form-data body and its type; files are (name, file name, type, bytes)."""
    mark = "----careful7f3a"
    parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]
    parts += [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\nContent-Type: {kind}'
              "\r\n\r\n".encode() + content + b"\r\n" for name, file, kind, content in files]
    return b"".join(parts) + f"--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


class Case(harness.TestCase):
    def start(self, provider, **settings):
        self.broker = Broker()
        self.addCleanup(self.broker.close)
        self.sim = simbed.stand(self, provider, in_url=self.broker.url, **{"hurry": "100", **settings})
        self.set = self.sim.settings

    def post(self, path, body, status=200, headers=None, type="application/json"):
        """POSTs JSON (or bytes) as asked and expects the status; the answer's JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        answer = self.sim.request("POST", path, raw, headers={"Content-Type": type, **(headers or {})})
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def get(self, path, status=200, headers=None):
        answer = self.sim.request("GET", path, headers=headers)
        self.assertEqual(answer.status, status, answer)
        return answer
