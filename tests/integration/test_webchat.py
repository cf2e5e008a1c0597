"""Web chat: a visitor's session, messages both ways over SSE, and re-sends."""
import datetime
import email
import email.policy
import unittest

import harness


class Bed(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon("  - { name: site, connector: webchat }\n")
        self.alice = self.daemon.token()
        answer = self.daemon.request("POST", "/chat/site/sessions", {})
        self.assertIn(answer.status, (200, 201), answer)
        self.visitor = answer.json["token"]

    def say(self, text, client_id=None):
        body = {"text": text}
        if client_id:
            body["client_id"] = client_id
        return self.daemon.request("POST", "/chat/site/messages", body, self.visitor)

    def listen(self, headers=None):
        events = self.daemon.events("/chat/site/events", self.visitor, headers)
        self.addCleanup(events.close)
        self.assertEqual(events.status, 200)
        return events

    def next_message(self, events):
        return events.wait(lambda event: event["event"] == "message")


class Webchat(Bed):
    def test_a_visitor_is_answered_in_the_chat(self):
        events = self.listen()
        said = self.say("你好，物流到哪了？")
        self.assertEqual(said.status, 201, said)
        own = self.next_message(events)["data"]
        self.assertEqual((own["id"], own["direction"]), (said.json["message"], "in"))
        item = self.daemon.claim(self.alice)
        self.assertEqual((item["channel"], item["state"]), ("site", "assigned"))
        self.daemon.reply(item["conversation"], "只给同事看", self.alice, kind="note")
        self.daemon.reply(item["conversation"], "明天送达", self.alice)
        answer = self.next_message(events)["data"]
        self.assertEqual((answer["text"], answer["direction"]), ("明天送达", "out"))
        self.assertEqual(set(answer["author"]), {"type", "name"})
        self.assertIsNone(own["delivery"])
        if answer["delivery"]["state"] != "sent":  # the message itself may be read later than it was sent
            events.wait(lambda event: event["event"] == "delivery" and event["data"]["state"] == "sent")
        again = self.listen()
        shown = again.wait(lambda event: event["event"] == "message" and event["data"]["direction"] == "out")["data"]
        self.assertEqual((shown["id"], shown["delivery"]), (answer["id"], {"state": "sent", "error": None}))

    def test_each_conversation_is_told_to_its_own_windows_only(self):
        windows = [self.listen() for _ in range(3)]
        others = []
        for _ in range(10):
            token = self.daemon.request("POST", "/chat/site/sessions", {}).json["token"]
            others.append((token, self.daemon.events("/chat/site/events", token)))
            self.addCleanup(others[-1][1].close)
        self.say("一")
        for events in windows:
            self.assertEqual(self.next_message(events)["data"]["text"], "一")
        windows.pop(0).close()
        others.pop(0)[1].close()
        item = self.daemon.claim(self.alice)
        self.daemon.reply(item["conversation"], "二", self.alice)
        for events in windows:
            events.wait(lambda event: event["event"] == "message" and event["data"]["text"] == "二")
        for events in windows:
            events.close()
        late = self.listen()
        self.say("三")
        late.wait(lambda event: event["event"] == "message" and event["data"]["text"] == "三")
        for token, events in others:
            self.daemon.request("POST", "/chat/site/messages", {"text": "mine"}, token)
            self.assertEqual(self.next_message(events)["data"]["text"], "mine", "the first that it was told")

    def test_a_resent_message_is_the_same_message(self):
        first, again = self.say("一次", "c1"), self.say("一次", "c1")
        self.assertEqual((first.status, again.status), (201, 200))
        self.assertEqual(first.json["message"], again.json["message"])
        item = self.daemon.claim(self.alice)
        self.assertEqual(len(self.daemon.messages(item["conversation"], self.alice)), 1)

    def test_events_start_with_the_conversation_and_resume_after_an_id(self):
        self.say("一")
        self.say("二")
        events = self.listen()
        first, second = self.next_message(events), self.next_message(events)
        self.assertEqual([first["data"]["text"], second["data"]["text"]], ["一", "二"])
        resumed = self.listen({"Last-Event-ID": first["id"]})
        self.assertEqual(self.next_message(resumed)["data"]["text"], "二")

    def test_the_token_may_stand_in_the_query_of_events_only(self):
        events = self.daemon.events(f"/chat/site/events?token={self.visitor}")
        self.addCleanup(events.close)
        self.assertEqual(events.status, 200)
        refused = self.daemon.request("POST", f"/chat/site/messages?token={self.visitor}", {"text": "x"})
        self.assertIn(refused.status, (400, 401), refused)

    def test_visitors_do_not_see_each_other(self):
        self.say("秘密")
        other = self.daemon.request("POST", "/chat/site/sessions", {}).json["token"]
        events = self.daemon.events("/chat/site/events", other)
        self.addCleanup(events.close)
        self.daemon.request("POST", "/chat/site/messages", {"text": "别人"}, other)
        self.assertEqual(self.next_message(events)["data"]["text"], "别人")

    def test_wrong_tokens_and_unknown_channels(self):
        self.assertEqual(self.daemon.request("POST", "/chat/site/messages", {"text": "x"}, "no").status, 401)
        self.assertEqual(self.daemon.request("POST", "/chat/site/messages", {"text": "x"}, self.alice).status, 401)
        self.assertEqual(self.daemon.request("GET", "/v1/me", token=self.visitor).status, 401)
        self.assertEqual(self.daemon.request("POST", "/chat/none/sessions", {}).status, 404)

    def test_a_visitor_keeps_the_conversation_over_a_kill(self):
        self.say("一")
        self.daemon.restart()
        self.assertEqual(self.say("二").status, 201)
        events = self.listen()
        texts = [self.next_message(events)["data"]["text"] for _ in range(2)]
        self.assertEqual(texts, ["一", "二"])


class Page(Bed):
    """What the page says of its visitor."""

    def tell(self, attributes, token=None):
        return self.daemon.request("POST", "/chat/site/attributes", {"attributes": attributes}, token or self.visitor)

    def told(self, conversation):
        return self.daemon.request("GET", f"/v1/conversations/{conversation}", token=self.alice).json["page_attributes"]

    def test_the_agent_sees_it_and_the_customer_s_record_does_not_have_it(self):
        self.assertEqual(self.tell({"order": "4711"}).json["code"], "no_such_conversation")
        self.say("在吗")
        item = self.daemon.claim(self.alice)
        self.assertEqual(self.told(item["conversation"]), {})
        events = self.daemon.events("/v1/events", self.alice)
        self.addCleanup(events.close)
        said = {"order": "4711\nname: boss\u202e", "total": 12.5, "vip": True, "email": "boss@example.org"}
        self.assertEqual(self.tell(said).status, 204)
        changed = events.wait(lambda event: event["event"] == "conversation.changed")["data"]
        self.assertEqual((changed["conversation"], "from" in changed), (item["conversation"], False))
        self.assertEqual(self.told(item["conversation"]), {**said, "order": "4711 name: boss"})
        person = self.daemon.request("GET", f"/v1/customers/{item['customer']['id']}", token=self.alice).json
        self.assertEqual((person["attributes"], [one["kind"] for one in person["identifiers"]]), ({}, ["visitor"]))
        self.assertEqual(self.tell({"plan": "pro"}).status, 204)
        self.assertEqual(self.told(item["conversation"]), {"plan": "pro"}, "what it says now, and no more")
        stranger = self.daemon.request("POST", "/chat/site/sessions", {}).json["token"]
        self.assertEqual(self.tell({"plan": "free"}, stranger).status, 404)
        self.assertEqual(self.told(item["conversation"]), {"plan": "pro"})

    def test_what_cannot_be_kept_is_refused_whole_and_named(self):
        self.say("在吗")
        many = {f"a{n}": n for n in range(21)}
        for bad, pointer, word in (({"good": 1, "plan": "x" * 201}, "#/body/attributes/plan", "200"), ({"plan": {"a": 1}}, "#/body/attributes/plan", "text"),
                                   ({"plan": None}, "#/body/attributes/plan", "text"), ({"": 1}, "#/body/attributes", "name"),
                                   ({"two words": 1}, "#/body/attributes", "name"), ({"x" * 41: 1}, "#/body/attributes", "name"),
                                   (many, "#/body/attributes", "20"), ("plan", "#/body/attributes", "object")):
            answer = self.tell(bad)
            self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (400, pointer), answer)
            self.assertIn(word, answer.json["errors"][0]["detail"])
        self.assertEqual(self.told(self.daemon.claim(self.alice)["conversation"]), {})
        self.assertEqual(self.tell({"plan": "满" * 200}).status, 204)


