"""What stands around the daemon: the unit's exposure, the command line's help, the scripts' own words."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness


class Unit(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_the_exposure_is_at_most_1_5(self):
        unit = harness.ROOT / "deploy" / "systemd" / "converged@.service"
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "converged@main.service"
            copy.write_text(unit.read_text())
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", copy],
                                  capture_output=True, text=True)
        level = re.search(r"exposure level for .*: ([0-9.]+)", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout[-400:] + done.stderr)
        self.assertLessEqual(float(level[1]), 1.5)

    def test_ctrl_c_and_stop_reach_the_daemon_first(self):
        text = (harness.ROOT / "deploy" / "systemd" / "converged@.service").read_text()
        self.assertIn("KillMode=mixed", text)
        self.assertIn("Type=notify\n", text)


class Scripts(unittest.TestCase):
    def run_script(self, *words):
        return subprocess.run(words, cwd=harness.ROOT, capture_output=True, text=True, timeout=60)

    def test_unknown_options_are_refused(self):
        for script in ("deploy/quickstart", "deploy/install-packages", "tests/run"):
            self.assertEqual(self.run_script(script, "--no-such-option").returncode, 64, script)

    def test_every_library_that_the_build_asks_for_is_in_the_list(self):
        packages = (harness.ROOT / "deploy" / "install-packages").read_text()
        wanted = {"libevent": "libevent-dev", "hiredis": "libhiredis-dev", "libcurl": "libcurl4-openssl-dev",
                  "json-c": "libjson-c-dev", "yaml-0.1": "libyaml-dev", "libssl": "libssl-dev",
                  "gmime-3.0": "libgmime-3.0-dev", "libsodium": "libsodium-dev", "libseccomp": "libseccomp-dev",
                  "libpcre2-8": "libpcre2-dev", "gumbo": "libgumbo-dev", "libidn2": "libidn2-dev",
                  "sqlite3": "libsqlite3-dev", "libpq": "libpq-dev", "expat": "libexpat1-dev", "criterion": "libcriterion-dev"}
        build = "".join(path.read_text() for path in (harness.ROOT / "CMakeLists.txt",
                                                      harness.ROOT / "tests" / "CMakeLists.txt"))
        for row in re.findall(r"pkg_check_modules\(\w+ REQUIRED IMPORTED_TARGET ([^)]+)\)", build):
            for module in row.split():
                if module in ("libevent_openssl", "libcrypto"):
                    continue
                self.assertIn(module, wanted)
                self.assertIn(wanted[module], packages.split())


class CommandLine(unittest.TestCase):
    ctl = harness.BUILD / "convergectl"

    def run_ctl(self, *words):
        return subprocess.run([self.ctl, *words], capture_output=True, text=True, timeout=60)

    def test_help_on_every_level(self):
        for words in ([], ["token"], ["token", "create"], ["tail"]):
            done = self.run_ctl(*words, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertIn("usage: convergectl", done.stdout)
        self.assertIn("--role", self.run_ctl("token", "create", "--help").stdout)
        self.assertNotIn("--role", self.run_ctl("queue", "--help").stdout)

    def test_usage_errors_exit_with_64(self):
        for words in ([], ["nothing"], ["token"], ["token", "nothing"], ["token", "create"], ["token", "revoke"],
                      ["token", "list", "more"], ["token", "list", "--nothing"], ["-o", "xml", "token", "list"],
                      ["queue", "show", "a", "b"], ["-c"], ["apply"], ["work", "list", "--limit"]):
            self.assertEqual(self.run_ctl(*words).returncode, 64, words)

    def test_a_missing_or_broken_settings_file_exits_with_78(self):
        self.assertEqual(self.run_ctl("-c", "/nonexistent.yaml", "token", "list").returncode, 78)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("listen: { htpt: 127.0.0.1:1 }\n")
            file.flush()
            done = self.run_ctl("-c", file.name, "token", "list")
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr, r":1:\d+: error: ")

    def test_a_daemon_that_is_not_there_exits_with_69(self):
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "c.yaml"
            config.write_text("state_dir: ./var\nlisten: { http: 127.0.0.1:1 }\nstore: embedded\nchannels: []\n")
            done = self.run_ctl("-c", config, "token", "list")
            self.assertEqual(done.returncode, 69, done.stderr)
            self.assertIn("is it running?", done.stderr)
            doctor = self.run_ctl("-c", config, "doctor", "-o", "json")
        self.assertEqual(doctor.returncode, 1)
        self.assertIn("bad", {row["result"] for row in json.loads(doctor.stdout)})

    def test_the_man_page_names_every_command(self):
        page = self.run_ctl("--man").stdout
        for word in ("token create", "deadletter redrive", "agent set\\-status", "restore FILE"):
            self.assertIn(word, page)

    def test_version(self):
        self.assertRegex(self.run_ctl("version").stdout, r"^convergectl \d+\.\d+\.\d+")


if __name__ == "__main__":
    unittest.main()
