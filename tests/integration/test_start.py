"""A start that cannot succeed says why, and what to do about it."""
import os
import socket
import subprocess
import threading
import unittest

import harness


class OldStore:
    """Answers like a Redis from before scripts with "#!lua"."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(peer,), daemon=True).start()

    @staticmethod
    def talk(peer):
        file = peer.makefile("rb")
        try:
            while head := file.readline():
                words = []
                for _ in range(int(head[1:])):
                    words.append(file.read(int(file.readline()[1:]) + 2)[:-2])
                peer.sendall(b"-ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'\r\n"
                             if words[0] == b"SCRIPT" else b"+OK\r\n")
        except (OSError, ValueError):
            pass

    def close(self):
        self.socket.close()


class Start(harness.TestCase):
    def refused(self, settings, code):
        path = self.folder / "converged.yaml"
        path.write_text(f"state_dir: ./var\nchannels: []\n{settings}")
        path.chmod(0o600)
        # It ends before its first turn, and what waits for that turn is not freed: no news under a sanitizer.
        quiet = {**os.environ, "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"}
        done = subprocess.run([harness.BUILD / "converged", "-c", path], capture_output=True, text=True, timeout=60,
                              env=quiet)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def test_a_store_that_is_too_old_is_called_that(self):
        store = OldStore()
        self.addCleanup(store.close)
        said = self.refused(f'listen: {{ http: "127.0.0.1:0" }}\nstore: "redis://127.0.0.1:{store.port}"\n', 75)
        self.assertIn("Redis 7.0 or newer, or Valkey, is needed", said)

    def test_a_taken_port_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            said = self.refused(f"listen: {{ http: 127.0.0.1:{taken.getsockname()[1]} }}\nstore: embedded\n", 71)
        self.assertIn("another program has that address, choose another: listen.http", said)


if __name__ == "__main__":
    unittest.main()
