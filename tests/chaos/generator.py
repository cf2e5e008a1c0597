"""Plays customers: offers messages, repeats each until it is acknowledged, and repeats some after that.

Its log is what was offered and what was acknowledged. It ends by itself once the file `stop` appears in its
folder and everything it had begun is acknowledged.
"""
import argparse
import base64
import email.message
import email.policy
import hashlib
import hmac
import json
import os
import pathlib
import random
import smtplib
import threading
import time

from record import Caller, Log

FILLER = "订单 order 退款 refund 物流 logistics " * 8


class Customer:
    def file_of(self, message_id):
        return None


class WebhookCustomer(Customer):
    def __init__(self, name, port, secret):
        self.name = name
        self.port = port
        self.caller = Caller(port)
        self.key = base64.b64decode(secret.removeprefix("whsec_"))

    def body(self, message_id, text):
        return json.dumps({"id": message_id, "from": {"id": self.name, "name": self.name}, "text": text},
                          ensure_ascii=False).encode()

    def offer(self, message_id, text, caller=None):
        raw = self.body(message_id, text)
        stamp = str(int(time.time()))
        mac = hmac.new(self.key, f"{message_id}.{stamp}.".encode() + raw, hashlib.sha256).digest()
        answer = (caller or self.caller).call("POST", "/in/shop", raw, {
            "Content-Type": "application/json", "webhook-id": message_id, "webhook-timestamp": stamp,
            "webhook-signature": "v1," + base64.b64encode(mac).decode()})
        return answer, answer is not None and answer[0] == 200


class ChatCustomer(Customer):
    def __init__(self, name, port):
        self.name = name
        self.port = port
        self.caller = Caller(port)
        self.token = None

    def offer(self, message_id, text, caller=None):
        caller = caller or self.caller
        if self.token is None:
            answer = caller.call("POST", "/chat/site/sessions", b"{}", {"Content-Type": "application/json"})
            if answer is None or answer[0] not in (200, 201):
                return answer, False
            self.token = json.loads(answer[1])["token"]
        raw = json.dumps({"text": text, "client_id": message_id}, ensure_ascii=False).encode()
        answer = caller.call("POST", "/chat/site/messages", raw, {
            "Content-Type": "application/json", "Authorization": f"Bearer {self.token}"})
        return answer, answer is not None and answer[0] in (200, 201)


class MailCustomer(Customer):
    """Hands mail over by LMTP: 250 after the text means kept. Each mail goes on from the one before."""

    def __init__(self, name, port):
        self.name = name
        self.port = port
        self.client = None

    def file_of(self, message_id):
        """Every fourth mail carries a file, so that what is kept beside the store is judged as well."""
        return f"file of {message_id}\n".encode() * 100 if int(message_id.rpartition("-")[2]) % 4 == 0 else None

    def mail(self, message_id, text):
        number, file = int(message_id.rpartition("-")[2]), self.file_of(message_id)
        mail = email.message.EmailMessage(email.policy.SMTP)
        mail["From"], mail["To"] = f"{self.name} <{self.name}@customer.test>", "desk@example.test"
        mail["Subject"], mail["Date"] = f"order {self.name}", "Sun, 22 Nov 2026 10:00:00 +0800"
        mail["Message-ID"] = f"<{message_id}@customer.test>"
        if number:
            mail["In-Reply-To"] = f"<{self.name}-{number - 1}@customer.test>"
        mail.set_content(text, cte="8bit")
        if file:
            mail.add_attachment(file, "application", "octet-stream", filename="file.bin")
            # A repeat is the same mail, byte by byte.
            mail.set_boundary(f"part-{message_id}")
        return mail.as_bytes()

    def offer(self, message_id, text, caller=None):
        """As the others: (status, body) or None, and whether it was taken. A twin has a connection of its own."""
        client = None if caller else self.client
        try:
            if client is None:
                client = smtplib.LMTP("127.0.0.1", self.port, timeout=40)
                client.ehlo()
            self.client = self.client if caller else client
            client.sendmail(f"{self.name}@customer.test", ["desk@example.test"], self.mail(message_id, text))
            return (250, b""), True
        except smtplib.SMTPResponseException as trouble:
            return (trouble.smtp_code, trouble.smtp_error), False
        except smtplib.SMTPRecipientsRefused as trouble:
            return list(trouble.recipients.values())[0], False
        except (OSError, smtplib.SMTPException):
            self.client = self.client if caller else None
            return None, False


