"""What a provider that does not send again brings while the store is away: it waits on the disk."""
import signal
import unittest

import harness
import simbed

PUBLIC = "https://converge.example"
TEXTS = ["first", "第二 & more", "third"]


class Spool(harness.TestCase):
    """A channel of Twilio, which asks once; one whose sender asks again; and a store in a process of its own."""

    def setUp(self):
        super().setUp()
        self.redis = self.start_redis()
        self.stand = simbed.stand(self, "twilio", hurry=20)
        self.secret = harness.new_secret()
        known = self.stand.settings
        channels = (
            f'  - {{ name: c, connector: twilio_sms, api_base: "{self.stand.base}", public_url: "{PUBLIC}",\n'
            f'      account_sid: {known["account_sid"]}, auth_token: "{known["auth_token"]}", number: "{known["number"]}" }}\n'
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n')
        self.daemon = self.start_daemon(channels, extra=f'store: {{ url: "unix:{self.redis.socket}" }}\n')
        self.stand.set(**{"in": f"http://127.0.0.1:{self.daemon.http_port}/in/c", "signed_url": f"{PUBLIC}/in/c"})
        self.alice = self.daemon.token()
        self.sent_again = 0

    def say(self, text):
        self.stand.say(text, from_="+15005550001")

    def waiting(self):
        body = self.daemon.request("GET", "/metrics").body.decode()
        return next(float(line.split()[1]) for line in body.splitlines() if line.startswith("converged_spool_waiting "))

    def other_channel(self):
        self.sent_again += 1
        return self.daemon.post_signed("shop", self.secret, {"id": f"m{self.sent_again}", "from": {"id": "u"}, "text": "x"}).status

    def store_goes(self):
        self.redis.kill()
        harness.wait_for("the daemon to see that the store is gone", lambda: self.other_channel() == 503)

    def check_thread(self, texts):
        """All of them, in order, each once."""
        item = self.daemon.claim(self.alice)
        self.assertIsNotNone(item, "nothing to do")
        harness.wait_for("the thread to be whole", lambda: len(self.thread(item)) >= len(texts))
        harness.wait_for("the spool to be empty", lambda: self.waiting() == 0)
        self.assertEqual(self.thread(item), texts)

    def thread(self, item):
        return [one["text"] for one in self.daemon.messages(item["conversation"], self.alice)]

    def test_it_waits_for_the_store(self):
        self.store_goes()
        for text in TEXTS:
            self.say(text)
        self.assertEqual(self.waiting(), len(TEXTS))
        self.redis.start()
        self.check_thread(TEXTS)
        self.say("and straight again")
        self.assertEqual(self.waiting(), 0)

    def test_it_outlives_kill_9(self):
        self.store_goes()
        for text in TEXTS:
            self.say(text)
        self.daemon.kill()
        self.redis.start()
        self.daemon.start()
        self.check_thread(TEXTS)

    def test_a_store_that_hangs(self):
        """The message may be in the store and in the spool: it is one message."""
        self.redis.process.send_signal(signal.SIGSTOP)
        try:
            self.say("once")
        finally:
            self.redis.process.send_signal(signal.SIGCONT)
        self.check_thread(["once"])

    def test_what_is_forged_is_not_kept(self):
        self.store_goes()
        answer = self.daemon.request("POST", "/in/c", b"MessageSid=SM1&From=%2B15005550001&Body=x", headers={
            "Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "AAAA"})
        self.assertEqual((answer.status, self.waiting()), (401, 0))

    def test_a_damaged_record_is_told(self):
        self.store_goes()
        self.say("whole")
        self.daemon.kill()
        file = self.daemon.state_dir / "spool" / "main_c"
        self.assertNotIn(b"authorization", file.read_bytes().lower())
        file.write_bytes(file.read_bytes() + b"half a rec")
        self.redis.start()
        self.daemon.start()
        self.check_thread(["whole"])
        self.assertEqual([one.name.split("-")[0] for one in file.parent.glob("*.cut-*")], ["main_c.cut"])


if __name__ == "__main__":
    unittest.main()
