#!/usr/bin/python3
"""What the end-to-end tests stand on: the daemon, Dovecot and an SMTP sink, with a mail, a chat and a webhook channel.

usage: bed.py NAME DELIVER_URL SECRET [SETTINGS]

SETTINGS is further YAML of the configuration, with {base} for the daemon's own address.

Prints one JSON line once all of it answers, then obeys lines on standard input ("mails": print what the sink has
taken, "restart": kill -9 and start again) and ends with its input.
"""
import base64
import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import harness  # noqa: E402


def channels_of(folder, imap, smtp, deliver_url, secret):
    password = folder / "imap.pw"
    password.write_text(imap.password)
    password.chmod(0o600)
    return f"""\
  - {{ name: shop, connector: webhook, secret: "{secret}", deliver_url: "{deliver_url}", allow_private_urls: true }}
  - {{ name: site, connector: webchat, offline_channel: support }}
  - {{ name: member, connector: webchat, identity_secret: "the page's own server and nobody else knows it", require_identity: true }}
  - {{ name: open, connector: webchat, demo_page: true }}
  - {{ name: night, connector: webchat, hours: ["mon 00:00-00:01"], offline_channel: support }}
  - name: support
    connector: email
    address: support@example.test
    imap: {{ url: "imap://127.0.0.1:{imap.port}", user: {imap.user}, password_file: {password}, folder: INBOX, poll: 1s, after: seen }}
    smtp: {{ url: "smtp://127.0.0.1:{smtp.port}" }}
"""


def answer(value):
    print(json.dumps(value), flush=True)


def main(name, deliver_url, secret, settings=""):
    folder = harness.RUNS / f"e2e-{name}-{harness.os.getpid()}"
    folder.mkdir(parents=True)
    imap, smtp = harness.Dovecot(folder / "dovecot"), harness.SmtpSink()
    daemon = harness.Daemon(folder / "node", channels_of(folder, imap, smtp, deliver_url, secret))
    if settings:
        daemon.write_config(channels_of(folder, imap, smtp, deliver_url, secret),
                            settings.replace("{base}", f"http://127.0.0.1:{daemon.http_port}") + "\n")
    is_whole = False
    try:
        imap.start()
        daemon.start()
        password = harness.secrets.token_hex(8)
        daemon.ctl("agent", "password", "alice", "--stdin", stdin=password + "\n")
        answer({"password": password, "http": daemon.http_port, "lmtp": daemon.lmtp_port, "imap": imap.port, "imapUser": imap.user,
                "imapPassword": imap.password, "smtp": smtp.port, "alice": daemon.token(),
                "bob": daemon.token(agent="bob"), "admin": daemon.token("admin", None), "folder": str(folder)})
        for line in sys.stdin:
            if line.strip() == "mails":
                answer([{"from": sender, "to": to, "raw": base64.b64encode(raw).decode()}
                        for sender, to, raw in smtp.mails])
            elif line.strip() == "restart":
                daemon.restart()
                answer({"http": daemon.http_port})
            elif line.strip() == "passed":
                is_whole = True
    finally:
        daemon.stop()
        imap.stop()
        smtp.close()
    if is_whole:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
