"""Who wrote: addresses in one form, and what proves them."""
import unittest
import urllib.parse

import harness


class Addresses(harness.TestCase):
    """A system that checked the addresses of its users (trust_addresses), and types them as they are typed at home."""

    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        rows = [f'  - {{ name: {name}, connector: webhook, secret: "{self.secret}", trust_addresses: true{region} }}\n'
                for name, region in (("china", ", default_region: CN"), ("brazil", ", default_region: BR"), ("none", ""))]
        self.daemon = self.start_daemon("".join(rows))
        self.alice = self.daemon.token()

    def customer_of(self, channel, message_id, sender, **addresses):
        answer = self.daemon.post_signed(channel, self.secret, {
            "id": message_id, "from": {"id": sender, "name": "李雷", **addresses}, "text": "你好"})
        self.assertEqual(answer.status, 200, answer)
        item = self.daemon.claim(self.alice)
        return self.daemon.request("GET", f"/v1/customers/{item['customer']['id']}", token=self.alice).json

    def phone_of(self, customer):
        return next(one for one in customer["identifiers"] if one["kind"] == "phone")

    def test_one_number_in_several_forms_is_one_customer(self):
        first = self.customer_of("china", "m1", "u1", phone="138 0013 8000")
        again = self.customer_of("none", "m2", "u2", phone="+86-13800138000")
        third = self.customer_of("china", "m3", "u3", phone="１３８００１３８０００")
        self.assertEqual({first["id"]}, {again["id"], third["id"]})
        phone = self.phone_of(first)
        self.assertEqual((phone["value"], phone["raw"], phone["proof"]),
                         ("+8613800138000", "138 0013 8000", "proved"))

    def test_a_national_variant_is_found_and_kept_as_it_was(self):
        first = self.customer_of("brazil", "m1", "u1", phone="(11) 98765-4321")
        again = self.customer_of("none", "m2", "u2", phone="+55 11 8765-4321")
        self.assertEqual(first["id"], again["id"])
        self.assertEqual(self.phone_of(again)["value"], "+5511987654321")
        landline = self.customer_of("brazil", "m3", "u3", phone="(11) 3234-5678")
        self.assertNotEqual(landline["id"], first["id"])

    def test_a_number_of_no_country_is_a_claim(self):
        first = self.customer_of("none", "m1", "u1", phone="138 0013 8000")
        again = self.customer_of("none", "m2", "u2", phone="138 0013 8000")
        self.assertNotEqual(first["id"], again["id"])
        phone = self.phone_of(first)
        self.assertEqual((phone["value"], phone["proof"]), ("138 0013 8000", "claimed"))

    def test_domains_beyond_ascii_are_compared_in_one_form(self):
        first = self.customer_of("china", "m1", "u1", email="Wang@例子.中国")
        again = self.customer_of("china", "m2", "u2", email="wang@xn--fsqu00a.xn--fiqs8s")
        self.assertEqual(first["id"], again["id"])
        found = self.daemon.request(
            "GET", "/v1/customers?identifier=" + urllib.parse.quote("email:WANG@例子。中国"), token=self.alice)
        self.assertEqual([one["id"] for one in found.json["data"]], [first["id"]], found)


if __name__ == "__main__":
    unittest.main()
