"""The table of provider faults (faultbed.py) over WeChat, WeCom and Line."""
import unittest

import faultbed


class WeChat(faultbed.Table):
    after_redirect = "sent"
    provider, names, who = "wechat", ("app_id", "app_secret", "token", "encoding_aes_key"), "oABCD"
    refusal, nonsense, window, proof_has_a_time, token_is_fetched = "40003", "49999", True, True, True
    unknown, unreadable = {"kind": "event", "event": "brand_new"}, "<xml><Ha"

    def test_the_table(self):
        self.run_the_table()


class WeCom(faultbed.Table):
    provider, names, who = "wecom", ("corp_id", "app_secret", "token", "encoding_aes_key"), "wmDEMO"
    idempotent, after_garbage, after_redirect, pulls = True, "sent", "sent", True
    refusal, nonsense, window, proof_has_a_time, token_is_fetched = "40096", "49999", True, True, True
    unknown, unreadable = {"kind": "event", "event": "brand_new"}, "<xml><Ha"

    def test_the_table(self):
        self.run_the_table()


class Line(faultbed.Table):
    provider, names, who = "line", ("channel_secret", "channel_access_token"), "Ucust"
    idempotent = True
    after_garbage = "sent"
    refusal, nonsense = "to", "never_heard_of"
    unknown = {"kind": "event", "event": "somethingNew"}

    def test_the_table(self):
        self.run_the_table()


if __name__ == "__main__":
    unittest.main()
