"""A connector built outside the tree, from include/ alone, and loaded by connector_path: both ways, and over a reload."""
import pathlib
import shutil
import signal
import subprocess
import unittest

import harness

TOP = pathlib.Path(__file__).resolve().parent.parent.parent


class Plugin(harness.TestCase):
    def build(self):
        outside = self.folder / "outside"
        shutil.copytree(TOP / "include", outside / "include")
        shutil.copy(TOP / "tests/data/plugin/parrot.c", outside)
        subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-Iinclude", "-o", "parrot.so",
                        "parrot.c"], cwd=outside, check=True)
        return outside / "parrot.so"

    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon('  - { name: bird, connector: parrot, word: "polly wants it" }\n',
                                        extra=f"connector_path: [ {self.build()} ]\n")
        self.alice = self.daemon.token()

    def say(self, number, text, word="polly wants it"):
        return self.daemon.request("POST", "/in/bird", {"id": str(number), "from": "ann", "text": text},
                                   headers={"x-parrot": word})

    def texts(self, item):
        return [(one["direction"], one["text"]) for one in self.daemon.messages(item["conversation"], self.alice)]

    def test_both_ways_and_over_a_reload(self):
        self.assertEqual(self.say(1, "hello", word="no").status, 401)
        self.assertEqual(self.say(1, "你好").status, 200)
        self.assertIn("duplicate", self.say(1, "你好").body.decode())
        item = self.daemon.claim(self.alice)
        self.assertEqual(self.daemon.reply(item["conversation"], "hello yourself", self.alice).status, 201)
        want = [("in", "你好"), ("out", "hello yourself"), ("in", "hello yourself")]
        harness.wait_for("the parrot to say it again", lambda: self.texts(item) == want)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.say(2, "after").status, 200)
        harness.wait_for("what came after the reload", lambda: self.texts(item)[-1] == ("in", "after"))

    def test_its_settings_are_checked_like_any_other(self):
        broken = self.folder / "broken.yaml"
        broken.write_text(self.daemon.config.read_text().replace("word:", "wrod:"))
        broken.chmod(0o600)
        done = subprocess.run([harness.BUILD / "converged", "-t", "-c", broken], capture_output=True, text=True)
        self.assertEqual(done.returncode, 78)
        self.assertIn("word", done.stderr)


if __name__ == "__main__":
    unittest.main()
