"""The table of provider faults (faultbed.py) over Twilio, Alibaba Cloud and a gateway that is described by settings."""
import unittest

import faultbed

PUBLIC = "https://converge.example"


class Twilio(faultbed.Table):
    provider, connector, names, who = "twilio", "twilio_sms", ("account_sid", "auth_token", "number"), "+15005550"
    refusal, nonsense = "30034", "39999"
    unknown = {"raw": "MessageSid=SMnew&MessageStatus=teleported&From=%2B15005550142"}
    unreadable = "MessageSid=%zz"

    def setUp(self):
        super().setUp()
        self.stand.set(signed_url=f"{PUBLIC}*")

    def channel_settings(self):
        return {**super().channel_settings(), "public_url": PUBLIC}

    def test_the_table(self):
        self.run_the_table()


class Aliyun(faultbed.Table):
    provider, connector, names, who = "aliyun_sms", "aliyun_sms", ("access_key_id", "access_key_secret"), "13900000"
    refusal, nonsense = "isv.SMS_CONTENT_ILLEGAL", "isv.NEVER_HEARD_OF"
    unknown = {"raw": '[{"phone_number":"13900000142","sequence_id":"new-1","mms":["x"]}]'}
    proof = None  # pushes are not signed
    more = {"sign_name": "测试", "reply_template": "SMS_71390007", "reply_variable": "customer", "allow_from": ["127.0.0.0/8"]}

    def test_the_table(self):
        self.run_the_table()


class Http(faultbed.Table):
    provider, connector, who = "http_sms", "http_sms", "+8613900000"
    refusal, nonsense = "content_refused", "never_heard_of"
    unknown = {"raw": '{"type":"message","id":"new-1","from":"+8613900000142","hologram":true}'}

    def channel_settings(self):
        known = self.stand.settings
        return {
            "number": known["number"], "api_key": known["api_key"], "callback_secret": known["secret"], "allow_private_urls": True,
            "test_url": self.stand.base + "/v1/account",
            "send": {"url": self.stand.base + "/v1/messages", "headers": ["X-Api-Key: {key}"],
                     "body": '{"from":"{from}","to":"{to}","text":"{text}","reference":"{id}"}'},
            "answer": {"accepted": "status=queued", "id": "message.id", "code": "error.code", "why": "error.message"},
            "incoming": {"message_if": "type=message"},
            "receipts": {"receipt_if": "type=report", "code": "error"},
        }

    def settings_at(self, settings, address):
        return {**settings, "send": {**settings["send"], "url": address + "/v1/messages"}}

    def test_the_table(self):
        self.run_the_table()


if __name__ == "__main__":
    unittest.main()
