"""What a mail carries, both ways: charsets, HTML, attachments, Cc; and mail that cannot be taken as it is."""
import base64
import smtplib
import unittest
import urllib.parse

import harness
from mailbed import OURS, MailCase, letter

NAME = "退款凭证 2026年第一季度（最终版）.pdf"


class Content(MailCase):
    def download(self, path, token=None):
        answer = self.daemon.request("GET", path, token=token or self.alice)
        self.assertEqual(answer.status, 200, answer)
        return answer.body

    def upload(self, content, name):
        answer = self.daemon.request("POST", f"/v1/attachments?name={urllib.parse.quote(name)}&type=application/pdf",
                                     content, self.alice, headers={"Content-Type": "application/octet-stream"})
        self.assertEqual(answer.status, 201, answer)
        return {"blob": answer.json["blob"], "name": answer.json["name"], "type": answer.json["type"]}

    def test_gb18030_subject_and_text(self):
        self.start()
        subject = "订单退款龘".encode("gb18030")
        self.lmtp(b"From: =?GB18030?B?" + base64.b64encode("韩梅".encode("gb18030")) + b"?= <han@customer.test>\r\n"
                  b"To: support@example.test\r\nMessage-ID: <g@customer.test>\r\nMIME-Version: 1.0\r\n"
                  b"Subject: =?GB18030?B?" + base64.b64encode(subject) + b"?=\r\n"
                  b"Content-Type: text/plain; charset=GB18030\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                  + "谢谢。㐀".encode("gb18030") + b"\r\n")
        item = self.claim()
        message = self.thread(item)[0]
        self.assertEqual((message["subject"], message["text"].strip(), item["customer"]["name"]),
                         ("订单退款龘", "谢谢。㐀", "韩梅"))
        _, mail = self.answer(item)
        self.assertEqual(mail["Subject"], "Re: 订单退款龘")

    def test_an_attachment_comes_in_with_its_chinese_name(self):
        self.start()
        self.lmtp(letter(files=[(NAME, b"%PDF-1 \x00\xff")]))
        item = self.claim()
        (file,) = self.thread(item)[0]["attachments"]
        self.assertEqual((file["name"], file["size"]), (NAME, 9))
        self.assertEqual(self.download(f"/v1/attachments/{file['id']}"), b"%PDF-1 \x00\xff")

    def test_an_attachment_goes_out_with_its_chinese_name(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        content = bytes(range(256)) * 500
        _, mail = self.answer(item, "见附件", attachments=[self.upload(content, NAME), self.upload(b"x", "a.txt")])
        files = list(mail.iter_attachments())
        self.assertEqual([file.get_filename() for file in files], [NAME, "a.txt"])
        self.assertEqual(files[0].get_content(), content)
        self.assertIn("见附件", mail.get_body(("plain",)).get_content())

    def test_html_comes_in_beside_its_text(self):
        self.start()
        self.lmtp(letter(text="纯文本", html="<p>富<b>文本</b></p>"))
        message = self.thread(self.claim())[0]
        self.assertEqual(message["text"].strip(), "纯文本")
        self.assertIn("<b>文本</b>", message["html"])

    def test_html_and_cc_go_out(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        to, mail = self.answer(item, "文字", html="<p>富<b>文本</b></p>", cc=["li@customer.test"])
        self.assertEqual(sorted(to), ["han@customer.test", "li@customer.test"])
        self.assertIn("li@customer.test", mail["Cc"])
        self.assertIn("文字", mail.get_body(("plain",)).get_content())
        self.assertIn("<b>文本</b>", mail.get_body(("html",)).get_content())

    def test_a_bad_cc_is_refused(self):
        self.start()
        self.lmtp(letter())
        item = self.claim()
        for wrong in ("a@b.cn\r\nBcc: eve@elsewhere.test", "Li <li@customer.test>", "li", "a@b.cn, c@d.cn"):
            sent = self.daemon.reply(item["conversation"], "x", self.alice, cc=["li@customer.test", wrong])
            self.assertEqual((sent.status, sent.json["errors"][0]["pointer"]), (400, "#/body/cc"), sent)

    def test_what_lmtp_has_acknowledged_survives_kill(self):
        self.start()
        for number in range(1, 6):
            self.lmtp(letter(f"第 {number} 封", number=number))
        self.daemon.restart()
        subjects = {self.thread(self.claim())[0]["subject"] for _ in range(5)}
        self.assertEqual(subjects, {f"第 {number} 封" for number in range(1, 6)})
        self.lmtp(letter("第 1 封", number=1))
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=0))

    def test_a_mail_over_the_limit_is_refused(self):
        self.start()
        big = letter(files=[("big.bin", b"\0" * (19 * 1024 * 1024))])
        self.assertGreater(len(big), 25 * 1024 * 1024)
        with self.assertRaises(smtplib.SMTPResponseException) as caught:
            self.lmtp(big)
        self.assertEqual(caught.exception.smtp_code, 552)
        self.lmtp(letter())
        self.claim()

    def test_a_large_mail_below_the_limit_is_taken(self):
        self.start()
        content = b"\1" * (15 * 1024 * 1024)
        self.lmtp(letter(files=[("large.bin", content)]))
        (file,) = self.thread(self.claim())[0]["attachments"]
        self.assertEqual(file["size"], len(content))

    def test_mail_without_a_sender_is_kept(self):
        self.start()
        raw = b"Subject: ?\r\nTo: support@example.test\r\n\r\nwho am I\r\n"
        self.lmtp(raw, "")
        message = self.thread(self.claim())[0]
        self.assertEqual(message["text"].strip(), "who am I")
        self.assertIn(b"who am I", self.download(f"/v1/attachments/{message['raw']}"))

    def test_mail_that_cannot_be_read_is_kept_raw_and_shown_as_such(self):
        self.start()
        nested = b"x\r\n"
        for depth in range(200):
            nested = (f"Content-Type: multipart/mixed; boundary=\"b{depth}\"\r\n\r\n--b{depth}\r\n").encode() + nested \
                     + f"\r\n--b{depth}--\r\n".encode()
        raw = b"From: han@customer.test\r\nTo: support@example.test\r\nSubject: deep\r\nMIME-Version: 1.0\r\n" \
              + b"X: " + b"y" * (2 * 1024 * 1024) + b"\r\n" + nested
        self.lmtp(raw)
        message = self.thread(self.claim())[0]
        self.assertEqual(message["kind"], "unknown")
        self.assertIn(b"Subject: deep", self.download(f"/v1/attachments/{message['raw']}"))

    def test_an_unknown_recipient_is_550_and_a_plus_address_is_ours(self):
        self.start()
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
            self.lmtp(letter(), to="nobody@example.test")
        self.assertEqual(list(caught.exception.recipients.values())[0][0], 550)
        self.lmtp(letter(), to=OURS.replace("@", "+sales@"))
        self.claim()


if __name__ == "__main__":
    unittest.main()
