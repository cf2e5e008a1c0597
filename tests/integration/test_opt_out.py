"""Words such as STOP: heard before anything else, kept with the address, and nothing more leaves, whoever writes."""
import datetime
import unittest

import channelbed
import harness

PUBLIC = "https://converge.example"
GOODBYE = "您已退订，不会再收到短信。You are unsubscribed."


class OptOut(channelbed.Bed):
    provider = "twilio"
    connector = "twilio_sms"
    names = ("account_sid", "auth_token", "number")
    more = {"public_url": PUBLIC, "opt_out_reply": GOODBYE, "opt_in_reply": "Welcome back.", "opt_out_words": ["Lass das"],
            "help_reply": "Ask at shop.example."}
    who = "+15005550001"

    def setUp(self):
        super().setUp()
        self.stand.set(signed_url=f"{PUBLIC}/in/c")
        self.lead = self.admin

    def get(self, path, token):
        return self.daemon.request("GET", path, token=token)

    def write(self, conversation, text, token=None):
        return self.daemon.reply(conversation, text, token or self.alice)

    def said(self, conversation):
        return [(one["direction"], one["text"]) for one in self.daemon.messages(conversation, self.admin)]

    def sent(self, count):
        return [one["text"] for one in self.stand.wait_sent(count)]

    def consent(self, item):
        customer = self.get(f"/v1/work-items/{item['id']}", self.admin).json["customer"]["id"]
        return self.get(f"/v1/customers/{customer}", self.admin).json["consent"]

    def refused(self, answer, code):
        self.assertEqual((answer.status, answer.json.get("code")), (409, code), answer)

    def put(self, conversation, state, token, reason="told us by phone"):
        return self.daemon.request("PUT", f"/v1/conversations/{conversation}/opt-out",
                                   {"state": state, "reason": reason}, token)

    def test_stop_ends_all_and_start_begins_again(self):
        item, _ = self.take("where is my order?")
        talk = item["conversation"]
        self.stand.say("ＴＤ。", from_=self.who)
        harness.wait_for("the opt-out", lambda: self.consent(item) or None)
        self.assertEqual(self.sent(1), [GOODBYE])
        self.refused(self.write(talk, "but wait"), "opted_out")
        self.refused(self.write(talk, "a lead", self.lead), "opted_out")
        self.assertEqual(self.write(talk, "they are gone", self.alice).json["allowed"], ["note"])
        self.assertEqual(self.daemon.request("POST", f"/v1/conversations/{talk}/messages", 
            {"kind": "note", "text": "they are gone"}, self.alice, headers={"Idempotency-Key": "n1"}).status, 201)
        one, = self.consent(item)
        self.assertEqual({name: one[name] for name in ("purpose", "channel", "state", "source", "by", "identifier")},
                         {"purpose": "messages", "channel": "c", "state": "withdrawn", "source": "message", "by": "customer",
                          "identifier": f"phone:{self.who}"})
        self.assertEqual(self.get(f"/v1/work-items/{item['id']}", self.admin).json["state"], "assigned")
        # Once is enough.
        before = len(self.stand.state()["posts"])
        self.stand.say("STOP", from_=self.who)
        self.stand.wait_taken(before)
        self.stand.say("start", from_=self.who)
        self.assertEqual(self.sent(2)[1:], ["Welcome back."])
        self.assertEqual(self.write(talk, "good to have you back").status, 201)
        self.assertEqual(self.sent(3)[2:], ["good to have you back"])
        self.assertEqual([one["state"] for one in self.consent(item)], ["granted"])
        self.assertEqual([text for way, text in self.said(talk) if way == "in"],
                         ["where is my order?", "ＴＤ。", "STOP", "start"])

    def test_a_stranger_who_says_stop_makes_no_work(self):
        self.stand.say("退订", from_=self.who)
        self.assertEqual(self.sent(1), [GOODBYE])
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=0))
        started = self.daemon.request("POST", "/v1/conversations", 
            {"channel": "c", "to": self.who, "text": "an offer"}, self.alice, headers={"Idempotency-Key": "s1"})
        self.refused(started, "opted_out")
        self.assertEqual(len(self.stand.sent()), 1)

    def test_work_that_is_done_stays_done(self):
        item, _ = self.take("hello")
        done = self.daemon.request("POST", f"/v1/work-items/{item['id']}/resolve", {}, self.alice,
                                   headers={"Idempotency-Key": "r1"})
        self.assertEqual(done.status, 200, done)
        before = self.get(f"/v1/work-items/{item['id']}", self.admin).json["state"]
        self.stand.say("td", from_=self.who)
        self.assertEqual(self.sent(1), [GOODBYE])
        self.assertEqual(self.get(f"/v1/work-items/{item['id']}", self.admin).json["state"], before)

    def test_a_word_in_a_sentence_and_yes_are_messages(self):
        item, _ = self.take("please stop shouting")
        self.stand.say("Yes", from_=self.who)
        harness.wait_for("both", lambda: len(self.inbound(item)) == 2 or None)
        self.assertEqual(self.consent(item), [])
        self.assertEqual(self.write(item["conversation"], "sorry").status, 201)
        self.assertEqual(self.sent(1), ["sorry"])

    def test_words_of_the_channel_and_help(self):
        self.stand.say("help", from_=self.who)
        self.assertEqual(self.sent(1), ["Ask at shop.example."])
        self.stand.say("lass das!", from_=self.who)
        self.assertEqual(self.sent(2)[1:], [GOODBYE])
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=0))

    def test_what_waited_does_not_leave(self):
        item, _ = self.take("hello")
        self.stand.fault("status", status=503)
        message = self.answer(item, "too late")
        harness.wait_for("the first try", lambda: self.stand.state()["faults"] == [] or None)
        self.stand.say("stop", from_=self.who)
        self.assertIn("opted out", self.delivery(item, message, "failed")["error"])
        self.assertEqual(self.sent(1), [GOODBYE])

    def test_a_supervisor_says_so(self):
        item, _ = self.take("hello")
        talk = item["conversation"]
        self.assertEqual(self.put(talk, "withdrawn", self.alice).status, 403)
        self.assertEqual(self.put("cnv_00000000000000000000000000", "withdrawn", self.lead).status, 404)
        kept = self.put(talk, "withdrawn", self.lead)
        self.assertEqual((kept.status, kept.json["reason"], kept.json["identifier"]),
                         (200, "told us by phone", f"phone:{self.who}"), kept)
        self.refused(self.write(talk, "but"), "opted_out")
        self.assertEqual(self.consent(item)[0]["reason"], "told us by phone")
        self.assertEqual(self.put(talk, "granted", self.lead, "called back").status, 200)
        self.assertEqual(self.write(talk, "thanks").status, 201)
        self.assertEqual([one["state"] for one in self.consent(item)], ["granted"])


