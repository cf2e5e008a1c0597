"""The table of provider faults (faultbed.py) over Telegram, Slack and X."""
import unittest

import faultbed


class Telegram(faultbed.Table):
    provider, names, who = "telegram", ("bot_token", "secret_token"), "5001"
    refusal, nonsense = "chat", "never_heard_of"
    unknown = {"raw": '{"update_id":4711,"poll_of_the_future":{"id":1}}'}

    def test_the_table(self):
        self.run_the_table()


class Slack(faultbed.Table):
    provider, names, who = "slack", ("signing_secret", "bot_token"), "U1"
    refusal, nonsense, proof_has_a_time = "is_archived", "never_heard_of", True
    unknown = {"kind": "event", "event": "something_new"}

    def test_the_table(self):
        self.run_the_table()


class X(faultbed.Table):
    provider, names, who = "x", ("app_key", "app_secret", "access_token", "access_token_secret"), "300"
    refusal, nonsense = "403", "400"
    unknown = {"kind": "event", "event": "something_new_events"}

    def test_the_table(self):
        self.run_the_table()


if __name__ == "__main__":
    unittest.main()
