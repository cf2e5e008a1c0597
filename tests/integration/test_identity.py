"""Who wrote: addresses in one form, and what proves them."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import time
import unittest
import urllib.parse

import harness
import mailbed


class Addresses(harness.TestCase):
    """A system that checked the addresses of its users (trust_addresses), and types them as they are typed at home."""

    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        rows = [f'  - {{ name: {name}, connector: webhook, secret: "{self.secret}", trust_addresses: true{region} }}\n'
                for name, region in (("china", ""), ("brazil", ", default_region: BR"), ("none", ", default_region: ZZ"))]
        self.daemon = self.start_daemon("".join(rows), extra="default_region: CN\n")
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
        for typed in ("138 0013 8000", "+8613800138000", "0086 138-0013-8000"):
            found = self.daemon.request("GET", "/v1/customers?identifier=" + urllib.parse.quote("phone:" + typed),
                                        token=self.alice)
            self.assertEqual([one["id"] for one in found.json["data"]], [first["id"]], typed)
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

    def test_a_claim_of_what_another_one_proved_is_suggested_and_can_be_dismissed(self):
        self.daemon.stop()
        secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: sure, connector: webhook, secret: "{secret}", trust_addresses: true }}\n'
            f'  - {{ name: open, connector: webhook, secret: "{secret}" }}\n')
        self.alice, self.secret = self.daemon.token(), secret
        owner = self.customer_of("sure", "m1", "u1", email="li@example.org")
        claimer = self.customer_of("open", "m2", "u2", email="Li@Example.org")
        self.assertNotEqual(owner["id"], claimer["id"])
        for one, other in ((owner, claimer), (claimer, owner)):
            seen = self.suggestions(one["id"])
            self.assertEqual([(row["customer"], row["state"], row["score"]) for row in seen], [(other["id"], "open", 70)])
            self.assertEqual({key: seen[0]["evidence"][0][key] for key in ("channel", "kind", "value", "proof")},
                             {"channel": "open", "kind": "email", "value": "li@example.org", "proof": "claimed"})
        path = f"/v1/customers/{claimer['id']}/suggestions/{owner['id']}/dismiss"
        for key in ("k1", "k1"):
            answer = self.daemon.request("POST", path, token=self.alice, headers={"Idempotency-Key": key})
            self.assertEqual(answer.status, 204, answer)
        again = self.daemon.request("POST", path, token=self.alice, headers={"Idempotency-Key": "k2"})
        self.assertEqual((again.status, again.json["code"], again.json["state"]), (409, "illegal_state", "dismissed"))
        none = self.daemon.request("POST", path.replace(owner["id"], claimer["id"]), token=self.alice)
        self.assertEqual((none.status, none.json["code"]), (404, "no_such_suggestion"))
        self.assertEqual([(row["state"], row["by"]) for row in self.suggestions(owner["id"])], [("dismissed", "alice")])
        # The same claim on another occasion does not bring it back.
        answer = self.daemon.post_signed("open", self.secret, {"id": "m3", "thread": "other", "text": "还有", "from": {
            "id": "u2", "email": "li@example.org", "phone": "+8613800138000"}})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual([row["state"] for row in self.suggestions(owner["id"])], ["dismissed"])

    def suggestions(self, customer):
        answer = self.daemon.request("GET", f"/v1/customers/{customer}/suggestions", token=self.alice)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["data"]


IDENTITY_SECRET = "0123456789abcdef0123456789abcdef"


def signed_identity(algorithm="HS256", **claims):
    """A JWT of the host application."""
    claims = {"aud": "app", "exp": int(time.time()) + 600, **claims}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
             for part in ({"alg": algorithm}, claims)]
    mac = hmac.new(IDENTITY_SECRET.encode(), b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


class SignedIdentity(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: sure, connector: webhook, secret: "{self.secret}", trust_addresses: true }}\n'
            f'  - {{ name: app, connector: webhook, secret: "{self.secret}", identity_secret: "{IDENTITY_SECRET}" }}\n')
        self.alice = self.daemon.token()

    def post(self, channel, message_id, sender, **more):
        return self.daemon.post_signed(channel, self.secret, {"id": message_id, "text": "你好", "from": sender, **more})

    def customer_of(self, channel, message_id, sender, **more):
        answer = self.post(channel, message_id, sender, **more)
        self.assertEqual(answer.status, 200, answer)
        return self.daemon.claim(self.alice)["customer"]["id"]

    def now(self, customer):
        return self.daemon.request("GET", f"/v1/customers/{customer}", token=self.alice).json

    def test_a_person_who_proves_the_address_of_another_record_is_merged_with_it(self):
        owner = self.customer_of("sure", "m1", {"id": "u1", "email": "li@example.org"})
        person = self.customer_of("app", "m2", {"identity": signed_identity(sub="p1")})
        self.assertNotEqual(person, owner)
        answer = self.post("app", "m3", {"identity": signed_identity(sub="p1", email="Li@Example.org")}, thread="two")
        self.assertEqual(answer.status, 200, answer)
        harness.wait_for("the merge", lambda: self.now(person)["id"] == owner)
        kinds = sorted((one["kind"], one["by"]) for one in self.now(owner)["identifiers"])
        self.assertEqual(kinds, [("email", "webhook"), ("webhook", "jwt"), ("webhook", "signature")])
        merge = self.daemon.request("GET", f"/v1/customers/{owner}/merges", token=self.alice).json["data"][0]
        self.assertEqual((merge["by"], merge["evidence"]["kind"], merge["evidence"]["channel"]), ("jwt", "jwt", "app"))
        self.assertEqual(self.customer_of("app", "m4", {"identity": signed_identity(sub="p1")}, thread="three"), owner)
        # A person who reverts it has the last word.
        undone = self.daemon.request("POST", f"/v1/customers/{owner}/merges/{merge['id']}/revert", {}, self.alice)
        self.assertEqual(undone.status, 200, undone)
        self.assertEqual(self.now(person)["id"], person)
        again = {"identity": signed_identity(sub="p1", email="li@example.org")}
        self.assertEqual(self.customer_of("app", "m5", again, thread="four"), person)
        states = self.daemon.request("GET", f"/v1/customers/{person}/suggestions", token=self.alice).json["data"]
        self.assertEqual([(one["customer"], one["state"]) for one in states], [(owner, "dismissed")])
        self.assertEqual(self.customer_of("app", "m6", again, thread="five"), person)

    def test_many_at_once_end_in_one_customer(self):
        owners = [self.customer_of("sure", f"o{n}", {"id": f"u{n}", "email": f"li{n}@example.org"}) for n in range(6)]
        person = self.customer_of("app", "p", {"identity": signed_identity(sub="p1")})
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda n: self.post("app", f"m{n}", {"identity": signed_identity(
                sub="p1", email=f"li{n}@example.org")}, thread=f"t{n}"), range(6)))
        self.assertEqual({answer.status for answer in answers}, {200})
        harness.wait_for("the merges", lambda: {self.now(one)["id"] for one in (*owners, person)} == {owners[0]})

    def test_two_accounts_of_one_application_are_two_until_somebody_decides(self):
        one, other = (self.customer_of("app", f"m{sub}", {"identity": signed_identity(sub=sub)}) for sub in ("p1", "p2"))
        for sub in ("p1", "p2"):
            self.customer_of("app", f"n{sub}", {"identity": signed_identity(sub=sub, email="li@example.org")}, thread="two")
        self.assertEqual((self.now(one)["id"], self.now(other)["id"]), (one, other))
        [seen] = self.daemon.request("GET", f"/v1/customers/{one}/suggestions", token=self.alice).json["data"]
        self.assertEqual((seen["customer"], seen["state"], seen["score"]), (other, "open", 100))
        done = self.daemon.request("POST", f"/v1/customers/{one}/merge", {"from": other}, self.alice)
        self.assertEqual(done.status, 200, done)

    def test_an_identity_that_is_not_good_is_refused(self):
        for identity in (signed_identity(algorithm="none", sub="p"), signed_identity(sub="p", aud="other"),
                         signed_identity(sub="p", exp=int(time.time()) + 7200), signed_identity(sub="p")[:-4] + "AAAA"):
            answer = self.post("app", "m1", {"identity": identity})
            self.assertEqual((answer.status, answer.json["code"]), (400, "bad_message"), answer)
            self.assertIn("from.identity", answer.json["detail"])
        self.assertIsNone(self.daemon.claim(self.alice, wait_s=0))


OUR_SERVER = "Authentication-Results: mx.example.test; "
PROVED = OUR_SERVER + "dkim=pass header.d=customer.test; dmarc=pass header.from=customer.test\r\n"


class MailSenders(mailbed.MailCase):
    def channels(self, imap=None, smtp_port=None, after="seen", more=""):
        return super().channels(imap, smtp_port, after, "    authserv_id: mx.example.test\n" + more)

    def taken(self):
        """The next item's message and the customer behind it."""
        item = self.claim()
        customer = self.daemon.request("GET", f"/v1/customers/{item['customer']['id']}", token=self.alice).json
        return self.thread(item)[0], customer

    def test_a_proved_sender_is_one_customer_and_a_forger_another(self):
        self.start()
        self.lmtp(PROVED.encode() + mailbed.letter(number=1))
        message, han = self.taken()
        self.assertEqual(message["extra"]["auth"], {"level": "proved", "by": "dmarc", "dkim": "pass", "spf": None,
                                                    "dmarc": "pass", "suspicions": []})
        self.assertEqual((han["identifiers"][0]["proof"], han["identifiers"][0]["by"]), ("proved", "dmarc"))
        self.lmtp(PROVED.encode() + mailbed.letter(number=2, subject="另一件事"))
        self.assertEqual(self.taken()[1]["id"], han["id"])
        # What an outsider wrote stands below the first Received field, which our own server adds.
        self.lmtp(b"Received: from evil by mx.example.test; Mon, 23 Nov 2026 10:00:00 +0000\r\n" + PROVED.encode() +
                  mailbed.letter(number=3, subject="请改我的密码"))
        message, forger = self.taken()
        self.assertNotEqual(forger["id"], han["id"])
        self.assertEqual(message["extra"]["auth"]["level"], "claimed")
        self.assertEqual(message["extra"]["auth"]["suspicions"], ["forged_results"])
        self.lmtp(OUR_SERVER.encode() + b"spf=pass smtp.mailfrom=han@customer.test; dmarc=fail "
                  b"header.from=customer.test\r\n" + mailbed.letter(number=4, subject="又一封"))
        message, again = self.taken()
        self.assertEqual(again["id"], forger["id"])
        self.assertEqual(message["extra"]["auth"]["suspicions"], ["dmarc_failed"])

    def test_mail_from_a_real_mailbox_is_judged_alike(self):
        self.start(imap=True)
        self.imap.deliver(PROVED.encode() + mailbed.letter(number=1))
        message, han = self.taken()
        self.assertEqual(message["extra"]["auth"]["by"], "dmarc")
        self.assertEqual(han["identifiers"][0]["proof"], "proved")
        self.imap.deliver(OUR_SERVER.encode() + b"dkim=pass header.d=evil.test\r\n" +
                          mailbed.letter(number=2, subject="x", sender='"han@customer.test" <x@evil.test>'))
        message, other = self.taken()
        self.assertNotEqual(other["id"], han["id"])
        self.assertEqual(message["extra"]["auth"]["suspicions"], ["address_in_name"])


if __name__ == "__main__":
    unittest.main()
