"""Conversations put in order: split, move, merge and undo; what is written later lands where its message is."""
import os
import random
import secrets
import subprocess
import unittest

import harness
from mailbed import MailCase, letter


class Changes:
    def change(self, path, body=None, key=None, status=201):
        answer = self.daemon.request("POST", f"/v1/conversations/{path}", body or {}, self.alice,
                                     headers={"Idempotency-Key": key or secrets.token_hex(8)})
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def listed(self, conversation):
        return self.daemon.request("GET", f"/v1/conversations/{conversation}/changes", token=self.alice).json["data"]

    def all_of(self, conversation):
        return self.daemon.messages(conversation, self.alice)

    def texts(self, conversation):
        """What is there, in order; None where something went away."""
        return [None if "moved" in (message.get("extra") or {}) else message["text"].strip()
                for message in self.all_of(conversation)]


class Webhook(harness.TestCase, Changes):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.sink = self.start_sink(self.secret)
        self.daemon = self.start_daemon(f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
                                        f'deliver_url: "{self.sink.url}", allow_private_urls: true }}\n')
        self.alice = self.daemon.token()

    def say(self, text, thread="t1", user="u1"):
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": secrets.token_hex(8), "from": {"id": user, "name": "李雷"}, "text": text, "thread": thread})
        self.assertEqual(answer.status, 200, answer)

    def begin(self, *texts, thread="t1", user="u1"):
        for text in texts:
            self.say(text, thread, user)
        return self.daemon.claim(self.alice)["conversation"]

    def id_of(self, conversation, text):
        return next(message["id"] for message in self.all_of(conversation) if message["text"] == text)

    def test_a_split_moves_what_follows_and_undo_brings_it_back(self):
        events = self.daemon.events("/v1/events?types=conversation.changed", self.alice)
        self.addCleanup(events.close)
        one = self.begin("a", "b", "c")
        before = self.all_of(one)
        change = self.change(f"{one}/split", {"at": before[1]["id"], "subject": "另一件事"})
        two = change["to"]
        self.assertEqual((change["kind"], change["from"], change["messages"], change["state"], change["work_item"]),
                         ("split", one, 2, "done", None))
        self.assertEqual((self.texts(one), self.texts(two)), (["a", None, None], ["b", "c"]))
        self.assertEqual([message["id"] for message in self.all_of(two)], [message["id"] for message in before[1:]])
        self.assertEqual({message["conversation"] for message in self.all_of(two)}, {two})
        self.assertEqual(self.all_of(one)[1]["extra"]["moved"],
                         {"message": before[1]["id"], "to": two, "change": change["id"]})
        told = events.next()["data"]
        self.assertEqual((told["conversation"], told["from"], told["to"], told["object"]), (one, one, two, change["id"]))
        split_off = self.daemon.request("GET", f"/v1/conversations/{two}", token=self.alice).json
        self.assertEqual((split_off["subject"], split_off["channel"], split_off["state"]), ("另一件事", "shop", "closed"))
        self.say("d")
        undone = self.change(f"changes/{change['id']}/undo", status=200)
        self.assertEqual((undone["state"], undone["undone_by"]), ("undone", "alice"))
        self.assertEqual((self.texts(one), self.texts(two)), (["a", "b", "c", "d"], [None, None]))
        self.assertEqual(self.all_of(one)[:3], before)
        self.assertEqual(self.listed(one), self.listed(two))
        self.change(f"changes/{change['id']}/undo", status=409)

    def test_a_split_off_conversation_has_its_own_work_when_wanted(self):
        one = self.begin("a", "b")
        change = self.change(f"{one}/split", {"at": self.id_of(one, "b"), "queue": "support"})
        item = self.daemon.claim(self.alice)
        self.assertEqual((item["id"], item["conversation"]), (change["work_item"], change["to"]))
        self.assertEqual(self.daemon.reply(change["to"], "好的", self.alice).status, 201)
        harness.wait_for("the delivery", lambda: "好的" in self.sink.texts())
        self.change(f"{one}/split", {"at": self.id_of(one, "a"), "queue": "nowhere"}, status=400)

    def test_a_message_moves_and_moves_on(self):
        one, two, three = (self.begin(text, "x" + text, thread=text) for text in ("t1", "t2", "t3"))
        first = self.change(f"{one}/move", {"message": self.id_of(one, "xt1"), "to": two})
        second = self.change(f"{two}/move", {"message": self.id_of(two, "xt1"), "to": three})
        self.assertEqual([self.texts(name) for name in (one, two, three)],
                         [["t1", None], ["t2", "xt2", None], ["t3", "xt3", "xt1"]])
        self.assertEqual(self.change(f"changes/{first['id']}/undo", status=409)["code"], "changed")
        self.change(f"changes/{second['id']}/undo", status=200)
        self.change(f"changes/{first['id']}/undo", status=200)
        self.assertEqual(self.texts(one), ["t1", "xt1"])

    def test_two_conversations_become_one(self):
        many = [f"m{number}" for number in range(120)]
        one, two = self.begin(*many), self.begin("z", thread="t2")
        change = self.change(f"{two}/merge", {"from": one})
        self.assertEqual((change["messages"], change["state"]), (120, "done"))
        self.assertEqual(self.texts(two), ["z", *many])
        self.assertEqual(set(self.texts(one)), {None})
        self.change(f"changes/{change['id']}/undo", status=200)
        self.assertEqual((self.texts(one), self.texts(two)), (many, ["z"] + [None] * 120))

    def test_the_same_key_is_the_same_change(self):
        one, two = self.begin("a", "b"), self.begin("z", thread="t2")
        for path, body in ((f"{one}/split", {"at": self.id_of(one, "b")}), (f"{two}/merge", {"from": one})):
            first = self.change(path, body, key="k" + path)
            self.assertEqual(self.change(path, body, key="k" + path), first)
        self.change(f"{two}/merge", {"from": self.listed(one)[-1]["to"]}, key=f"k{two}/merge", status=422)
        undone = self.change(f"changes/{first['id']}/undo", key="u", status=200)
        self.assertEqual(self.change(f"changes/{first['id']}/undo", key="u", status=200), undone)

    def test_a_change_that_was_cut_off_goes_on_when_it_is_asked_for_again(self):
        one, two = self.begin("a", "b"), self.begin("z", thread="t2")
        change = self.change(f"{two}/merge", {"from": one}, key="k")
        self.say("c")
        self.say("d")
        self.daemon_store("HSET", f"{{main}}:mv:{change['id']}", "s", "running", "nx", "2")  # as a crash after step one
        whole = self.change(f"{two}/merge", {"from": one}, key="k")
        self.assertEqual((whole["id"], whole["messages"], whole["state"]), (change["id"], 4, "done"))
        self.assertEqual(self.texts(two), ["z", "a", "b", "c", "d"])
        self.change(f"changes/{change['id']}/undo", key="u", status=200)
        self.assertEqual(self.texts(one), ["a", "b", "c", "d"])

    def test_any_order_of_changes_and_undos_ends_where_a_model_says(self):
        """Random splits, moves, merges and undos with messages in between, against lists in this language."""
        chance = random.Random(int(os.environ.get("CONVERGE_SEED", "7")))
        model, changes = {}, []  # conversation -> ids or None; (change, [(from, i, to, j, id)])
        for number in range(3):
            name = self.begin(*(f"{number}.{place}" for place in range(4)), thread=f"t{number}")
            model[name] = [message["id"] for message in self.all_of(name)]
        for step in range(60):
            getattr(self, "random_" + chance.choice(["split", "move", "merge", "undo", "undo"]))(chance, model, changes)
            if step % 10 == 9:
                self.compare(model)
        self.compare(model)
        for change, _ in reversed(changes):
            self.change(f"changes/{change}/undo", status=200)
        for number, name in enumerate(list(model)[:3]):
            self.assertEqual(self.texts(name), [f"{number}.{place}" for place in range(4)] + [None] * (len(model[name]) - 4))

    def compare(self, model):
        for name, ids in model.items():
            stored = self.all_of(name)
            self.assertEqual([None if "moved" in (message.get("extra") or {}) else message["id"] for message in stored], ids)
            self.assertEqual({message["conversation"] for message in stored}, {name})

    def carry(self, model, changes, change, places):
        """What a change did to the lists."""
        model.setdefault(change["to"], [])
        done = []
        for place in places:
            message = model[change["from"]][place]
            done.append((change["from"], place, change["to"], len(model[change["to"]]), message))
            model[change["to"]].append(message)
            model[change["from"]][place] = None
        changes.append((change["id"], done))

    @staticmethod
    def some_message(chance, model):
        name = chance.choice([name for name, ids in model.items() if any(ids)])
        return name, chance.choice([place for place, message in enumerate(model[name]) if message])

    def random_split(self, chance, model, changes):
        name, at = self.some_message(chance, model)
        places = [place for place, message in enumerate(model[name]) if message and place >= at]
        self.carry(model, changes, self.change(f"{name}/split", {"at": model[name][at]}), places)

    def random_move(self, chance, model, changes):
        name, place = self.some_message(chance, model)
        to = chance.choice([other for other in model if other != name])
        self.carry(model, changes, self.change(f"{name}/move", {"message": model[name][place], "to": to}), [place])

    def random_merge(self, chance, model, changes):
        name, _ = self.some_message(chance, model)
        to = chance.choice([other for other in model if other != name])
        places = [place for place, message in enumerate(model[name]) if message]
        self.carry(model, changes, self.change(f"{to}/merge", {"from": name}), places)

    def random_undo(self, chance, model, changes):
        if not changes:
            return
        at = chance.randrange(len(changes))
        change, done = changes[at]
        is_there = all(model[to][j] == message and model[name][i] is None for name, i, to, j, message in done)
        self.change(f"changes/{change}/undo", status=200 if is_there else 409)
        if is_there:
            del changes[at]
            for name, i, to, j, message in done:
                model[name][i], model[to][j] = message, None

    def test_a_crash_loses_neither_the_change_nor_a_message(self):
        one = self.begin("a", "b")
        change = self.change(f"{one}/split", {"at": self.id_of(one, "b")}, key="k")
        self.daemon.restart(apply=False)
        self.assertEqual((self.texts(one), self.texts(change["to"])), (["a", None], ["b"]))
        self.assertEqual(self.change(f"{one}/split", {"at": change["message"]}, key="k"), change)
        self.say("c")
        self.change(f"changes/{change['id']}/undo", status=200)
        self.assertEqual(self.texts(one), ["a", "b", "c"])

    def daemon_store(self, *words):
        socket = next(self.daemon.state_dir.rglob("redis.sock"))
        subprocess.run(["redis-cli", "-s", socket, *words], check=True, stdout=subprocess.DEVNULL)

    def test_what_is_not_one_persons_or_not_there_is_refused(self):
        one, other = self.begin("a"), self.begin("b", user="u2")
        self.assertEqual(self.change(f"{one}/merge", {"from": other}, status=409)["code"], "other_identifier")
        self.change(f"{one}/merge", {"from": one}, status=400)
        self.change(f"{one}/merge", {"from": "cnv_" + "0" * 26}, status=404)
        self.change(f"{one}/split", {"at": "msg_" + "0" * 26}, status=404)
        self.change(f"{one}/split", {"at": self.id_of(other, "b")}, status=404)
        self.change("changes/mv_" + "0" * 26 + "/undo", status=404)
        self.assertEqual((self.texts(one), self.texts(other)), (["a"], ["b"]))

    def test_an_answer_on_its_way_stays(self):
        one = self.begin("a")
        self.sink.answers = [503] * 50
        self.assertEqual(self.daemon.reply(one, "b", self.alice).status, 201)
        answer = self.change(f"{one}/split", {"at": self.id_of(one, "a")}, status=409)
        self.assertEqual(answer["code"], "in_flight")
        self.assertIn(self.id_of(one, "b"), answer["detail"])
        self.assertEqual(self.texts(one), ["a", "b"])


class Mail(MailCase, Changes):
    def test_a_later_mail_lands_where_the_message_it_answers_is(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        one = item["conversation"]
        _, mail = self.answer(item)
        sent = self.thread(item, 2)[1]
        harness.wait_for("the answer to be sent", lambda: self.all_of(one)[1]["delivery"]["state"] == "sent")
        two = self.change(f"{one}/split", {"at": sent["id"]})["to"]
        self.assertEqual(self.all_of(two)[0]["delivery"]["state"], "sent")
        self.lmtp(letter("Re: 订单 88", "谢谢", number=2, in_reply_to=mail["Message-ID"],
                         references=f"<m1@customer.test> {mail['Message-ID']}"))
        harness.wait_for("the mail", lambda: len(self.all_of(two)) == 2)
        self.assertEqual(self.all_of(two)[1]["text"].strip(), "谢谢")
        self.lmtp(letter("补充", "还有", number=3, in_reply_to="<m1@customer.test>"))
        harness.wait_for("the other mail", lambda: len(self.all_of(one)) == 3)


if __name__ == "__main__":
    unittest.main()
