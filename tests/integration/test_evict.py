"""What leaves the store: it is all in the history, and whoever reads, writes or answers does not notice."""
import json
import random
import secrets
import unittest

import harness
import historybed
from mailbed import OURS, letter, read

KEEP = "keep_hot: 200ms"
NEVER = "keep_hot: 30d"


class Bed(harness.TestCase):
    """Channels shop (webhook), site (chat) and post (mail) over a Redis of its own."""

    database = "sqlite"

    def begin(self, keep=KEEP, name="one"):
        self.secret = harness.new_secret()
        self.redis = self.start_redis(f"redis-{name}")
        self.sink = self.start_sink(self.secret)
        self.smtp = self.start_smtp()
        self.place = f"{{ {keep} }}"
        if self.database == "postgresql":
            self.postgres = historybed.Postgres()
            self.addCleanup(self.postgres.stop)
            self.postgres.start()
            word = self.folder / "history-password"
            word.write_text(self.postgres.password + "\n")
            word.chmod(0o600)
            self.place = f"{{ url: '{self.postgres.url}', password_file: {word}, {keep} }}"
        self.channels = (
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", deliver_url: "{self.sink.url}", '
            f"allow_private_urls: true }}\n  - {{ name: site, connector: webchat }}\n"
            f'  - {{ name: post, connector: email, address: {OURS}, smtp: {{ url: "smtp://127.0.0.1:{self.smtp.port}" }} }}\n')
        self.daemon = self.start_daemon(self.channels, name, extra=self.extra())
        self.alice = self.daemon.token()
        self.boss = self.daemon.token("admin", None)

    def extra(self):
        return f"store: unix:{self.redis.socket}\nhistory: {self.place}\n"

    def keep(self, words):
        """Changes how long things stay, and starts anew."""
        self.daemon.stop()
        self.place = self.place.replace(KEEP, words).replace(NEVER, words)
        self.daemon.write_config(self.channels, self.extra())
        self.daemon.start(apply=False)

    # --- what people do ---

    def say(self, customer, text):
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": secrets.token_hex(8), "from": {"id": customer, "name": customer.title()}, "text": text})
        self.assertEqual(answer.status, 200, answer)
        return answer.json["message"]

    def take(self):
        item = self.daemon.claim(self.alice)
        self.assertIsNotNone(item)
        return item

    def post(self, path, body, token=None):
        return self.daemon.request("POST", path, body, token or self.alice,
                                   headers={"Idempotency-Key": secrets.token_hex(8)})

    def close(self, item):
        answer = self.post(f"/v1/work-items/{item['id']}/close", {"reason": "done"})
        self.assertEqual(answer.status, 200, answer)

    def get(self, path, token=None):
        answer = self.daemon.request("GET", path, token=token or self.boss)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def talk(self, customer, *texts, answer="已处理"):
        """A whole case: the item, closed, with its conversation."""
        for text in texts:
            self.say(customer, text)
        item = self.take()
        self.assertEqual(self.daemon.reply(item["conversation"], answer, self.alice).status, 201)
        self.sent(item["conversation"])
        self.close(item)
        return item

    def sent(self, conversation):
        """Once nothing of it is on its way."""
        def settled():
            found = [m for m in self.daemon.messages(conversation, self.boss) if m["delivery"]]
            return all(m["delivery"]["state"] in ("sent", "delivered", "read") for m in found)
        harness.wait_for("everything to be sent", settled)

    def left(self, *names):
        """Once those conversations and items are not in the store."""
        if not names:
            return
        keys = [f"{{main}}:{'w' if name.startswith('wrk') else kind}:{name}"
                for name in names for kind in ("c", "m", "y")]
        harness.wait_for(f"{names} to leave the store", lambda: self.redis.ask("EXISTS", *keys) == "0")

    def is_hot(self, name):
        return self.redis.ask("EXISTS", f"{{main}}:{name[0] if name.startswith('wrk') else 'c'}:{name}") == "1"

    def texts(self, conversation, order="asc", limit=3):
        """All of it, page by page."""
        found, after = [], ""
        while after is not None:
            page = self.get(f"/v1/conversations/{conversation}/messages?order={order}&limit={limit}"
                            + (f"&after={after}" if after else ""))
            found += [m["text"] for m in page["data"]]
            after = page["next_cursor"]
        return found if order == "asc" else found[::-1]


