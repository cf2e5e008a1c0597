"""The outside contract, read as a stranger would: statuses, bodies, cursors, keys and streams."""
import http.client
import json
import socket
import unittest

import harness

WORK_ITEM = {"id", "number", "state", "type", "topic", "urgency", "priority", "queue", "channel", "customer",
             "conversation", "agent", "created_at", "sla", "version"}
MESSAGE = {"id", "conversation", "direction", "kind", "text", "html", "attachments", "author", "channel",
           "provider_id", "delivery", "created_at"}


class Contract(harness.TestCase):
    extra = ""

    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n'
            '  - { name: site, connector: webchat }\n', extra=self.extra)
        self.alice = self.daemon.token()
        self.count = 0

    def post(self, text="你好", sender="u1", **more):
        self.count += 1
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": f"m{self.count}", "from": {"id": sender, "name": "李雷"}, "text": text, **more})
        self.assertEqual(answer.status, 200, answer)
        return answer.json["message"]

    def ask(self, method, path, body=None, token=None, **headers):
        return self.daemon.request(method, path, body, token or self.alice,
                                   headers={name.replace("_", "-"): value for name, value in headers.items()})

    def problem(self, answer, status, code=None):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        problem = answer.json
        self.assertLessEqual({"type", "title", "status", "code", "detail"}, set(problem))
        self.assertEqual(problem["status"], status)
        if code:
            self.assertEqual(problem["code"], code)
        return problem