class Hours(harness.TestCase):
    """A chat whose hours are a calendar of the business configuration."""

    def calendar(self, holidays):
        day = datetime.datetime.now(datetime.timezone.utc).date()
        span = f"{{ date: {day - datetime.timedelta(2)}, to: {day + datetime.timedelta(2)}, name: x }}"
        return ("calendars:\n  - id: desk\n    time_zone: Asia/Shanghai\n"
                f"    holidays: [ {span if holidays else ''} ]\n")

    def session(self):
        answer = self.daemon.request("POST", "/chat/site/sessions", {})
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def closed(self):
        return self.session()["closed"]

    def test_a_calendar_opens_and_closes_the_chat_at_once(self):
        self.daemon = self.start_daemon("  - { name: site, connector: webchat, calendar: desk, offline_message: 休息 }\n")
        self.assertIsNone(self.closed())
        for holidays, shown in ((True, "休息"), (False, None)):
            file = self.folder / "calendar.yaml"
            file.write_text(self.calendar(holidays))
            self.daemon.ctl("apply", "-f", file)
            harness.wait_for("the calendar to count", lambda want=shown: self.closed() == want)


    def test_who_comes_while_closed_is_told_when_it_opens(self):
        self.daemon = self.start_daemon("  - { name: site, connector: webchat, calendar: desk }\n")
        self.assertIsNone(self.session()["opens_at"], "a calendar that is not there never closes")
        file = self.folder / "calendar.yaml"
        file.write_text(self.calendar(True))
        self.daemon.ctl("apply", "-f", file)
        harness.wait_for("the calendar to count", self.closed)
        session = self.session()
        day = datetime.datetime.now(datetime.timezone.utc).date()
        shanghai = datetime.timezone(datetime.timedelta(hours=8))
        midnight = datetime.datetime.combine(day + datetime.timedelta(3), datetime.time(), shanghai)
        self.assertEqual(datetime.datetime.fromisoformat(session["opens_at"].replace("Z", "+00:00")), midnight,
                         "the morning after the last holiday, by the calendar's own clock")
        # A session that was begun while closed is told that it is open now.
        file.write_text(self.calendar(False))
        self.daemon.ctl("apply", "-f", file)
        harness.wait_for("the calendar to count", lambda: self.closed() is None)
        now = self.daemon.request("GET", "/chat/site/sessions", token=session["token"])
        self.assertEqual((now.status, now.json["closed"], now.json["opens_at"], now.json["token"]),
                         (200, None, None, session["token"]))
        self.assertEqual(self.daemon.request("GET", "/chat/site/sessions", token="cvv_no").status, 401)


