"""Answers by mail and what becomes of them: refused, lost in the middle, bounced."""
import socket
import threading
import unittest

import harness
from mailbed import MailCase, letter, read


class OddSmtp:
    """An SMTP server that takes a letter and then acts as `mode` says: die (no answer after the data) or take."""

    def __init__(self):
        self.mode, self.taken = "die", []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, client.makefile("rwb", buffering=0) as wire:
            try:
                wire.write(b"220 odd\r\n")
                while line := wire.readline():
                    word = line[:4].upper()
                    if word == b"DATA":
                        wire.write(b"354 go on\r\n")
                        while (line := wire.readline()) not in (b".\r\n", b""):
                            pass
                        self.taken.append(self.mode)
                        if self.mode == "die":
                            return
                        wire.write(b"250 kept\r\n")
                    elif word == b"QUIT":
                        wire.write(b"221 bye\r\n")
                        return
                    else:
                        wire.write(b"250 odd\r\n")
            except OSError:
                return

    def close(self):
        self.server.close()


class Out(MailCase):
    def dead_letters(self):
        answer = self.daemon.request("GET", "/v1/deadletters", token=self.daemon.token("admin", None))
        self.assertEqual(answer.status, 200, answer)
        return answer.json["data"]

    def post(self, path, body, token):
        answer = self.daemon.request("POST", path, body, token, headers={"Idempotency-Key": path})
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def begin_odd(self):
        self.odd = OddSmtp()
        self.addCleanup(self.odd.close)
        self.daemon = self.start_daemon(self.channels(smtp_port=self.odd.port))
        self.alice = self.daemon.token()
        self.lmtp(letter())
        item = self.claim()
        sent = self.daemon.reply(item["conversation"], "寄出去了吗", self.alice)
        self.assertEqual(sent.status, 201, sent)
        return item, self.delivery(item, "uncertain")

    def test_a_refused_letter_is_failed_and_dead_and_can_be_redriven(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        self.smtp.answers.append("554 5.7.1 no thanks")
        sent = self.daemon.reply(item["conversation"], "第一次", self.alice)
        self.assertEqual(sent.status, 201, sent)
        failed = self.delivery(item, "failed")
        self.assertIn("no thanks", failed["delivery"]["error"])
        dead = self.dead_letters()
        self.assertEqual([letter["message"] for letter in dead], [failed["id"]])
        self.post(f"/v1/deadletters/{failed['id']}/redrive", {}, self.daemon.token("admin", None))
        self.delivery(item, "sent")
        self.assertEqual(len(self.smtp.mails), 1)

    def test_a_server_that_dies_after_the_data_leaves_it_uncertain_until_a_person_decides(self):
        item, message = self.begin_odd()
        self.assertEqual(self.odd.taken, ["die"])
        stranger = self.daemon.request("POST", f"/v1/messages/{message['id']}/decide", {"outcome": "resend"}, self.daemon.token("agent", "bob"))
        self.assertEqual((stranger.status, stranger.json["code"]), (403, "not_assignee"), stranger)
        self.post(f"/v1/messages/{message['id']}/decide", {"outcome": "sent"}, self.alice)
        self.assertEqual(self.delivery(item, "sent")["id"], message["id"])
        self.assertEqual(self.odd.taken, ["die"])

    def test_an_uncertain_letter_is_sent_again_only_by_a_person(self):
        item, message = self.begin_odd()
        self.odd.mode = "take"
        self.post(f"/v1/messages/{message['id']}/decide", {"outcome": "resend"}, self.alice)
        self.delivery(item, "sent")
        self.assertEqual(self.odd.taken, ["die", "take"])

    def test_what_waits_behind_an_uncertain_letter_still_leaves(self):
        item, _ = self.begin_odd()
        self.odd.mode = "take"
        self.daemon.reply(item["conversation"], "下一封", self.alice)
        self.delivery(item, "sent")

    def begin_with(self, to, subject="发货通知"):
        answer = self.daemon.request("POST", "/v1/conversations", {
            "channel": "support", "to": to, "name": "韩梅", "subject": subject, "text": "您的订单已发出"}, self.alice,
            headers={"Idempotency-Key": to})
        self.assertEqual(answer.status, 201, answer)
        harness.wait_for("the mail out", lambda: self.smtp.mails)
        return answer.json, read(self.smtp.mails[-1][2])

    def test_a_conversation_that_an_agent_starts_gets_the_answer(self):
        self.start()
        message, mail = self.begin_with("new@customer.test")
        self.assertEqual((mail["Subject"], mail["In-Reply-To"]), ("发货通知", None))
        self.lmtp(letter("Re: 发货通知", "收到", "New <new@customer.test>", in_reply_to=mail["Message-ID"]))
        thread = self.thread(message, 2)
        self.assertEqual(thread[1]["text"].strip(), "收到")
        self.assertEqual(thread[1]["author"]["type"], "customer")

    def test_an_agent_starts_a_conversation_with_a_known_customer(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        message, _ = self.begin_with("Han@customer.test")
        started = self.daemon.request("GET", f"/v1/conversations/{message['conversation']}", token=self.alice).json
        self.assertEqual(started["customer"]["id"], item["customer"]["id"])
        self.assertNotEqual(message["conversation"], item["conversation"])

    def bounce(self, mail, action="failed", status="5.1.1"):
        return (f"From: Mail Delivery <mailer-daemon@customer.test>\r\nTo: support@example.test\r\n"
                f"Subject: Undelivered\r\nMessage-ID: <b1@customer.test>\r\nMIME-Version: 1.0\r\n"
                f'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
                f"--b\r\nContent-Type: text/plain\r\n\r\nYour mail came back.\r\n"
                f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.test\r\n\r\n"
                f"Final-Recipient: rfc822; han@customer.test\r\nAction: {action}\r\nStatus: {status}\r\n"
                f"Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
                f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {mail['Message-ID']}\r\n"
                f"From: support@example.test\r\nSubject: x\r\n\r\nx\r\n--b--\r\n").encode()

    def test_a_bounce_marks_the_letter_it_is_about(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        _, mail = self.answer(item)
        sent = self.delivery(item, "sent")
        self.lmtp(self.bounce(mail), "")
        failed = self.delivery(item, "failed")
        self.assertEqual(failed["id"], sent["id"])
        self.assertIn("no such user", failed["delivery"]["error"])
        self.assertEqual([letter["message"] for letter in self.dead_letters()], [sent["id"]])
        self.assertEqual(len(self.daemon.messages(item["conversation"], self.alice)), 2)
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=0))

    def test_a_bounce_decides_an_uncertain_letter(self):
        item, message = self.begin_odd()
        self.assertTrue(message["provider_id"].startswith("<"), message)
        self.lmtp(self.bounce({"Message-ID": message["provider_id"]}), "")
        failed = self.delivery(item, "failed")
        self.assertIn("no such user", failed["delivery"]["error"])
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=0))

    def test_an_answer_shows_the_id_it_went_out_with(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        _, mail = self.answer(item)
        self.assertEqual(self.delivery(item, "sent")["provider_id"], mail["Message-ID"])
        self.assertLessEqual(len(mail["Message-ID"]), 78)

    def test_a_file_that_is_not_there_is_refused_by_name_and_one_that_vanished_fails_for_good(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        refused = self.daemon.reply(item["conversation"], "见附件", self.alice, attachments=[
            {"blob": "0" * 64, "name": "发票.pdf", "type": "application/pdf"}])
        self.assertEqual((refused.status, refused.json["code"]), (422, "no_such_attachment"), refused)
        self.assertIn("发票.pdf", refused.json["detail"])
        self.assertEqual(len(self.daemon.messages(item["conversation"], self.alice)), 1)
        kept = self.daemon.request("POST", "/v1/attachments?name=a.bin", b"bytes", self.alice).json["blob"]
        self.smtp.answers.append("554 5.7.1 not now")
        sent = self.daemon.reply(item["conversation"], "见附件", self.alice, attachments=[
            {"blob": kept, "name": "a.bin", "type": "application/octet-stream"}])
        self.assertEqual(sent.status, 201, sent)
        self.assertIn("not now", self.delivery(item, "failed")["delivery"]["error"])
        (self.daemon.state_dir / "blobs" / kept[38:46]).unlink()
        self.post(f"/v1/deadletters/{sent.json['id']}/redrive", {}, self.daemon.token("admin", None))
        harness.wait_for("a failure for want of the file", lambda: "no blob" in (
            self.daemon.messages(item["conversation"], self.alice)[-1]["delivery"]["error"] or ""))

    def test_a_report_of_success_marks_it_delivered_and_nothing_goes_back(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        _, mail = self.answer(item)
        self.delivery(item, "sent")
        self.lmtp(self.bounce(mail, "delivered", "2.0.0"), "")
        self.delivery(item, "delivered")
        self.lmtp(self.bounce(mail).replace(b"<b1@", b"<b2@"), "")
        self.assertEqual(self.daemon.messages(item["conversation"], self.alice)[-1]["delivery"]["state"], "delivered")

    def test_a_bounce_of_somebody_elses_mail_is_an_automatic_message(self):
        self.start()
        self.lmtp(self.bounce({"Message-ID": "<unknown@elsewhere.test>"}), "")
        self.assertTrue(self.thread(self.claim())[0]["automatic"])

    def test_a_channel_without_smtp_fails_with_the_reason(self):
        self.daemon = self.start_daemon(self.channels())
        self.alice = self.daemon.token()
        self.lmtp(letter())
        item = self.claim()
        self.daemon.reply(item["conversation"], "x", self.alice)
        self.assertIn("smtp.url", self.delivery(item, "failed")["delivery"]["error"])


if __name__ == "__main__":
    unittest.main()
