"""The table of provider faults (faultbed.py) over WhatsApp, Messenger and Instagram."""
import unittest

import faultbed


class WhatsApp(faultbed.Table):
    provider, names, who = "whatsapp", ("app_secret", "verify_token", "access_token", "phone_number_id"), "16505551"
    refusal, nonsense, window = "131026", "49999", True
    unknown = {"raw": '{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"new","value":{}}]}]}'}

    def test_the_table(self):
        self.run_the_table()


class Messenger(faultbed.Table):
    provider, names, who = "messenger", ("app_secret", "verify_token", "access_token", "page_id"), "9009"
    refusal, nonsense, window = "551", "49999", True
    unknown = {"raw": '{"object":"page","entry":[{"id":"1001","messaging":[{"sender":{"id":"9"},"timestamp":1,"new":{}}]}]}'}

    def test_the_table(self):
        self.run_the_table()


class Instagram(faultbed.Table):
    provider, names, who = "instagram", ("app_secret", "verify_token", "access_token", "page_id"), "9009"
    refusal, nonsense, window = "551", "49999", True
    unknown = {"raw": '{"object":"instagram","entry":[{"id":"17841400000000001","messaging":'
                      '[{"sender":{"id":"9"},"timestamp":1,"new":{}}]}]}'}

    def test_the_table(self):
        self.run_the_table()


if __name__ == "__main__":
    unittest.main()
