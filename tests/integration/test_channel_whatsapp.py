"""whatsapp against the stand-in of the Cloud API, and a library that others wrote as the judge of signatures."""
import hashlib
import hmac
import json
import secrets
import unittest

import channelbed
import harness
import sdkbed


class WhatsApp(channelbed.Channel):
    provider = "whatsapp"
    names = ("app_secret", "verify_token", "access_token", "phone_number_id")
    who = "16505551234"
    has_window = True

    def test_the_handshake(self):
        post = self.stand.handshake()
        self.assertTrue(post["ok"], post)

    def test_receipts(self):
        item, _ = self.take("hello")
        good, bad = self.answer(item, "one"), self.answer(item, "two")
        for message in (good, bad):
            self.delivery(item, message, "sent")
        sent = self.stand.sent()
        self.stand.receipt(sent[0]["id"], "read")
        self.stand.receipt(sent[0]["id"], "delivered")  # late: never backwards
        self.stand.receipt(sent[1]["id"], "failed", code="131026")
        self.delivery(item, good, "read")
        self.assertIn("131026", str(self.delivery(item, bad, "failed")["error"]))

    def test_an_uncertain_send_is_settled_by_its_receipt(self):
        item, _ = self.take("hello")
        self.stand.fault("drop_after_accept")
        message = self.answer(item, "exactly once")
        self.delivery(item, message, "uncertain")
        self.assertEqual(self.stand.texts(), ["exactly once"])

    def test_the_number_is_the_customers(self):
        item, _ = self.take("hello")
        customer = self.daemon.request("GET", f"/v1/customers/{item['customer']['id']}", token=self.alice).json
        kinds = {(one["kind"], one["value"], one["proof"]) for one in customer["identifiers"]}
        self.assertIn(("whatsapp", self.who, "proved"), kinds)
        self.assertIn(("phone", "+" + self.who, "proved"), kinds)

    def test_a_template_opens_what_is_closed(self):
        item, _ = self.take("hello")
        self.stand.customer(self.who, window_ms=0)
        self.stand.fault("window_closed")
        failed = self.delivery(item, self.answer(item, "too late"), "failed")
        self.assertIn("window", str(failed))
        answer = self.daemon.request("POST", f"/v1/conversations/{item['conversation']}/messages",
                                     {"kind": "reply", "template": {"name": "hello_world", "language": "en_US"}},
                                     self.alice, headers={"Idempotency-Key": secrets.token_hex(8)})
        self.assertEqual(answer.status, 201, answer)
        self.delivery(item, answer.json["id"], "sent", "delivered")
        self.assertEqual(self.stand.sent()[-1]["kind"], "template")

    def test_a_place_both_ways(self):
        item, thread = self.take(kind="location")
        self.assertEqual(thread[0]["kind"], "location")
        answer = self.daemon.request("POST", f"/v1/conversations/{item['conversation']}/messages",
                                     {"kind": "reply", "text": "", "location": {
                                         "latitude": 31.2, "longitude": 121.5, "name": "外滩", "address": ""}},
                                     self.alice, headers={"Idempotency-Key": secrets.token_hex(8)})
        self.assertEqual(answer.status, 201, answer)
        self.delivery(item, answer.json["id"], "sent", "delivered")
        self.assertEqual(self.stand.sent()[-1]["kind"], "location")

    def test_a_batch_of_a_thousand_is_whole(self):
        """After an outage Meta sends what has waited at once; a batch that is too large must not be lost or cut."""
        settings = self.stand.settings
        body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{
            "field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "1", "phone_number_id": settings["phone_number_id"]},
                "contacts": [{"profile": {"name": "A"}, "wa_id": self.who}],
                "messages": [{"from": self.who, "id": f"wamid.{number}", "timestamp": "1767322545", "type": "text",
                              "text": {"body": str(number)}} for number in range(1000)]}}]}]}).encode()
        signature = "sha256=" + hmac.new(settings["app_secret"].encode(), body, hashlib.sha256).hexdigest()
        answer = self.daemon.request("POST", "/in/c", body, headers={
            "Content-Type": "application/json", "X-Hub-Signature-256": signature})
        self.assertEqual(answer.status, 200, answer)
        item, seen, after = self.daemon.claim(self.alice), [], ""
        while after is not None:
            page = self.daemon.request("GET", f"/v1/conversations/{item['conversation']}/messages?limit=200{after}",
                                       token=self.alice).json
            seen += [one["text"] for one in page["data"]]
            after = f"&after={page['next_cursor']}" if page["next_cursor"] else None
        self.assertEqual(sorted(seen, key=int), [str(number) for number in range(1000)])

    def test_another_library_agrees(self):
        settings = self.stand.settings
        body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{
            "field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "1", "phone_number_id": settings["phone_number_id"]},
                "contacts": [{"profile": {"name": "A"}, "wa_id": "16505559999"}],
                "messages": [{"from": "16505559999", "id": "wamid.SDK", "timestamp": "1767322545", "type": "text",
                              "text": {"body": "从 SDK 来"}}]}}]}]})
        good = "sha256=" + hmac.new(settings["app_secret"].encode(), body.encode(), hashlib.sha256).hexdigest()
        bad = good[:-2] + "00"
        said = sdkbed.sdk("whatsapp", {"secret": settings["app_secret"], "requests": [
            {"body": body, "signature": good}, {"body": body, "signature": bad}]})
        self.assertEqual(said["valid"], [True, False])
        for one, status in ((good, 200), (bad, 401)):
            answer = self.daemon.request("POST", "/in/c", body.encode(), headers={
                "Content-Type": "application/json", "X-Hub-Signature-256": one})
            self.assertEqual(answer.status, status, answer)
        self.assertEqual([one["text"] for one in self.inbound(self.daemon.claim(self.alice))],
                         [one["text"] for one in said["seen"]])


if __name__ == "__main__":
    unittest.main()