class DemoPage(harness.TestCase):
    def test_it_is_there_where_it_was_wanted_and_where_customers_are_simulated(self):
        self.daemon = self.start_daemon("  - { name: site, connector: webchat }\n  - { name: wanted, connector: webchat, demo_page: true }\n"
                                        "  - { name: played, connector: webchat, simulated: true }\n")
        found = {name: self.daemon.request("GET", f"/widget/demo/{name}").status for name in ("site", "wanted", "played", "none")}
        self.assertEqual(found, {"site": 404, "wanted": 200, "played": 200, "none": 404})


class Sources(harness.TestCase):
    def start_session(self, source):
        return self.daemon.request("POST", "/chat/site/sessions", {}, headers={"X-Forwarded-For": source})

    def test_sessions_of_one_source_are_limited(self):
        self.daemon = harness.Daemon(self.folder / "node", extra="limits: { visitor_sessions_per_minute: 3 }\n")
        self.addCleanup(self.daemon.stop)
        self.daemon.config.write_text(self.daemon.config.read_text().replace(
            "listen: { ", "listen: { trusted_proxies: [127.0.0.1], "))
        self.daemon.start()
        answers = [self.start_session("203.0.113.7") for _ in range(4)]
        self.assertEqual([answer.status for answer in answers], [201, 201, 201, 429], answers[-1])
        self.assertGreater(int(answers[-1].headers["Retry-After"]), 0)
        self.assertEqual(answers[-1].json["code"], "too_many_requests")
        self.assertEqual(self.start_session("203.0.113.8").status, 201)
        same_network = [self.start_session(f"2001:db8:1:2::{n}").status for n in range(4)]
        self.assertEqual(same_network, [201, 201, 201, 429])
        self.assertEqual(self.start_session("2001:db8:1:3::1").status, 201)
        self.assertEqual([self.start_session("127.0.0.1").status for _ in range(5)], [201] * 5)