class Requests(Contract):
    def test_items_and_messages_have_the_members_of_the_contract(self):
        message = self.post()
        item = self.daemon.claim(self.alice)
        self.assertLessEqual(WORK_ITEM, set(item))
        self.assertEqual(set(item["customer"]), {"id", "name"})
        self.assertIsInstance(item["channel"], str)
        self.assertIsInstance(item["conversation"], str)
        self.assertRegex(item["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        kept = self.daemon.messages(item["conversation"], self.alice)[0]
        self.assertEqual(MESSAGE, set(kept))
        self.assertEqual((kept["id"], kept["direction"], kept["delivery"]), (message, "in", None))
        self.assertEqual(set(kept["author"]), {"type", "id", "name"})
        self.assertEqual((kept["author"]["type"], kept["author"]["id"]), ("customer", item["customer"]["id"]))
        sent = self.daemon.reply(item["conversation"], "好的", self.alice)
        self.assertEqual((sent.status, set(sent.json)), (201, MESSAGE))
        self.assertEqual(set(sent.json["delivery"]), {"state", "error"})
        customer = self.ask("GET", f"/v1/customers/{item['customer']['id']}").json
        self.assertLessEqual({"kind", "scope", "value", "proof", "by", "at"}, set(customer["identifiers"][0]))
        self.assertTrue(self.ask("GET", "/v1/me").headers["X-Request-Id"])

    def pages(self, path, size):
        seen, cursor, steps = [], None, 0
        while True:
            answer = self.ask("GET", f"{path}{'&' if '?' in path else '?'}limit={size}"
                                     + (f"&after={cursor}" if cursor else ""))
            self.assertEqual(answer.status, 200, answer)
            self.assertLessEqual(len(answer.json["data"]), size)
            seen += answer.json["data"]
            cursor, steps = answer.json["next_cursor"], steps + 1
            if cursor is None:
                return seen
            self.assertLess(steps, 50)

    def test_lists_page_to_a_null_cursor_in_both_orders(self):
        for n in range(5):
            self.post(str(n), sender=f"u{n}", thread="t")
        newest = [item["id"] for item in self.pages("/v1/work-items", 2)]
        oldest = [item["id"] for item in self.pages("/v1/work-items?order=asc", 2)]
        self.assertEqual((len(set(newest)), newest), (5, oldest[::-1]))
        self.assertEqual(newest, [item["id"] for item in self.pages("/v1/work-items", 5)])
        for n in range(4):
            self.post(f"more {n}", sender="u0", thread="t")
        item = self.ask("GET", f"/v1/work-items/{oldest[0]}").json
        path = f"/v1/conversations/{item['conversation']}/messages"
        texts = [message["text"] for message in self.pages(path, 2)]
        self.assertEqual(texts, ["0", "more 0", "more 1", "more 2", "more 3"])
        self.assertEqual([message["text"] for message in self.pages(path + "?order=desc", 2)], texts[::-1])
        self.assertEqual([row["id"] for row in self.pages("/v1/agents?order=asc", 1)], ["alice", "bob"])

    def test_limits_cursors_and_parameters_are_checked(self):
        for query in ("limit=0", "limit=201", "limit=x", "limit=-1", "limit=", "after=@@", "order=up", "colour=red",
                      "=x", "stat=queued", "limit=1&Limit=2"):
            self.problem(self.ask("GET", f"/v1/work-items?{query}"), 400)
        for limit in (1, 200):
            self.assertEqual(self.ask("GET", f"/v1/work-items?limit={limit}").status, 200)
        self.problem(self.ask("GET", "/v1/me?x=1"), 400, "unknown_parameter")

    def test_broken_bodies_say_what_is_wrong(self):
        for body, code in ((b"{", "bad_json"), (b"", "invalid_field"), (b"null", "bad_json"), (b"[]", "invalid_field"),
                           (b'{"status":"online","status":"away"}', "bad_json"), (b'{"status":"\xff"}', "bad_json"),
                           (b'{"status":"online"} x', "bad_json"), (b'{"status":1}', "invalid_field"),
                           (b'{"statu":"online"}', "invalid_field"), (b"[" * 5000, "bad_json")):
            with self.subTest(body=body[:40]):
                answer = self.daemon.request("PUT", "/v1/me/presence", body, self.alice,
                                             headers={"Content-Type": "application/json"})
                problem = self.problem(answer, 400, code)
                if code == "invalid_field":
                    self.assertTrue(problem["errors"][0]["pointer"].startswith("#/body"))
        answer = self.daemon.request("PUT", "/v1/me/presence", b"status=online", self.alice,
                                     headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.problem(answer, 415)

    def test_an_illegal_transition_tells_the_state_and_what_is_allowed(self):
        self.post()
        item = self.daemon.claim(self.alice)
        problem = self.problem(self.ask("POST", f"/v1/work-items/{item['id']}/accept", {}), 409)
        self.assertEqual(problem["state"], "assigned")
        self.assertIn("resolve", problem["allowed"])
        self.problem(self.ask("POST", "/v1/work-items/wrk_none/resolve", {}), 404)

    def test_a_key_makes_an_effect_happen_once(self):
        self.post()
        item = self.daemon.claim(self.alice)
        path = f"/v1/work-items/{item['id']}/resolve"
        first = self.ask("POST", path, {"reason": "done"}, Idempotency_Key="k1")
        again = self.ask("POST", path, {"reason": "done"}, Idempotency_Key="k1")
        self.assertEqual((first.status, again.status), (200, 200), again)
        self.assertEqual((again.json["state"], again.json["version"]), ("resolved", first.json["version"]))
        self.problem(self.ask("POST", path, {"reason": "else"}, Idempotency_Key="k1"), 422, "idempotency_conflict")
        self.problem(self.ask("POST", path, {}, Idempotency_Key="k" * 256), 400)
        case = {"queue": "support", "summary": "x"}
        made = [self.ask("POST", "/v1/work-items", case, Idempotency_Key="k2") for _ in range(2)]
        self.assertEqual([answer.status for answer in made], [201, 201])
        self.assertEqual(made[0].json["id"], made[1].json["id"])

    def test_a_key_belongs_to_who_sent_it(self):
        self.post()
        item = self.daemon.claim(self.alice)
        first = self.daemon.reply(item["conversation"], "a", self.alice, kind="note", key="k")
        other = self.daemon.reply(item["conversation"], "b", self.daemon.token(agent="bob"), kind="note", key="k")
        self.assertEqual((first.status, other.status), (201, 201))
        self.assertNotEqual(first.json["id"], other.json["id"])

    def test_an_edit_of_an_old_version_is_refused(self):
        self.post()
        item = self.daemon.claim(self.alice)
        path = f"/v1/customers/{item['customer']['id']}"
        tag = self.ask("GET", path).headers["ETag"]
        self.assertEqual(self.ask("PATCH", path, {"name": "韩梅梅"}, If_Match=tag).json["name"], "韩梅梅")
        self.problem(self.ask("PATCH", path, {"name": "x"}, If_Match=tag), 412)
        self.assertEqual(self.ask("GET", path).json["name"], "韩梅梅")
        admin = self.daemon.token("admin", None)
        put = self.ask("PUT", "/v1/queues/vip", {"name": "VIP"}, admin)
        self.assertEqual(put.status, 200, put)
        changed = self.ask("PUT", "/v1/queues/vip", {"name": "V"}, admin, If_Match=put.headers["ETag"])
        self.assertEqual(changed.status, 200, changed)
        self.problem(self.ask("PUT", "/v1/queues/vip", {"name": "W"}, admin, If_Match=put.headers["ETag"]), 412)
        self.problem(self.ask("DELETE", "/v1/queues/vip", None, admin, If_Match=put.headers["ETag"]), 412)
        self.assertEqual(self.ask("DELETE", "/v1/queues/vip", None, admin,
                                  If_Match=changed.headers["ETag"]).status, 204)
        self.problem(self.ask("GET", "/v1/queues/vip", None, admin), 404)

    def test_inbound_methods(self):
        for method in ("PUT", "DELETE", "PATCH"):
            answer = self.daemon.request(method, "/in/shop", b"{}")
            self.problem(answer, 405)
            self.assertEqual(answer.headers["Allow"], "POST, GET")
        self.problem(self.daemon.request("GET", "/in/shop"), 405)
        self.problem(self.daemon.request("GET", "/in/none"), 404)
        self.problem(self.daemon.post_signed("other.shop", self.secret, {"id": "1"}), 404)


class Work(Contract):
    def test_a_claim_without_work_ends_with_204(self):
        answer = self.ask("POST", "/v1/work/claim", {"wait_s": 1})
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.problem(self.ask("POST", "/v1/work/claim", {"wait_s": 61}), 400)

    def test_a_claim_with_the_same_key_gives_the_same_item(self):
        self.post("a", sender="u1")
        self.post("b", sender="u2")
        first, again = (self.ask("POST", "/v1/work/claim", {"wait_s": 5}, Idempotency_Key="k") for _ in range(2))
        self.assertEqual((first.status, again.status), (200, 200))
        self.assertEqual(first.json["id"], again.json["id"])
        other = self.ask("POST", "/v1/work/claim", {"wait_s": 5}, Idempotency_Key="k2")
        self.assertNotEqual(other.json["id"], first.json["id"])

    def test_an_item_for_a_client_that_left_goes_to_the_next(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.http_port)
        connection.request("POST", "/v1/work/claim", json.dumps({"wait_s": 60}),
                           {"Authorization": f"Bearer {self.alice}", "Content-Type": "application/json"})
        connection.close()
        self.post()
        item = self.daemon.claim(self.daemon.token(agent="bob"))
        self.assertEqual(item["agent"], "bob")

    def test_a_worker_whose_lease_ran_out_is_fenced_off(self):
        tool = self.daemon.token("integration", None)
        self.post()
        claim = {"wait_s": 20, "lease_s": 1}
        stale = self.ask("POST", "/v1/work/claim", claim, tool).json
        path = f"/v1/work-items/{stale['id']}"
        harness.wait_for("the end of the lease", lambda: self.ask("GET", path, None, tool).json["state"] == "queued")
        fresh = self.ask("POST", "/v1/work/claim", {**claim, "lease_s": 600}, tool).json
        self.assertEqual(fresh["id"], stale["id"])
        messages = f"/v1/conversations/{stale['conversation']}/messages"
        for where, body in ((f"{path}/extend", {}), (messages, {"text": "too late"}), (f"{path}/resolve", {})):
            self.assertEqual(self.problem(self.ask("POST", where, {**body, "version": stale["version"]}, tool), 412)["code"], "version")
            self.problem(self.ask("POST", where, body, tool, If_Match=f'"{stale["version"]}"'), 412)
        for where, body in ((messages, {"text": "in time"}), (f"{path}/extend", {}), (f"{path}/resolve", {})):
            self.assertIn(self.ask("POST", where, {**body, "version": fresh["version"]}, tool).status, (200, 201), where)
        self.assertNotIn("too late", [one["text"] for one in self.daemon.messages(stale["conversation"], tool)])

    def test_a_tool_s_claim_is_a_lease(self):
        tool = self.daemon.token("integration", None)
        self.post()
        item = self.daemon.claim(tool)
        self.assertTrue(item["agent"].startswith("token:"))
        expires = item["lease_expires_at"]
        self.assertRegex(expires, r"Z$")
        longer = self.ask("POST", f"/v1/work-items/{item['id']}/extend", {}, tool)
        self.assertEqual(longer.status, 200, longer)
        self.assertGreaterEqual(longer.json["lease_expires_at"], expires)
        reply = self.daemon.reply(item["conversation"], "机器人", tool)
        self.assertEqual((reply.status, reply.json["author"]["type"]), (201, "bot"))
        given = self.ask("POST", f"/v1/work-items/{item['id']}/release", {}, tool)
        self.assertEqual(given.json["state"], "queued")
        self.assertIn(self.ask("POST", f"/v1/work-items/{item['id']}/extend", {}, tool).status, (403, 409))

    def test_work_is_offered_to_who_is_online(self):
        events = self.daemon.events("/v1/events?types=offer.created,offer.ended", self.alice)
        self.addCleanup(events.close)
        self.assertEqual(self.ask("PUT", "/v1/me/presence", {"status": "online"}).json["status"], "online")
        self.post()
        offer = events.next()
        self.assertEqual((offer["event"], offer["data"]["agent"]), ("offer.created", "alice"))
        item = offer["data"]["work_item"]
        declined = self.ask("POST", f"/v1/work-items/{item}/decline", {"reason": "busy"})
        self.assertEqual(declined.status, 200, declined)
        self.assertEqual(events.next()["event"], "offer.ended")
        bob = self.daemon.token(agent="bob")
        self.ask("PUT", "/v1/me/presence", {"status": "online"}, bob)
        again = events.wait(lambda event: event["event"] == "offer.created")
        self.assertEqual(again["data"]["agent"], "bob")
        self.problem(self.ask("POST", f"/v1/work-items/{item}/accept", {}), self.refusal(item, self.alice))
        taken = self.ask("POST", f"/v1/work-items/{item}/accept", {}, bob)
        self.assertEqual((taken.status, taken.json["state"], taken.json["agent"]), (200, "assigned", "bob"))

    def refusal(self, item, token):
        """Somebody else's offer: 403 or 409, never 200."""
        status = self.ask("POST", f"/v1/work-items/{item}/decline", {}, token).status
        self.assertIn(status, (403, 409))
        return status


class OfferTimeout(Contract):
    def test_an_offer_nobody_answers_is_taken_back(self):
        admin = self.daemon.token("admin", None)
        put = self.ask("PUT", "/v1/queues/support", {"offer_timeout": "5s"}, admin)
        self.assertEqual(put.status, 200, put)
        events = self.daemon.events("/v1/events?types=offer.created,offer.ended,work_item.state", self.alice)
        self.addCleanup(events.close)
        self.ask("PUT", "/v1/me/presence", {"status": "online"})
        self.post()
        events.wait(lambda event: event["event"] == "offer.created")
        ended = events.wait(lambda event: event["event"] == "offer.ended", 40)
        back = events.wait(lambda event: event["event"] == "work_item.state" and event["data"]["from"] == "offered", 40)
        self.assertEqual(back["data"]["to"], "queued")
        self.assertEqual(ended["data"]["work_item"], back["data"]["work_item"])


class Streams(Contract):
    def watch(self, path="/v1/events", token=None, headers=None):
        events = self.daemon.events(path, token, headers)
        self.addCleanup(events.close)
        return events

    def test_headers_come_at_once(self):
        events = self.watch(token=self.alice)
        self.assertEqual(events.status, 200)
        self.assertTrue(events.response.headers["Content-Type"].startswith("text/event-stream"))

    def test_an_event_is_thin_and_has_the_members_of_the_contract(self):
        events = self.watch(token=self.alice)
        message = self.post("secret text")
        created = events.wait(lambda event: event["event"] == "message.created")
        self.assertEqual(created["data"]["message"], message)
        self.assertEqual(created["data"]["type"], "message.created")
        self.assertNotIn("secret", json.dumps(created))
        self.assertLessEqual(set(created["data"]), {"id", "type", "time", "work_item", "conversation", "customer",
                                                    "message", "agent", "queue", "from", "to", "object"})

    def test_filters(self):
        events = self.watch("/v1/events?types=work_item.created", self.alice)
        other = self.watch("/v1/events?queue=nothing", self.alice)
        self.post("a", sender="u1")
        self.post("b", sender="u2")
        self.assertEqual({events.next()["event"] for _ in range(2)}, {"work_item.created"})
        self.assertTrue(other.queue.empty())

    def test_a_position_that_is_gone_is_a_reset(self):
        for bogus in ("bogus", "99-1-1"):
            events = self.watch(token=self.alice, headers={"Last-Event-ID": bogus})
            self.assertEqual(events.next()["event"], "reset", bogus)

    def test_a_ticket_is_good_once(self):
        ticket = self.ask("POST", "/v1/events/ticket", {})
        self.assertEqual(ticket.status, 201, ticket)
        path = f"/v1/events?ticket={ticket.json['ticket']}"
        self.assertEqual(self.watch(path).status, 200)
        self.assertEqual(self.watch(path).status, 401)
        self.problem(self.daemon.request("GET", "/v1/me", token=ticket.json["ticket"]), 401)


class Chat(Contract):
    def setUp(self):
        super().setUp()
        self.visitor = self.daemon.request("POST", "/chat/site/sessions", {}).json["token"]

    def listen(self, **headers):
        events = self.daemon.events("/chat/site/events", self.visitor, headers)
        self.addCleanup(events.close)
        return events

    def say(self, text, **more):
        answer = self.daemon.request("POST", "/chat/site/messages", {"text": text, **more}, self.visitor)
        self.assertIn(answer.status, (200, 201), answer)
        return answer

    def test_a_visitor_sees_place_typing_answers_and_the_end(self):
        events = self.listen()
        self.say("在吗")
        place = events.wait(lambda event: event["event"] == "queue")
        self.assertEqual(set(place["data"]), {"position", "wait_s"})
        self.assertEqual(place["data"]["position"], 1)
        item = self.daemon.claim(self.alice)
        self.ask("POST", f"/v1/conversations/{item['conversation']}/typing", {})
        events.wait(lambda event: event["event"] == "typing")
        self.daemon.reply(item["conversation"], "note", self.alice, kind="note")
        sent = self.daemon.reply(item["conversation"], "在的", self.alice).json
        shown = events.wait(lambda event: event["event"] == "message" and event["data"]["direction"] == "out")["data"]
        self.assertEqual((shown["id"], set(shown)), (sent["id"], MESSAGE))
        self.assertEqual(shown["author"], {"type": "agent", "name": sent["author"]["name"]})
        self.ask("POST", f"/v1/work-items/{item['id']}/resolve", {})
        closed = self.ask("POST", f"/v1/work-items/{item['id']}/close", {})
        self.assertEqual(closed.status, 200, closed)
        events.wait(lambda event: event["event"] == "closed")
        again = self.listen()
        seen = [again.wait(lambda event: event["event"] == "message") for _ in range(2)]
        self.assertEqual([event["data"]["text"] for event in seen], ["在吗", "在的"])
        self.assertEqual({event["data"]["kind"] for event in seen}, {"text"})

    def test_bad_messages_are_refused(self):
        for body in (b"{", b"[]", b'{"text":1}', b"{}", b'{"text":""}'):
            answer = self.daemon.request("POST", "/chat/site/messages", body, self.visitor)
            self.problem(answer, 400)
        self.problem(self.daemon.request("POST", "/chat/site/messages", {"text": "x"}), 401)
        self.problem(self.daemon.request("GET", "/chat/site/events"), 401)
        self.problem(self.daemon.request("POST", "/chat/shop/sessions", {}), 404)
        self.problem(self.daemon.request("GET", "/chat/site/messages", token=self.visitor), 405)


class Limits(Contract):
    extra = "limits: { api_per_second: 3, visitor_messages_per_minute: 4 }\n"

    def test_requests_of_a_token_are_limited(self):
        answers = [self.ask("GET", "/v1/me") for _ in range(40)]
        over = [answer for answer in answers if answer.status == 429]
        self.assertTrue(over)
        self.problem(over[0], 429, "too_many_requests")
        self.assertEqual(over[0].headers["Retry-After"], "1")
        self.assertEqual(self.daemon.request("GET", "/v1/me", token=self.daemon.token(agent="bob")).status, 200)
        harness.wait_for("the limit to pass", lambda: self.ask("GET", "/v1/me").status == 200)

    def test_messages_of_a_visitor_are_limited(self):
        visitors = [self.daemon.request("POST", "/chat/site/sessions", {}).json["token"] for _ in range(2)]
        said = [self.daemon.request("POST", "/chat/site/messages", {"text": str(n)}, visitors[0]) for n in range(6)]
        self.assertEqual([answer.status for answer in said[:4]], [201] * 4)
        self.problem(said[5], 429, "too_many_requests")
        self.assertGreater(int(said[5].headers["Retry-After"]), 0)
        other = self.daemon.request("POST", "/chat/site/messages", {"text": "x"}, visitors[1])
        self.assertEqual(other.status, 201, other)


class Draining(Contract):
    def link(self, rest):
        """A connection whose first request is answered: the daemon has the rest of what was sent, too."""
        link = socket.create_connection(("127.0.0.1", self.daemon.http_port), 20)
        self.addCleanup(link.close)
        link.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n" + rest)
        self.assertIn(b" 200 ", link.recv(9000))
        return link

    def test_a_daemon_that_goes_down_is_not_ready_and_ends_its_claims(self):
        probe = self.link(b"GET /readyz HTTP/1.1\r\nHost: a\r\n")
        body = b'{"wait_s":60}'
        claim = self.link(b"POST /v1/work/claim HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
                          b"Content-Length: %d\r\n\r\n%s" % (self.alice.encode(), len(body), body))
        self.daemon.process.terminate()
        self.assertIn(b" 204 ", claim.recv(9000))
        probe.sendall(b"\r\n")
        answer = probe.recv(9000)
        self.assertIn(b" 503 ", answer)
        self.assertIn(b'"draining":true', answer)
        self.assertEqual(self.daemon.process.wait(30), 0)


if __name__ == "__main__":
    unittest.main()
