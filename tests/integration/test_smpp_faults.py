"""smpp while connections break, the store dies, the daemon is killed and another one takes over."""
import collections
import os
import random
import shutil
import unittest

import harness
import smppbed

IS_FULL = bool(os.environ.get("CONVERGE_FULL"))
COUNT = 100_000 if IS_FULL else 1_500
SENDERS = COUNT // 50
ANSWERS = 40


class Everything(smppbed.Bed):
    """Each fault as often as the others, at moments nobody chose."""

    channel_settings = {"binds": 2, "window_size": 5, "enquire_link": "1s", "enquire_timeout": "1s", "response_timeout": "5s"}
    binds = 2

    def restart(self):
        self.daemon.kill()
        self.daemon.start(apply=False)

    def kill_store(self):
        self.daemon.kill_store()

    def cut(self):
        self.centre.ask("cut")

    def unbind(self):
        if self.centre.state()["bound"]:
            self.centre.begin("unbind")

    def stop(self):
        self.daemon.stop()
        self.daemon.start(apply=False)

    def all_items(self):
        found, after = [], ""
        while True:
            answer = self.daemon.request("GET", f"/v1/work-items?limit=200&order=asc{after}", token=self.admin)
            self.assertEqual(answer.status, 200, answer)
            found += answer.json["data"]
            if not answer.json["next_cursor"]:
                return found
            after = f"&after={answer.json['next_cursor']}"

    def all_messages(self, conversation):
        found, after = [], ""
        while True:
            answer = self.daemon.request("GET", f"/v1/conversations/{conversation}/messages?limit=200{after}", token=self.admin)
            self.assertEqual(answer.status, 200, answer)
            found += answer.json["data"]
            if not answer.json["next_cursor"]:
                return found
            after = f"&after={answer.json['next_cursor']}"

    def check_in(self, items):
        texts = collections.Counter(one["text"] for item in items for one in self.all_messages(item["conversation"])
                                    if one["direction"] == "in")
        wanted = {f"message {n}" for n in range(COUNT)}
        self.assertEqual(wanted - set(texts), set(), "acknowledged and lost")
        self.assertEqual({text: n for text, n in texts.items() if n > 1}, {}, "doubled")

    def answer_some(self, items):
        """Answers while some are accepted and cut: what became of each."""
        self.centre.ask("set", delay_ms=30)
        kinds = ["drop_after_accept", "drop_before", "status"]
        for _ in range(4):
            for kind in kinds:
                self.centre.fault(kind, status=random.choice([0x58, 0x14, 0x08]))
        sent = [(item, self.answer(item, f"answer {n}")) for n, item in enumerate(items[:ANSWERS])]
        return [self.delivery(item, message, "sent", "uncertain")["state"] for item, message in sent]

    def check_out(self, ended):
        state = self.centre.state()
        accepted = collections.Counter(one["text"] for one in state["submits"])
        self.assertEqual({text: n for text, n in accepted.items() if n > 1}, {}, "sent twice")
        for n, how in enumerate(ended):
            if how == "sent":
                self.assertEqual(accepted[f"answer {n}"], 1)
        # Each accepted one that is not `sent` was cut before its answer, with others of the two windows of that moment.
        uncertain = ended.count("uncertain")
        self.assertGreaterEqual(uncertain, state["dropped"])
        self.assertLessEqual(uncertain, 8 * 5)

    def test_nothing_is_lost_or_doubled(self):
        seed = random.randrange(2 ** 32)
        random.seed(seed)
        faults = [self.restart, self.kill_store, self.cut, self.unbind, self.stop]
        answer = self.centre.begin("persist", count=COUNT, window=20, senders=SENDERS)
        with self.subTest(seed=seed):
            for step in range(1, 9):
                harness.wait_for("some to come through", lambda: self.centre.acknowledged() >= COUNT * step // 10, 300)
                random.choice(faults)()
            answer.get(timeout=600)
            items = harness.wait_for("all senders", lambda: len(found := self.all_items()) >= SENDERS and found)
            self.check_in(items)
            self.centre.wait_bound(2)
            claimed = [self.claim() for _ in range(min(ANSWERS, SENDERS))]
            self.check_out(self.answer_some(claimed))


class Fleet(harness.TestCase):
    def start_instance(self, name, business):
        if self.daemons:
            state = self.folder / name / "var"
            state.mkdir(parents=True, mode=0o700)
            shutil.copy(self.daemons[0].state_dir / "installation.key", state)
        self.daemons.append(self.start_daemon(smppbed.channel(self.centre.port), name, business=business,
                                              extra=f"store: {{ url: \"unix:{self.redis.socket}\" }}\nhistory: none\n"))

    def setUp(self):
        super().setUp()
        self.daemons = []
        self.centre = smppbed.Centre(self)
        self.redis = self.start_redis()
        self.start_instance("one", harness.BUSINESS)
        self.start_instance("two", None)
        self.centre.wait_bound(1)

    def test_another_instance_binds_and_knows_the_parts(self):
        self.assertEqual(len(self.centre.state()["binds"]), 1)
        self.assertEqual(self.centre.deliver("one, ", udh="050003070201", data_coding=8), {"status": 0})
        holder = [daemon for daemon in self.daemons if "event=bound" in daemon.log.read_text()]
        self.assertEqual(len(holder), 1)
        holder[0].kill()
        harness.wait_for("the other one to bind", lambda: len(self.centre.state()["binds"]) == 2 and self.centre.state()["bound"], 60)
        self.assertEqual(self.centre.deliver("two", udh="050003070202", data_coding=8), {"status": 0})
        other = [daemon for daemon in self.daemons if daemon is not holder[0]][0]
        token = other.token()
        item = other.claim(token, wait_s=30)
        self.assertEqual([one["text"] for one in other.messages(item["conversation"], token)], ["one, two"])


if __name__ == "__main__":
    unittest.main()