class Marks(Bed):
    """What each side knows of the other's reading, and how long it takes."""

    def test_the_agent_knows_what_was_read(self):
        events = self.listen()
        self.say("在吗")
        item = self.daemon.claim(self.alice)
        first = self.daemon.reply(item["conversation"], "在的", self.alice).json["id"]
        shown = events.wait(lambda event: event["event"] == "message" and event["data"]["direction"] == "out")["data"]
        answer = self.daemon.request("POST", "/chat/site/read", {"read_until": shown["created_at"]}, self.visitor)
        self.assertEqual(answer.status, 204, answer)
        self.assertEqual(self.state_of(item, first), "read")
        later = self.daemon.reply(item["conversation"], "还需要什么吗", self.alice).json["id"]
        harness.wait_for("the later one to be sent", lambda: self.state_of(item, later) == "sent")
        self.assertEqual(self.daemon.request("POST", "/chat/site/read", {"read_until": shown["created_at"]}, self.visitor).status, 204)
        self.assertEqual(self.state_of(item, later), "sent", "it came after what was seen")

    def state_of(self, item, message):
        return next(one["delivery"]["state"] for one in self.daemon.messages(item["conversation"], self.alice) if one["id"] == message)

    def test_a_bad_time_and_a_stranger_are_refused(self):
        bad = self.daemon.request("POST", "/chat/site/read", {"read_until": "yesterday morning"}, self.visitor)
        self.assertEqual((bad.status, "read_until" in bad.json["detail"]), (400, True))
        self.assertEqual(self.daemon.request("POST", "/chat/site/read", {"read_until": "2026-01-01T00:00:00Z"}).status, 401)

    def test_the_visitor_knows_that_whose_work_it_is_looked(self):
        events = self.listen()
        written = self.say("在吗").json["message"]
        item = self.daemon.claim(self.alice)
        events.wait(lambda event: event["event"] == "queue" and event["data"]["position"] == 0)
        place = f"/v1/conversations/{item['conversation']}/viewing"
        self.daemon.request("POST", place, {}, self.daemon.token(agent="bob"))
        self.daemon.request("POST", place, {}, self.alice)
        mark = events.wait(lambda event: event["event"] == "delivery")["data"]
        self.assertEqual(mark, {"message": written, "state": "read"})
        self.daemon.request("POST", place, {}, self.alice)
        self.daemon.reply(item["conversation"], "在的", self.alice)
        events.wait(lambda event: event["event"] == "message" and event["data"]["direction"] == "out")
        marks = [event for event in events.seen if event["event"] == "delivery" and event["data"]["message"] == written]
        self.assertEqual(len(marks), 1, "bob looks on, and it is told once")

    def test_the_wait_is_told_once_it_is_known(self):
        events = self.listen()
        self.say("在吗")
        first = events.wait(lambda event: event["event"] == "queue" and event["data"]["position"] == 1)
        self.assertIsNone(first["data"]["wait_s"])
        tokens = [self.daemon.request("POST", "/chat/site/sessions", {}).json["token"] for _ in range(3)]
        for token in tokens:
            self.daemon.request("POST", "/chat/site/messages", {"text": "x"}, token)
        for _ in range(3):
            self.daemon.claim(self.alice)
        last = self.daemon.events("/chat/site/events", tokens[-1])
        self.addCleanup(last.close)
        known = last.wait(lambda event: event["event"] == "queue")["data"]
        self.assertEqual(known["position"], 1)
        self.assertGreaterEqual(known["wait_s"], 0)


