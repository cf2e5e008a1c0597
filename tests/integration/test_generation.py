"""Generations of the log: a store that lost what readers have seen, and one that only restarted."""
import shutil

import harness


class Generation(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()

    def begin(self, redis):
        self.redis = redis
        harness.wait_for("the store", lambda: "PONG" in redis.ask("PING"))
        self.daemon = self.start_daemon(f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n',
                                        extra=f"store: unix:{redis.socket}\n")
        self.alice = self.daemon.token()
        self.events = self.listen()

    def listen(self, headers=None):
        events = self.daemon.events("/v1/events", self.alice, headers)
        self.addCleanup(events.close)
        self.assertEqual(events.status, 200)
        return events

    def write(self, number):
        """A customer's message, offered until it is taken; 201 or 200 are both "kept"."""
        body = {"id": f"m{number}", "from": {"id": f"c{number}"}, "text": f"text {number}"}
        return harness.wait_for("the message to be taken", lambda: self.offered(body, f"m{number}"))

    def offered(self, body, message_id):
        answer = self.daemon.post_signed("shop", self.secret, body, message_id)
        return answer if answer.status in (200, 201) else None

    def seen(self, events=None):
        """Position of the next new work item on the stream: the last event of its message's entry."""
        return (events or self.events).wait(lambda event: event["event"] == "work_item.created")["id"]

    def generation_of(self, position):
        return int(position.partition("-")[0])

    def expect_reset(self, old_position):
        reset = self.events.wait(lambda event: event["event"] == "reset")
        self.assertGreater(self.generation_of(reset["id"]), self.generation_of(old_position))
        # Who comes back with a position of the old generation learns it too.
        late = self.listen({"Last-Event-ID": old_position})
        self.assertEqual(late.next()["event"], "reset")
        return reset["id"]

    def test_a_restart_that_lost_nothing_is_no_new_generation(self):
        self.begin(self.start_redis())
        self.write(1)
        first = self.seen()
        self.redis.kill()
        self.redis.start()
        self.write(2)
        second = self.seen()
        self.assertEqual(self.generation_of(second), self.generation_of(first))
        self.assertNotIn("reset", [event["event"] for event in self.events.seen])
        resumed = self.listen({"Last-Event-ID": first})
        self.assertEqual(self.seen(resumed), second)

    def test_an_older_copy_is_a_new_generation_and_its_work_is_served(self):
        self.begin(self.start_redis())
        self.write(1)
        self.seen()
        copy = self.folder / "copy"
        shutil.copytree(self.redis.folder / "appendonlydir", copy)
        # What is handed out now is waiting in the copy.
        item = self.daemon.claim(self.alice)
        self.write(2)
        lost = self.seen()
        self.redis.kill()
        shutil.rmtree(self.redis.folder / "appendonlydir")
        shutil.copytree(copy, self.redis.folder / "appendonlydir")
        self.redis.start()
        self.expect_reset(lost)
        self.assertEqual(self.daemon.claim(self.alice)["id"], item["id"])
        self.write(2)
        self.assertNotEqual(self.daemon.claim(self.alice)["id"], item["id"])

    def test_state_read_ahead_of_the_log_is_read_again(self):
        # The daemon may have read a change whose log entry it has not seen when the store loses both.
        self.begin(self.start_redis())
        self.write(1)
        item = self.daemon.claim(self.alice)["id"]
        self.events.wait(lambda event: event["data"].get("to") == "assigned")
        known = self.redis.socket
        self.redis.kill()
        self.redis.socket = self.folder / "aside.sock"
        self.redis.start()
        harness.wait_for("the store", lambda: "PONG" in self.redis.ask("PING"))
        self.redis.ask("HSET", f"{{main}}:w:{item}", "s", "queued", "a", "")
        self.redis.ask("ZADD", "{main}:q:support", 1, item)
        self.redis.socket = self.redis.socket.rename(known)
        self.assertEqual(self.daemon.claim(self.alice)["id"], item)

    def begin_pair(self):
        port = harness.free_port()
        master = self.start_redis("master", "--port", port, "--repl-diskless-sync-delay", "0")
        self.replica = self.start_redis("replica", "--replicaof", "127.0.0.1", port)
        harness.wait_for("the replica", lambda: "state=online" in master.ask("INFO", "replication"))
        self.begin(master)

    def fail_over(self):
        self.redis.kill()
        self.replica.ask("REPLICAOF", "NO", "ONE")
        # Where the master was is now the replica, as with an address that moves.
        self.replica.socket.rename(self.redis.socket)

    def test_a_failover_that_lost_entries_is_a_new_generation(self):
        self.begin_pair()
        self.write(1)
        self.seen()
        harness.wait_for("the replica to have all", self.replica_has_all)
        self.replica.ask("REPLICAOF", "NO", "ONE")
        self.write(2)
        lost = self.seen()
        self.fail_over()
        self.expect_reset(lost)
        self.write(2)
        self.write(3)
        items = {self.daemon.claim(self.alice)["id"] for _ in range(3)}
        self.assertEqual(len(items), 3)

    def test_a_failover_is_a_new_generation_even_where_nothing_seen_was_lost(self):
        self.begin_pair()
        self.write(1)
        seen = self.seen()
        harness.wait_for("the replica to have all", self.replica_has_all)
        self.fail_over()
        self.expect_reset(seen)
        self.assertEqual(self.write(1).status, 200)

    def replica_has_all(self):
        return self.redis.ask("XINFO", "STREAM", "{main}:log") == self.replica.ask("XINFO", "STREAM", "{main}:log")