class Leaving:
    """Run on each database."""

    def test_a_closed_conversation_leaves_and_reads_as_before(self):
        self.begin(NEVER)
        item = self.talk("ann", "你好", "退款 88")
        before = (self.get(f"/v1/conversations/{item['conversation']}"), self.get(f"/v1/work-items/{item['id']}"),
                  self.daemon.messages(item["conversation"], self.boss),
                  self.get(f"/v1/customers/{item['customer']['id']}"))
        self.keep(KEEP)
        self.left(item["conversation"], item["id"])
        after = (self.get(f"/v1/conversations/{item['conversation']}"), self.get(f"/v1/work-items/{item['id']}"),
                 self.daemon.messages(item["conversation"], self.boss),
                 self.get(f"/v1/customers/{item['customer']['id']}"))
        self.assertEqual(after[0], before[0])
        self.assertEqual(after[1], before[1])
        self.assertEqual(after[2], before[2])
        for view in (before[3], after[3]):
            for conversation in view["conversations"]:
                conversation.pop("version", None)
        self.assertEqual(after[3]["conversations"], before[3]["conversations"])
        self.assertEqual(self.redis.ask("HGET", f"{{main}}:u:{item['customer']['id']}", "cv"), "")

    def timeline(self, customer, limit=100, query=""):
        """All of it, page by page."""
        found, after = [], ""
        while after is not None:
            page = self.get(f"/v1/customers/{customer}/timeline?limit={limit}{query}" + (f"&after={after}" if after else ""))
            self.assertLessEqual(len(page["data"]), limit)
            found, after = found + page["data"], page["next_cursor"]
        return found

    def test_a_customers_timeline_reads_both_in_one_order(self):
        """Two customers who are merged; conversations that left, came back, and never left; notes; items closed and open."""
        self.begin(NEVER)
        first = [self.talk("ann", f"ann {i}", f"退款 {i}") for i in range(2)]
        other = [self.talk("bob", f"bob {i}") for i in range(2)]
        ann, bob = first[0]["customer"]["id"], other[0]["customer"]["id"]
        for customer in (ann, bob):
            self.assertEqual(self.post(f"/v1/customers/{customer}/notes", {"text": f"note {customer}"}).status, 201)
        self.assertEqual(self.post(f"/v1/conversations/{first[0]['conversation']}/messages",
                                   {"kind": "note", "text": "inside"}).status, 201)
        alone = self.post("/v1/work-items", {"customer": bob, "queue": "support", "topic": "call"})
        self.assertEqual(alone.status, 201, alone)
        merge = self.post(f"/v1/customers/{ann}/merge", {"from": bob}, self.boss)
        self.assertEqual(merge.status, 200, merge)
        for i in range(20):  # more than a step of the reader
            self.say("cid", f"cid {i}")
        before, bots = self.timeline(ann), self.timeline(ann, query="&view=bot")
        self.assertGreater(len(before), 16)
        self.keep(KEEP)
        self.left(*{one[key] for one in first + other for key in ("conversation", "id")})
        for limit in (100, 7, 1):
            self.assertEqual(self.timeline(ann, limit), before)
        self.assertEqual(self.timeline(bob), before)
        self.assertEqual(self.timeline(ann, 3, "&view=bot"), bots)
        self.keep(NEVER)
        self.say("ann", "back")
        after = self.timeline(ann, 5)
        self.assertEqual([one["message"]["text"] for one in after if one["type"] == "message"][0], "back")
        self.assertEqual([one for one in after if one in before], before)

    def test_it_comes_back_by_a_message_and_goes_on_in_order(self):
        self.begin()
        first = self.talk("ann", "one", "two")
        self.left(first["conversation"], first["id"])
        self.say("ann", "three")
        second = self.take()
        self.assertEqual(second["conversation"], first["conversation"])
        self.assertNotEqual(second["id"], first["id"])
        self.assertEqual(second["customer"]["id"], first["customer"]["id"])
        self.daemon.reply(second["conversation"], "four", self.alice)
        wanted = ["one", "two", "已处理", "three", "four"]
        for limit in (1, 2, 3, 4, 5, 200):
            for order in ("asc", "desc"):
                self.assertEqual(self.texts(first["conversation"], order, limit), wanted, (order, limit))
        self.assertEqual(self.get(f"/v1/conversations/{first['conversation']}")["messages"], 5)
        self.sent(first["conversation"])
        self.close(second)
        self.left(first["conversation"], second["id"])
        self.say("ann", "five")
        self.assertEqual(self.texts(first["conversation"]), wanted + ["five"])
        self.take()

    def test_a_note_brings_it_back_and_a_reply_is_refused_as_before(self):
        self.begin()
        item = self.talk("ann", "one")
        self.left(item["conversation"], item["id"])
        refused = self.daemon.reply(item["conversation"], "too late", self.boss)
        self.assertEqual((refused.status, refused.json["state"]), (409, "closed"), refused)
        key = secrets.token_hex(8)
        note = self.daemon.reply(item["conversation"], "remember", self.boss, kind="note", key=key)
        self.assertEqual(note.status, 201, note)
        self.assertEqual(self.texts(item["conversation"]), ["one", "已处理", "remember"])
        self.left(item["conversation"])
        again = self.daemon.reply(item["conversation"], "remember", self.boss, kind="note", key=key)
        self.assertEqual((again.status, again.json), (201, note.json), again)
        self.assertEqual(self.texts(item["conversation"]), ["one", "已处理", "remember"])

    def test_lists_of_ended_work_read_both(self):
        self.begin(NEVER)
        items = [self.talk(f"c{number}", f"text {number}") for number in range(3)]
        self.keep(KEEP)
        self.left(*[item["id"] for item in items])
        self.keep(NEVER)
        items += [self.talk(f"d{number}", f"text {number}") for number in range(3)]
        self.say("open", "still open")
        for path, wanted in (("state=closed", items), ("state=closed&agent=alice", items),
                             ("state=closed&queue=support", items), ("state=closed&agent=bob", []),
                             ("state=cancelled", [])):
            for order in ("asc", "desc"):
                for limit in (1, 2, 4, 50):
                    found, after = [], ""
                    while after is not None:
                        page = self.get(f"/v1/work-items?{path}&order={order}&limit={limit}"
                                        + (f"&after={after}" if after else ""))
                        self.assertLessEqual(len(page["data"]), limit)
                        found += [item["id"] for item in page["data"]]
                        after = page["next_cursor"]
                    ids = [item["id"] for item in wanted]
                    self.assertEqual(found, ids if order == "asc" else ids[::-1], (path, order, limit))
        self.assertEqual(len(self.get("/v1/work-items")["data"]), 1)

    def test_what_is_on_its_way_holds_it(self):
        self.begin()
        self.sink.answers += [500] * 1000
        self.say("ann", "one")
        item = self.take()
        self.daemon.reply(item["conversation"], "cannot leave", self.alice)
        self.close(item)
        self.left(item["id"])
        self.assertTrue(self.is_hot(item["conversation"]))
        with self.sink.lock:
            self.sink.answers.clear()
        self.left(item["conversation"])
        self.sent(item["conversation"])

    def mail_talk(self):
        harness.send_lmtp(self.daemon.lmtp_port, "han@customer.test", OURS,
                          letter(cc="Boss <boss@customer.test>"))
        item = self.take()
        self.daemon.reply(item["conversation"], "已收到", self.alice)
        self.sent(item["conversation"])
        _, _, raw = self.smtp.mails[-1]
        self.close(item)
        return item, read(raw)

    def test_a_mail_finds_its_thread_in_the_history(self):
        self.begin()
        item, mail = self.mail_talk()
        self.left(item["conversation"])
        self.assertEqual(self.references(), 0)
        harness.send_lmtp(self.daemon.lmtp_port, "han@customer.test", OURS,
                          letter("补充", "还有一件事", number=2, in_reply_to="<m1@customer.test>"))
        again = self.take()
        self.assertEqual(again["conversation"], item["conversation"])
        self.sent(item["conversation"])
        self.close(again)
        self.left(item["conversation"])
        harness.send_lmtp(self.daemon.lmtp_port, "boss@customer.test", OURS,
                          letter("补充", "我也问", "Boss <boss@customer.test>", number=3,
                                 in_reply_to=mail["Message-ID"]))
        third = self.take()
        self.assertEqual(third["conversation"], item["conversation"])
        self.assertEqual(third["customer"]["id"], item["customer"]["id"], "it stays whose it was")
        self.assertEqual(len(self.texts(item["conversation"])), 4)
        harness.send_lmtp(self.daemon.lmtp_port, "eve@elsewhere.test", OURS,
                          letter("Re", "让我看看", "Eve <eve@elsewhere.test>", number=4,
                                 in_reply_to=mail["Message-ID"]))
        other = self.take()
        self.assertNotEqual(other["conversation"], item["conversation"])

    def references(self):
        keys = [key for key in self.redis.ask("--scan", "--pattern", "{main}:r:*").split("\n") if key]
        return sum(int(self.redis.ask("HLEN", key)) for key in keys)

    def test_a_late_receipt_is_taken_down(self):
        self.begin()
        item, mail = self.mail_talk()
        self.left(item["conversation"])
        sent = self.daemon.messages(item["conversation"], self.boss)[-1]
        harness.send_lmtp(self.daemon.lmtp_port, "", OURS, bounce_of(mail))
        found = harness.wait_for("the mark to move", lambda: [
            m for m in self.daemon.messages(item["conversation"], self.boss)
            if m["id"] == sent["id"] and m["delivery"]["state"] == "failed"])
        self.assertIn("no such user", json.dumps(found[0]["delivery"]))

    def test_kill_9_at_any_time_loses_nothing_and_shows_nothing_twice(self):
        self.begin(NEVER)
        dice = random.Random(5)
        items = [self.talk(f"c{number % 6}", f"text {number}") for number in range(18)]
        names = sorted({item["conversation"] for item in items})
        before = {name: self.daemon.messages(name, self.boss) for name in names}
        works = self.get("/v1/work-items?state=closed&limit=200")
        self.keep(KEEP)
        for _ in range(12):
            # A moment somewhere in the hand-over, which takes about a second in all.
            harness.time.sleep(dice.random() * 1.3)
            self.daemon.restart(apply=False)
            for name in dice.sample(names, 2):
                self.assertEqual(self.daemon.messages(name, self.boss), before[name])
        self.left(*names, *[item["id"] for item in items])
        self.assertEqual({name: self.daemon.messages(name, self.boss) for name in names}, before)
        self.assertEqual(self.get("/v1/work-items?state=closed&limit=200"), works)

    def test_a_random_course_reads_the_same_as_without_leaving(self):
        """The same steps on two daemons, one of which lets go of everything at once."""
        self.begin(NEVER)
        steps = self.course(random.Random(17))
        stays = self.run_course(steps)
        self.tearDownCourse()
        self.begin(KEEP, "two")
        self.assertEqual(self.run_course(steps, leaves=True), stays)

    def test_an_empty_store_is_filled_from_the_history(self):
        self.begin()
        ended = self.talk("gone", "one")
        self.left(ended["conversation"], ended["id"])
        before = self.talk("ann", "first matter")
        self.left(before["conversation"], before["id"])
        for number in range(3):
            self.say("ann", f"text {number}")
        self.say("bob", "waits")
        assigned = self.take()
        self.daemon.reply(assigned["conversation"], "on it", self.alice)
        self.sent(assigned["conversation"])
        harness.send_lmtp(self.daemon.lmtp_port, "han@customer.test", OURS, letter(files=[("a.bin", b"\x00bytes" * 9)]))
        mail = harness.wait_for("the mail", lambda: [
            item for item in self.get("/v1/work-items")["data"] if item["channel"] == "post"])[0]
        file = self.daemon.messages(mail["conversation"], self.boss)[0]["attachments"][0]["id"]
        state = self.state(ended)
        self.until_written()
        self.daemon.stop()
        self.redis.stop()
        self.redis = self.start_redis("redis-new")
        self.daemon.write_config(self.channels, self.extra())
        self.daemon.business = harness.BUSINESS
        self.daemon.tokens.clear()
        self.daemon.start()
        self.alice, self.boss = self.daemon.token(), self.daemon.token("admin", None)
        harness.wait_for("the daemon to say so", lambda: "event=store_is_empty" in self.daemon.log.read_text())
        self.daemon.ctl("history", "restore")
        harness.wait_for("the end", lambda: self.get("/v1/history")["restore"]["doing"] == "done")
        self.assertEqual(self.state(ended), state)
        self.daemon.ctl("history", "restore")
        harness.wait_for("the end", lambda: self.get("/v1/history")["restore"]["doing"] == "done")
        self.assertEqual(self.state(ended), state)
        answer = self.daemon.request("GET", f"/v1/attachments/{file}", token=self.boss)
        self.assertEqual((answer.status, answer.body), (200, b"\x00bytes" * 9))
        self.say("ann", "still me")
        self.assertEqual(self.texts(assigned["conversation"])[-1], "still me")
        self.say("new", "somebody new")
        numbers = [item["number"] for item in self.get("/v1/work-items")["data"]]
        self.assertEqual(len(set(numbers)), 4)
        self.assertEqual(max(numbers), max(item["number"] for item in state[0]) + 1)

    def until_written(self):
        """Once all of the log is in the history."""
        def same():
            newest = self.redis.ask("XREVRANGE", "{main}:log", "+", "-", "COUNT", "1").split("\n")[0]
            return self.redis.ask("GET", "{main}:cur:history").endswith("-" + newest)
        harness.wait_for("the history to have all of it", same)

    def state(self, ended):
        """What people see of it: open work, conversations, customers; offers and times of agents aside."""
        items = [{key: value for key, value in item.items() if key not in ("offers", "version", "sla")}
                 for item in self.get("/v1/work-items?order=asc")["data"]]
        names = [item["conversation"] for item in items] + [ended["conversation"]]
        customers = sorted({item["customer"]["id"] for item in items} | {ended["customer"]["id"]})
        return (items, [self.get(f"/v1/conversations/{name}") for name in names],
                [self.daemon.messages(name, self.boss) for name in names],
                [self.get(f"/v1/customers/{name}")["identifiers"] for name in customers],
                [self.get(f"/v1/customers/{name}")["conversations"] for name in customers],
                self.get("/v1/work-items?state=closed"))

    def tearDownCourse(self):
        self.daemon.stop()
        self.redis.stop()

    @staticmethod
    def course(dice):
        steps = []
        for number in range(40):
            steps.append((dice.choice(["say", "say", "answer", "close", "note", "wait"]),
                          f"p{dice.randint(0, 3)}", f"text {number}"))
        return steps

    def run_course(self, steps, leaves=False):
        """What is read at the end, with names for ids; the steps that a state refuses are refused on both."""
        items, talks, seen = {}, {}, []
        for what, who, text in steps:
            if what == "say":
                self.say(who, text)
                if who not in items:
                    items[who] = self.take()
                    talks[who] = items[who]["conversation"]
            elif what == "answer" and who in talks:
                seen.append(self.daemon.reply(talks[who], text, self.alice).status)
            elif what == "note" and who in talks:
                seen.append(self.daemon.reply(talks[who], text, self.alice, kind="note").status)
            elif what == "close" and who in items:
                self.sent(talks[who])
                self.close(items.pop(who))
            elif what == "wait" and leaves:
                self.left(*[talk for name, talk in talks.items() if name not in items])
        for who, talk in sorted(talks.items()):
            self.sent(talk)
            seen += [self.texts(talk, order, limit) for order in ("asc", "desc") for limit in (2, 50)]
            shown = self.get(f"/v1/conversations/{talk}")
            seen.append((who, shown["state"], shown["messages"], shown["customer"]["name"]))
            seen.append([(m["direction"], m["kind"], m["author"]["type"], m["text"],
                          m["delivery"] and m["delivery"]["state"]) for m in self.daemon.messages(talk, self.boss)])
        states = self.get("/v1/work-items?state=closed&order=asc&limit=200")["data"]
        return seen + [(item["number"], item["state"], item["type"]) for item in states]


