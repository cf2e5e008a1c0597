"""The documents say what the programs do: links lead somewhere, twins stay in step, names are there."""
import os
import pathlib
import re
import subprocess
import unittest

import harness


def documents():
    """Not below build: other tests make and remove folders there meanwhile."""
    for folder, inner, names in os.walk(harness.ROOT):
        inner[:] = [name for name in inner if name not in ("build", "node_modules", ".git")]
        yield from (pathlib.Path(folder, name) for name in names if name.endswith(".md"))


DOCUMENTS = sorted(documents())


def shape(path):
    """Levels of headings and kinds of blocks, in order: what two languages must have in common."""
    text = path.read_text()
    return re.findall(r"^(?:#+|```\w*|\|(?= ---)| *\d\.)", text, re.MULTILINE)


class Documents(harness.TestCase):
    def test_links_lead_somewhere(self):
        self.assertGreater(len(DOCUMENTS), 10)
        for path in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
                if not re.match(r"[a-z]+:", target):
                    with self.subTest(document=path.name, target=target):
                        self.assertTrue((path.parent / target).exists())

    def test_twins_have_one_shape(self):
        twins = [path for path in DOCUMENTS if path.name.endswith(".zh-CN.md")]
        self.assertGreater(len(twins), 4)
        for twin in twins:
            with self.subTest(document=twin.name):
                self.assertEqual(shape(twin), shape(twin.with_name(twin.name.replace(".zh-CN", ""))))

    def test_operations_explain_every_metric_and_every_exit_code(self):
        daemon = self.start_daemon()
        names = re.findall(r"^# TYPE converged_(\S+)", daemon.request("GET", "/metrics").body.decode(), re.MULTILINE)
        self.assertGreater(len(names), 15)
        manual = subprocess.run([harness.BUILD / "convergectl", "--man"], capture_output=True, text=True).stdout
        codes = set(re.findall(r"^\.B (\d+)$", manual, re.MULTILINE))
        codes |= set(re.findall(r"^\*(\d+)\*$", (harness.ROOT / "docs/man/converged.8.scd").read_text(), re.MULTILINE))
        for path in (harness.ROOT / "docs/operations.md", harness.ROOT / "docs/operations.zh-CN.md"):
            text = path.read_text()
            for name in names:
                with self.subTest(document=path.name, metric=name):
                    self.assertRegex(text, rf"\b{name}\b")
            with self.subTest(document=path.name):
                self.assertEqual(codes - set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE)), set())

    def test_the_commands_in_operations_exist(self):
        commands = set(re.findall(r"convergectl (?:-c \S+ )?([a-z]+)(?: ([a-z][a-z-]+))?",
                                  (harness.ROOT / "docs/operations.md").read_text()))
        for noun, verb in commands:
            with self.subTest(noun=noun, verb=verb):
                done = subprocess.run([harness.BUILD / "convergectl", noun, "--help"], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                if f"] {noun} VERB" in done.stdout:
                    self.assertRegex(done.stdout, rf"(?m)^  {noun} {verb or 'VERB'}\b")


if __name__ == "__main__":
    unittest.main()
