"""convergectl against an admin socket of the test's own, and backup and restore against a real store."""
import http.server
import json
import os
import pathlib
import socket
import socketserver
import subprocess
import threading
import unittest
import urllib.parse

import harness


class Admin:
    """An admin socket that keeps configuration objects and remembers what it was asked."""

    def __init__(self, path):
        self.kept = {"queues": {}, "departments": {}, "skills": {}, "agents": {}, "rules": {}}
        self.asked = []
        self.findings = []
        admin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, value=None, kind="application/json"):
                raw = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def take(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                admin.asked.append((self.command, self.path, body, dict(self.headers)))
                return urllib.parse.urlsplit(self.path).path.split("/")[2:], body

            def do_GET(self):
                words, _ = self.take()
                if words == ["events"]:
                    return self.stream()
                if words[0] not in admin.kept:
                    return self.answer(404, {"title": "Not found", "detail": "no such \x1b[31mthing", "instance": "req_7"},
                                       "application/problem+json")
                rows = sorted(admin.kept[words[0]].values(), key=lambda row: row["id"])
                after = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("after", ["0"])[0]
                page = rows[int(after):int(after) + 2]
                more = int(after) + 2 < len(rows)
                return self.answer(200, {"data": page, "next_cursor": str(int(after) + 2) if more else None})

            def stream(self):
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for number in range(3):
                    text = f'id: 1-{number}\nevent: message.created\ndata: {{"message":"m\\u001b{number}"}}\n\n'.encode()
                    for part in (text[:9], text[9:]):
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")

            def do_PUT(self):
                self.take()
                self.answer(204)

            def do_POST(self):
                words, body = self.take()
                if words == ["configuration"]:
                    for item in body["put"]:
                        admin.kept[item["kind"]][item["object"]["id"]] = {**item["object"], "version": 1}
                    for item in body["delete"]:
                        del admin.kept[item["kind"]][item["id"]]
                    return self.answer(200, {"changed": len(body["put"]) + len(body["delete"]), "rules_version": 1})
                if words == ["rules", "lint"]:
                    return self.answer(200, {"rules": 1, "findings": admin.findings})
                return self.answer(201, {"token": "cvg_main_x", "id": "tok_1"})

            def log_message(self, *_):
                pass

            def address_string(self):
                return "peer"

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # convergectl may hang up first

        self.server = Server(str(path), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Commands(harness.TestCase):
    def setUp(self):
        super().setUp()
        (self.folder / "var").mkdir()
        self.config = self.folder / "converged.yaml"
        self.config.write_text("state_dir: ./var\nlisten: { http: 127.0.0.1:1 }\nstore: embedded\nchannels: []\n")
        self.business = self.folder / "business.yaml"
        self.business.write_text(harness.BUSINESS)
        self.admin = Admin(self.folder / "var" / "admin.sock")
        self.addCleanup(self.admin.close)

    def run_ctl(self, *words, code=0, stdin=None):
        done = subprocess.run([harness.BUILD / "convergectl", "-c", self.config, *words], input=stdin,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def changes(self):
        return [(method, path) for method, path, _, _ in self.admin.asked if method != "GET" and "lint" not in path]

    def test_apply_creates_once_and_then_changes_nothing(self):
        first = self.run_ctl("apply", "-f", self.business)
        self.assertIn("5 new, 0 changed", first.stdout)
        self.assertEqual(self.changes(), [("POST", "/v1/configuration")], "all of it in one request")
        self.admin.asked.clear()
        self.assertIn("0 new, 0 changed, 5 as they were", self.run_ctl("apply", "-f", self.business).stdout)
        self.assertEqual(self.changes(), [])

    def test_apply_dry_run_shows_and_does_nothing(self):
        self.admin.kept["agents"]["alice"] = {"id": "alice", "name": "Alicia"}
        shown = self.run_ctl("apply", "-f", self.business, "--dry-run").stdout
        self.assertIn("+ agents/bob", shown)
        self.assertRegex(shown, r'~ agents/alice  .*name: "Alicia" -> "Alice"')
        self.assertEqual(self.changes(), [])

    def test_apply_deletes_only_when_told(self):
        self.admin.kept["queues"]["old"] = {"id": "old"}
        self.run_ctl("apply", "-f", self.business)
        self.assertIn("old", self.admin.kept["queues"])
        self.run_ctl("apply", "-f", self.business, "--prune")
        self.assertNotIn("old", self.admin.kept["queues"])

    def test_apply_refuses_a_broken_file_as_a_whole(self):
        self.business.write_text("queues: [ { id: support } ]\nagents: [ { id: al, capcity: 3 } ]\n")
        done = self.run_ctl("apply", "-f", self.business, code=78)
        self.assertRegex(done.stderr, r"business\.yaml:2:\d+: error: .*capcity.*capacity")
        self.assertEqual(self.admin.asked, [])

    def test_apply_warns_of_odd_rules_where_they_stand(self):
        self.admin.findings = [{"rule": "everything-else", "code": "shadowed", "text": {"en": "Too late.", "zh": "太晚"}}]
        done = self.run_ctl("apply", "-f", self.business)
        self.assertRegex(done.stderr, r'business\.yaml:8:\d+: warning: rule "everything-else": Too late\.')

    def test_lists_go_through_all_pages(self):
        for number in range(5):
            self.admin.kept["queues"][f"q{number}"] = {"id": f"q{number}", "name": "退款队列"}
        rows = json.loads(self.run_ctl("queue", "list", "-o", "json").stdout)
        self.assertEqual([row["id"] for row in rows], [f"q{number}" for number in range(5)])
        self.assertEqual(len(json.loads(self.run_ctl("queue", "list", "--limit=3", "-o", "json").stdout)), 3)
        self.assertEqual(len(self.run_ctl("queue", "list").stdout.splitlines()), 6)

    def test_the_workspace_and_a_key_travel_along(self):
        self.assertEqual(self.run_ctl("-w", "shop", "token", "create", "--role", "admin").stdout, "cvg_main_x\n")
        _, path, body, headers = self.admin.asked[-1]
        self.assertEqual((path, body), ("/v1/tokens", {"role": "admin"}))
        self.assertEqual(headers["X-Converge-Workspace"], "shop")
        self.assertTrue(headers["Idempotency-Key"])
        self.assertNotIn("Authorization", headers)

    def test_the_second_argument_becomes_what_it_is_called(self):
        self.run_ctl("deadletter", "decide", "msg_1", "resend")
        method, path, body, _ = self.admin.asked[-1]
        self.assertEqual((method, path, body), ("POST", "/v1/messages/msg_1/decide", {"outcome": "resend"}))

    def test_a_problem_shows_title_detail_and_request(self):
        done = self.run_ctl("work", "list", code=1)
        self.assertIn("Not found: no such ", done.stderr)
        self.assertIn("request req_7", done.stderr)
        self.assertNotIn("\x1b", done.stderr)

    def test_tail_prints_events_without_control_characters(self):
        lines = self.run_ctl("tail", "--count", "2").stdout.splitlines()
        self.assertEqual(lines, ["1-0 message.created message=m 0", "1-1 message.created message=m 1"])
        self.assertEqual(len(self.run_ctl("tail", "-o", "json").stdout.splitlines()), 3)

    def test_a_password_comes_from_standard_input(self):
        self.run_ctl("agent", "password", "alice", "--stdin", stdin="correct horse\n")
        self.assertEqual(self.admin.asked[0][1:3], ("/v1/agents/alice/password", {"password": "correct horse"}))
        self.run_ctl("agent", "password", "alice", "--stdin", stdin="\n", code=65)
        self.run_ctl("agent", "password", "alice", stdin="x\n", code=64)


class Store:
    """A redis-server as the daemon would run it in its state_dir."""

    def __init__(self, folder):
        self.folder = folder
        self.log = open(folder / "redis.log", "ab")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", "redis.sock", "--appendonly", "yes", "--appendfsync",
             "always", "--save", "", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction"],
            cwd=folder, stdout=self.log, stderr=self.log)
        harness.wait_for("the store", lambda: self.run("PING") == "PONG")

    def run(self, *words):
        try:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(os.path.relpath(self.folder / "redis.sock"))
                peer.settimeout(20)
                raw = b"*%d\r\n" % len(words)
                for word in words:
                    raw += b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode())
                peer.sendall(raw)
                file = peer.makefile("rb")
                line = file.readline().decode().strip()
                if line.startswith("$"):
                    return None if line == "$-1" else file.read(int(line[1:])).decode()
                return line[1:]
        except OSError:
            return None

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Backup(harness.TestCase):
    def config(self, name):
        path = self.folder / f"{name}.yaml"
        path.write_text(f"state_dir: ./{name}\nlisten: {{ http: 127.0.0.1:1 }}\nstore: embedded\nchannels: []\n")
        path.chmod(0o600)
        return path

    def run_ctl(self, config, *words, code=0):
        done = subprocess.run([harness.BUILD / "convergectl", "-c", config, *words], capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def start_store(self, name):
        (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        store = Store(self.folder / name)
        self.addCleanup(lambda: store.process.poll() is None and store.stop())
        return store

    def test_a_backup_of_a_running_store_comes_back_whole(self):
        store = self.start_store("one")
        for number in range(2000):
            store.run("SET", f"{{main}}:k{number}", "消息" * 100)
        blobs = self.folder / "one" / "blobs" / "ab"
        blobs.mkdir(parents=True)
        (blobs / "cd").write_bytes(b"\0blob")
        (self.folder / "one" / "key").write_bytes(b"k" * 32)
        archive = self.folder / "backup.tar"
        self.run_ctl(self.config("one"), "backup", archive)
        self.assertEqual(archive.stat().st_mode & 0o077, 0)
        self.assertFalse(list((self.folder / "one").glob("*.rdb")), "no copy stays behind")
        store.run("SET", "{main}:after", "not in the backup")
        restored = self.config("two")
        self.run_ctl(restored, "restore", archive)
        second = self.start_store("two")
        self.assertEqual(second.run("DBSIZE"), "2000")
        self.assertEqual(second.run("GET", "{main}:k1999"), "消息" * 100)
        self.assertEqual((self.folder / "two" / "blobs" / "ab" / "cd").read_bytes(), b"\0blob")
        self.assertEqual((self.folder / "two" / "key").read_bytes(), b"k" * 32)
        second.run("SET", "{main}:new", "1")
        second.process.kill()
        second.process.wait()
        self.assertEqual(self.start_store("two").run("GET", "{main}:new"), "1")

    def test_restore_refuses_a_folder_that_is_not_empty(self):
        store = self.start_store("one")
        store.run("SET", "a", "1")
        archive = self.folder / "backup.tar"
        self.run_ctl(self.config("one"), "backup", archive)
        done = self.run_ctl(self.config("one"), "restore", archive, code=73)
        self.assertIn("not empty", done.stderr)
        self.assertEqual(store.run("GET", "a"), "1")

    def test_backup_overwrites_nothing_and_leaves_nothing_when_it_fails(self):
        archive = self.folder / "backup.tar"
        archive.write_text("precious")
        (self.folder / "one").mkdir()
        self.run_ctl(self.config("one"), "backup", archive, code=73)
        self.assertEqual(archive.read_text(), "precious")
        self.run_ctl(self.config("one"), "backup", self.folder / "other.tar", code=69)
        self.assertEqual([path.name for path in self.folder.glob("other*")], [])

    def test_a_file_that_is_no_backup_is_refused(self):
        junk = pathlib.Path(self.folder / "junk.tar")
        junk.write_text("not a tar file")
        self.run_ctl(self.config("two"), "restore", junk, code=74)

    def test_doctor_judges_the_store(self):
        store = self.start_store("one")
        config = self.config("one")
        rows = {row["check"]: row for row in json.loads(self.run_ctl(config, "doctor", "-o", "json", code=1).stdout)}
        self.assertEqual({rows[name]["result"] for name in ("store", "aof", "memory", "clock", "permissions")}, {"ok"})
        self.assertEqual(rows["daemon"]["result"], "bad")
        config.chmod(0o644)
        rows = {row["check"]: row for row in json.loads(self.run_ctl(config, "doctor", "-o", "json", code=1).stdout)}
        self.assertEqual(rows["permissions"]["result"], "ok", "there is no secret in it")
        config.write_text(config.read_text().replace("[]", "[ { name: a, connector: loopback, token: \"0123456789\" } ]"))
        rows = {row["check"]: row for row in json.loads(self.run_ctl(config, "doctor", "-o", "json", code=1).stdout)}
        self.assertEqual(rows["permissions"]["result"], "care")
        store.run("CONFIG", "SET", "appendonly", "no")
        store.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        (self.folder / "one").chmod(0o755)
        rows = {row["check"]: row for row in json.loads(self.run_ctl(config, "doctor", "-o", "json", code=1).stdout)}
        self.assertEqual({rows[name]["result"] for name in ("aof", "memory", "permissions")}, {"bad"})


if __name__ == "__main__":
    unittest.main()
