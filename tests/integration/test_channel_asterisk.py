"""asterisk against a strict stand-in of its manager interface: calls of a queue, and what was missed while nobody listened."""
import json
import ssl
import subprocess
import unittest

import amibed
import harness

BUSINESS = """
queues: [{ id: support, name: Support, wrap_up: 1h }]
agents:
  - { id: alice, name: Alice, lines: [PJSIP/101], capacity: 5 }
  - { id: bob, name: Bob, lines: [PJSIP/102] }
"""


class Asterisk(harness.TestCase):
    def begin(self, pbx=None, **more):
        self.pbx = pbx or amibed.Asterisk(self)
        row = {"name": "pbx", "connector": "asterisk", "host": "127.0.0.1", "port": self.pbx.port, "username": "converge",
               "secret": "amisecret", **more}
        self.daemon = self.start_daemon(f"  - {json.dumps(row)}\n", business=BUSINESS)
        self.admin = self.daemon.token("admin", None)

    def items(self):
        return self.daemon.request("GET", "/v1/work-items", token=self.admin).json["data"]

    def item(self, state, **more):
        """Waits until there is one item, in this state."""
        def look():
            items = self.items()
            self.assertLess(len(items), 2, items)
            if items and items[0]["state"] == state and all(items[0][name] == value for name, value in more.items()):
                return items[0]
            return None
        return harness.wait_for(f"an item to be {state} {more}", look)

    def events(self, item, count):
        def look():
            thread = self.daemon.messages(item["conversation"], self.admin)
            return [one["extra"]["call"]["event"] for one in thread] if len(thread) >= count else None
        return harness.wait_for(f"{count} events", look)

    def test_a_call_from_the_queue_to_the_wrap_up(self):
        self.begin()
        self.pbx.wait_for_login()
        self.pbx.call("1.10", "+8613900000000")
        self.item("queued")
        self.pbx.tell("AgentRingNoAnswer", "1.10", Queue="support", MemberName="Bob", Interface="PJSIP/102", RingTime="15")
        self.pbx.answer("1.10", "PJSIP/101")
        self.item("assigned", agent="alice")
        self.pbx.tell("Hold", "1.10", MusicClass="default")
        self.pbx.tell("Unhold", "1.10")
        self.pbx.hang_up("1.10", talk=102)
        item = self.item("wrapping", agent="alice")
        self.assertEqual(self.events(item, 7), ["queued", "not answered", "answered", "held", "resumed", "ended", "hung up"])
        self.assertEqual(self.pbx.wrong, [])

    def test_a_caller_who_gives_up_is_called_back(self):
        self.begin(auth="plain")
        self.pbx.wait_for_login()
        self.pbx.call("1.10", "+8613900000000")
        self.item("queued")
        self.pbx.hang_up("1.10", abandoned=True)
        item = self.item("queued", type="callback")
        self.assertEqual(self.events(item, 3), ["queued", "abandoned", "hung up"])
        self.assertEqual((self.pbx.wrong, "Challenge" in self.pbx.actions), ([], False))

    def test_what_was_missed_while_the_connection_was_away_is_found(self):
        self.begin()
        self.pbx.wait_for_login()
        for call in ("1.10", "1.20", "1.30"):
            self.pbx.call(call, "+861390000" + call.replace(".", ""))
        harness.wait_for("three items", lambda: len(self.items()) == 3)
        self.daemon.kill()  # its connection ends with it
        self.pbx.answer("1.10", "PJSIP/102", heard=False)
        self.pbx.hang_up("1.20", heard=False)
        self.pbx.call("1.40", "+8613900000040", heard=False)
        self.daemon.start()
        def settled():
            found = sorted((one["state"], one["type"], one["agent"] or "") for one in self.items())
            return found == [("assigned", "", "bob"), ("queued", "", ""), ("queued", "", ""), ("queued", "callback", "")]
        harness.wait_for("all four to stand where they are", settled)
        self.pbx.hang_up("1.10", device="PJSIP/102", talk=9)
        harness.wait_for("bob to wrap up", lambda: [one for one in self.items() if one["state"] == "wrapping"])
        self.assertEqual(self.pbx.wrong, [])

    def test_a_store_that_is_away_costs_no_event(self):
        self.begin()
        self.pbx.wait_for_login()
        self.pbx.call("1.10", "+8613900000000")
        self.item("queued")
        self.daemon.kill_store()
        self.pbx.answer("1.10", "PJSIP/101")
        self.pbx.hang_up("1.10", talk=9)
        item = self.item("wrapping", agent="alice")
        self.assertEqual(self.events(item, 4), ["queued", "answered", "ended", "hung up"])

    def test_a_dropped_connection_comes_back(self):
        self.begin()
        self.pbx.wait_for_login()
        self.pbx.call("1.10", "+8613900000000")
        self.item("queued")
        self.pbx.drop()
        self.pbx.answer("1.10", "PJSIP/101", heard=False)
        item = self.item("assigned", agent="alice")
        self.assertEqual(self.events(item, 2), ["queued", "answered"], "the one who waited is not told twice")

    def test_who_may_not_list_channels_hears_what_comes(self):
        self.begin(amibed.Asterisk(self, lists_channels=False))
        self.pbx.wait_for_login()
        self.pbx.call("1.10", "+8613900000000")
        self.item("queued")
        self.pbx.hang_up("1.10", abandoned=True)
        self.item("queued", type="callback")

    def test_another_queue_is_left_alone(self):
        self.begin(queues=["sales"])
        self.pbx.wait_for_login()
        self.pbx.call("1.10", "+8613900000000")
        self.pbx.calls["1.20"] = {"CallerIDNum": "+8613900000020"}
        self.pbx.tell("QueueCallerJoin", "1.20", Queue="sales", Position="1", Count="1")
        self.item("queued")
        self.assertEqual(len(self.items()), 1)

    def test_a_wrong_secret_parks_the_channel_and_a_good_one_is_tried(self):
        self.begin(amibed.Asterisk(self, secret="another"))
        def parked():
            row = self.daemon.request("GET", "/v1/channels", token=self.admin).json["data"][0]
            return row if "login" in json.dumps(row) else None
        harness.wait_for("the channel to be parked", parked)
        self.pbx.secret = "amisecret"
        tried = self.daemon.request("POST", "/v1/channels/pbx/test", {}, self.admin)
        self.assertIn("the login is accepted", str(tried), tried)
        harness.wait_for("it to work", lambda: not parked())

    def test_tls_with_a_certificate_of_the_given_authority(self):
        pem, crt = self.folder / "ami.pem", self.folder / "ami.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", crt, "-days", "2",
                        "-subj", "/CN=pbx", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, pem)
        pbx = amibed.Asterisk(self, tls=context)
        self.begin(pbx, tls=True, ca_file=str(crt))
        pbx.wait_for_login()
        pbx.call("1.10", "+8613900000000")
        self.item("queued")
        stranger = self.start_daemon(f'  - {{ name: pbx, connector: asterisk, host: 127.0.0.1, port: {pbx.port}, tls: true, '
                                     f'username: converge, secret: amisecret }}\n', name="stranger")
        harness.wait_for("the refusal", lambda: "hung_up why=" in stranger.log.read_text())
        self.assertEqual(pbx.logins, 1, "nobody vouches for that certificate")

    def test_what_is_no_ami_is_hung_up(self):
        self.begin()
        self.pbx.wait_for_login()
        with self.pbx.lock:
            self.pbx.clients[0].sendall(b"bad block\r\n\r\n" + b"x" * 9000)
        self.pbx.wait_for_login(1)
        harness.wait_for("the end of it", lambda: "no AMI" in self.daemon.log.read_text())
        self.assertIn("unreadable_block", self.daemon.log.read_text())


if __name__ == "__main__":
    unittest.main()
