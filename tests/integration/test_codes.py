"""One-time codes: a visitor proves an address by answering what was sent there."""
import json
import re
import unittest

import channelbed
import harness
import mailbed

CHANNELS = "  - { name: site, connector: webchat, default_region: CN }\n"


class Codes(mailbed.MailCase):
    def setUp(self):
        super().setUp()
        self.smtp = self.start_smtp()
        more = ("    authserv_id: mx.example.test\n" + CHANNELS)
        self.daemon = self.start_daemon(self.channels(None, self.smtp.port, more=more))
        self.alice = self.daemon.token()

    def chat(self, method, path, body=None, session=None):
        return self.daemon.request(method, f"/chat/site/{path}", body, token=session)

    def visitor(self, text="你好"):
        """A session that has written, and its conversation and customer."""
        session = self.chat("POST", "sessions", {"name": "Han"}).json["token"]
        self.assertEqual(self.chat("POST", "messages", {"text": text}, session).status, 201)
        item = self.claim()
        return session, item["conversation"], item["customer"]["id"]

    def ask(self, session, address="han@customer.test"):
        answer = self.chat("POST", "codes", {"email": address}, session)
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.json["digits"], 6)
        return answer

    def code(self, number=1):
        """What the n-th mail says."""
        harness.wait_for("the code by mail", lambda: len(self.smtp.mails) >= number)
        _, to, raw = self.smtp.mails[number - 1]
        self.assertEqual(to, ["han@customer.test"])
        mail = mailbed.read(raw)
        self.assertIsNone(mail["Reply-To"])
        found = re.findall(r"(?<!\d)\d{6}(?!\d)", mail.get_body(("plain",)).get_content())
        self.assertEqual(len(found), 2)
        self.assertEqual(found[0], found[1])
        return found[0]

    def customer(self, customer):
        return self.daemon.request("GET", f"/v1/customers/{customer}", token=self.alice).json

    def identifiers(self, customer):
        return [(one["kind"], one["value"], one["proof"], one["by"]) for one in self.customer(customer)["identifiers"]]

    def wrong(self, code):
        return f"{(int(code) + 1) % 1000000:06d}"

    def test_the_right_code_proves_the_address(self):
        session, conversation, customer = self.visitor()
        self.ask(session, "Han@Customer.test")
        code = self.code()
        wrong = self.chat("POST", "codes/verify", {"code": self.wrong(code)}, session)
        self.assertEqual((wrong.status, wrong.json["code"]), (422, "wrong_code"))
        self.assertEqual(self.identifiers(customer)[1:], [])
        # As people type it.
        right = self.chat("POST", "codes/verify", {"code": f"{code[:3]} {code[3:]}"}, session)
        self.assertEqual((right.status, right.json), (200, {"kind": "email", "value": "han@customer.test"}))
        self.assertIn(("email", "han@customer.test", "proved", "code"), self.identifiers(customer))
        again = self.chat("POST", "codes/verify", {"code": code}, session)
        self.assertEqual((again.status, again.json["code"]), (409, "no_code"))
        # Mail that the channel proves is from the same person now.
        self.lmtp(b"Authentication-Results: mx.example.test; dmarc=pass header.from=customer.test\r\n" +
                  mailbed.letter(number=1))
        self.assertEqual(self.claim()["customer"]["id"], customer)
        self.nowhere(code)

    def nowhere(self, code):
        """The code is in no file and in nothing that an agent can read."""
        for path in self.folder.rglob("*"):
            if path.is_file() and "smtp" not in path.name:
                self.assertNotIn(b"\xef\xbc\x9a" + code.encode(), path.read_bytes(), path)
                self.assertNotIn(b"code: " + code.encode(), path.read_bytes(), path)

    def test_three_wrong_answers_use_a_code_up(self):
        session, _, customer = self.visitor()
        self.ask(session)
        code = self.code()
        for left in (2, 1, 0):
            answer = self.chat("POST", "codes/verify", {"code": self.wrong(code)}, session)
            self.assertEqual((answer.status, answer.json["code"]), (422, "wrong_code"))
            self.assertIn(f"attempts left: {left}", answer.json["detail"])
        late = self.chat("POST", "codes/verify", {"code": code}, session)
        self.assertEqual((late.status, late.json["code"]), (409, "no_code"))
        self.assertEqual(len(self.identifiers(customer)), 1)

    def test_only_the_newest_code_counts_and_three_go_to_an_address(self):
        session, _, _ = self.visitor()
        self.ask(session)
        old = self.code(1)
        self.ask(session)
        new = self.code(2)
        if old != new:
            self.assertEqual(self.chat("POST", "codes/verify", {"code": old}, session).status, 422)
        self.ask(session)
        last = self.code(3)
        more = self.chat("POST", "codes", {"email": "han@customer.test"}, session)
        self.assertEqual(more.status, 429, more)
        self.assertGreater(int(more.headers["Retry-After"]), 0)
        # Nor from another session: the limit is the address's.
        other, _, _ = self.visitor("在吗")
        self.assertEqual(self.chat("POST", "codes", {"email": "HAN@customer.test"}, other).status, 429)
        self.assertEqual(self.chat("POST", "codes/verify", {"code": last}, session).status, 200)

    def test_a_code_of_one_conversation_is_of_no_use_in_another(self):
        session, _, _ = self.visitor()
        self.ask(session)
        code = self.code()
        other, _, _ = self.visitor("在吗")
        self.assertEqual(self.chat("POST", "codes/verify", {"code": code}, other).status, 409)
        self.ask(other, "somebody@else.test")
        self.assertEqual(self.chat("POST", "codes/verify", {"code": code}, other).status, 422)

    def test_asking_tells_nothing_about_who_is_known(self):
        self.lmtp(b"Authentication-Results: mx.example.test; dmarc=pass header.from=customer.test\r\n" +
                  mailbed.letter(number=1))
        owner = self.claim()["customer"]["id"]
        session, _, customer = self.visitor()
        known = self.ask(session)
        unknown = self.ask(session, "nobody@nowhere.test")
        self.assertEqual(known.json.keys(), unknown.json.keys())
        self.assertEqual(known.status, unknown.status)
        # The newest one counts: it is asked for the known address again.
        self.ask(session)
        harness.wait_for("three mails", lambda: len(self.smtp.mails) == 3)
        code = next(re.search(r"(?<!\d)\d{6}(?!\d)", mailbed.read(raw).get_body(("plain",)).get_content()).group()
                    for _, to, raw in reversed(self.smtp.mails) if to == ["han@customer.test"])
        right = self.chat("POST", "codes/verify", {"code": code}, session)
        self.assertEqual((right.status, right.json), (200, {"kind": "email", "value": "han@customer.test"}))
        self.both_are_one(customer, owner)

    def both_are_one(self, customer, owner):
        self.assertEqual({self.customer(customer)["id"], self.customer(owner)["id"]}, {owner})
        self.assertIn(("email", "han@customer.test", "proved", "dmarc"), self.identifiers(owner))
        merges = self.daemon.request("GET", f"/v1/customers/{owner}/merges", token=self.alice).json["data"]
        self.assertEqual([(one["by"], one["evidence"]["kind"], one["evidence"]["identifier"]["value"]) for one in merges],
                         [("code", "code", "han@customer.test")])
        seen = self.daemon.request("GET", f"/v1/customers/{owner}/suggestions", token=self.alice).json["data"]
        self.assertEqual(seen, [])

    def test_an_agent_asks_and_enters_it_for_the_visitor(self):
        _, conversation, customer = self.visitor()
        path = f"/v1/conversations/{conversation}/codes"
        for _ in range(2):
            asked = self.daemon.request("POST", path, {"email": "han@customer.test"}, self.alice,
                                        headers={"Idempotency-Key": "k1"})
            self.assertEqual(asked.status, 202, asked)
        code = self.code()
        right = self.daemon.request("POST", path + "/verify", {"code": code}, self.alice)
        self.assertEqual((right.status, right.json), (200, {"kind": "email", "value": "han@customer.test",
                                                            "customer": customer}))
        self.assertEqual(len(self.smtp.mails), 1)
        # What was sent is among the customer's conversations, without the code.
        talks = {one["channel"]: one["id"] for one in self.customer(customer)["conversations"]}
        self.assertEqual(set(talks), {"site", "support"})
        sent = self.daemon.messages(talks["support"], self.alice)
        self.assertEqual((sent[0]["author"]["type"], sent[0]["direction"]), ("system", "out"))
        self.assertNotRegex(sent[0]["text"], r"\d{6}")

    def test_a_code_outlives_a_restart(self):
        session, _, customer = self.visitor()
        self.ask(session)
        code = self.code()
        self.daemon.restart()
        wrong = self.chat("POST", "codes/verify", {"code": self.wrong(code)}, session)
        self.assertEqual(wrong.status, 422, wrong)
        self.assertEqual(self.chat("POST", "codes/verify", {"code": code}, session).status, 200)
        self.assertIn(("email", "han@customer.test", "proved", "code"), self.identifiers(customer))

    def test_an_answer_to_the_mail_opens_a_conversation_of_its_own(self):
        session, _, customer = self.visitor()
        self.ask(session)
        self.code()
        sent = mailbed.read(self.smtp.mails[0][2])
        self.lmtp(mailbed.letter(number=1, subject="Re: " + sent["Subject"], in_reply_to=sent["Message-ID"],
                                 references=sent["Message-ID"], text="我没有要验证码"))
        item = self.claim()
        self.assertNotEqual(item["customer"]["id"], customer)
        self.assertEqual([one["text"] for one in self.thread(item)], ["我没有要验证码"])

    def test_bad_requests_are_told_what_is_wrong(self):
        session = self.chat("POST", "sessions", {}).json["token"]
        early = self.chat("POST", "codes", {"email": "han@customer.test"}, session)
        self.assertEqual((early.status, early.json["code"]), (404, "no_such_conversation"))
        session, _, _ = self.visitor()
        for body in ({}, {"email": "a@b.cn", "phone": "13800138000"}, {"email": "nobody"}, {"email": "a@b@c.cn"},
                     {"email": "a@b.cn>, <c@d.cn"}, {"email": "a b@c.cn"}, {"phone": "110"}, {"phone": "call me"},
                     {"email": "a@b.cn\r\nBcc: c@d.cn"}):
            answer = self.chat("POST", "codes", body, session)
            self.assertEqual(answer.status, 400, (body, answer))
        none = self.chat("POST", "codes", {"phone": "138 0013 8000"}, session)
        self.assertEqual((none.status, none.json["code"]), (409, "no_channel"))
        self.assertEqual(self.chat("POST", "codes", {"email": "a@b.cn"}, "cvv_no").status, 401)
        self.assertEqual(self.chat("POST", "codes/verify", {"code": "123456"}, session).status, 409)
        self.assertEqual(self.smtp.mails, [])


