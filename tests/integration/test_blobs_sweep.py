"""Blobs that nothing refers to go, after they were found twice with a grace between; nothing else does."""
import concurrent.futures
import json
import smtplib
import unittest

import harness
import s3bed

CHANNELS = """\
  - { name: site, connector: webchat }
  - { name: support, connector: email, address: support@example.test }
"""
HOUR_S = 3600


class Sweeps(harness.TestCase):
    blobs = ""

    def store(self):
        self.redis = self.start_redis()
        return f"unix:{self.redis.socket}"

    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(CHANNELS, extra=f"store: '{self.store()}'\n{self.blobs}")
        self.alice = self.daemon.token()
        self.mails = 0

    def upload(self, content, workspace="main"):
        token = self.alice if workspace == "main" else self.daemon.token(workspace=workspace)
        answer = self.daemon.request("POST", "/v1/attachments?name=a.bin", content, token)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["blob"]

    def mail(self):
        """The blob of a mail that was admitted."""
        self.mails += 1
        with smtplib.LMTP("127.0.0.1", self.daemon.lmtp_port) as wire:
            wire.sendmail("li@customer.test", ["support@example.test"], (
                f"From: Li <li@customer.test>\r\nTo: support@example.test\r\nSubject: x\r\nMessage-ID: <{self.mails}@c.test>\r\n"
                f"\r\nnumber {self.mails}\r\n").encode())
        item = self.daemon.claim(self.alice)
        return self.daemon.messages(item["conversation"], self.alice)[0]["raw"]

    def get(self, blob):
        return self.daemon.request("GET", f"/v1/attachments/{blob}", token=self.alice).status

    def field(self, blob):
        return blob[:4], bytes.fromhex(blob[4:18] + blob[38:56])

    def orphan(self, blob):
        """As if the daemon had died between the bytes and what names them. The answer is what the store knew."""
        bucket, field = self.field(blob)
        script = "local n = redis.call('HGET', KEYS[1], ARGV[1]) redis.call('HDEL', KEYS[1], ARGV[1]) redis.call('ZREM', KEYS[2], ARGV[2]) return n"
        return self.redis.ask("EVAL", script.replace("ARGV[1]", "(ARGV[1]:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end))"),
                              2, f"{{main}}:b:{bucket}", "{main}:bu", field.hex(), blob)

    def adopt(self, blob):
        bucket, field = self.field(blob)
        self.redis.ask("EVAL", "return redis.call('HSET', KEYS[1], (ARGV[1]:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end)), 1)",
                       1, f"{{main}}:b:{bucket}", field.hex())

    def sweep(self, *words, code=0):
        done = self.daemon.ctl_result("blobs", "sweep", "-o", "json", *words)
        self.assertEqual(done.returncode, code, done)
        if code != 0:
            return done.stderr
        answer = json.loads(done.stdout)
        return [answer[name] for name in ("blobs", "orphans", "past_grace", "named_in_history", "erased")]

    @property
    def notes(self):
        return self.daemon.state_dir / "blob-orphans"

    def age(self, seconds):
        """What was noted was noted earlier."""
        lines = [line.split() for line in self.notes.read_text().splitlines()]
        self.notes.write_text("".join(f"{blob} {int(first) - seconds}\n" for blob, first in lines))

    def content_is_there(self, blob, content):
        return any(content in path.read_bytes() for path in self.daemon.state_dir.glob("blobs/*") if path.is_file())

    def test_an_orphan_goes_when_a_later_run_finds_it_again(self):
        kept, lost, other = self.upload(b"kept bytes"), self.upload(b"lost bytes"), self.upload(b"other", "other")
        raw = self.mail()
        self.orphan(lost)
        self.assertEqual(self.sweep("--dry-run"), [4, 1, 0, 0, 0])
        self.assertFalse(self.notes.exists())
        self.assertEqual(self.sweep(), [4, 1, 0, 0, 0])
        self.age(6 * 24 * HOUR_S)
        self.assertEqual(self.sweep(), [4, 1, 0, 0, 0])
        self.age(25 * HOUR_S)
        self.assertEqual(self.sweep("--dry-run"), [4, 1, 1, 0, 0])
        self.assertTrue(self.content_is_there(lost, b"lost bytes"))
        self.assertEqual(self.sweep(), [4, 1, 1, 0, 1])
        self.assertFalse(self.content_is_there(lost, b"lost bytes"))
        self.assertEqual(self.sweep(), [3, 0, 0, 0, 0])
        self.assertEqual(self.notes.read_text(), "")
        self.assertEqual([self.get(blob) for blob in (kept, raw)], [200, 200])
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{other}", token=self.daemon.token(workspace="other")).status, 200)
        self.upload(b"and it goes on")

    def test_what_finds_an_owner_meanwhile_stays(self):
        one, two, kept = self.upload(b"one"), self.upload(b"two"), self.upload(b"kept")
        self.orphan(one)
        self.orphan(two)
        self.assertEqual(self.sweep("--grace", "1h"), [3, 2, 0, 0, 0])
        self.age(2 * HOUR_S)
        self.adopt(one)
        self.assertEqual(self.sweep("--grace", "1h"), [3, 1, 1, 0, 1])
        self.assertEqual([self.get(blob) for blob in (one, two, kept)], [200, 404, 200])
        # Lost again, it begins anew.
        self.orphan(one)
        self.assertEqual(self.sweep("--grace", "1h"), [2, 1, 0, 0, 0])

    def test_what_the_history_names_stays_whatever_the_store_says(self):
        raw, kept = self.mail(), self.upload(b"kept")
        harness.wait_for("the history", lambda: json.loads(self.daemon.ctl("history", "status", "-o", "json"))["rows"]["message"] == 1)
        self.orphan(raw)
        self.sweep()
        self.age(30 * 24 * HOUR_S)
        self.assertEqual(self.sweep(), [2, 1, 1, 1, 0])
        self.adopt(raw)
        self.assertEqual([self.get(blob) for blob in (raw, kept)], [200, 200])

    def test_what_comes_while_it_runs_stays(self):
        self.upload(b"first")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            coming = [pool.submit(self.upload, f"number {number}".encode()) for number in range(120)]
            while not all(one.done() for one in coming):
                self.sweep("--grace", "1h")
                self.age(2 * HOUR_S)
        self.assertEqual(self.sweep("--grace", "1h")[1:], [0, 0, 0, 0])
        self.assertEqual({self.get(one.result()) for one in coming}, {200})

    def test_a_store_that_lost_everything_is_not_believed(self):
        blob = self.upload(b"kept")
        self.orphan(blob)
        self.assertIn("not one of 1 blobs", self.sweep(code=64))
        self.redis.ask("DEL", "{main}:meta")
        self.assertIn("no workspace", self.sweep(code=64))
        self.assertIn("at least 1h", self.sweep("--grace", "59m", code=64))


class SweepsOfS3(Sweeps):
    def setUp(self):
        self.s3 = s3bed.S3()
        self.addCleanup(self.s3.close)
        self.s3.page = 2
        self.blobs = self.s3.setting()
        super().setUp()

    def content_is_there(self, blob, content):
        return self.s3.object(blob) == content


class SweepsOverTcp(Sweeps):
    def store(self):
        port = harness.free_port()
        self.redis = self.start_redis("redis", "--port", str(port), "--user", "con", "on", ">p w'", "~*", "&*", "+@all")
        return f"redis://con:p%20w%27@127.0.0.1:{port}"


if __name__ == "__main__":
    unittest.main()
