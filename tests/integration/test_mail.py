"""Mail in by a real IMAP server and by LMTP, answers out by SMTP."""
import email
import email.policy
import smtplib
import unittest

import harness


def mail(number, text, subject="退款 refund", sender="Han Mei <han@customer.test>", extra=""):
    return (f"From: {sender}\r\nTo: support@example.test\r\nSubject: {subject}\r\n"
            f"Date: Sun, 22 Nov 2026 10:00:{number:02d} +0800\r\nMessage-ID: <m{number}@customer.test>\r\n{extra}"
            f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n").encode()


def read(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


class Mail(harness.TestCase):
    def start(self, with_imap):
        self.smtp = self.start_smtp()
        lines = ["  - name: support", "    connector: email", "    address: support@example.test"]
        if with_imap:
            self.imap = self.start_dovecot()
            secret = self.folder / "imap.pw"
            secret.write_text(self.imap.password)
            secret.chmod(0o600)
            lines.append(f'    imap: {{ url: "imap://127.0.0.1:{self.imap.port}", user: {self.imap.user}, '
                         f"password_file: {secret}, folder: INBOX, poll: 1s, after: seen }}")
        lines.append(f'    smtp: {{ url: "smtp://127.0.0.1:{self.smtp.port}" }}')
        self.daemon = self.start_daemon("\n".join(lines) + "\n")
        self.alice = self.daemon.token()

    def lmtp(self, raw, sender="han@customer.test"):
        harness.send_lmtp(self.daemon.lmtp_port, sender, "support@example.test", raw)

    def answer_first(self, text="已退款"):
        item = self.daemon.claim(self.alice, wait_s=30)
        self.assertEqual((item["channel"], item["state"]), ("support", "assigned"))
        sent = self.daemon.reply(item["conversation"], text, self.alice)
        self.assertEqual(sent.status, 201, sent)
        harness.wait_for("the mail out", lambda: self.smtp.mails)
        return item

    def check_answer(self, text="已退款"):
        envelope_from, envelope_to, raw = self.smtp.mails[0]
        answer = read(raw)
        self.assertEqual(envelope_to, ["han@customer.test"])
        self.assertIn("han@customer.test", answer["To"])
        self.assertEqual(answer["In-Reply-To"], "<m1@customer.test>")
        self.assertIn("<m1@customer.test>", answer["References"])
        self.assertRegex(answer["Subject"], "^Re: 退款 refund$")
        self.assertIn(text, answer.get_body(("plain",)).get_content())
        return answer

    def test_imap_mail_is_answered_by_smtp(self):
        self.start(with_imap=True)
        self.imap.deliver(mail(1, "订单 88 要退款"))
        item = self.answer_first()
        thread = self.daemon.messages(item["conversation"], self.alice)
        self.assertIn("订单 88 要退款", thread[0]["text"])
        self.check_answer()
        harness.wait_for("the mail to be marked", lambda: "\\Seen" in "".join(self.imap.flags()))

    def test_imap_mail_read_elsewhere_is_still_fetched(self):
        self.start(with_imap=True)
        box = self.imap.login()
        box.append("INBOX", "(\\Seen)", None, mail(1, "在手机上看过了"))
        box.logout()
        item = self.daemon.claim(self.alice, wait_s=30)
        self.assertIsNotNone(item)

    def test_imap_interrupted_fetch(self):
        self.start(with_imap=True)
        for number in range(1, 11):
            self.imap.deliver(mail(number, f"第 {number} 封", sender=f"c{number} <c{number}@customer.test>"))
        self.daemon.restart()
        seen = [self.daemon.claim(self.alice, wait_s=30) for _ in range(10)]
        self.assertEqual(len({item["conversation"] for item in seen}), 10)
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=2))

    def test_lmtp_mail_is_answered_and_the_answer_to_that_stays_in_the_thread(self):
        self.start(with_imap=False)
        self.lmtp(mail(1, "请退款"))
        item = self.answer_first()
        answer = self.check_answer()
        extra = f"In-Reply-To: {answer['Message-ID']}\r\nReferences: <m1@customer.test> {answer['Message-ID']}\r\n"
        self.lmtp(mail(2, "谢谢！", subject="Re: 退款 refund", extra=extra))
        harness.wait_for("the second mail", lambda: len(
            self.daemon.messages(item["conversation"], self.alice)) == 3)

    def test_lmtp_the_same_mail_twice_is_one_message(self):
        self.start(with_imap=False)
        self.lmtp(mail(1, "一次"))
        self.lmtp(mail(1, "一次"))
        item = self.daemon.claim(self.alice, wait_s=30)
        self.assertEqual(len(self.daemon.messages(item["conversation"], self.alice)), 1)

    def test_lmtp_a_stranger_with_known_references_opens_a_new_conversation(self):
        self.start(with_imap=False)
        self.lmtp(mail(1, "我的"))
        item = self.answer_first()
        answer = read(self.smtp.mails[0][2])
        extra = f"In-Reply-To: <m1@customer.test>\r\nReferences: <m1@customer.test> {answer['Message-ID']}\r\n"
        self.lmtp(mail(3, "让我看看", sender="Eve <eve@elsewhere.test>", extra=extra), "eve@elsewhere.test")
        other = self.daemon.claim(self.alice, wait_s=30)
        self.assertNotEqual(other["conversation"], item["conversation"])

    def test_lmtp_mails_that_answer_nothing_are_conversations_of_their_own(self):
        self.start(with_imap=False)
        self.lmtp(mail(1, "第一件事", subject="第一"))
        self.lmtp(mail(2, "第二件事", subject="第一"))
        extra = "In-Reply-To: <m1@customer.test>\r\nReferences: <m1@customer.test>\r\n"
        self.lmtp(mail(3, "还是第一件", subject="Re: 第一", extra=extra))
        first, second = (self.daemon.claim(self.alice, wait_s=30) for _ in range(2))
        self.assertNotEqual(first["conversation"], second["conversation"])
        self.assertEqual(first["customer"]["id"], second["customer"]["id"])
        texts = [[m["text"].strip() for m in self.daemon.messages(item["conversation"], self.alice)]
                 for item in (first, second)]
        self.assertCountEqual(texts, [["第一件事", "还是第一件"], ["第二件事"]])

    def test_lmtp_a_reply_token_alone_finds_its_thread_and_a_forged_one_does_not(self):
        self.start(with_imap=False)
        self.lmtp(mail(1, "请退款"))
        item = self.answer_first()
        token_address = read(self.smtp.mails[0][2])["Reply-To"].strip("<>")
        harness.send_lmtp(self.daemon.lmtp_port, "han@customer.test", token_address,
                          mail(2, "没有引用", subject="完全不同"))
        self.assertEqual(len(harness.wait_for("the second mail", lambda: [
            m for m in self.daemon.messages(item["conversation"], self.alice) if m["text"].strip() == "没有引用"])), 1)
        local, domain = token_address.split("@")
        forged = f"{local[:-1]}{'0' if local[-1] != '0' else '1'}@{domain}"
        harness.send_lmtp(self.daemon.lmtp_port, "han@customer.test", forged, mail(3, "伪造"))
        other = self.daemon.claim(self.alice, wait_s=30)
        self.assertNotEqual(other["conversation"], item["conversation"])

    def test_lmtp_gb18030(self):
        self.start(with_imap=False)
        body = "订单退款，谢谢。龘".encode("gb18030")
        self.lmtp(b"From: han@customer.test\r\nTo: support@example.test\r\nMessage-ID: <g@customer.test>\r\n"
                  b"Subject: =?GB18030?B?zcu/7g==?=\r\nMIME-Version: 1.0\r\n"
                  b"Content-Type: text/plain; charset=GB18030\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body + b"\r\n")
        item = self.daemon.claim(self.alice, wait_s=30)
        thread = self.daemon.messages(item["conversation"], self.alice)
        self.assertIn("订单退款，谢谢。龘", thread[0]["text"])

    def test_lmtp_an_unknown_recipient_is_refused(self):
        self.start(with_imap=False)
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
            harness.send_lmtp(self.daemon.lmtp_port, "a@b.cn", "nobody@example.test", mail(1, "x"))
        self.assertEqual(list(caught.exception.recipients.values())[0][0], 550)

    def test_lmtp_a_stopped_store_is_451(self):
        self.start(with_imap=False)
        pid = harness.wait_for("the store's process", self.daemon.store_pid)
        harness.os.kill(pid, harness.signal.SIGSTOP)
        try:
            with self.assertRaises(smtplib.SMTPResponseException) as caught:
                self.lmtp(mail(1, "später"))
            self.assertEqual(caught.exception.smtp_code, 451)
        finally:
            harness.os.kill(pid, harness.signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
