"""Plays what stands behind the channels: the application at deliver_url, and the mail server. Takes signed webhooks
and mail, logs each arrival, sometimes says no.
"""
import argparse
import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import random
import socketserver
import threading

from record import Log


def handler_of(options, log):
    key = base64.b64decode(options.secret.removeprefix("whsec_"))
    chance = random.Random(options.seed)
    refused = set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            hook, stamp = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "")
            mac = hmac.new(key, f"{hook}.{stamp}.".encode() + raw, hashlib.sha256).digest()
            is_signed = "v1," + base64.b64encode(mac).decode() in self.headers.get("webhook-signature", "").split()
            data = json.loads(raw)["data"]
            # Once a message: after the second refusal the next attempt is five minutes away.
            status = 503 if data["id"] not in refused and chance.random() < options.refuse else 204
            if status == 503:
                refused.add(data["id"])
            log.write("out", hook=hook, id=data["id"], text=data["text"], to=data["to"]["id"],
                      signed=is_signed, status=status)
            self.send_response(status)
            if status == 503:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            log.write("answered", hook=hook, id=data["id"], status=status)

        def log_message(self, *_):
            pass

    return Handler


def mail_handler_of(options, log):
    chance = random.Random(options.seed)
    refused = set()

    class Handler(socketserver.StreamRequestHandler):
        """SMTP as far as a submitting client needs it."""

        def handle(self):
            try:
                self.say(220, "provider")
                while line := self.rfile.readline():
                    if not self.answer(line.decode(errors="replace").strip().upper()):
                        return
            except OSError:
                pass

        def say(self, code, text):
            self.wfile.write(f"{code} {text}\r\n".encode())

        def answer(self, line):
            verb = line.split(" ")[0]
            if verb == "DATA":
                self.say(354, "go on")
                return self.take()
            if verb == "QUIT":
                self.say(221, "bye")
                return False
            self.say(250 if verb in ("EHLO", "HELO", "MAIL", "RCPT", "RSET", "NOOP") else 502, "provider")
            return True

        def take(self):
            raw = b""
            while (line := self.rfile.readline()) != b".\r\n":
                if not line:
                    return False
                raw += line.removeprefix(b".") if line.startswith(b"..") else line
            mail = email.message_from_bytes(raw, policy=email.policy.default)
            name, text = mail["Message-ID"], mail.get_body(("plain",)).get_content()
            status = 451 if name not in refused and chance.random() < options.refuse_mail else 250
            if status == 451:
                refused.add(name)
            log.write("mail", id=name, text=text, to=mail["To"], status=status)
            self.say(status, "later" if status == 451 else "taken")
            return True

    return Handler


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # A daemon that comes back sends all that waited at once: a short queue would reset half of it.
    request_queue_size = 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--refuse", type=float, default=0.02)
    parser.add_argument("--refuse-mail", type=float, default=0.0)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    log = Log(os.path.join(options.folder, "provider.log"))
    servers = [Server(("127.0.0.1", 0), handler_of(options, log)),
               MailServer(("127.0.0.1", 0), mail_handler_of(options, log))]
    # Who starts us waits for this file: a port that was free a moment ago may be somebody else's by now.
    ports = pathlib.Path(options.folder, "ports.json")
    ports.with_suffix(".new").write_text(json.dumps([server.server_address[1] for server in servers]))
    ports.with_suffix(".new").rename(ports)
    threading.Thread(target=servers[1].serve_forever, daemon=True).start()
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
