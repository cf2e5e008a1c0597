"""x against the stand-in of the Account Activity and DM APIs."""
import unittest

import channelbed


class X(channelbed.Channel):
    provider = "x"
    names = ("app_key", "app_secret", "access_token", "access_token_secret")
    who = "300"

    def channel_settings(self):
        known = self.stand.settings
        return {"api_base": self.stand.base, **{name: known[name] for name in self.names if known.get(name)}}

    def test_the_challenge(self):
        post = self.stand.handshake()
        self.assertTrue(post["ok"], post)

    def test_all_that_was_sent_is_read(self):
        item, _ = self.take("hello")
        first, second = self.answer(item, "one"), self.answer(item, "two")
        for message in (first, second):
            self.delivery(item, message, "sent")
        self.stand.receipt(self.stand.sent()[-1]["id"], "read")
        for message in (first, second):
            self.delivery(item, message, "read")


if __name__ == "__main__":
    unittest.main()