class OptOutElsewhere(channelbed.Bed):
    """A channel of no text messages hears such words only where it is told to."""
    provider = "twilio"
    connector = "twilio_sms"
    names = ("account_sid", "auth_token", "number")
    more = {"public_url": PUBLIC, "opt_out": "off"}
    who = "+15005550002"

    def test_off_is_off(self):
        self.stand.set(signed_url=f"{PUBLIC}/in/c")
        item, _ = self.take("STOP")
        self.answer(item, "what shall stop?")
        self.assertEqual([one["text"] for one in self.stand.wait_sent(1)], ["what shall stop?"])


def closed_today():
    """A calendar that opens for a minute three days from now."""
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(datetime.datetime.now(datetime.timezone.utc).weekday() + 3) % 7]
    return {"time_zone": "UTC", "hours": [{"days": [day], "from": "00:00", "to": "00:01"}]}


class Caps(channelbed.Bed):
    """Only so many messages an hour to one address, and machines by the calendar."""
    provider = "twilio"
    connector = "twilio_sms"
    names = ("account_sid", "auth_token", "number")
    more = {"public_url": PUBLIC, "per_recipient_hour": 2, "segment_price": "0.045 CNY"}
    who = "+15005550003"

    def setUp(self):
        super().setUp()
        self.stand.set(signed_url=f"{PUBLIC}/in/c")

    def test_people_are_told_when_the_next_may_leave(self):
        item, _ = self.take("hello")
        talk = item["conversation"]
        for text in ("one", "two"):
            self.delivery(item, self.answer(item, text), "sent", "delivered")
        full = self.daemon.reply(talk, "three", self.alice)
        self.assertEqual((full.status, full.json["code"]), (429, "recipient_cap"), full)
        self.assertTrue(3500 < int(full.headers["Retry-After"]) <= 3600, full.headers)
        self.assertEqual(self.daemon.reply(talk, "only a note", self.alice, kind="note").status, 201)
        self.stand.say("and I?", from_="+15005550004")
        other = self.daemon.claim(self.alice)
        self.delivery(other, self.answer(other, "you too"), "sent", "delivered")
        self.assertEqual([one["text"] for one in self.stand.sent()], ["one", "two", "you too"])

    def test_what_is_tried_twice_counts_once(self):
        item, _ = self.take("hello")
        self.stand.fault("status", status=503)
        self.delivery(item, self.answer(item, "one"), "sent", "delivered")
        self.delivery(item, self.answer(item, "two"), "sent", "delivered")
        self.assertEqual(self.daemon.reply(item["conversation"], "three", self.alice).status, 429)

    def test_what_waits_counts_too(self):
        item, _ = self.take("hello")
        self.stand.fault("status", count=50, status=503)
        answers = [self.daemon.reply(item["conversation"], str(n), self.alice).status for n in range(3)]
        self.assertEqual(answers, [201, 201, 429])


    def preview(self, talk, text, **more):
        answer = self.daemon.request("POST", f"/v1/conversations/{talk}/messages/preview", {"text": text, **more}, self.alice)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_a_preview_says_what_it_becomes_and_costs(self):
        item, _ = self.take("hello")
        talk = item["conversation"]
        shown = self.preview(talk, "good morning")
        self.assertEqual((shown["may_send"], shown["reason"], shown["segments"], shown["quiet"]), (True, None, 1, False))
        self.assertEqual(shown["parts"], [{"text": "good morning", "attachments": 0, "segments": 1, "encoding": "GSM-7",
                                           "characters": 12, "left": 148}])
        self.assertEqual(shown["cost"], {"amount": "0.045", "currency": "CNY"})
        shown = self.preview(talk, "您" * 71)
        self.assertEqual((shown["segments"], shown["parts"][0]["encoding"], shown["cost"]["amount"]), (2, "UCS-2", "0.09"))
        shown = self.preview(talk, "a" * 1700)
        self.assertEqual([part["segments"] for part in shown["parts"]], [11, 1])
        self.assertEqual((shown["segments"], shown["cost"]["amount"]), (12, "0.54"))
        self.assertEqual(self.stand.sent(), [])
        self.assertEqual(len(self.daemon.messages(talk, self.alice)), 1)
        for text in ("one", "two"):
            self.delivery(item, self.answer(item, text), "sent", "delivered")
        shown = self.preview(talk, "three")
        self.assertEqual((shown["may_send"], shown["reason"]), (False, "recipient_cap"))
        self.assertIsNotNone(shown["from"])
        self.stand.say("stop", from_=self.who)
        harness.wait_for("the opt-out", lambda: self.preview(talk, "x")["reason"] == "opted_out" or None)

    def test_a_preview_of_nothing_known(self):
        answer = self.daemon.request("POST", "/v1/conversations/cnv_00000000000000000000000000/messages/preview", {"text": "x"},
                                     self.alice)
        self.assertEqual(answer.status, 404)