class ByPhone(channelbed.Bed):
    """By text message; a channel that sends approved templates only carries none."""

    provider = "http_sms"
    who = "+8613800138000"

    def channel_yaml(self):
        known = self.stand.settings
        templates = {"name": "a-templates", "connector": "aliyun_sms", "access_key_id": "a", "access_key_secret": "b", "sign_name": "s"}
        row = {"name": "c", "connector": "http_sms", "number": known["number"], "api_key": known["api_key"],
               "callback_secret": known["secret"], "allow_private_urls": True,
               "send": {"url": self.stand.base + "/v1/messages", "headers": ["X-Api-Key: {key}"],
                        "body": '{"from":"{from}","to":"{to}","text":"{text}","reference":"{id}"}'},
               "answer": {"accepted": "status=queued", "id": "message.id"}, "incoming": {"message_if": "type=message"}}
        return "".join(f"  - {json.dumps(one)}\n" for one in (templates, row)) + CHANNELS

    def test_the_right_code_proves_the_number(self):
        session = self.daemon.request("POST", "/chat/site/sessions", {"name": "Han"}).json["token"]
        self.assertEqual(self.daemon.request("POST", "/chat/site/messages", {"text": "你好"}, session).status, 201)
        customer = self.daemon.claim(self.alice)["customer"]["id"]
        asked = self.daemon.request("POST", "/chat/site/codes", {"phone": "138 0013 8000"}, session)
        self.assertEqual(asked.status, 202, asked)
        [sent] = self.stand.wait_sent(1)
        self.assertEqual(sent["to"], self.who)
        code = re.findall(r"(?<!\d)\d{6}(?!\d)", sent["text"])[0]
        right = self.daemon.request("POST", "/chat/site/codes/verify", {"code": code}, session)
        self.assertEqual((right.status, right.json), (200, {"kind": "phone", "value": self.who}))
        # What comes from the number is from the same person now.
        item, _ = self.take("在路上")
        self.assertEqual(item["customer"]["id"], customer)


if __name__ == "__main__":
    unittest.main()
