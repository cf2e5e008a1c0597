"""messenger against the stand-in of the Graph API."""
import unittest

import channelbed
import harness


class Messenger(channelbed.Channel):
    provider = "messenger"
    names = ("app_secret", "verify_token", "access_token", "page_id")
    who = "9009"
    has_window = True

    def test_a_name_is_asked_for(self):
        item, _ = self.take("hello")
        named = lambda: self.daemon.request("GET", f"/v1/conversations/{item['conversation']}", token=self.admin).json["customer"]
        harness.wait_for("the name", lambda: named()["name"] or None)
        self.assertEqual(named()["name"], "Ana Sim")
        customer = self.daemon.request("GET", f"/v1/customers/{named()['id']}", token=self.admin).json
        self.assertEqual(customer["name"], "Ana Sim")

    def test_the_handshake(self):
        post = self.stand.handshake()
        self.assertTrue(post["ok"], post)

    def test_what_was_read(self):
        item, _ = self.take("hello")
        message = self.answer(item, "one")
        self.delivery(item, message, "sent")
        self.stand.receipt(self.stand.sent()[0]["id"], "read")
        self.delivery(item, message, "read")


class HumanAgent(channelbed.Bed):
    provider = "messenger"
    names = Messenger.names
    more = {"human_agent": True}
    who = "9009"

    def test_people_have_a_week(self):
        rows = self.daemon.request("GET", "/v1/channels", token=self.admin).json["data"]
        self.assertEqual(rows[0]["window"]["open_s"], 7 * 86400)


if __name__ == "__main__":
    unittest.main()
