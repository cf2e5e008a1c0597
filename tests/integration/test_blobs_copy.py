"""Blobs moved from the disk to S3 and back: every one under its id, whole, and again only what is missing."""
import hashlib
import json
import smtplib
import unittest

import harness
import s3bed

CHANNELS = """\
  - { name: site, connector: webchat }
  - { name: support, connector: email, address: support@example.test }
"""
MAIL = b"From: Li <li@customer.test>\r\nTo: support@example.test\r\nSubject: x\r\nMessage-ID: <1@c.test>\r\n\r\ncanary text\r\n"


class Copies(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.s3 = s3bed.S3()
        self.addCleanup(self.s3.close)
        self.secret = self.folder / "s3.key"
        self.secret.write_text(s3bed.SECRET_KEY + "\n")
        self.secret.chmod(0o600)
        self.url = f"s3://mails/raw/a?endpoint=http://127.0.0.1:{self.s3.port}&region={self.s3.region}"

    def begin(self, extra=""):
        self.daemon = self.start_daemon(CHANNELS, extra=extra)
        self.alice = self.daemon.token()

    def again(self, extra):
        self.daemon.stop()
        self.daemon.write_config(CHANNELS, extra)
        self.daemon.start(apply=False)

    def upload(self, content):
        answer = self.daemon.request("POST", "/v1/attachments?name=a.bin", content, self.alice)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["blob"]

    def get(self, blob):
        return self.daemon.request("GET", f"/v1/attachments/{blob}", token=self.alice).body

    def erase(self, blob):
        answer = self.daemon.request("DELETE", f"/v1/attachments/{blob}", token=self.alice)
        self.assertEqual(answer.status, 204, answer)

    def copy(self, *words, to=None, code=0):
        done = self.daemon.ctl_result("blobs", "copy", "--to", to or self.url, "--access-key", s3bed.ACCESS_KEY,
                                      "--secret-key-file", str(self.secret), "-o", "json", *words)
        self.assertEqual(done.returncode, code, done)
        return json.loads(done.stdout.splitlines()[0]) if code == 0 else done.stderr

    def counts(self, *words, **more):
        answer = self.copy(*words, **more)
        return [answer[name] for name in ("found", "there_before", "copied", "damaged")]

    def fill(self):
        contents = [b"x", b"\x00\xff" * 500_000, "退款".encode()] + [f"number {number}".encode() for number in range(40)]
        blobs = {self.upload(content): content for content in contents}
        with smtplib.LMTP("127.0.0.1", self.daemon.lmtp_port) as wire:
            self.assertEqual(wire.sendmail("li@customer.test", ["support@example.test"], MAIL), {})
        item = self.daemon.claim(self.alice)
        raw = self.daemon.messages(item["conversation"], self.alice)[0]["raw"]
        blobs[raw] = self.get(raw)
        return blobs

    def expect(self, blobs):
        for blob, content in blobs.items():
            self.assertEqual(self.get(blob), content)

    def test_from_the_disk_to_s3_and_back(self):
        self.begin()
        blobs = self.fill()
        gone = self.upload(b"erased before")
        self.erase(gone)
        harness.wait_for("the bytes to go", lambda: self.counts("--dry-run")[0] == len(blobs))
        self.assertEqual(self.counts("--dry-run"), [len(blobs), 0, 0, 0])
        self.assertEqual(self.s3.objects, {})
        self.s3.page = 7
        self.assertEqual(self.counts(), [len(blobs), 0, len(blobs), 0])
        self.assertEqual({blob: self.s3.object(blob) for blob in blobs}, blobs)
        more = self.upload(b"came since")
        blobs[more] = b"came since"
        self.s3.page = 1000
        self.assertEqual(self.counts("--switch"), [len(blobs), len(blobs) - 1, 1, 0])
        self.assertEqual(self.s3.refused, [])
        self.again(self.s3.setting())
        self.expect(blobs)
        added = self.upload(b"put into S3")
        blobs[added] = b"put into S3"
        # And back, into a folder of its own: ids of S3 name no place in a pack.
        folder = self.folder / "copied"
        folder.mkdir()
        self.assertEqual(self.counts("--switch", to=f"file:{folder}"), [len(blobs), 0, len(blobs), 0])
        self.again(f"blobs: file:{folder}\n")
        self.expect(blobs)
        self.erase(added)
        harness.wait_for("the file to go", lambda: not list(folder.glob(f"blobs/loose/*/{added}")))
        del blobs[added]
        blobs[self.upload(b"into a pack beside the files")] = b"into a pack beside the files"
        self.expect(blobs)
        self.assertEqual(self.copy(to=f"file:{folder}")["copied"], 0)

    def test_a_copy_that_broke_off_goes_on(self):
        self.begin()
        blobs = {self.upload(f"number {number}".encode()): f"number {number}".encode() for number in range(60)}
        self.s3.mischief = [""] * 20 + ["403"] * 2000
        self.assertIn("copying blobs", self.copy(code=75))
        self.s3.mischief = []
        before = len(self.s3.objects)
        self.assertTrue(0 < before < 60, before)
        found, there, copied, _ = self.counts()
        self.assertEqual((found, there, there + copied), (60, before, 60))
        self.assertEqual({blob: self.s3.object(blob) for blob in blobs}, blobs)

    def test_damaged_bytes_are_named_and_not_copied(self):
        self.begin()
        blobs = [self.upload(f"number {number}".encode()) for number in range(5)]
        self.daemon.stop()
        [pack] = self.daemon.state_dir.glob("blobs/0*")
        pack.write_bytes(pack.read_bytes().replace(b"number 3", b"NUMBER 3"))
        said = self.copy(code=65)
        self.assertIn(f"not copied: {blobs[3]}", said)
        self.assertEqual(len(self.s3.objects), 4)
        for blob in blobs[:3] + blobs[4:]:
            self.assertEqual(hashlib.sha256(self.s3.object(blob)).hexdigest()[:38], blob[:38])

    def test_a_store_that_hands_out_other_bytes_is_found_out(self):
        self.begin()
        self.upload(b"one")
        self.s3.mischief = ["", ""] + ["corrupt"] * 100
        self.assertIn("damaged", self.copy(code=65))


if __name__ == "__main__":
    unittest.main()
