"""slack against the stand-in of Slack's API, and Slack's own library as the judge of signatures."""
import hashlib
import hmac
import html
import json
import time
import unittest

import channelbed
import harness
import sdkbed


class Slack(channelbed.Channel):
    provider = "slack"
    names = ("signing_secret", "bot_token")
    who = "U0CUSTOMER"

    def shown(self, text):
        return html.unescape(text)

    def test_a_name_is_asked_for(self):
        item, _ = self.take("hello")
        named = lambda: self.daemon.request("GET", f"/v1/conversations/{item['conversation']}", token=self.admin).json["customer"]
        harness.wait_for("the name", lambda: named()["name"] or None)
        self.assertEqual(named()["name"], "Ana")
        customer = self.daemon.request("GET", f"/v1/customers/{named()['id']}", token=self.admin).json
        self.assertEqual(customer["name"], "Ana")

    def test_the_handshake(self):
        post = self.stand.handshake()
        self.assertTrue(post["ok"], post)

    def signed(self, body, when=None, secret=None):
        when = str(int(time.time()) if when is None else when)
        mac = hmac.new((secret or self.stand.settings["signing_secret"]).encode(), f"v0:{when}:{body}".encode(), hashlib.sha256)
        return {"body": body, "timestamp": when, "signature": "v0=" + mac.hexdigest()}

    def test_the_library_agrees(self):
        body = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "EvSDK", "event": {
            "type": "message", "channel": "D9", "channel_type": "im", "user": "U9", "text": "从 SDK 来",
            "ts": "1767322545.000900"}}, ensure_ascii=False)
        requests = [self.signed(body), self.signed(body, secret="another"), self.signed(body, when=time.time() - 400)]
        said = sdkbed.sdk("slack", {"secret": self.stand.settings["signing_secret"], "requests": requests,
                                    "now_ms": int(time.time() * 1000)})
        statuses = [self.daemon.request("POST", "/in/c", one["body"].encode(), headers={
            "Content-Type": "application/json", "X-Slack-Signature": one["signature"],
            "X-Slack-Request-Timestamp": one["timestamp"]}).status for one in requests]
        self.assertEqual(statuses, [200, 401, 401])
        self.assertEqual(said["valid"], [True, False, False])

    def test_a_thread_of_a_channel_is_answered_there(self):
        body = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "EvT", "event": {
            "type": "message", "channel": "C7", "channel_type": "channel", "user": "U9", "text": "anyone?",
            "ts": "1767322545.000100"}})
        one = self.signed(body)
        self.stand.customer("C7")
        self.daemon.request("POST", "/in/c", body.encode(), headers={
            "Content-Type": "application/json", "X-Slack-Signature": one["signature"],
            "X-Slack-Request-Timestamp": one["timestamp"]})
        item = self.daemon.claim(self.alice)
        self.delivery(item, self.answer(item, "yes"), "sent")
        sent = self.stand.wait_sent(1)[0]["body"]
        self.assertEqual((sent["channel"], sent["thread_ts"]), ("C7", "1767322545.000100"))

    def test_a_removed_app_parks_the_channel(self):
        body = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "EvG", "event": {"type": "app_uninstalled"}})
        one = self.signed(body)
        self.daemon.request("POST", "/in/c", body.encode(), headers={
            "Content-Type": "application/json", "X-Slack-Signature": one["signature"],
            "X-Slack-Request-Timestamp": one["timestamp"]})
        self.assertIn("removed", harness.wait_for("the channel to be parked", self.parked))


if __name__ == "__main__":
    unittest.main()
