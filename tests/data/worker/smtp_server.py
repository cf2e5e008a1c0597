#!/usr/bin/python3
"""SMTP servers that the mail worker's tests talk to: smtp_server.py MODE DIR. Prints its port.

good and login are aiosmtpd; starttls is our own (aiosmtpd 1.4.3 can lose a ClientHello that comes quickly); the other
modes misbehave in one way each."""
import os
import socket
import ssl
import sys

mode, folder = sys.argv[1], sys.argv[2]


def save(name, data):
    with open(os.path.join(folder, name + ".new"), "wb") as file:
        file.write(data)
    os.rename(os.path.join(folder, name + ".new"), os.path.join(folder, name))


def serve_well():
    import asyncio
    from aiosmtpd.smtp import SMTP, AuthResult

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            people = [envelope.mail_from or ""] + envelope.rcpt_tos
            save("envelope", "\n".join(people).encode())
            save("message", envelope.original_content)
            return "250 kept as 1"

    def authenticate(server, session, envelope, mechanism, data):
        return AuthResult(success=data.login == b"user" and data.password == b"secret", handled=False)

    options = {}
    if mode == "login":
        options = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    make = lambda: SMTP(Handler(), enable_SMTPUTF8=False, loop=loop, **options)
    server = loop.run_until_complete(loop.create_server(make, "127.0.0.1", 0))
    print(server.sockets[0].getsockname()[1], flush=True)
    loop.run_forever()


ANSWERS = {
    "mail-450": {"MAIL": "450 later"},
    "mail-550": {"MAIL": "550 never"},
    "mail-530": {"MAIL": "530 log in first"},
    "rcpt-450": {"RCPT": "450 later"},
    "rcpt-550": {"RCPT": "550 no such user"},
    "data-451": {"DATA": "451 later"},
    "data-554": {"DATA": "554 never"},
    "dot-451": {".": "451 later"},
    "dot-552": {".": "552 too much"},
    "auth-535": {"AUTH": "535 wrong", "MAIL": "530 log in first"},
    "auth-454": {"AUTH": "454 later", "MAIL": "530 log in first"},
    "drop-at-data": {"DATA": None},
    "drop-at-dot": {".": None},
    "silent-at-dot": {".": "silence"},
    "banner-554": {"banner": "554 go away"},
    "banner-junk": {"banner": "hello?"},
    "silent": {"banner": "silence"},
    "drop": {"banner": None},
}


def start_tls(peer):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
    try:
        talk(context.wrap_socket(peer, server_side=True), secure=True)
    except OSError:
        pass  # the client did not like the certificate


def talk(peer, secure=False):
    answers = ANSWERS.get(mode, {})
    lines = peer.makefile("rb")

    def say(verb, usual):
        text = answers.get(verb, usual)
        if mode == "one-refused" and verb == "RCPT" and b"gone@" in line:
            text = "550 no such user"
        if text == "silence":
            lines.read()
            return False
        if text is None:
            return False
        peer.sendall(text.encode() + b"\r\n")
        return True

    line = b""
    if not secure and not say("banner", "220 ready"):
        return
    for line in lines:
        verb = line[:4].decode().strip().upper()
        if verb == "STAR":
            say(verb, "220 go on")
            start_tls(peer)
            return
        if verb == "EHLO" and mode == "starttls" and not secure:
            alive = say(verb, "250-here\r\n250 STARTTLS")
        elif mode == "starttls" and not secure:
            alive = say("MAIL", "530 STARTTLS first")
        elif verb == "EHLO":
            alive = say(verb, "250-here\r\n250-AUTH PLAIN LOGIN\r\n250 ENHANCEDSTATUSCODES" if mode.startswith("auth") else "250 here")
        elif verb == "DATA":
            alive = say(verb, "354 go on")
            if alive and verb not in answers:
                for line in lines:
                    if line == b".\r\n":
                        break
                alive = say(".", "250 kept")
        elif verb == "QUIT":
            say(verb, "221 bye")
            return
        else:
            alive = say(verb, "250 ok")
        if not alive:
            return


def serve_badly():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        peer, _ = listener.accept()
        talk(peer)
        peer.close()


serve_well() if mode in ("good", "login") else serve_badly()