def bounce_of(mail):
    """A delivery report for one of our mails."""
    return ("From: Mail Delivery <mailer-daemon@customer.test>\r\nTo: support@example.test\r\n"
            "Subject: Undelivered\r\nMessage-ID: <b1@customer.test>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nYour mail came back.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.test\r\n\r\n"
            "Final-Recipient: rfc822; han@customer.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
            f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {mail['Message-ID']}\r\n"
            "From: support@example.test\r\nSubject: x\r\n\r\nx\r\n--b--\r\n").encode()


class OnSqlite(Leaving, Bed):
    pass


class OnPostgresql(Leaving, Bed):
    database = "postgresql"

    def test_nobody_waits_for_a_database_that_is_away(self):
        self.begin()
        item, mail = self.mail_talk()
        chat = self.talk("ann", "one")
        self.left(item["conversation"], chat["conversation"], item["id"], chat["id"])
        self.postgres.kill()
        for path in (f"/v1/conversations/{item['conversation']}", f"/v1/work-items/{item['id']}",
                     f"/v1/conversations/{item['conversation']}/messages", "/v1/work-items?state=closed"):
            self.assertEqual(self.daemon.request("GET", path, token=self.boss).status, 503, path)
        self.say("ann", "two")
        again = self.take()
        self.assertEqual(again["conversation"], chat["conversation"])
        self.assertEqual(self.texts(chat["conversation"]), ["two"])
        self.assertEqual(len(self.get(f"/v1/customers/{chat['customer']['id']}")["conversations"]), 1)
        harness.send_lmtp(self.daemon.lmtp_port, "han@customer.test", OURS,
                          letter("Re", "请问", number=5, in_reply_to=mail["Message-ID"]))
        related = self.take()
        self.assertNotEqual(related["conversation"], item["conversation"])
        thread = self.daemon.messages(related["conversation"], self.boss)[0]["extra"]["thread"]
        self.assertEqual(thread["related"], item["conversation"], thread)
        harness.send_lmtp(self.daemon.lmtp_port, "", OURS, bounce_of(mail))
        self.assertEqual(self.redis.ask("ZCARD", "{main}:late"), "1")
        self.postgres.start()
        harness.wait_for("the receipt to be taken down", lambda: self.redis.ask("ZCARD", "{main}:late") == "0")
        self.assertEqual(self.daemon.messages(item["conversation"], self.boss)[-1]["delivery"]["state"], "failed")
        self.assertEqual(self.texts(chat["conversation"]), ["one", "已处理", "two"])


if __name__ == "__main__":
    unittest.main()
