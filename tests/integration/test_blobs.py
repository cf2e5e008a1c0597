"""The blob store: what is erased is gone from the disk, and what is downloaded is never run."""
import contextlib
import hashlib
import hmac
import re
import secrets
import subprocess
import time
import unittest
import urllib.parse

import harness

CANARY = b"canary-" + secrets.token_hex(8).encode()


class Blobs(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon("  - { name: site, connector: webchat }\n")
        self.alice = self.daemon.token()

    def upload(self, content, name="a.bin"):
        answer = self.daemon.request("POST", f"/v1/attachments?name={urllib.parse.quote(name)}", content, self.alice)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["blob"]

    def delete(self, blob):
        return self.daemon.request("DELETE", f"/v1/attachments/{blob}", token=self.alice)

    def is_on_disk(self, content):
        for path in self.daemon.state_dir.glob("blobs/*"):
            with contextlib.suppress(FileNotFoundError):  # a pack of holes alone is removed meanwhile
                if content in path.read_bytes():
                    return True
        return False

    def converse(self):
        visitor = self.daemon.request("POST", "/chat/site/sessions", {}).json["token"]
        self.assertEqual(self.daemon.request("POST", "/chat/site/messages", {"text": "在吗"}, visitor).status, 201)
        return self.daemon.claim(self.alice)["conversation"]

    def test_an_upload_that_nobody_uses_is_destroyed(self):
        kept, gone = self.upload(b"kept"), self.upload(CANARY)
        self.assertTrue(self.is_on_disk(CANARY))
        self.assertEqual(self.delete(gone).status, 204)
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{gone}", token=self.alice).status, 404)
        harness.wait_for("the bytes to be gone", lambda: not self.is_on_disk(CANARY))
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{kept}", token=self.alice).body, b"kept")
        self.assertEqual(self.delete(gone).status, 404)

    def test_a_crash_between_the_answer_and_the_destruction_forgets_nothing(self):
        folder = self.daemon.state_dir / "blobs"
        gone = self.upload(CANARY)
        folder.rename(folder.with_name("away"))  # as if the disk were gone: erasing finds nothing there and fails
        folder.write_bytes(b"")
        self.assertEqual(self.delete(gone).status, 204)
        self.daemon.kill()
        folder.unlink()
        folder.with_name("away").rename(folder)
        self.assertTrue(self.is_on_disk(CANARY))
        self.daemon.start(apply=False)
        harness.wait_for("the bytes to be gone", lambda: not self.is_on_disk(CANARY))

    def test_what_a_message_names_stays(self):
        blob = self.upload(CANARY)
        file = [{"blob": blob, "name": "a.bin", "type": "image/png"}]
        self.assertEqual(self.daemon.reply(self.converse(), "见附件", self.alice, attachments=file).status, 201)
        answer = self.delete(blob)
        self.assertEqual((answer.status, answer.json["code"]), (409, "in_use"), answer)
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{blob}", token=self.alice).body, CANARY)

    def test_what_was_destroyed_cannot_be_sent(self):
        blob, conversation = self.upload(CANARY), self.converse()
        self.delete(blob)
        answer = self.daemon.reply(conversation, "x", self.alice,
                                   attachments=[{"blob": blob, "name": "a.bin", "type": "image/png"}])
        self.assertEqual((answer.status, answer.json["code"]), (422, "no_such_attachment"), answer)
        self.assertIn("a.bin", answer.json["detail"])

    def test_an_upload_that_nobody_sends_goes_after_a_week(self):
        visitor = self.daemon.request("POST", "/chat/site/sessions", {}).json["token"]
        left = self.daemon.request("POST", "/chat/site/attachments?name=a", CANARY, visitor).json["blob"]
        sent = self.daemon.request("POST", "/chat/site/attachments?name=b", b"sent", visitor).json
        said = self.daemon.request("POST", "/chat/site/messages", {"text": "", "attachments": [
            {"blob": sent["blob"], "name": "b", "type": "image/png"}]}, visitor)
        self.assertEqual(said.status, 201, said)
        socket = next(self.daemon.state_dir.rglob("redis.sock"))
        for ticket in (left, sent["blob"]):
            subprocess.run(["redis-cli", "-s", socket, "ZADD", "{main}:bu", "XX", "1", ticket[:64]], check=True,
                           stdout=subprocess.DEVNULL)
        self.daemon.restart(apply=False)  # it looks at once
        harness.wait_for("the upload to be gone", lambda: not self.is_on_disk(CANARY))
        self.assertEqual(self.daemon.request("GET", f"/chat/site/attachments/{sent['blob'][:64]}", token=visitor).body, b"sent")

    def link_of(self, blob, expires_in=60, **more):
        """A signed link as the daemon writes it: keyed by the installation's key."""
        key = (self.daemon.state_dir / "installation.key").read_bytes()
        key = bytes.fromhex(key.decode().strip()) if len(key) > 32 else key
        expires = str(int(time.time()) + expires_in)
        mac = hmac.new(key, b"file-link\0" + expires.encode() + b"\0" + blob.encode(), hashlib.sha256)
        return f"/files/{blob}?" + urllib.parse.urlencode({"expires": expires, "signature": mac.hexdigest()[:32], **more})

    def test_nothing_that_is_downloaded_is_run(self):
        for name, kind, content in (("seite.html", "text/html", b"<script>alert(1)</script>"),
                                    ("bild.svg", "image/svg+xml", b"<svg onload='alert(1)'/>"),
                                    ("图\"; x=.png", "image/png", b"\x89PNG")):
            path = f"/v1/attachments?name={urllib.parse.quote(name)}&type={urllib.parse.quote(kind)}"
            blob = self.daemon.request("POST", path, content, self.alice).json["blob"]
            quoted = urllib.parse.quote(name)
            for got in (self.daemon.request("GET", f"/v1/attachments/{blob}?name={quoted}&type={kind}", token=self.alice),
                        self.daemon.request("GET", self.link_of(blob, name=name))):
                self.assertEqual((got.status, got.body), (200, content), got)
                self.assertEqual(got.headers["Content-Type"], "application/octet-stream")
                self.assertEqual(got.headers["X-Content-Type-Options"], "nosniff")
                self.assertIn("sandbox", got.headers["Content-Security-Policy"])
                self.assertIn("default-src 'none'", got.headers["Content-Security-Policy"])
                self.assertEqual(got.headers["Content-Disposition"],
                                 f"attachment; filename*=UTF-8''{urllib.parse.quote(name, safe='')}")
                self.assertIn("no-store", got.headers["Cache-Control"])

    def test_a_link_is_good_for_its_file_and_its_time_alone(self):
        blob, other = self.upload(b"one"), self.upload(b"two")
        link = self.link_of(blob)
        self.assertEqual(self.daemon.request("GET", link).body, b"one")
        for wrong in (self.link_of(blob, expires_in=-1), link.replace(blob, other), link[:-1] + ("0" if link[-1] != "0" else "1"),
                      re.sub(r"expires=\d+", f"expires={int(time.time()) + 999}", link), link.split("&")[0], f"/files/{blob}"):
            self.assertEqual(self.daemon.request("GET", wrong).status, 403, wrong)
        self.delete(blob)
        harness.wait_for("the file to be gone", lambda: self.daemon.request("GET", link).status == 404)

    def test_files_have_an_origin_of_their_own_where_one_is_set(self):
        self.daemon = self.start_daemon(name="files", extra="files_url: https://Files.example:8443/x/\n")
        self.alice = self.daemon.token()
        blob = self.upload(b"one")
        link = self.link_of(blob)
        here, there = {}, {"Host": "files.example:8443"}
        self.assertEqual(self.daemon.request("GET", link, headers=there).body, b"one")
        self.assertEqual(self.daemon.request("GET", link, headers=here).status, 404)
        self.assertEqual(self.daemon.request("GET", "/v1/me", token=self.alice, headers=there).status, 404)
        self.assertEqual(self.daemon.request("GET", "/", headers=there).status, 404)
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{blob}", token=self.alice).body, b"one")
        self.daemon.ctl("agent", "password", "alice", "--stdin", stdin="correct horse battery\n")
        session = self.daemon.request("POST", "/v1/session", {"agent": "alice", "password": "correct horse battery"})
        cookie = {"Cookie": session.headers["Set-Cookie"].split(";")[0]}
        sent = self.daemon.request("GET", f"/v1/attachments/{blob}?name=%E5%9B%BE.png", headers=cookie)
        self.assertEqual((sent.status, sent.body), (302, b""))
        self.assertTrue(sent.headers["Location"].startswith(f"https://Files.example:8443/x/files/{blob}?"), sent.headers)
        local = sent.headers["Location"].removeprefix("https://Files.example:8443/x")
        self.assertEqual(self.daemon.request("GET", local, headers=there).body, b"one")


if __name__ == "__main__":
    unittest.main()