class Hours(channelbed.Bed):
    provider = "twilio"
    connector = "twilio_sms"
    names = ("account_sid", "auth_token", "number")
    more = {"public_url": PUBLIC, "automatic_hours": "never"}
    who = "+15005550005"

    def test_a_machine_waits_and_people_do_not(self):
        self.stand.set(signed_url=f"{PUBLIC}/in/c")
        self.assertEqual(self.daemon.request("PUT", "/v1/calendars/never", closed_today(), self.admin).status, 200)
        bot = self.daemon.token("integration", None)
        self.stand.say("hello", from_=self.who)
        item = self.daemon.claim(bot)
        talk = item["conversation"]
        self.assertTrue(self.daemon.request("GET", f"/v1/conversations/{talk}", token=self.admin).json["window"]["quiet"])
        answer = self.daemon.reply(talk, "by a machine", bot)
        self.assertEqual(answer.status, 201, answer)
        harness.wait_for("it to be put off", lambda: "calendar" in str(
            [one["delivery"]["error"] for one in self.daemon.messages(talk, self.admin)
             if one["id"] == answer.json["id"]]) or None)
        self.assertEqual(self.daemon.reply(talk, "by a person", self.admin).status, 201)
        self.assertEqual([one["text"] for one in self.stand.wait_sent(1)], ["by a person"])
        self.assertEqual(self.daemon.request("PUT", "/v1/calendars/never", {}, self.admin).status, 200)
        self.assertEqual(self.daemon.reply(talk, "good morning", self.admin).status, 201)
        self.assertEqual([one["text"] for one in self.stand.wait_sent(3)],
                         ["by a person", "by a machine", "good morning"])


if __name__ == "__main__":
    unittest.main()
