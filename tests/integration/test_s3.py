"""Blobs in an S3-compatible store: signed, kept before anything is acknowledged, repeated while it may succeed."""
import json
import re
import secrets
import smtplib
import subprocess
import unittest

import harness
import s3bed

CHANNELS = """\
  - { name: site, connector: webchat }
  - { name: support, connector: email, address: support@example.test }
"""
MAIL = b"From: Li <li@customer.test>\r\nTo: support@example.test\r\nSubject: x\r\nMessage-ID: <1@c.test>\r\n\r\n" \
       b"canary text\r\n"


class Vectors(unittest.TestCase):
    def test_the_stand_in_signs_as_amazon_publishes(self):
        pairs = list(s3bed.check_vectors())
        self.assertEqual(len(pairs), 4)
        for computed, published in pairs:
            self.assertEqual(computed, published)


class S3(harness.TestCase):
    def begin(self, **more):
        self.s3 = s3bed.S3()
        self.addCleanup(self.s3.close)
        self.daemon = self.start_daemon(CHANNELS, extra=self.s3.setting(**more))
        self.alice = self.daemon.token()

    def upload(self, content=b"content"):
        answer = self.daemon.request("POST", "/v1/attachments?name=a.bin", content, self.alice)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["blob"]

    def get(self, blob):
        return self.daemon.request("GET", f"/v1/attachments/{blob}", token=self.alice)

    def lmtp(self):
        with smtplib.LMTP("127.0.0.1", self.daemon.lmtp_port) as wire:
            return wire.sendmail("li@customer.test", ["support@example.test"], MAIL)

    def test_blobs_are_objects_and_nothing_lies_on_the_disk(self):
        self.begin()
        for content in (b"x", b"\x00\xff" * 1_000_000, "退款".encode()):
            blob = self.upload(content)
            self.assertEqual(self.s3.object(blob), content)
            self.assertEqual(self.get(blob).body, content)
        self.assertEqual(self.s3.refused, [])
        self.assertEqual(list(self.daemon.state_dir.glob("blobs/*")), [])

    def test_the_store_can_be_tried(self):
        self.begin(timeout="1s")
        self.assertIn("kept, read and erased", self.daemon.ctl("blobs", "test"))
        self.assertEqual(self.s3.objects, {})
        self.s3.is_down = True
        rows = json.loads(self.daemon.ctl_result("doctor", "-o", "json").stdout)
        (row,) = [row for row in rows if row["check"] == "blobs"]
        self.assertEqual(row["result"], "bad")
        self.assertIn("503 SlowDown", row["detail"])

    def test_the_same_bytes_twice_are_two_objects(self):
        self.begin()
        first, second = self.upload(), self.upload()
        self.assertNotEqual(first, second)
        self.assertEqual(self.daemon.request("DELETE", f"/v1/attachments/{first}", token=self.alice).status, 204)
        harness.wait_for("the object to be gone", lambda: self.s3.object(first) is None)
        self.assertEqual(self.get(second).body, b"content")

    def test_raw_mail_is_there_before_the_mail_is_acknowledged(self):
        self.begin(timeout="1s")
        self.s3.is_down = True
        with self.assertRaises(smtplib.SMTPException) as refused:
            self.lmtp()
        self.assertIn("451", str(refused.exception))
        self.s3.is_down = False
        self.assertEqual(self.lmtp(), {})
        self.assertTrue(any(b"canary text" in content for content in self.s3.objects.values()))

    def test_a_mail_that_comes_twice_leaves_nothing_behind(self):
        self.begin()
        self.assertEqual(self.lmtp(), {})
        kept = dict(self.s3.objects)
        self.assertEqual(self.lmtp(), {})
        harness.wait_for("the second copy to go", lambda: any(method == "DELETE" for method, _ in self.s3.asked))
        harness.wait_for("the first copy to be all", lambda: self.s3.objects == kept)
        item = self.daemon.claim(self.alice)
        raw = self.daemon.messages(item["conversation"], self.alice)[0]["raw"]
        self.assertIn(b"canary text", self.get(raw).body)

    def test_a_store_that_is_slow_or_cut_off_is_asked_again(self):
        self.begin(timeout="8s")
        for mischief in (["503", "500"], ["drop"], ["etag"], ["hang"]):
            self.s3.mischief = list(mischief)
            blob = self.upload(mischief[0].encode())
            self.assertEqual(self.s3.object(blob), mischief[0].encode())
        before = len(self.s3.objects)
        for mischief in ("503", "truncate", "corrupt", "drop"):
            self.s3.mischief = [mischief]
            self.assertEqual(self.get(blob).body, b"hang", mischief)
        self.assertEqual(len(self.s3.objects), before)

    def test_what_is_damaged_for_good_is_not_handed_out(self):
        self.begin(timeout="2s")
        blob = self.upload()
        for path in self.s3.objects:
            self.s3.objects[path] = b"other"
        self.assertEqual(self.get(blob).status, 404)
        self.s3.objects.clear()
        self.assertEqual(self.get(blob).status, 404)

    def test_a_refusal_is_not_repeated_and_nothing_is_acknowledged(self):
        self.begin(secret_key="wrong")
        answer = self.daemon.request("POST", "/v1/attachments", b"x", self.alice)
        self.assertEqual(answer.status, 503, answer)
        self.assertEqual(set(self.s3.refused), {"SignatureDoesNotMatch"})
        # What may have been put without an owner is taken back; the bytes are sent once.
        self.assertEqual([verb for verb, _ in self.s3.asked].count("PUT"), 1, self.s3.asked)
        self.assertEqual(self.s3.objects, {})

    def test_erasing_waits_for_a_store_that_is_down(self):
        self.begin(timeout="1s")
        blob = self.upload()
        self.s3.is_down = True
        self.assertEqual(self.daemon.request("DELETE", f"/v1/attachments/{blob}", token=self.alice).status, 204)
        harness.wait_for("an attempt", lambda: ("DELETE", f"/mails/raw/a/{blob}") in self.s3.asked)
        self.daemon.kill()
        self.s3.is_down = False
        self.daemon.start(apply=False)
        harness.wait_for("the object to be gone", lambda: self.s3.object(blob) is None)

    def test_a_workspace_is_not_opened_with_another_store(self):
        self.begin()
        self.daemon.stop()
        self.daemon.write_config(CHANNELS)
        done = subprocess.run([harness.BUILD / "converged", "-c", self.daemon.config], capture_output=True, text=True,
                              cwd=self.daemon.folder, timeout=harness.PATIENCE_S)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, re.escape(f"s3://127.0.0.1:{self.s3.port}/mails/raw/a"))
        self.assertNotIn(s3bed.SECRET_KEY, done.stderr)


class Folder(harness.TestCase):
    def test_a_folder_of_its_own_holds_the_packs(self):
        daemon = self.start_daemon(extra="blobs: file:elsewhere\n")
        canary = secrets.token_hex(8).encode()
        alice = daemon.token()
        blob = daemon.request("POST", "/v1/attachments", canary, alice).json["blob"]
        self.assertEqual(daemon.request("GET", f"/v1/attachments/{blob}", token=alice).body, canary)
        self.assertTrue(any(canary in path.read_bytes() for path in daemon.folder.glob("elsewhere/blobs/*")))
        self.assertEqual(list(daemon.state_dir.glob("blobs/*")), [])


if __name__ == "__main__":
    unittest.main()
