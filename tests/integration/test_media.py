"""Attachments that the provider keeps: fetched after admission, within limits, and never lost by a crash."""
import http.server
import threading
import unittest

import harness

PICTURE = b"\x89PNG" + b"\x00\xff" * 5000


class Provider:
    """A media server: /once-busy answers 503 first, /hop redirects, /hang waits for `go`, the rest by name."""

    def __init__(self):
        self.asked, self.go, self.cut_off = [], threading.Event(), threading.Event()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked.append(self.path)
                provider.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def answer(self, wire):
        path = wire.path
        if path == "/hop":
            return self.say(wire, 302, b"", location="/1.png")
        if path == "/to-file":
            return self.say(wire, 302, b"", location="file:///etc/passwd")
        if path == "/round":
            return self.say(wire, 302, b"", location="/round")
        if path == "/endless":
            return self.endless(wire)
        if path == "/program":
            return self.say(wire, 200, b"MZ", "application/x-msdownload")
        if path == "/gone":
            return self.say(wire, 404)
        if path == "/page":
            return self.say(wire, 200, b"<p>log in</p>", "text/html")
        if path == "/big":
            return self.say(wire, 200, b"x" * 200_000)
        if path == "/once-busy" and self.asked.count(path) == 1:
            return self.say(wire, 503)
        if path == "/hang":
            self.go.wait(harness.PATIENCE_S)
        return self.say(wire, 200, PICTURE)

    def endless(self, wire):
        """Bytes until whoever asked has enough of them."""
        try:
            wire.send_response(200)
            wire.send_header("Content-Type", "image/png")
            wire.end_headers()
            while not self.go.is_set():
                wire.wfile.write(b"x" * 65536)
        except OSError:
            self.cut_off.set()

    @staticmethod
    def say(wire, status, body=b"", kind="image/png", location=None):
        try:
            wire.send_response(status)
            wire.send_header("Content-Type", kind)
            wire.send_header("Content-Length", str(len(body)))
            if location:
                wire.send_header("Location", location)
            wire.end_headers()
            wire.wfile.write(body)
        except OSError:
            pass

    def close(self):
        self.go.set()
        self.server.shutdown()
        self.server.server_close()


class Media(harness.TestCase):
    def begin(self, private=True):
        self.provider = Provider()
        self.addCleanup(self.provider.close)
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
            f'allow_private_urls: {"true" if private else "false"} }}\n',
            extra="limits: { media: 100k, media_types: [image] }\n")
        self.alice = self.daemon.token()

    def send(self, *paths, kind="image/png"):
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": "m1", "from": {"id": "u1", "name": "李雷"}, "text": "见图",
            "attachments": [{"url": self.provider.url(path), "type": kind, "name": "图.png"} for path in paths]})
        self.assertEqual(answer.status, 200, answer)
        return self.daemon.claim(self.alice)

    def files(self, item, *states):
        """The message's attachments once they stand like this."""
        def there():
            files = self.daemon.messages(item["conversation"], self.alice)[0]["attachments"]
            return files if [file["state"] for file in files] == list(states) else None
        return harness.wait_for(f"files that are {states}", there)

    def bytes_of(self, file):
        return self.daemon.request("GET", f"/v1/attachments/{file['id']}", token=self.alice).body

    def test_a_file_is_stored_whatever_hops_lead_to_it(self):
        self.begin()
        events = self.daemon.events("/v1/events?types=message.attachment", self.alice)
        self.addCleanup(events.close)
        item = self.send("/1.png", "/hop")
        for file in self.files(item, "stored", "stored"):
            self.assertEqual((file["size"], file["name"]), (len(PICTURE), "图.png"))
            self.assertEqual(self.bytes_of(file), PICTURE)
        event = events.wait(lambda event: event["event"] == "message.attachment")
        self.assertEqual((event["data"]["conversation"], event["data"]["to"]), (item["conversation"], "stored"))

    def test_what_cannot_be_had_says_why_and_is_not_asked_for_again(self):
        self.begin()
        item = self.send("/gone", "/page", "/big", "/1.png")
        gone, page, big, _ = self.files(item, "failed", "failed", "failed", "stored")
        self.assertIn("404", gone["error"])
        self.assertIn("web page", page["error"])
        self.assertIn("102400", big["error"])
        self.assertEqual(self.provider.asked.count("/gone"), 1)

    def test_a_type_that_is_not_taken_is_refused(self):
        self.begin()
        (file,) = self.files(self.send("/1.png", kind="application/x-msdownload"), "failed")
        self.assertIn("limits.media_types", file["error"])

    def test_redirects_lead_to_the_web_alone_and_end(self):
        self.begin()
        self.files(self.send("/to-file", "/1.png"), "failed", "stored")

    def test_redirects_end(self):
        self.begin()
        self.files(self.send("/round"), "failed")
        self.assertEqual(self.provider.asked.count("/round"), 6)

    def test_bytes_without_end_are_cut_off(self):
        self.begin()
        (file,) = self.files(self.send("/endless"), "failed")
        self.assertIn("102400", file["error"])
        self.assertTrue(self.provider.cut_off.wait(harness.PATIENCE_S))

    def test_what_the_provider_says_it_is_counts_too(self):
        self.begin()
        (file,) = self.files(self.send("/program"), "failed")
        self.assertIn("application/x-msdownload", file["error"])

    def test_a_provider_that_is_busy_is_asked_again(self):
        self.begin()
        self.files(self.send("/once-busy"), "stored")
        self.assertEqual(self.provider.asked, ["/once-busy"] * 2)

    def test_a_private_address_is_refused_before_a_byte_is_sent(self):
        self.begin(private=False)
        (file,) = self.files(self.send("/1.png"), "failed")
        self.assertTrue(file["error"])
        self.assertEqual(self.provider.asked, [])

    def test_a_file_of_a_message_that_is_moved_meanwhile_follows_it(self):
        self.begin()
        item = self.send("/hang")
        harness.wait_for("the request", lambda: self.provider.asked)
        one = item["conversation"]
        message = self.daemon.messages(one, self.alice)[0]["id"]
        change = self.daemon.request("POST", f"/v1/conversations/{one}/split", {"at": message}, self.alice)
        self.assertEqual(change.status, 201, change)
        self.provider.go.set()
        (file,) = self.files({"conversation": change.json["to"]}, "stored")
        self.assertEqual(self.bytes_of(file), PICTURE)
        harness.wait_for("one copy alone", lambda: sum(
            path.read_bytes().count(PICTURE) for path in self.daemon.state_dir.glob("blobs/*")) == 1)

    def test_a_crash_while_fetching_loses_nothing(self):
        self.begin()
        item = self.send("/hang")
        harness.wait_for("the request", lambda: self.provider.asked)
        self.assertEqual(self.files(item, "pending")[0]["url"], self.provider.url("/hang"))
        self.daemon.kill()
        self.provider.go.set()
        self.daemon.start(apply=False)
        (file,) = self.files(item, "stored")
        self.assertEqual(self.bytes_of(file), PICTURE)


if __name__ == "__main__":
    unittest.main()
