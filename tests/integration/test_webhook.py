"""The main path on the generic channel: signed webhook in, claim, reply, signed webhook out."""
import concurrent.futures
import json
import time
import unittest

import harness


class Webhook(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.sink = self.start_sink(self.secret)
        self.channels = (f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
                         f'deliver_url: "{self.sink.url}", allow_private_urls: true }}\n')
        self.daemon = self.start_daemon(self.channels)
        self.alice = self.daemon.token()

    def post(self, message_id, text="我要退款", sender="u1", **more):
        return self.daemon.post_signed("shop", self.secret, {
            "id": message_id, "from": {"id": sender, "name": "李雷"}, "text": text, **more})

    def test_a_message_is_claimed_and_its_answer_leaves_signed(self):
        answer = self.post("m1")
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(answer.json["message"].startswith("msg_"))
        item = self.daemon.claim(self.alice)
        self.assertEqual((item["state"], item["queue"], item["channel"], item["agent"]),
                         ("assigned", "support", "shop", "alice"))
        self.assertEqual(item["customer"]["name"], "李雷")
        thread = self.daemon.messages(item["conversation"], self.alice)
        self.assertEqual([m["text"] for m in thread], ["我要退款"])
        self.assertEqual(thread[0]["id"], answer.json["message"])
        self.assertIsNone(thread[0]["delivery"])
        sent = self.daemon.reply(item["conversation"], "已为您办理", self.alice)
        self.assertEqual(sent.status, 201, sent)
        self.assertEqual(sent.json["author"]["id"], "alice")
        harness.wait_for("the webhook out", self.sink.texts)
        event = self.sink.received[0]
        self.assertEqual(event["type"], "message.outbound")
        self.assertEqual(event["data"]["id"], sent.json["id"])
        self.assertEqual(event["data"]["conversation"], item["conversation"])
        self.assertEqual(event["data"]["to"], {"id": "u1", "name": "李雷"})
        self.assertEqual(event["data"]["text"], "已为您办理")
        self.assertEqual(event["data"]["attachments"], [])
        self.assertEqual(self.sink.bad, [])
        harness.wait_for("the delivery mark", lambda: self.state_of(item, sent) == "sent")

    def state_of(self, item, sent):
        thread = self.daemon.messages(item["conversation"], self.alice)
        return next(m["delivery"]["state"] for m in thread if m["id"] == sent.json["id"])

    def test_a_repeated_id_is_a_duplicate(self):
        first = self.post("m1")
        again = self.post("m1")
        self.assertEqual((first.status, again.status), (200, 200))
        self.assertEqual(again.json, {"duplicate": True})
        item = self.daemon.claim(self.alice)
        self.assertEqual(len(self.daemon.messages(item["conversation"], self.alice)), 1)
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=0))

    def test_dup_webhook_race(self):
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(lambda _: self.post("same"), range(64)))
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assertEqual(sum("message" in answer.json for answer in answers), 1)
        item = self.daemon.claim(self.alice)
        self.assertEqual(len(self.daemon.messages(item["conversation"], self.alice)), 1)

    def test_album_split(self):
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda n: self.post(f"img{n}", text=str(n), sender="new"), range(10)))
        self.assertEqual({answer.status for answer in answers}, {200})
        item = self.daemon.claim(self.alice)
        thread = self.daemon.messages(item["conversation"], self.alice)
        self.assertEqual(sorted(m["text"] for m in thread), sorted(str(n) for n in range(10)))
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=0))

    def test_threads_of_one_customer_are_conversations_of_their_own(self):
        self.post("m1", thread="order-1")
        self.post("m2", thread="order-2")
        first, second = self.daemon.claim(self.alice), self.daemon.claim(self.alice)
        self.assertNotEqual(first["conversation"], second["conversation"])
        self.assertEqual(first["customer"]["id"], second["customer"]["id"])

    def test_a_claim_waits_for_work(self):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.daemon.claim, self.alice, 20)
            self.post("m1")
            self.assertEqual(waiting.result()["state"], "assigned")

    def test_one_item_is_given_to_one_of_many_claims(self):
        bob = self.daemon.token(agent="bob")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            claims = [pool.submit(self.daemon.claim, token, 2) for token in (self.alice, bob)]
            self.post("m1")
            given = [claim.result() for claim in claims]
        self.assertEqual(sum(item is not None for item in given), 1)

    def test_weak_link_double_send(self):
        self.post("m1")
        item = self.daemon.claim(self.alice)
        first = self.daemon.reply(item["conversation"], "一次", self.alice, key="k1")
        self.daemon.restart()
        again = self.daemon.reply(item["conversation"], "一次", self.alice, key="k1")
        self.assertEqual((first.status, first.json["id"]), (again.status, again.json["id"]))
        other = self.daemon.reply(item["conversation"], "另一个", self.alice, key="k1")
        self.assertEqual(other.status, 422, other)
        harness.wait_for("the webhook out", self.sink.texts)
        last = self.daemon.reply(item["conversation"], "最后", self.alice)
        self.assertEqual(last.status, 201)
        harness.wait_for("the second webhook", lambda: "最后" in self.sink.texts())
        # A kill between the receiver's answer and its note makes the same webhook go out again, under its first id.
        by_id = {event["webhook_id"]: event["data"]["text"] for event in self.sink.received}
        self.assertEqual(list(by_id.values()), ["一次", "最后"])

    def test_a_failing_receiver_is_tried_again(self):
        self.sink.answers = [503]
        self.post("m1")
        item = self.daemon.claim(self.alice)
        self.daemon.reply(item["conversation"], "再试", self.alice)
        harness.wait_for("the second attempt", self.sink.texts, 60)
        ids = {event["data"]["id"] for event in self.sink.received}
        self.assertEqual((len(self.sink.received), len(ids)), (2, 1))
        self.assertEqual(len({event["webhook_id"] for event in self.sink.received}), 1)

    def test_a_refusing_receiver_ends_in_the_dead_letters(self):
        self.sink.answers = [400]
        self.post("m1")
        item = self.daemon.claim(self.alice)
        sent = self.daemon.reply(item["conversation"], "不行", self.alice)
        harness.wait_for("the failure", lambda: self.state_of(item, sent) == "failed")
        admin = self.daemon.token("admin", None)
        dead = self.daemon.request("GET", "/v1/deadletters", token=admin).json["data"]
        self.assertEqual(len(dead), 1)
        thread = self.daemon.messages(item["conversation"], self.alice)
        self.assertTrue(next(m["delivery"]["error"] for m in thread if m["id"] == sent.json["id"]))

    def test_a_kill_between_acknowledgement_and_claim_loses_nothing(self):
        for n in range(20):
            self.assertEqual(self.post(f"m{n}", text=str(n)).status, 200)
        self.daemon.restart()
        item = self.daemon.claim(self.alice)
        thread = self.daemon.messages(item["conversation"], self.alice)
        self.assertEqual([m["text"] for m in thread], [str(n) for n in range(20)])
        self.assertEqual(self.post("m7").json, {"duplicate": True})

    def test_work_in_a_queue_that_is_not_configured_is_served(self):
        admin = self.daemon.token(role="admin", agent="")
        self.assertEqual(self.daemon.request("PUT", "/v1/queues/other", {"id": "other"}, admin).status, 200)
        opened = self.daemon.request("POST", "/v1/work-items", {"queue": "other"}, admin)
        self.assertEqual(opened.status, 201, opened)
        gone = self.daemon.request("DELETE", "/v1/queues/other", token=admin)
        self.assertEqual(gone.status, 204, gone)
        self.daemon.restart(apply=False)
        item = self.daemon.claim(self.alice)
        self.assertIsNotNone(item)
        self.assertEqual((item["id"], item["queue"]), (opened.json["id"], "other"))

    def test_a_message_after_resolution_reopens_the_item(self):
        self.post("m1")
        item = self.daemon.claim(self.alice)
        done = self.daemon.request("POST", f"/v1/work-items/{item['id']}/resolve", {}, self.alice)
        self.assertEqual((done.status, done.json["state"]), (200, "resolved"), done)
        self.post("m2", text="还有一个问题")
        again = self.daemon.claim(self.alice)
        self.assertEqual((again["id"], again["conversation"]), (item["id"], item["conversation"]))

    def test_notes_stay_inside(self):
        self.post("m1")
        item = self.daemon.claim(self.alice)
        note = self.daemon.reply(item["conversation"], "内部", self.alice, kind="note")
        self.assertEqual((note.status, note.json["kind"], note.json["delivery"]), (201, "note", None))
        self.daemon.reply(item["conversation"], "外部", self.alice)
        harness.wait_for("the webhook out", self.sink.texts)
        self.assertEqual(self.sink.texts(), ["外部"])

    def test_events_resume_where_they_ended(self):
        first = self.daemon.events("/v1/events", self.alice)
        self.assertEqual(first.status, 200)
        self.post("m1")
        created = first.wait(lambda event: event["event"] == "message.created")
        # One entry of the log may be several events; the last of them carries its position.
        position = created.get("id") or first.wait(lambda event: "id" in event)["id"]
        first.close()
        self.post("m2")
        second = self.daemon.events("/v1/events", self.alice, {"Last-Event-ID": position})
        self.addCleanup(second.close)
        again = second.wait(lambda event: event["event"] == "message.created")
        self.assertNotEqual(again["data"]["message"], created["data"]["message"])


