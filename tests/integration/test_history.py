"""The history: everything that was said is in SQL exactly once and in order, whoever was killed meanwhile."""
import random

import harness
import historybed


MAIL = """\
From: Li <li@customer.test>
To: support@example.test
Subject: 发票
Message-ID: <one@customer.test>
Date: Mon, 23 Nov 2026 04:00:00 +0000
Content-Type: text/plain; charset=utf-8

请寄发票。
""".replace("\n", "\r\n").encode()


class History(harness.TestCase):
    def begin(self, extra=""):
        self.secret = harness.new_secret()
        self.redis = self.start_redis()
        harness.wait_for("the store", lambda: "PONG" in self.redis.ask("PING"))
        self.sink = self.start_sink(self.secret)
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", deliver_url: "{self.sink.url}", '
            f"allow_private_urls: true }}\n  - {{ name: site, connector: webchat }}\n"
            "  - { name: support, connector: email, address: support@example.test }\n",
            extra=f"store: unix:{self.redis.socket}\n{extra}")
        self.alice = self.daemon.token()

    def begin_postgres(self):
        self.postgres = historybed.Postgres()
        self.addCleanup(self.postgres.stop)
        self.postgres.start()
        secret = self.folder / "history-password"
        secret.write_text(self.postgres.password + "\n")
        secret.chmod(0o600)
        self.begin(f"history: {{ url: '{self.postgres.url}', password_file: {secret} }}\n")

    def sqlite(self, statement):
        return historybed.sqlite_rows(self.daemon.state_dir / "history.db", statement)

    def write(self, number, customer, patience_s=60):
        """A customer's message, offered until it is taken."""
        body = {"id": f"m{number}", "from": {"id": customer, "name": f"Name {customer}"}, "text": f"退款 {number}"}
        harness.wait_for("the message to be taken", lambda: self.offered(body, f"m{number}"), patience_s)

    def offered(self, body, message_id):
        try:
            return self.daemon.post_signed("shop", self.secret, body, message_id).status in (200, 201)
        except (OSError, harness.http.client.HTTPException):
            return False

    def expect_the_same(self, rows, patience_s=60):
        """Waits until the writer has caught up, and then compares every row."""
        store = historybed.Store(self.redis)
        last = None

        def same():
            nonlocal last
            last = historybed.difference(store.rows(), historybed.sql_rows(rows))
            return last is None

        try:
            harness.wait_for("the history to be as the store", same, patience_s)
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}") from None
        self.expect_in_order(rows)

    def expect_in_order(self, rows):
        """Positions of every conversation are 0, 1, 2 ... without a hole or a twin."""
        places = {}
        for conversation, position in rows("SELECT conversation, position % 4096 FROM message ORDER BY conversation, position"):
            places.setdefault(conversation, []).append(int(position))
        for conversation, found in places.items():
            self.assertEqual(found, list(range(len(found))), conversation)

    def talk(self, rows):
        """Customers write over two channels, an agent answers, resolves and closes."""
        for number in range(6):
            self.write(number, f"c{number % 2}")
        item = self.daemon.claim(self.alice)
        conversation = item["work_item"]["conversation"] if "work_item" in item else item["conversation"]
        self.assertEqual(self.daemon.reply(conversation, "good day", self.alice).status, 201)
        self.assertEqual(self.daemon.reply(conversation, "a remark", self.alice, kind="note").status, 201)
        harness.wait_for("the answer to be delivered", lambda: "good day" in self.sink.texts())
        visitor = self.daemon.request("POST", "/chat/site/sessions", {}).json["token"]
        for text in ("你好", "hello?"):
            answer = self.daemon.request("POST", "/chat/site/messages", {"text": text}, visitor,
                                         headers={"Idempotency-Key": text.encode().hex()})
            self.assertIn(answer.status, (200, 201, 202), answer)
        harness.send_lmtp(self.daemon.lmtp_port, "li@customer.test", "support@example.test", MAIL)
        self.expect_the_same(rows)
        return item

    def test_what_was_said_is_in_sqlite(self):
        self.begin()
        self.talk(self.sqlite)
        marks = self.sqlite("SELECT mark FROM message WHERE direction = 'out' AND kind <> 'note'")
        self.assertEqual([mark.split(" ")[0] for mark, in marks], ["sent"])
        self.assertEqual(self.sqlite("SELECT count(DISTINCT channel) FROM conversation"), [("3",)])
        self.assertEqual(self.sqlite("SELECT count(*) FROM identifier"), [("4",)])
        events = self.sqlite("SELECT type FROM event WHERE message IS NOT NULL AND type = 'message.created'")
        self.assertEqual(len(events), 11)

    def put_in_order(self, rows):
        """Messages go to another conversation, on from there, and back."""
        for number in range(4):
            self.write(number, "c0")
        conversation = self.daemon.claim(self.alice)["conversation"]
        self.expect_the_same(rows)

        def change(path, **body):
            answer = self.daemon.request("POST", f"/v1/conversations/{path}", body, self.alice)
            self.assertIn(answer.status, (200, 201), answer)
            return answer.json

        messages = [message["id"] for message in self.daemon.messages(conversation, self.alice)]
        split = change(f"{conversation}/split", at=messages[1])
        self.expect_the_same(rows)
        self.write(4, "c0")
        moved = change(f"{split['to']}/move", message=messages[3], to=conversation)
        self.expect_the_same(rows)
        change(f"changes/{moved['id']}/undo")
        again = change(f"{split['to']}/move", message=messages[3], to=conversation)  # gone again before anybody looked
        self.expect_the_same(rows)
        change(f"changes/{again['id']}/undo")
        change(f"changes/{split['id']}/undo")
        self.write(5, "c0")
        self.expect_the_same(rows)
        self.assertEqual(rows("SELECT count(*) FROM message WHERE kind <> 'note'"), [("6",)])
        found = self.daemon.request("GET", "/v1/search?q=%E9%80%80%E6%AC%BE&limit=50", token=self.alice)
        self.assertEqual(sorted(row["id"] for row in found.json["data"] if row["type"] == "message"),
                         sorted(message["id"] for message in self.daemon.messages(conversation, self.alice)
                                if message["kind"] != "note"))

    def test_messages_that_change_their_conversation_do_so_in_sqlite(self):
        self.begin()
        self.put_in_order(self.sqlite)

    def test_messages_that_change_their_conversation_do_so_in_postgresql(self):
        self.begin_postgres()
        self.put_in_order(self.postgres.rows)

    def test_what_was_said_is_in_postgresql(self):
        self.begin_postgres()
        self.talk(self.postgres.rows)
        self.assertEqual(self.postgres.rows("SELECT count(*) FROM identifier"), [("4",)])

    def test_the_log_waits_for_a_database_that_is_away(self):
        self.begin_postgres()
        self.write(0, "c0")
        self.expect_the_same(self.postgres.rows)
        self.postgres.kill()
        for number in range(1, 40):
            self.write(number, f"c{number % 7}")
        self.assertEqual(self.daemon.request("GET", "/readyz").status, 200)
        self.daemon.restart(apply=False)  # it starts without its history, too
        self.write(40, "c1")
        self.postgres.start()
        self.expect_the_same(self.postgres.rows)

    def kill_somebody(self, dice):
        who = dice.choice(["daemon", "redis", "worker", "database"])
        if who == "daemon":
            self.daemon.restart(apply=False)
        elif who == "redis":
            self.redis.kill()
            self.redis.start()
        elif who == "worker":
            for pid in self.workers():
                harness.os.kill(pid, harness.signal.SIGKILL)
        elif hasattr(self, "postgres"):
            self.postgres.kill()
            self.postgres.start()

    def workers(self):
        """Pids of the daemon's history workers."""
        found = []
        for path in harness.pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.daemon.process.pid and b"--worker=history" in (path / "cmdline").read_bytes():
                    found.append(int(path.name))
            except (OSError, ValueError):
                continue
        return found

    def load_and_kill(self, rows, seed):
        dice = random.Random(seed)
        number = 0
        for _ in range(6):
            for _ in range(dice.randint(5, 40)):
                self.write(number, f"c{dice.randint(0, 9)}")
                number += 1
            self.kill_somebody(dice)
        self.write(number, "c0")
        self.expect_the_same(rows, patience_s=120)
        events = rows("SELECT count(*) FROM event WHERE type = 'message.created'")
        self.assertEqual(int(events[0][0]), number + 1, "an entry of the log is missing, or is there twice")

    def test_kill_9_under_load_with_sqlite(self):
        self.begin()
        self.load_and_kill(self.sqlite, seed=20261123)

    def test_kill_9_under_load_with_postgresql(self):
        self.begin_postgres()
        self.load_and_kill(self.postgres.rows, seed=11)

    def test_a_lost_log_is_made_up_for_from_state(self):
        self.begin()
        for number in range(10):
            self.write(number, f"c{number}")
        self.expect_the_same(self.sqlite)
        self.daemon.kill()
        # The store goes on under another instance, and its log is gone when this one returns.
        self.redis.ask("HINCRBY", "{main}:meta", "gen", 1)
        self.redis.ask("DEL", "{main}:log")
        customer = self.redis.ask("--scan", "--pattern", "{main}:u:*").split("\n")[0]
        self.redis.ask("HSET", customer, "nm", "changed meanwhile")
        self.daemon.start(apply=False)
        self.expect_the_same(self.sqlite)
        self.assertIn("event=log_lost", self.daemon.log.read_text())

    def test_a_database_that_was_lost_is_made_anew_only_when_told(self):
        self.begin()
        self.write(0, "c0")
        self.expect_the_same(self.sqlite)
        self.daemon.stop()
        for path in self.daemon.state_dir.glob("history.db*"):
            path.unlink()
        with self.assertRaisesRegex(AssertionError, "another history"):
            self.daemon.start(apply=False)
        text = self.daemon.config.read_text()
        self.daemon.config.write_text(text.replace("channels:", "history: { accept_other: true }\nchannels:"))
        self.daemon.start(apply=False)
        self.expect_the_same(self.sqlite)

    def test_status_and_rebuild(self):
        self.begin()
        for number in range(4):
            self.write(number, f"c{number}")
        self.expect_the_same(self.sqlite)
        status = harness.json.loads(self.daemon.ctl("history", "status", "-o", "json"))
        self.assertEqual((status["rows"]["message"], status["work_items_missing"], status["up"]), (4, 0, True))
        self.assertEqual(status["writer"]["doing"], "following")
        # Rows of the database are lost, as a damaged disk would: what is hot comes back, and what is gone is said.
        lost = self.redis.ask("--scan", "--pattern", "{main}:w:*").split("\n")[0]
        self.redis.ask("DEL", lost)
        with historybed.contextlib.closing(historybed.sqlite3.connect(self.daemon.state_dir / "history.db")) as db:
            db.executescript("DELETE FROM message; DELETE FROM work_item; DELETE FROM customer; DELETE FROM identifier;")
        self.daemon.ctl("history", "rebuild")
        self.expect_the_same(self.sqlite)
        status = harness.json.loads(self.daemon.ctl("history", "status", "-o", "json"))
        self.assertEqual((status["rows"]["message"], status["work_items_missing"]), (4, 1))

    def test_metrics_and_readyz_show_it(self):
        self.begin()
        self.write(0, "c0")
        self.expect_the_same(self.sqlite)
        metrics = self.daemon.request("GET", "/metrics").body.decode()
        self.assertIn("converged_history_up 1", metrics)
        self.assertRegex(metrics, r'converged_history_entries_total\{workspace="main"\} [1-9]')
        self.assertEqual(self.daemon.request("GET", "/readyz").json["checks"]["history"], True)

    def test_nothing_is_kept_where_that_is_asked(self):
        self.begin("history: none\n")
        self.write(0, "c0")
        self.assertFalse((self.daemon.state_dir / "history.db").exists())
        self.assertFalse(harness.json.loads(self.daemon.ctl("history", "status", "-o", "json"))["kept"])
        self.assertNotEqual(self.daemon.ctl_result("history", "rebuild").returncode, 0)

    def test_a_backup_has_the_history_and_a_restore_goes_on(self):
        self.secret = harness.new_secret()
        channels = f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n'
        self.daemon = self.start_daemon(channels, name="one")
        for number in range(5):
            self.write(number, f"c{number}")
        harness.wait_for("five messages", lambda: self.sqlite("SELECT count(*) FROM message") == [("5",)])
        archive = self.folder / "backup.tar"
        self.daemon.ctl("backup", archive)
        self.write(5, "c5")
        harness.wait_for("six messages", lambda: self.sqlite("SELECT count(*) FROM message") == [("6",)])
        self.daemon.stop()
        self.daemon = harness.Daemon(self.folder / "two", channels)
        self.daemon.ctl("restore", archive)
        self.assertEqual(self.sqlite("SELECT count(*) FROM message"), [("5",)])
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        self.write(5, "c5")
        self.write(6, "c5")
        harness.wait_for("seven messages", lambda: self.sqlite("SELECT count(*) FROM message") == [("7",)])
        self.expect_in_order(self.sqlite)


if __name__ == "__main__":
    harness.unittest.main()
