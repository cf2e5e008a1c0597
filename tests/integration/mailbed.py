"""What the mail tests share: writing and reading mails, and a daemon with one mail channel."""
import email
import email.message
import email.policy
import email.utils

import harness

OURS = "support@example.test"


def letter(subject="订单 88", text="你好", sender="Han Mei <han@customer.test>", number=1, files=(), html=None, **fields):
    """A mail as bytes; fields like in_reply_to become headers, files are (name, bytes)."""
    mail = email.message.EmailMessage(policy=email.policy.SMTP.clone(max_line_length=998))
    mail["From"] = sender
    mail["To"] = fields.pop("to", OURS)
    mail["Subject"] = subject
    mail["Date"] = email.utils.formatdate(1764000000 + number)
    mail["Message-ID"] = fields.pop("message_id", f"<m{number}@customer.test>")
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def read(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


class MailCase(harness.TestCase):
    """self.daemon with the channel `support`, self.smtp behind it, self.imap where it was asked for."""

    def channels(self, imap=None, smtp_port=None, after="seen", more=""):
        lines = ["  - name: support", "    connector: email", f"    address: {OURS}"]
        if imap:
            secret = self.folder / "imap.pw"
            secret.write_text(imap.password)
            secret.chmod(0o600)
            lines.append(f'    imap: {{ url: "imap://127.0.0.1:{imap.port}", user: {imap.user}, '
                         f"password_file: {secret}, folder: INBOX, poll: 1s, after: {after} }}")
        if smtp_port:
            lines.append(f'    smtp: {{ url: "smtp://127.0.0.1:{smtp_port}" }}')
        return "\n".join(lines) + "\n" + more

    def start(self, imap=False, extra=""):
        self.smtp = self.start_smtp()
        self.imap = self.start_dovecot() if imap else None
        self.daemon = self.start_daemon(self.channels(self.imap, self.smtp.port), extra=extra)
        self.alice = self.daemon.token()

    def lmtp(self, raw, sender="han@customer.test", to=OURS):
        harness.send_lmtp(self.daemon.lmtp_port, sender, to, raw)

    def claim(self):
        item = self.daemon.claim(self.alice, wait_s=20)
        self.assertIsNotNone(item, "no work item came")
        return item

    def thread(self, item, count=1):
        """The conversation's messages once there are `count` of them."""
        def enough():
            messages = self.daemon.messages(item["conversation"], self.alice)
            return messages if len(messages) >= count else None
        return harness.wait_for(f"{count} messages", enough)

    def answer(self, item, text="已收到", **more):
        """Replies and returns the mail that left: (envelope to, parsed mail)."""
        known = len(self.smtp.mails)
        sent = self.daemon.reply(item["conversation"], text, self.alice, **more)
        self.assertEqual(sent.status, 201, sent)
        harness.wait_for("the mail out", lambda: len(self.smtp.mails) > known)
        _, to, raw = self.smtp.mails[known]
        return to, read(raw)

    def delivery(self, item, state):
        """The newest message once its delivery is in `state`."""
        def there():
            message = self.daemon.messages(item["conversation"], self.alice)[-1]
            return message if message["delivery"] and message["delivery"]["state"] == state else None
        return harness.wait_for(f"a delivery that is {state}", there)
