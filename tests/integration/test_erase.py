"""Erasing a person: nothing of them is left in any file, and nobody else is touched."""
import base64
import pathlib
import secrets
import shutil
import signal
import urllib.parse

import harness
import historybed

CHANNELS = """\
  - {{ name: shop, connector: webhook, secret: "{secret}", deliver_url: "http://127.0.0.1:9/out", allow_private_urls: true }}
  - {{ name: site, connector: webchat }}
  - {{ name: support, connector: email, address: support@example.test, smtp: {{ url: "smtp://127.0.0.1:9" }} }}
"""


def canary():
    return "canary" + secrets.token_hex(10)


class EraseTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.begin()

    def begin(self, name="node", extra=""):
        self.daemon = self.start_daemon(CHANNELS.format(secret=self.secret), name, extra=extra)
        self.agent = self.daemon.token()
        self.lead = self.daemon.token("supervisor")

    def api(self, method, path, body=None, token=None, status=(200, 201, 202, 204)):
        answer = self.daemon.request(method, path, body, token=token or self.lead)
        self.assertIn(answer.status, status, answer)
        return answer.json

    def owner(self, identifier):
        found = self.api("GET", "/v1/customers?identifier=" + urllib.parse.quote(identifier))["data"]
        return found[0]["id"] if found else None

    def say(self, sender, text, number, **more):
        body = {"id": f"m{number}-{sender}", "from": {"id": sender, **more.pop("from", {})}, "text": text, **more}
        answer = self.daemon.post_signed("shop", self.secret, body)
        self.assertEqual(answer.status, 200, answer)

    def mail(self, sender, words):
        harness.send_lmtp(self.daemon.lmtp_port, sender, "support@example.test", (
            f"From: {words[0]} <{sender}>\r\nTo: support@example.test\r\nSubject: {words[1]}\r\nMessage-ID: <{words[2]}@example.test>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
            f"{words[3]}\r\n--b\r\nContent-Type: application/octet-stream; name={words[4]}.bin\r\n"
            f"Content-Disposition: attachment; filename={words[4]}.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.b64encode(words[5].encode() * 3).decode() + "\r\n--b--\r\n").encode())

    def bytes_with(self, words):
        """Files under the state_dir that hold one of the words, or its base64."""
        hits = set()
        for path in pathlib.Path(self.daemon.state_dir).rglob("*"):
            if not path.is_file():
                continue
            data = path.read_bytes()
            for word in words:
                if word.encode() in data or base64.b64encode(word.encode() * 3) in data:
                    hits.add((path.name, word))
        return hits

    def job_done(self, job):
        return self.api("GET", f"/v1/jobs/{job}")["state"] == "done"

    def person(self, name):
        """Somebody who wrote on three channels and was answered; every word of theirs is a canary."""
        words = [canary() for _ in range(23)]
        sender, address = f"{name}{words[0]}", f"{words[1]}@example.test"
        self.say(sender, words[2], 1, **{"from": {"name": words[3], "email": address}})
        for number in range(2, 120):
            self.say(sender, f"{words[4]} {number}", number, thread=f"t{number % 3}")
        self.mail(address, words[5:11])
        first = self.owner(f"webhook:shop:{sender}")
        harness.wait_for("the mail", lambda: self.owner(f"email:{address}"))
        second = next(one["id"] for one in self.api("GET", "/v1/customers?identifier=" + urllib.parse.quote(f"email:{address}"))["data"]
                      if one["id"] != first)
        self.api("POST", f"/v1/customers/{first}/merge", {"from": second})
        self.api("POST", f"/v1/customers/{first}/merge", {"from": self.visit(words[17:])})
        self.api("PATCH", f"/v1/customers/{first}", {"attributes": {"city": words[11]}})
        talk = self.api("GET", f"/v1/customers/{first}")["conversations"][0]["id"]
        self.api("POST", f"/v1/conversations/{talk}/messages", {"kind": "note", "text": words[12]}, token=self.agent)
        self.api("POST", "/v1/work-items", {"queue": "support", "customer": first, "summary": words[13]})
        self.api("POST", f"/v1/customers/{first}/notes", {"text": words[14]}, token=self.agent)
        self.api("PUT", f"/v1/customers/{first}/orders/o1", {"status": words[15]})
        self.api("PUT", f"/v1/customers/{first}/consent/marketing", {"state": "granted", "source": words[16]})
        return first, sender, address, words

    def visit(self, words):
        """A visitor of the web chat who says who they are, writes, sends a file and rates; the customer's id."""
        token = self.api("POST", "/chat/site/sessions", {"name": words[0], "email": f"{words[1]}@example.test"})["token"]
        file = self.daemon.request("POST", f"/chat/site/attachments?name={words[4]}.bin", words[2].encode() * 3, token)
        self.assertEqual(file.status, 201, file)
        self.api("POST", "/chat/site/messages", {"text": words[3], "attachments": [file.json]}, token=token)
        self.api("POST", "/chat/site/rating", {"score": 4, "comment": words[5]}, token=token)
        items = self.api("GET", "/v1/work-items?limit=200")["data"]
        return next(item["customer"]["id"] for item in items if item["customer"]["name"] == words[0])

    def test_nothing_is_left_and_nobody_else_is_touched(self):
        customer, sender, address, words = self.person("a")
        other, other_sender, other_address, other_words = self.person("b")
        before = self.api("GET", f"/v1/customers/{other}")
        harness.wait_for("the history", lambda: any(name.startswith("history") for name, _ in self.bytes_with(words)))
        harness.wait_for("every word to be somewhere", lambda: {word for _, word in self.bytes_with(words)} == set(words))
        seen = self.api("DELETE", f"/v1/customers/{customer}?preview=true")
        self.assertTrue(seen["preview"])
        self.assertEqual(self.owner(f"webhook:shop:{sender}"), customer)
        job = self.api("DELETE", f"/v1/customers/{customer}")["id"]
        self.assertEqual(self.api("DELETE", f"/v1/customers/{customer}", status=(202, 404)).get("id", job), job)
        harness.wait_for("the job", lambda: self.job_done(job), 60)
        self.assertEqual(self.bytes_with(words), set())
        self.api("GET", f"/v1/customers/{customer}", status=(404,))
        self.assertIsNone(self.owner(f"webhook:shop:{sender}"))
        self.assertEqual(self.api("GET", f"/v1/search?q={words[4]}")["data"], [])
        after = self.api("GET", f"/v1/customers/{other}")
        self.assertEqual({one["id"] for one in after["conversations"]}, {one["id"] for one in before["conversations"]})
        self.assertEqual(after["identifiers"], before["identifiers"])
        self.assertNotEqual(self.bytes_with(other_words), set())
        self.say(sender, "hello again", 500)
        again = self.owner(f"webhook:shop:{sender}")
        self.assertNotIn(again, (None, customer, other))
        anew = self.api("GET", f"/v1/customers/{again}")
        self.assertLess(anew["erased_before"], anew["created_at"])
        self.assertNotIn(customer, str(anew))
        self.assertIsNone(self.api("GET", f"/v1/customers/{other}")["erased_before"])

    def test_a_death_in_the_middle_ends_in_the_same(self):
        customer, sender, _, words = self.person("a")
        job = self.api("DELETE", f"/v1/customers/{customer}")["id"]
        for _ in range(4):
            self.daemon.kill()
            self.daemon.start(apply=False)
        harness.wait_for("the job", lambda: self.job_done(job), 60)
        self.assertEqual(self.bytes_with(words), set())

    def test_nothing_is_left_in_postgresql(self):
        postgres = historybed.Postgres()
        self.addCleanup(postgres.stop)
        postgres.start()
        secret = self.folder / "postgres.password"
        secret.write_text(postgres.password + "\n")
        secret.chmod(0o600)
        self.begin("sql", f"history: {{ url: '{postgres.url}', password_file: {secret} }}\n")
        customer, _, _, words = self.person("a")
        other, _, _, other_words = self.person("b")
        files = postgres.folder / "data" / "base"

        def found(sought):
            postgres.rows("CHECKPOINT")
            return {word for path in files.rglob("*") if path.is_file() for word in sought if word.encode() in path.read_bytes()}

        harness.wait_for("the history", lambda: words[4] in found(words) and other_words[4] in found(other_words))
        job = self.api("DELETE", f"/v1/customers/{customer}")["id"]
        harness.wait_for("the job", lambda: self.job_done(job), 60)
        self.assertEqual(found(words), set())
        self.assertEqual(self.bytes_with(words), set())
        self.assertIn(other_words[4], found(other_words))

    def test_who_may_and_what_is_not_there(self):
        self.api("DELETE", "/v1/customers/cus_00000000000000000000000000", status=(404,))
        self.api("GET", "/v1/jobs/job_00000000000000000000000000", status=(404,))
        self.say("a", "x", 1)
        customer = self.owner("webhook:shop:a")
        self.api("DELETE", f"/v1/customers/{customer}", token=self.agent, status=(403,))

    def test_a_legal_hold_stands_against_it_through_merges_and_their_revert(self):
        for number, name in enumerate("ab"):
            self.say(name, "hello", number)
        first, second = (self.owner(f"webhook:shop:{name}") for name in "ab")
        self.api("PUT", f"/v1/customers/{second}/hold", {"reason": "case 7"}, token=self.agent, status=(403,))
        self.api("PUT", f"/v1/customers/{second}/hold", {}, status=(400,))
        self.assertEqual(self.api("PUT", f"/v1/customers/{second}/hold", {"reason": "case 7"})["reason"], "case 7")
        self.assertEqual(self.api("GET", f"/v1/customers/{second}")["hold"]["reason"], "case 7")
        merge = self.api("POST", f"/v1/customers/{first}/merge", {"from": second})["merge"]
        held = self.api("GET", f"/v1/customers/{first}")["hold"]
        self.assertEqual((held["reason"], held["customer"]), ("case 7", second))
        refused = self.api("DELETE", f"/v1/customers/{first}", status=(409,))
        self.assertEqual(refused["code"], "legal_hold")
        self.assertIn("case 7", refused["detail"])
        self.api("PUT", f"/v1/customers/{first}/hold", {"reason": "case 8"})
        self.api("POST", f"/v1/customers/merges/{merge}/revert", {})
        for one, reason in ((first, "case 8"), (second, "case 7")):
            self.assertEqual(self.api("GET", f"/v1/customers/{one}")["hold"]["reason"], reason)
            self.api("DELETE", f"/v1/customers/{one}", status=(409,))
        self.api("DELETE", f"/v1/customers/{first}/hold", status=(403,))
        self.api("DELETE", f"/v1/customers/{first}/hold", token=self.daemon.token("admin", None))
        self.assertIsNone(self.api("GET", f"/v1/customers/{first}")["hold"])
        job = self.api("DELETE", f"/v1/customers/{first}")["id"]
        harness.wait_for("the job", lambda: self.job_done(job), 60)
        self.assertEqual(self.owner("webhook:shop:b"), second)

    def test_what_was_split_off_is_somebody_elses_however_old(self):
        for number, name in enumerate("ab"):
            self.say(name, "hello", number)
        first, second = (self.owner(f"webhook:shop:{name}") for name in "ab")
        self.api("POST", f"/v1/customers/{first}/merge", {"from": second})
        for number in range(60):  # more than a customer's record names
            self.say("b", f"about {number}", 100 + number, thread=f"t{number}")
        items = self.api("GET", "/v1/work-items?limit=200")["data"]
        talks = [item["conversation"] for item in items if item["customer"]["id"] == first]
        new = self.api("POST", f"/v1/customers/{first}/split", {"identifier": "webhook:shop:b"})["customer"]
        job = self.api("DELETE", f"/v1/customers/{first}")["id"]
        harness.wait_for("the job", lambda: self.job_done(job), 60)
        left = {item["conversation"] for item in self.api("GET", "/v1/work-items?limit=200&state=queued")["data"]}
        self.assertEqual(len(left & set(talks)), len(talks) - 1)
        self.assertEqual(self.owner("webhook:shop:b"), new)

    def test_who_was_erased_since_a_backup_is_erased_again_when_it_is_restored(self):
        words = [canary() for _ in range(3)]
        self.say("a", words[0], 1, **{"from": {"name": words[1]}})
        self.say("b", words[2], 2)
        customer, other = self.owner("webhook:shop:a"), self.owner("webhook:shop:b")
        harness.wait_for("the history", lambda: any(name.startswith("history") for name, _ in self.bytes_with(words[:1])))
        archive = self.folder / "backup.tar"
        self.daemon.ctl("backup", str(archive))
        job = self.api("DELETE", f"/v1/customers/{customer}")["id"]
        harness.wait_for("the job", lambda: self.job_done(job), 60)
        kept = (self.daemon.state_dir / "erased").read_bytes()
        self.assertNotIn(customer.encode(), kept)
        self.say("a", "back again", 3)
        back = self.owner("webhook:shop:a")
        self.daemon.stop()

        shutil.rmtree(self.daemon.state_dir)
        self.daemon.ctl("restore", str(archive))
        self.assertIn(words[0].encode(), b"".join(path.read_bytes() for path in self.daemon.state_dir.rglob("*") if path.is_file()))
        (self.daemon.state_dir / "erased").write_bytes(kept)
        self.daemon.start(apply=False)
        harness.wait_for("nothing to be left", lambda: self.bytes_with(words[:2]) == set(), 60)
        self.assertIsNone(self.owner("webhook:shop:a"))
        self.assertNotEqual(back, customer)
        self.assertEqual(self.owner("webhook:shop:b"), other)
        self.say("a", "once more", 4)
        self.assertIsNotNone(self.api("GET", f"/v1/customers/{self.owner('webhook:shop:a')}")["erased_before"])

    def test_from_the_command_line(self):
        self.say("a", "hello", 1)
        customer = self.owner("webhook:shop:a")
        self.daemon.ctl("customer", "hold", customer, "--reason", "case 7")
        self.assertEqual(self.daemon.ctl_result("customer", "erase", customer, "--yes").returncode, 1)
        self.daemon.ctl("customer", "unhold", customer)
        self.assertEqual(self.daemon.ctl_result("customer", "erase", customer).returncode, 64)
        self.daemon.ctl("customer", "erase", customer, "--preview")
        self.assertEqual(self.owner("webhook:shop:a"), customer)
        self.daemon.ctl("customer", "erase", customer, "--yes")
        harness.wait_for("the erasure", lambda: self.owner("webhook:shop:a") is None, 60)
