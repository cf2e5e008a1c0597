"""Mail from a real mailbox: nothing is marked before it is durable, and no crash repeats or loses a mail."""
import re
import shutil
import socket
import subprocess
import threading
import unittest

import harness
from mailbed import MailCase, letter


class Proxy:
    """Stands between the daemon and the IMAP server; on_line(line) sees each command before it is passed on."""

    def __init__(self, port, on_line):
        self.upstream, self.on_line, self.commands = port, on_line, []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.server.accept()
                upstream = socket.create_connection(("127.0.0.1", self.upstream))
            except OSError:
                return
            threading.Thread(target=self._down, args=(upstream, client), daemon=True).start()
            threading.Thread(target=self._up, args=(client, upstream), daemon=True).start()

    @staticmethod
    def _down(upstream, client):
        try:
            while data := upstream.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        client.close()

    def _up(self, client, upstream):
        try:
            for line in client.makefile("rb"):
                self.commands.append(line.decode(errors="replace").strip())
                self.on_line(self.commands[-1])
                upstream.sendall(line)
        except OSError:
            pass
        upstream.close()

    def close(self):
        self.server.close()


class Mailbox(MailCase):
    def begin(self, on_line=lambda line: None, after="seen"):
        """Dovecot behind a proxy, and a daemon that is not started yet."""
        self.smtp = self.start_smtp()
        self.imap = self.start_dovecot()
        self.proxy = Proxy(self.imap.port, on_line)
        self.addCleanup(self.proxy.close)
        self.daemon = harness.Daemon(self.folder / "node", self.through_proxy(after))
        self.addCleanup(self.daemon.stop)

    def through_proxy(self, after="seen"):
        real, self.imap.port = self.imap.port, self.proxy.port
        try:
            return self.channels(self.imap, self.smtp.port, after)
        finally:
            self.imap.port = real

    def go(self):
        self.daemon.start()
        self.alice = self.daemon.token()

    def work_items(self):
        answer = self.daemon.request("GET", "/v1/work-items?limit=200", token=self.alice)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["data"]

    def flags_are(self, count, flag="\\Seen"):
        return harness.wait_for(f"{count} mails marked {flag}",
                                lambda: sum(flag in line for line in self.imap.flags()) == count)

    def test_silent_imap_loss_a_mail_is_marked_only_after_it_is_durable(self):
        marked = []

        def watch(line):
            if " STORE " in line and not marked:
                marked.append(("\\Seen" in "".join(self.imap.flags()), len(self.work_items())))

        self.begin(watch)
        self.go()
        self.imap.deliver(letter())
        self.flags_are(1)
        self.assertEqual(marked, [(False, 1)])
        bodies = [line for line in self.proxy.commands if re.search(r"FETCH \d+ BODY", line)]
        self.assertEqual(len(bodies), 1, self.proxy.commands)

    def test_of_a_mail_that_is_too_big_the_headers_come_with_a_notice_and_the_mail_stays(self):
        self.smtp, self.imap = self.start_smtp(), self.start_dovecot()
        self.daemon = self.start_daemon(self.channels(self.imap, self.smtp.port, more="    max_size: 64k\n"))
        self.alice = self.daemon.token()
        self.imap.deliver(letter("大附件", "正文", files=[("big.bin", b"x" * 100000)]))
        self.imap.deliver(letter("小邮件", number=2))
        self.flags_are(1)
        big = next(item for item in (self.claim(), self.claim())
                   if self.thread(item)[0]["subject"] == "大附件")
        message = self.thread(big)[0]
        self.assertIn("still in the mailbox", message["text"])
        self.assertIn("仍在邮件服务器", message["text"])
        self.assertGreater(message["extra"]["too_big"]["bytes"], 100000)
        self.assertEqual(message["attachments"], [])
        self.assertEqual(["Seen" in line for line in self.imap.flags()], [False, True])

    def test_a_mail_is_moved_after_it_is_durable(self):
        self.begin(after="move, move_to: Done")
        box = self.imap.login()
        box.create("Done")
        self.go()
        self.imap.deliver(letter())
        self.assertIsNotNone(self.daemon.claim(self.alice, wait_s=20))

        def moved():
            _, inbox = box.status("INBOX", "(MESSAGES)")
            _, done = box.status("Done", "(MESSAGES)")
            return b"MESSAGES 0" in inbox[0] and b"MESSAGES 1" in done[0]
        harness.wait_for("the mail to be moved", moved)
        box.logout()

    def check_kill_at(self, pattern):
        killed = threading.Event()

        def kill(line):
            if re.search(pattern, line) and not killed.is_set():
                self.daemon.kill()
                killed.set()

        self.begin(kill)
        for number in range(1, 6):
            self.imap.deliver(letter(f"第 {number} 封", number=number))
        with open(self.daemon.log, "ab") as log:
            self.daemon.process = subprocess.Popen([harness.BUILD / "converged", "-c", self.daemon.config],
                                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                   cwd=self.daemon.folder)
        self.assertTrue(killed.wait(harness.PATIENCE_S), self.proxy.commands)
        self.go()
        harness.wait_for("all five", lambda: len(self.work_items()) >= 5)
        self.imap.deliver(letter("最后一封", number=6))
        harness.wait_for("the one behind them", lambda: len(self.work_items()) >= 6)
        self.flags_are(6)
        items = self.work_items()
        self.assertEqual(len(items), 6)
        texts = [self.daemon.messages(item["conversation"], self.alice) for item in items]
        self.assertEqual([len(thread) for thread in texts], [1] * 6)
        self.assertEqual(len({thread[0]["provider_id"] for thread in texts}), 6)

    def test_interrupted_fetch_killed_at_examine(self):
        self.check_kill_at(r" EXAMINE ")

    def test_interrupted_fetch_killed_at_search(self):
        self.check_kill_at(r" UID SEARCH ")

    def test_interrupted_fetch_killed_at_list(self):
        self.check_kill_at(r" UID FETCH \d+:\d+ ")

    def test_interrupted_fetch_killed_at_the_third_body(self):
        self.check_kill_at(r" UID FETCH 3 BODY")

    def test_interrupted_fetch_killed_at_select(self):
        self.check_kill_at(r"\S+ SELECT \"")

    def test_interrupted_fetch_killed_at_store(self):
        self.check_kill_at(r" UID STORE ")

    def test_seen_elsewhere(self):
        self.begin()
        self.go()
        box = self.imap.login()
        box.append("INBOX", "(\\Seen)", None, letter("手机上读过"))
        box.logout()
        self.assertIsNotNone(self.daemon.claim(self.alice, wait_s=20))

    def test_a_recreated_mailbox_repeats_nothing_and_loses_nothing(self):
        self.begin()
        self.daemon.write_config(self.through_proxy().replace("folder: INBOX", "folder: Work"))
        box = self.imap.login()
        box.create("Work")
        box.append("Work", "", None, letter("第一封", number=1))
        self.go()
        first = self.daemon.claim(self.alice, wait_s=20)
        self.assertIsNotNone(first)
        box.delete("Work")
        box.create("Work")
        box.append("Work", "", None, letter("第一封", number=1))
        box.append("Work", "", None, letter("第二封", number=2))
        box.logout()
        second = self.daemon.claim(self.alice, wait_s=20)
        self.assertIsNotNone(second)
        self.assertIn("第二封", self.daemon.messages(second["conversation"], self.alice)[0]["subject"])
        self.assertEqual(len(self.work_items()), 2)
        self.assertEqual(len(self.daemon.messages(first["conversation"], self.alice)), 1)

    def test_body_lost_two_daemons_on_one_mailbox(self):
        store = self.folder / "redis"
        store.mkdir()
        redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", store / "s", "--dir", store,
                                  "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                                  "--maxmemory-policy", "noeviction", "--logfile", store / "log"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(redis.wait)
        self.addCleanup(redis.terminate)
        harness.wait_for("redis", (store / "s").exists)
        self.smtp, self.imap = self.start_smtp(), self.start_dovecot()
        extra = f"store: \"unix:{store}/s\"\nhistory: sqlite:{store}/history.db\n"
        self.daemon = self.start_daemon(self.channels(self.imap, self.smtp.port), "one", extra=extra)
        self.alice = self.daemon.token()
        other = harness.Daemon(self.folder / "two", self.channels(self.imap, self.smtp.port), extra=extra, business=None)
        shutil.copytree(self.daemon.state_dir, other.state_dir,
                        ignore=lambda _, names: [name for name in names if "key" not in name])
        self.addCleanup(other.stop)
        other.start()
        for number in range(1, 21):
            self.imap.deliver(letter(f"第 {number} 封", f"正文 {number}", number=number))
            if number == 10:
                self.daemon.kill()
                self.daemon, other.tokens = other, self.daemon.tokens
        harness.wait_for("all twenty", lambda: len(self.work_items()) >= 20)
        items = self.work_items()
        self.assertEqual(len(items), 20)
        bodies = {self.daemon.messages(item["conversation"], self.alice)[0]["text"].strip() for item in items}
        self.assertEqual(bodies, {f"正文 {number}" for number in range(1, 21)})


if __name__ == "__main__":
    unittest.main()
