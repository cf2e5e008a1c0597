"""The table of provider faults (faultbed.py) over Feishu, Weibo and DingTalk."""
import unittest

import faultbed


class Feishu(faultbed.Table):
    provider, names, who = "feishu", ("app_id", "app_secret", "encrypt_key", "verification_token"), "ou_demo"
    idempotent, after_garbage = True, "sent"
    refusal, nonsense, proof_has_a_time, token_is_fetched = "230013", "239999", True, True
    unknown, unreadable = {"kind": "event", "event": "im.brand.new_v1"}, '{"schema":"2.0","hea'

    def test_the_table(self):
        self.run_the_table()


class Weibo(faultbed.Table):
    provider, names, who = "weibo", ("app_secret", "access_token"), "2489000"
    refusal, nonsense, window, proof_has_a_time = "10017", "49999", True, True
    unknown = {"kind": "event", "event": "brand_new"}

    def test_the_table(self):
        self.run_the_table()


class DingTalk(faultbed.Table):
    provider, names, who = "dingtalk", ("app_key", "app_secret", "robot_code"), "staff"
    refusal, nonsense, proof_has_a_time, token_is_fetched, pulls = "310000", "49999", True, True, True
    unknown = {"raw": '{"conversationId":"c1","conversationType":"1","msgId":"m-new","msgtype":"hologram",'
                      '"createAt":1767322545123,"senderId":"$:1:$a","senderStaffId":"staff142","senderNick":"a"}'}

    def test_the_table(self):
        self.run_the_table()


if __name__ == "__main__":
    unittest.main()
