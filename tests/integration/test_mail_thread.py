"""Which conversation a mail belongs to, and what our answers carry so that the next one is found."""
import unittest

from mailbed import OURS, MailCase, letter


class Threads(MailCase):
    def test_an_answer_with_our_references_stays_in_its_conversation_and_says_why(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        _, mail = self.answer(item)
        self.assertEqual((mail["Subject"], mail["In-Reply-To"]), ("Re: 订单 88", "<m1@customer.test>"))
        self.lmtp(letter("Re: 订单 88", "谢谢", number=2, in_reply_to=mail["Message-ID"],
                         references=f"<m1@customer.test> {mail['Message-ID']}"))
        second = self.thread(item, 3)[2]
        self.assertEqual(second["text"].strip(), "谢谢")
        self.assertGreaterEqual(second["extra"]["thread"]["score"], 80)
        self.assertIn("takes part", second["extra"]["thread"]["reason"])
        self.assertNotIn("related", second["extra"]["thread"])

    def test_the_customers_own_message_id_is_enough(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        self.lmtp(letter("补充", "还有一件事", number=2, in_reply_to="<m1@customer.test>"))
        self.assertIn("the message it answers", self.thread(item, 2)[1]["extra"]["thread"]["reason"])

    def test_two_mails_of_one_sender_that_name_nothing_are_two_conversations(self):
        self.start()
        self.lmtp(letter())
        self.lmtp(letter(number=2))
        first, second = self.claim(), self.claim()
        self.assertNotEqual(first["conversation"], second["conversation"])
        self.assertEqual(first["customer"]["id"], second["customer"]["id"])
        self.assertEqual(self.thread(second)[0]["extra"]["thread"]["score"], 0)

    def test_a_stranger_with_a_good_token_opens_a_related_conversation(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        _, mail = self.answer(item)
        self.lmtp(letter("Re: 订单 88", "让我看看", "Eve <eve@elsewhere.test>", number=2,
                         in_reply_to=mail["Message-ID"]), "eve@elsewhere.test")
        other = self.claim()
        self.assertNotEqual(other["conversation"], item["conversation"])
        thread = self.thread(other)
        self.assertEqual(len(thread), 1)
        self.lmtp(letter("Re: 订单 88", "再问一次", "Eve <eve@elsewhere.test>", number=3,
                         in_reply_to=mail["Message-ID"]), "eve@elsewhere.test")
        self.thread(other, 2)
        self.assertEqual(thread[0]["extra"]["thread"]["related"], item["conversation"])
        self.assertEqual(len(self.thread(item)), 2)

    def test_a_token_alone_in_the_address_is_enough_for_a_participant(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        _, mail = self.answer(item)
        token = mail["Message-ID"][1:].split(".")[0]
        plus = OURS.replace("@", f"+{token}@")
        self.lmtp(letter("另一个标题", "没有引用", number=2, to=plus), to=plus)
        self.assertIn("reply token", self.thread(item, 3)[2]["extra"]["thread"]["reason"])

    def test_a_forged_token_opens_a_new_conversation(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        _, mail = self.answer(item)
        token = mail["Message-ID"][1:].split(".")[0]
        plus = OURS.replace("@", f"+{token[:-1]}{'0' if token[-1] != '0' else '1'}@")
        self.lmtp(letter("x", "y", number=2, to=plus), to=plus)
        other = self.claim()
        self.assertNotEqual(other["conversation"], item["conversation"])
        self.assertIn("not ours", self.thread(other)[0]["extra"]["thread"]["reason"])

    def test_who_was_copied_takes_part(self):
        self.start()
        self.lmtp(letter(cc="Li Lei <li@customer.test>"))
        item = self.claim()
        _, mail = self.answer(item)
        self.lmtp(letter("Re: 订单 88", "我是李雷", "Li Lei <li@customer.test>", number=2,
                         in_reply_to=mail["Message-ID"]), "li@customer.test")
        self.assertEqual(self.thread(item, 3)[2]["text"].strip(), "我是李雷")

    def test_a_chosen_message_id_does_not_take_over_a_thread(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        self.lmtp(letter("劫持", "x", "Eve <eve@elsewhere.test>", number=2, message_id="<m1@customer.test>"),
                  "eve@elsewhere.test")
        self.assertNotEqual(self.claim()["conversation"], item["conversation"])
        self.lmtp(letter("补充", "y", number=3, in_reply_to="<m1@customer.test>"))
        self.thread(item, 2)

    def test_references_name_the_whole_thread_ours_included(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        _, first = self.answer(item, "第一封")
        _, second = self.answer(item, "第二封")
        self.assertEqual(second["References"].split(), ["<m1@customer.test>", first["Message-ID"]])
        self.assertEqual(second["In-Reply-To"], "<m1@customer.test>")

    def test_a_mail_to_a_closed_conversation_opens_new_work_in_it(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        _, mail = self.answer(item)
        for step in ("resolve", "close"):
            done = self.daemon.request("POST", f"/v1/work-items/{item['id']}/{step}", {}, self.alice,
                                       headers={"Idempotency-Key": step})
            self.assertEqual(done.status, 200, done)
        self.lmtp(letter("Re: 订单 88", "还没好", number=2, in_reply_to=mail["Message-ID"]))
        again = self.claim()
        self.assertEqual(again["conversation"], item["conversation"])
        self.assertNotEqual(again["id"], item["id"])

    def test_automatic_mail_is_stored_and_marked(self):
        self.start()
        self.lmtp(letter("外出", "我在休假", auto_submitted="auto-replied"))
        message = self.thread(self.claim())[0]
        self.assertTrue(message["automatic"])
        self.assertEqual(message["extra"]["automatic"], "auto_submitted")

    def test_quoted_text_is_trimmed_and_the_mail_is_kept_whole(self):
        self.start()
        self.lmtp(letter("Re: x", "好的。\n\nOn Mon, 1 Jan 2026, Support <support@example.test> wrote:\n> 旧的内容\n> 旧的\n"))
        message = self.thread(self.claim())[0]
        self.assertEqual(message["text"].strip(), "好的。")
        self.assertTrue(message["extra"]["trimmed"])
        raw = self.daemon.request("GET", f"/v1/attachments/{message['raw']}", token=self.alice)
        self.assertEqual(raw.status, 200)
        self.assertIn(b"Subject: Re: x", raw.body)


if __name__ == "__main__":
    unittest.main()