class BadInput(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.secret = harness.new_secret()
        cls.shared = harness.Daemon(harness.RUNS / f"bad-input-{harness.os.getpid()}",
                                    f'  - {{ name: shop, connector: webhook, secret: "{cls.secret}" }}\n')
        cls.addClassCleanup(cls.shared.stop)
        cls.shared.start()

    def post(self, body, **more):
        return self.shared.post_signed("shop", self.secret, body, **more)

    def problem(self, answer, status):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"].partition(";")[0], "application/problem+json")
        self.assertTrue(answer.json["code"])
        self.assertTrue(answer.headers["X-Request-Id"])
        return answer.json

    def test_unknown_channel(self):
        self.problem(self.shared.post_signed("nowhere", self.secret, {"id": "1"}), 404)

    def test_wrong_method(self):
        self.problem(self.shared.request("DELETE", "/in/shop"), 405)

    def test_bad_signature(self):
        self.problem(self.post({"id": "1", "from": {"id": "u"}, "text": "x"}, signature="v1,AAAA"), 401)

    def test_missing_signature(self):
        self.problem(self.shared.request("POST", "/in/shop", {"id": "1"}), 401)

    def test_body_changed_after_signing(self):
        signature = harness.sign(self.secret, "h", "1", b"{}")
        self.problem(self.post({"id": "1"}, message_id="h", signature=signature), 401)

    def test_stale_and_future_timestamps(self):
        for shift in (-301, 310):
            body = {"id": "1", "from": {"id": "u"}, "text": "x"}
            self.problem(self.post(body, timestamp=int(time.time()) + shift), 401)

    def test_body_too_large_is_refused_before_it_is_read(self):
        import http.client
        connection = http.client.HTTPConnection("127.0.0.1", self.shared.http_port, timeout=20)
        connection.putrequest("POST", "/in/shop")
        connection.putheader("Content-Length", str(1024 * 1024 + 1))
        connection.endheaders()  # and not one byte of body
        self.assertEqual(connection.getresponse().status, 413)
        connection.close()

    def test_broken_json_says_where(self):
        problem = self.problem(self.post(b'{"id":"1",\n "from": {"id": "u"},, }'), 400)
        self.assertRegex(problem["detail"], r"line 2, column 22")

    def test_wrong_types(self):
        for body in ([], "text", {"id": 1, "from": {"id": "u"}}, {"id": "1", "from": "u", "text": "x"},
                     {"id": "1", "from": {"id": "u"}, "text": 5}, {"id": "1", "text": "no sender"}):
            self.problem(self.post(json.dumps(body).encode()), 400)

    def test_no_token_and_wrong_token(self):
        self.problem(self.shared.request("GET", "/v1/me"), 401)
        self.problem(self.shared.request("GET", "/v1/me", token="cvg_main_" + "0" * 40), 401)

    def test_unknown_path(self):
        self.problem(self.shared.request("GET", "/v1/nothing", token=self.shared.token()), 404)


class StoreAway(harness.TestCase):
    def test_a_stopped_store_answers_503_with_retry_after_and_comes_back(self):
        secret = harness.new_secret()
        daemon = self.start_daemon(f'  - {{ name: shop, connector: webhook, secret: "{secret}" }}\n')
        pid = harness.wait_for("the store's process", daemon.store_pid)
        harness.os.kill(pid, harness.signal.SIGSTOP)
        try:
            answer = daemon.post_signed("shop", secret, {"id": "1", "from": {"id": "u"}, "text": "x"})
            self.assertEqual(answer.status, 503, answer)
            self.assertGreater(int(answer.headers["Retry-After"]), 0)
        finally:
            harness.os.kill(pid, harness.signal.SIGCONT)

        def accepted():
            again = daemon.post_signed("shop", secret, {"id": "1", "from": {"id": "u"}, "text": "x"})
            return again.status == 200
        harness.wait_for("the store to come back", accepted)
        item = daemon.claim(daemon.token())
        self.assertEqual(len(daemon.messages(item["conversation"], daemon.token())), 1)


if __name__ == "__main__":
    unittest.main()
