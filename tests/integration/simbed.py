"""A provider's stand-in (build/converge-sim --provider NAME) on a free port, and its calls under /_sim/ (tests/sim/README.md)."""
import base64
import contextlib
import http.client
import subprocess

import harness


class Stand:
    """One stand-in. Give `in_url` (or set it later) and settings by name; see .settings for those it runs with."""

    def __init__(self, provider, in_url=None, log=None, **settings):
        self.provider = provider
        self.port = harness.free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        words = [harness.BUILD / "converge-sim", "--provider", provider, "--listen", f"127.0.0.1:{self.port}"]
        if in_url:
            words += ["--in", in_url]
        for name, value in settings.items():
            words += ["--set", f"{name}={value}"]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log or subprocess.DEVNULL, stderr=log)
        harness.wait_for(f"the stand-in of {provider}", self._is_up)

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the stand-in of {self.provider} ended with {self.process.returncode}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return harness.http_request(self.port, "GET", "/_sim/state", timeout=5).status == 200

    def request(self, method, path, body=None, headers=None, **more):
        return harness.http_request(self.port, method, path, body, headers, **more)

    def _ask(self, method, path, body=None):
        answer = self.request(method, "/_sim/" + path, body)
        if answer.status != 200:
            raise AssertionError(f"{self.provider}: {method} /_sim/{path}: {answer}")
        return answer.json

    # --- what a test says ---

    def write(self, text=None, **what):
        """A customer writes (from_="...", kind="image", media=(bytes, type, name) ...); the provider's id of it."""
        return self._ask("POST", "say", self._said(text, what))["id"]

    def say(self, text=None, **what):
        """write(), and waits until the broker took it; the provider's id."""
        before = len(self.state()["posts"])
        message_id = self.write(text, **what)
        self.wait_taken(before)
        return message_id

    @staticmethod
    def _said(text, what):
        said = {name.rstrip("_"): value for name, value in what.items()}
        if text is not None:
            said["text"] = text
        if isinstance(said.get("media"), tuple):
            content, kind, name = said["media"]
            said["media"] = {"base64": base64.b64encode(content).decode(), "type": kind, "name": name}
        return said

    def wait_taken(self, before=0, ok=True):
        """Waits until every post after the first `before` is settled, rightly unless ok=False; returns them."""
        def settled():
            posts = self.state()["posts"][before:]
            return posts if posts and all(post["settled"] for post in posts) else None
        posts = harness.wait_for(f"{self.provider}: the broker to take what was said", settled)
        wrong = [post for post in posts if not post["ok"]]
        if ok and wrong:
            raise AssertionError(f"{self.provider}: the broker answered wrongly: {wrong}")
        return posts

    def receipt(self, message_id, status="delivered", **more):
        before = len(self.state()["posts"])
        receipt_id = self._ask("POST", "receipt", {"id": message_id, "status": status, **self._said(None, more)})["id"]
        self.wait_taken(before)
        return receipt_id

    def handshake(self, **what):
        """Proves the address as the provider's console does; the settled post."""
        before = len(self.state()["posts"])
        self._ask("POST", "handshake", what)
        return self.wait_taken(before, ok=False)[0]

    def fault(self, kind, count=1, **more):
        self._ask("POST", "fault", {"kind": kind, "count": count, **more})

    def clear_faults(self):
        self._ask("DELETE", "fault")

    def customer(self, who, **more):
        """A person whom the provider knows; blocked=True: who has blocked the account; window_ms."""
        self._ask("POST", "customer", {"id": who, **more})

    def set(self, **settings):
        self._ask("POST", "settings", settings)

    # --- what came of it ---

    def state(self):
        return self._ask("GET", "state")

    @property
    def settings(self):
        return self.state()["settings"]

    def calls(self, on="send"):
        """Every request aimed at sending, also those that a fault met."""
        return [call for call in self.state()["calls"] if call["on"] == on]

    def sent(self):
        return self._ask("GET", "sent")["sent"]

    def refused(self):
        return self._ask("GET", "sent")["refused"]

    def texts(self):
        return [one["text"] for one in self.sent()]

    def wait_sent(self, count=1):
        """Waits for so many accepted sends, all of them."""
        return harness.wait_for(f"{self.provider}: {count} sends; refused {self.refused()}",
                                lambda: (lambda sent: sent if len(sent) >= count else None)(self.sent()))

    def media(self, media_id):
        """The bytes of an upload of ours."""
        answer = self.request("GET", f"/_sim/media/{media_id}")
        return answer.body if answer.status == 200 else None

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(harness.PATIENCE_S)
        if code != 0:
            raise AssertionError(f"the stand-in of {self.provider} ended with {code}")


def stand(case, provider, **settings):
    """A stand-in that ends with the test. in_url: where it posts to."""
    log = open(case.folder / f"sim-{provider}.log", "ab")
    case.addCleanup(log.close)
    one = Stand(provider, log=log, **settings)
    case.addCleanup(one.close)
    return one