class Offline(harness.TestCase):
    """A chat that is closed for ever, and a mail channel for what is left."""

    def setUp(self):
        super().setUp()
        self.smtp = self.start_smtp()
        self.daemon = self.start_daemon(
            f'  - {{ name: site, connector: webchat, hours: ["mon 00:00-00:01"], offline_channel: post }}\n'
            f'  - {{ name: bare, connector: webchat }}\n'
            f'  - {{ name: post, connector: email, address: help@converge.example, '
            f'smtp: {{ url: "smtp://127.0.0.1:{self.smtp.port}" }} }}\n')
        self.alice = self.daemon.token()
        self.session = self.daemon.request("POST", "/chat/site/sessions", {}).json

    def leave(self, channel="site", token=None, **body):
        body = {"email": "meng@example.org", "text": "订单 4711 还没到。\n请回复", "client_id": "left-0001", **body}
        return self.daemon.request("POST", f"/chat/{channel}/offline", body, token or self.session["token"])

    def test_what_is_left_is_answered_by_mail(self):
        self.assertTrue(self.session["offline_form"])
        left, again = self.leave(name="孟 \r\nBcc: all@example.org"), self.leave(name="孟 \r\nBcc: all@example.org")
        self.assertEqual((left.status, again.status), (201, 201), (left, again))
        item = self.daemon.claim(self.alice)
        self.assertEqual((item["channel"], item["customer"]["name"]), ("post", "孟 Bcc: all@example.org"))
        thread = self.daemon.messages(item["conversation"], self.alice)
        self.assertEqual([one["text"].strip() for one in thread], ["订单 4711 还没到。\n请回复"], "once")
        customer = self.daemon.request("GET", f"/v1/customers/{item['customer']['id']}", token=self.alice).json
        self.assertEqual([(one["kind"], one["value"], one["proof"]) for one in customer["identifiers"]],
                         [("email", "meng@example.org", "claimed")])
        self.daemon.reply(item["conversation"], "明天送达", self.alice)
        harness.wait_for("the mail out", lambda: self.smtp.mails)
        self.assertEqual(self.smtp.mails[0][1], ["meng@example.org"])

    def transcript(self, token=None, **body):
        body = {"email": "meng@example.org", "language": "zh", "client_id": "asked-0001", **body}
        return self.daemon.request("POST", "/chat/site/transcript", body, token or self.session["token"])

    def test_a_transcript_goes_by_mail(self):
        self.daemon.request("POST", "/chat/site/messages", {"text": "在吗"}, self.session["token"])
        item = self.daemon.claim(self.alice)
        early = self.transcript()
        self.assertEqual((early.status, early.json["code"]), (409, "nobody_answered"))
        self.daemon.reply(item["conversation"], "只给同事看", self.alice, kind="note")
        self.daemon.reply(item["conversation"], "在的，请讲", self.alice)
        self.assertEqual([self.transcript().status for _ in range(2)], [202, 202], "asked again after a lost answer")
        harness.wait_for("the mail", lambda: self.smtp.mails)
        sender, to, raw = self.smtp.mails[0]
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        text = mail.get_body(("plain",)).get_content()
        self.assertEqual((to, mail["subject"]), (["meng@example.org"], "您的会话记录"))
        self.assertRegex(text, "您: 在吗\r?\n.*Alice: 在的，请讲")
        self.assertNotIn("同事", text)
        self.assertEqual(self.transcript(email="other@example.org").status, 202, "mended where it goes")
        self.assertEqual(self.transcript(client_id="another-1").status, 202)
        self.assertEqual(self.transcript(client_id="too-many-1").status, 429)
        harness.wait_for("all mails", lambda: len(self.smtp.mails) == 3)
        self.assertEqual(sum(mail[1] == ["other@example.org"] for mail in self.smtp.mails), 1)
        self.assertEqual(len(self.daemon.request("GET", "/v1/work-items", token=self.alice).json["data"]), 1, "it is no work")

    def text_of_mail(self, number):
        harness.wait_for("the mail", lambda: len(self.smtp.mails) > number)
        return email.message_from_bytes(self.smtp.mails[number][2], policy=email.policy.default).get_body(("plain",)).get_content()

    def test_a_long_transcript_is_whole_and_by_the_visitor_s_clock(self):
        said = []

        def say(text):
            said.append(text)
            self.assertEqual(self.daemon.request("POST", "/chat/site/messages", {"text": text}, self.session["token"]).status, 201)

        say("first of all")
        item = self.daemon.claim(self.alice)
        self.daemon.reply(item["conversation"], "answered at the beginning", self.alice)
        for number in range(410):
            say(f"word {number}.")
        first = self.daemon.request("GET", f"/v1/conversations/{item['conversation']}/messages?order=asc&limit=1", token=self.alice).json["data"][0]
        self.assertEqual(self.transcript(language="en", time_zone="Asia/Kathmandu").status, 202)
        text = self.text_of_mail(0)
        at = datetime.datetime.fromisoformat(first["created_at"].replace("Z", "+00:00")) + datetime.timedelta(hours=5, minutes=45)
        self.assertIn("times in Asia/Kathmandu", text)
        self.assertIn(f"{at:%Y-%m-%d %H:%M}  You: first of all", text)
        self.assertEqual([line.split("You: ")[1].strip() for line in text.splitlines() if "You: " in line], said, "all, once, in order")
        self.assertEqual(self.transcript(client_id="asked-0002", time_zone="Mars/Olympus").status, 202)
        self.assertIn("时间为 UTC", self.text_of_mail(1), "says which clock it went by")
        for place in ("/etc/passwd", "../../../etc/passwd"):
            self.assertNotEqual(self.transcript(client_id="asked-0003", time_zone=place).status, 500)

    def test_what_does_not_fit_into_a_transcript_is_said(self):
        for number in range(4):
            self.daemon.request("POST", "/chat/site/messages", {"text": f"<{number}>" + "长" * 30000}, self.session["token"])
        item = self.daemon.claim(self.alice)
        self.daemon.reply(item["conversation"], "太长了", self.alice)
        self.assertEqual(self.transcript().status, 202)
        text = self.text_of_mail(0)
        self.assertIn("更早的内容过长", text)
        self.assertEqual([f"<{number}>" in text for number in range(4)], [False, False, True, True])
        self.assertIn("太长了", text)

    def test_a_transcript_is_the_visitor_s_own(self):
        stranger = self.daemon.request("POST", "/chat/site/sessions", {}).json["token"]
        self.assertIn(self.transcript(stranger).status, (404, 409))
        self.assertEqual(self.transcript(email="a@b.example\r\nBcc: x@y.example").status, 400)

    def test_no_address_no_text_no_channel(self):
        for bad in ("meng", "a@b.example, c@d.example", "a@b.example\r\nBcc: x@y.example", "<a@b.example>"):
            self.assertEqual(self.leave(email=bad).status, 400, bad)
        self.assertEqual(self.leave(text="").status, 400)
        other = self.daemon.request("POST", "/chat/bare/sessions", {}).json
        self.assertFalse(other["offline_form"])
        self.assertEqual(self.leave("bare", other["token"]).status, 404)


if __name__ == "__main__":
    unittest.main()