class Lane(threading.Thread):
    """Some customers, one message at a time: a customer's next message waits for the last one's ack."""

    def __init__(self, number, customers, options, log):
        super().__init__()
        self.number = number
        self.customers = customers
        self.options = options
        self.log = log
        self.random = random.Random(f"{options.seed}-{number}")
        self.next_seq = {customer.name: 0 for customer in customers}
        self.stop_file = pathlib.Path(options.folder) / "stop"
        self.left = options.count / options.lanes
        self.trouble = 0

    def run(self):
        pace = self.options.lanes / self.options.rate
        due = time.monotonic()
        while not self.stop_file.exists() and self.left > 0:
            self.left -= 1
            customer = self.random.choice(self.customers)
            self.deliver(customer)
            due = max(due + pace, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))

    def deliver(self, customer):
        seq = self.next_seq[customer.name]
        self.next_seq[customer.name] += 1
        message_id = f"{customer.name}-{seq}"
        text = f"id:{message_id}: {FILLER}"
        file = customer.file_of(message_id)
        self.log.write("offer", id=message_id, sender=customer.name, seq=seq,
                       **({"file": hashlib.sha256(file).hexdigest()} if file else {}))
        twin = self.send_twin(customer, message_id, text)
        while True:
            answer, is_acked = customer.offer(message_id, text)
            if is_acked:
                break
            self.note_refusal(message_id, answer)
            time.sleep(0.02 + self.random.random() * 0.1)
        self.log.write("ack", id=message_id, sender=customer.name, seq=seq, status=answer[0])
        if twin:
            twin.join()
        elif self.random.random() < self.options.repeats:
            customer.offer(message_id, text)

    def send_twin(self, customer, message_id, text):
        """Now and then the same message comes in twice at the same moment."""
        if self.random.random() >= self.options.repeats or getattr(customer, "token", "") is None:
            return None
        caller = Caller(customer.port)
        twin = threading.Thread(target=lambda: (customer.offer(message_id, text, caller), caller.close()))
        twin.start()
        return twin

    def note_refusal(self, message_id, answer):
        status = answer[0] if answer else 0
        self.log.write("refused", id=message_id, status=status)
        # No answer, busy or starting is what faults look like; anything else is worth a look.
        if status not in (0, 503, 429, 421, 451):
            self.trouble += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--lanes", type=int, default=16)
    parser.add_argument("--customers", type=int, default=64)
    parser.add_argument("--lmtp-port", type=int, required=True)
    parser.add_argument("--chat", type=float, default=0.25, help="share of customers who use the web chat")
    parser.add_argument("--mail", type=float, default=0.125, help="share of customers who write mail")
    parser.add_argument("--count", type=float, default=float("inf"), help="end by itself after so many messages")
    parser.add_argument("--repeats", type=float, default=0.05)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--prefix", default="c")
    options = parser.parse_args()
    log = Log(os.path.join(options.folder, "generator.log"))
    lanes = []
    for lane in range(options.lanes):
        customers = []
        for number in range(lane, options.customers, options.lanes):
            name = f"{options.prefix}{number}"
            if number < options.customers * options.chat:
                customers.append(ChatCustomer(name, options.port))
            elif number < options.customers * (options.chat + options.mail):
                customers.append(MailCustomer(name, options.lmtp_port))
            else:
                customers.append(WebhookCustomer(name, options.port, options.secret))
        lanes.append(Lane(lane, customers, options, log))
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    log.write("end", trouble=sum(lane.trouble for lane in lanes))


if __name__ == "__main__":
    main()
