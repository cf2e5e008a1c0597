"""smpp bound to a message centre of npm's library smpp."""
import collections
import secrets
import subprocess
import unittest

import harness
import smppbed
import wirebed

ZH = "您好，您的退款申请已经受理，预计三个工作日内原路退回，请留意短信通知。" * 4  # 3 parts
EN = "Your refund was accepted and will be with you within three working days. [" * 4  # 2 parts


class Texts(smppbed.Bed):
    def test_text_both_ways(self):
        item = self.take("我要退款 😀", data_coding=8)
        self.assertEqual([one["text"] for one in self.inbound(item)], ["我要退款 😀"])
        self.assertEqual(item["channel"], "c")
        for text, coding in (("好的，马上处理", 8), ("All right: {done} @ 5 €", 0)):
            message = self.answer(item, text)
            self.delivery(item, message, "sent")
            sent = self.centre.state()["submits"][-1]
            self.assertEqual((sent["text"], sent["data_coding"]), (text, coding))
            self.assertEqual((sent["to"], sent["to_ton"], sent["source"]), ("8613900000000", 1, "10690000"))
            self.assertEqual((sent["registered"], sent["udh"]), (1, []))

    def test_the_alphabets_of_what_comes_in(self):
        item = self.take("Hello @ {€}", data_coding=0)
        self.take_more(item, data="636166e9", data_coding=3)
        self.take_more(item, data="4f60597d", data_coding=8)
        self.assertEqual([one["text"] for one in self.inbound(item)], ["Hello @ {€}", "café", "你好"])

    def take_more(self, item, **more):
        self.assertEqual(self.centre.deliver(**more), {"status": 0})

    def test_long_texts_go_out_in_parts(self):
        item = self.take()
        for text in (ZH, EN):
            before = len(self.centre.state()["submits"])
            self.delivery(item, self.answer(item, text), "sent")
            parts = self.centre.state()["submits"][before:]
            self.assertEqual("".join(one["text"] for one in parts), text)
            headers = [one["udh"][0] for one in parts]
            self.assertEqual([header[6:] for header in headers],
                             [f"{len(parts):02x}{n + 1:02x}" for n in range(len(parts))])
            self.assertEqual(len({header[:6] for header in headers}), 1, headers)
            self.assertEqual([one["registered"] for one in parts], [0] * (len(parts) - 1) + [1])

    def test_long_texts_come_in_as_one_message(self):
        """One part at a time: each is acknowledged before the next is sent."""
        for text, size, coding in ((ZH, 67, 8), (EN, 153, 0)):
            parts = [text[at:at + size] for at in range(0, len(text), size)]
            source = f"86139{secrets.randbelow(10 ** 8):08d}"
            for n, part in sorted(enumerate(parts), reverse=True):
                answer = self.centre.deliver(part, udh=f"0500032a{len(parts):02x}{n + 1:02x}", data_coding=coding,
                                             source_addr=source)
                self.assertEqual(answer, {"status": 0})
            self.assertEqual([one["text"] for one in self.inbound(self.claim())], [text])

    def test_parts_of_two_texts_at_once_and_repeated(self):
        part = lambda who, n, text: {"text": text, "udh": f"0608041234{2:02x}{n:02x}", "data_coding": 8, "source_addr": who}
        messages = [part("8613900000001", 1, "甲一"), part("8613900000002", 2, "乙二"), part("8613900000001", 1, "甲一"),
                    part("8613900000002", 1, "乙一"), part("8613900000001", 2, "甲二"), part("8613900000001", 2, "甲二")]
        self.assertEqual(self.centre.ask("deliver_all", messages=messages)["statuses"], [0] * 6)
        items = [self.claim(), self.claim()]
        self.assertEqual({self.inbound(item)[0]["text"] for item in items}, {"甲一甲二", "乙一乙二"})
        self.assertEqual([len(self.inbound(item)) for item in items], [1, 1])

    def test_parts_survive_a_crash(self):
        self.assertEqual(self.centre.deliver("first, ", udh="050003070201", data_coding=8), {"status": 0})
        self.daemon.kill()
        self.daemon.start(apply=False)
        self.centre.wait_bound()
        self.assertEqual(self.centre.deliver("second", udh="050003070202", data_coding=8), {"status": 0})
        self.assertEqual([one["text"] for one in self.inbound(self.claim())], ["first, second"])

    def test_the_order_of_one_sender_is_kept(self):
        texts = [f"line {n}" for n in range(60)]
        self.assertEqual(self.centre.ask("deliver_all", messages=[{"text": text} for text in texts])["statuses"], [0] * 60)
        self.assertEqual([one["text"] for one in self.inbound(self.claim())], texts)

    def test_the_same_words_twice_are_two_messages(self):
        item = self.take("1")
        self.assertEqual(self.centre.deliver("1"), {"status": 0})
        self.assertEqual(len(self.inbound(item)), 2)

    def test_a_message_unanswered_comes_again_and_is_one(self):
        """The store hangs while it comes, the connection is cut, and the centre sends it again over the next one."""
        item = self.take("first")
        for n in range(5):
            pending = self.centre.begin("deliver", message={"text": f"once {n}"})
            self.centre.ask("cut")
            pending.get(timeout=harness.PATIENCE_S)
            self.centre.wait_bound()
            self.assertEqual(self.centre.deliver(f"once {n}"), {"status": 0})
        count = collections.Counter(one["text"] for one in self.inbound(item))
        self.assertEqual(count, {"first": 1, **{f"once {n}": 1 for n in range(5)}})

    def test_while_the_store_is_away_it_is_to_come_later(self):
        item = self.take("first")
        self.daemon.kill_store()
        status = self.centre.deliver("second")["status"]
        self.assertIn(status, (0, 0x64))  # a store that is back at once takes it
        harness.wait_for("the store", lambda: self.centre.deliver("third").get("status") == 0)
        texts = [one["text"] for one in self.inbound(item)]
        self.assertEqual((texts[0], texts[-1]), ("first", "third"))
        self.assertTrue(status == 0x64 or "second" in texts, "taken and not there")

    def test_what_cannot_be_read_is_kept(self):
        self.assertEqual(self.centre.deliver("hi", source_addr=""), {"status": 0})
        self.assertIsNotNone(self.daemon.claim(self.alice))

    def test_requests_of_the_centre(self):
        self.assertEqual(self.centre.ask("enquire"), {"status": 0})
        self.assertEqual(self.centre.ask("query"), {"command": "generic_nack", "status": 3})
        self.assertEqual(self.centre.ask("unbind"), {"status": 0})


class Receipts(smppbed.Bed):
    def test_delivered_and_failed(self):
        item = self.take()
        good, bad = self.answer(item, "one"), self.answer(item, ZH)
        for message in (good, bad):
            self.delivery(item, message, "sent")
        submits = self.centre.state()["submits"]
        self.centre.ask("receipt", id=submits[0]["id"], stat="DELIVRD")
        self.centre.ask("receipt", id=submits[-1]["id"], stat="UNDELIV")
        self.delivery(item, good, "delivered")
        self.assertIn("UNDELIV 045", str(self.delivery(item, bad, "failed")["error"]))

    def test_a_receipt_by_parameters(self):
        item = self.take()
        message = self.answer(item, "one")
        self.delivery(item, message, "sent")
        sent = self.centre.state()["submits"][0]
        self.centre.ask("receipt", id="0", stat="ENROUTE", more={"receipted_message_id": sent["id"], "message_state": 2})
        self.delivery(item, message, "delivered")

    def test_a_receipt_before_the_answer(self):
        self.centre.ask("set", receipt="before", delay_ms=300)
        item = self.take()
        self.delivery(item, self.answer(item, "quick"), "delivered")


class DecimalReceipts(smppbed.Bed):
    centre_settings = {"decimal": True}
    channel_settings = {"message_id_base": "hex_in_response"}

    def test_ids_of_two_bases_meet(self):
        item = self.take()
        message = self.answer(item, "one")
        self.delivery(item, message, "sent")
        self.centre.ask("receipt", id=self.centre.state()["submits"][0]["id"], stat="DELIVRD")
        self.delivery(item, message, "delivered")


class Faults(smppbed.Bed):
    channel_settings = {"response_timeout": "2s", "enquire_link": "500ms", "enquire_timeout": "500ms"}

    def test_throttled_and_then_sent(self):
        item = self.take()
        self.centre.fault("status", times=2, status=0x58)
        self.centre.fault("status", times=1, status=0x14)
        message = self.answer(item, ZH)
        self.delivery(item, message, "sent")
        self.assertEqual(sorted(one["udh"][0][8:] for one in self.centre.state()["submits"]), ["01", "02", "03"])

    def test_refused_for_good(self):
        item = self.take()
        self.centre.fault("status", status=0x0b)
        self.assertIn("bad_destination", str(self.delivery(item, self.answer(item, "x"), "failed")["error"]))

    def test_a_cut_after_accept_is_uncertain_and_never_doubled(self):
        item = self.take()
        self.centre.fault("drop_after_accept")
        message = self.answer(item, "exactly once")
        self.delivery(item, message, "uncertain")
        self.centre.wait_bound()
        self.delivery(item, self.answer(item, "after it"), "sent")
        self.assertEqual([one["text"] for one in self.centre.state()["submits"]], ["exactly once", "after it"])

    def test_no_answer_is_uncertain(self):
        item = self.take()
        self.centre.fault("silent")
        self.delivery(item, self.answer(item, "hello?"), "uncertain")
        self.assertEqual(len(self.centre.state()["bound"]), 1)

    def test_a_deaf_centre_is_left_and_found_again(self):
        self.centre.ask("set", deaf=True)
        harness.wait_for("another bind", lambda: len(self.centre.state()["binds"]) >= 2)
        self.centre.ask("set", deaf=False)
        self.assertEqual(self.take("still there")["channel"], "c")

    def test_a_stop_waits_for_the_answers(self):
        """SIGTERM with sends under way: they are answered, unbound is said, and nothing is uncertain or sent again."""
        items = [self.take(f"question {n}", source_addr=f"86139{n:08d}") for n in range(5)]
        self.centre.ask("set", delay_ms=700)
        sent = [(item, self.answer(item, f"answer {n}")) for n, item in enumerate(items)]
        self.centre.wait_submits(5)
        self.daemon.stop()
        self.assertEqual(self.centre.state()["unbinds"], 1)
        self.daemon.start(apply=False)
        for item, message in sent:
            self.delivery(item, message, "sent")
        self.assertEqual(len(self.centre.state()["submits"]), 5)

    def test_unbound_by_the_centre(self):
        self.centre.ask("unbind")
        harness.wait_for("another bind", lambda: len(self.centre.state()["binds"]) >= 2)
        item = self.take()
        self.delivery(item, self.answer(item, "again"), "sent")


class Refused(smppbed.Bed):
    centre_settings = {"password": "other"}
    binds = 0

    def test_a_wrong_password_parks_until_it_is_right(self):
        def state():
            answer = self.daemon.request("GET", "/v1/channels", token=self.admin)
            return [one for one in answer.json["data"] if one["name"] == "c"][0]
        harness.wait_for("it to be parked", lambda: "bad_password" in str(state()))
        self.assertEqual(len(self.centre.state()["binds"]), 1)
        done = self.daemon.ctl_result("channel", "test", "c")
        self.assertIn("bad_password", done.stdout)
        self.centre.ask("set", password="secret")
        done = self.daemon.ctl_result("channel", "test", "c")
        self.assertIn("the bind is accepted", done.stdout)
        self.centre.wait_bound()
        item = self.take()
        self.delivery(item, self.answer(item, "at last"), "sent")


class SeveralBinds(smppbed.Bed):
    channel_settings = {"binds": 2, "bind": "separate", "window_size": 3}
    binds = 4

    def test_a_mid_window_cut_loses_and_doubles_nothing(self):
        """Many people, many answers, cuts in between: each answer is sent once or uncertain, and the uncertain ones are the
        ones that were accepted and cut."""
        count = 40
        messages = [{"text": f"question {n}", "source_addr": f"86139{n:08d}"} for n in range(count)]
        self.assertEqual(self.centre.ask("deliver_all", messages=messages)["statuses"], [0] * count)
        self.assertEqual(sorted(self.centre.state()["bound"]),
                         ["bind_receiver"] * 2 + ["bind_transmitter"] * 2)
        items = [self.claim() for _ in range(count)]
        self.centre.ask("set", delay_ms=20)
        for _ in range(3):
            self.centre.fault("drop_after_accept")
        sent = [(item, self.answer(item, f"answer {n}")) for n, item in enumerate(items)]
        ended = [self.delivery(item, message, "sent", "uncertain")["state"] for item, message in sent]
        state = self.centre.state()
        accepted = collections.Counter(one["text"] for one in state["submits"])
        self.assertEqual(max(accepted.values()), 1, "doubled")
        uncertain = {f"answer {n}" for n, how in enumerate(ended) if how == "uncertain"}
        self.assertEqual({f"answer {n}" for n in range(count)} - set(accepted) - uncertain, set(), "lost")
        self.assertGreaterEqual(len(uncertain), 3)
        self.assertLessEqual(len(uncertain), 3 * 3)  # no more than the windows that were cut
        self.assertLessEqual(state["most_unanswered"], 3)


class Sar(smppbed.Bed):
    channel_settings = {"long_messages": "sar", "data_coding_0": "latin1", "throughput": 50, "registered_delivery": "never",
                        "source_addr": "SHOP", "answer_from_same": True}

    def test_other_habits(self):
        item = self.take("one", destination_addr="8613800000000", dest_addr_ton=1)
        self.delivery(item, self.answer(item, EN), "sent")
        parts = self.centre.state()["submits"]
        self.assertEqual([one["sar"][1:] for one in parts], [[2, 1], [2, 2]])
        self.assertEqual({(one["source"], one["source_ton"]) for one in parts}, {("8613800000000", 1)})
        self.assertEqual([one["registered"] for one in parts], [0, 0])
        for n, part in enumerate(("drei ", "vier")):
            answer = self.centre.deliver(part, sar_msg_ref_num=7, sar_total_segments=2, sar_segment_seqnum=n + 1)
            self.assertEqual(answer, {"status": 0})
        harness.wait_for("it to be joined", lambda: "drei vier" in [one["text"] for one in self.inbound(item)])


class Payload(smppbed.Bed):
    channel_settings = {"long_messages": "payload", "parts_wait": "300ms"}

    def test_one_long_payload(self):
        item = self.take()
        self.delivery(item, self.answer(item, ZH), "sent")
        self.assertEqual([(one["text"], one["payload"]) for one in self.centre.state()["submits"]], [(ZH, True)])

    def test_a_part_that_never_comes_is_not_waited_for(self):
        self.assertEqual(self.centre.deliver("the end", udh="050003070202", data_coding=8), {"status": 0})
        self.assertEqual([one["text"] for one in self.inbound(self.claim())], ["the end"])


class Tls(smppbed.Bed):
    """A certificate of our own for localhost, and one that nobody signed."""

    binds = 0

    def make(self, name):
        self.folder.mkdir(exist_ok=True)
        key, cert = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
                       check=True, stderr=subprocess.DEVNULL)
        return {"key": str(key), "cert": str(cert)}

    def start_centre(self):
        files = self.make("good")
        self.channel_settings = {"tls": True, "host": "localhost", "ca_file": files["cert"]}
        return smppbed.Centre(self, **files)

    def test_text_both_ways(self):
        self.centre.wait_bound()
        item = self.take("over TLS")
        self.delivery(item, self.answer(item, "back"), "sent")


class WrongCertificate(Tls):
    def start_centre(self):
        self.channel_settings = {"tls": True, "host": "localhost", "ca_file": self.make("bad")["cert"]}
        return smppbed.Centre(self, **self.make("good"))

    def test_text_both_ways(self):
        harness.wait_for("the refusal", lambda: "certificate" in self.daemon.log.read_text())
        self.assertEqual(self.centre.state()["binds"], [])


class SecondReader(smppbed.Bed):
    """What passes between us and the centre, as Wireshark's dissector reads it: nobody here wrote that."""

    def start_centre(self):
        centre = super().start_centre()
        self.tap = wirebed.Tap(self, centre.port)
        centre.port = self.tap.port
        return centre

    def test_it_reads_what_we_meant(self):
        item = self.take("我要退款", data_coding=8)
        for text in (ZH, EN, "All right: {done} @ 5 €"):
            self.delivery(item, self.answer(item, text), "sent")
        self.centre.ask("receipt", id=self.centre.state()["submits"][-1]["id"], stat="DELIVRD")
        self.centre.ask("enquire")
        path = self.folder / "smpp.pcap"
        self.tap.capture(path)
        rows = wirebed.read(path, "smpp", "smpp.command_id", "smpp.command_status", "smpp.sequence_number", "smpp.data_coding",
                            "smpp.message_text", "smpp.destination_addr", "gsm_sms.udh.mm.msg_parts", "gsm_sms.udh.mm.msg_part",
                            "_ws.malformed")

        def all_of(name, command=None):
            return [value for row in rows if command is None or command in row["smpp.command_id"] for value in row.get(name, [])]

        self.assertEqual(all_of("_ws.malformed"), [])
        self.assertEqual(collections.Counter(all_of("smpp.command_id")), {
            "0x00000009": 1, "0x80000009": 1,   # one bind
            "0x00000004": 6, "0x80000004": 6,   # three parts, two, and one
            "0x00000005": 2, "0x80000005": 2, "0x00000015": 1, "0x80000015": 1})
        self.assertEqual(set(all_of("smpp.command_status")), {"0x00000000"})
        self.assertEqual(all_of("smpp.data_coding", "0x00000004"), ["0x08"] * 3 + ["0x00"] * 3)
        self.assertEqual("".join(all_of("smpp.message_text", "0x00000004")), ZH)
        self.assertEqual(set(all_of("smpp.destination_addr", "0x00000004")), {"8613900000000"})
        self.assertEqual(all_of("gsm_sms.udh.mm.msg_parts"), ["3"] * 3 + ["2"] * 2)
        self.assertEqual(all_of("gsm_sms.udh.mm.msg_part"), ["1", "2", "3", "1", "2"])


class Perl(smppbed.Bed):
    """Another library on the other side, with another reading of the same pages."""

    binds = 0

    def start_centre(self):
        return smppbed.PerlCentre(self)

    def test_text_and_receipt(self):
        self.assertEqual(self.centre.next(), {"bind": "esme1", "password": "secret"})
        self.assertEqual(self.centre.next(), {"answer": 0})
        item = self.claim()
        self.assertEqual([one["text"] for one in self.inbound(item)], ["from perl"])
        message = self.answer(item, "好")
        sent = self.centre.next()
        self.assertEqual((sent["hex"], sent["coding"], sent["to"]), ("597d", 8, "8613911112222"))
        self.assertEqual(self.centre.next(), {"answer": 0})
        self.delivery(item, message, "delivered")
        long = self.answer(item, EN)
        parts = [self.centre.next(), self.centre.next()]
        self.assertEqual([(one["esm"], one["coding"], one["hex"][:6]) for one in parts], [(64, 0, "050003")] * 2)
        self.delivery(item, long, "delivered")
        self.daemon.stop()
        seen = iter(self.centre.next, {"unbind": 1})
        self.assertEqual([one for one in seen if "answer" not in one], [])


class Misbehaviour(smppbed.Bed):
    """What libraries do not do."""

    binds = 0
    channel_settings = {"response_timeout": "1s"}

    def start_centre(self):
        return smppbed.Line(self)

    def test_pieces_of_any_size(self):
        deliver = [smppbed.pdu(smppbed.DELIVER, 0, n, smppbed.sm(b"number %d" % n)) for n in (1, 2, 3, 4)]
        line = self.centre.bind(*deliver[:2], deliver[2][:30])
        line.write(deliver[2][30:])
        for byte in deliver[3]:
            line.write(bytes([byte]))
        answers = sorted(line.expect(smppbed.DELIVER | smppbed.RESPONSE)[1:] for _ in deliver)
        self.assertEqual(answers, [(0, n, b"\0") for n in (1, 2, 3, 4)])
        texts = sorted(one["text"] for one in self.inbound(self.claim()))
        self.assertEqual(texts, [f"number {n}" for n in (1, 2, 3, 4)])

    def test_the_same_bytes_again_are_one_message(self):
        deliver = smppbed.pdu(smppbed.DELIVER, 0, 7, smppbed.sm(b"once"))
        line = self.centre.bind(deliver, deliver)
        for _ in range(2):
            self.assertEqual(line.expect(smppbed.DELIVER | smppbed.RESPONSE)[1:], (0, 7, b"\0"))
        line.write(deliver)
        line.expect(smppbed.DELIVER | smppbed.RESPONSE)
        self.assertEqual(len(self.inbound(self.claim())), 1)

    def test_what_is_no_smpp_ends_the_connection(self):
        for garbage in (b"HTTP/1.1 400 Bad Request\r\n\r\n", smppbed.pdu(0x15)[:3] + b"\x0f" + b"\0" * 12,
                        b"\0\1\0\1" + b"\0" * 12):
            line = self.centre.bind()
            line.write(garbage)
            self.assertTrue(line.is_closed())
        self.centre.bind()

    def test_a_message_before_the_bind_is_answered(self):
        line = self.centre.accept()
        _, _, sequence, _ = line.expect(9)
        line.write(smppbed.pdu(smppbed.DELIVER, 0, 5, smppbed.sm(b"too early")))
        self.assertEqual(line.read()[:3], (smppbed.DELIVER | smppbed.RESPONSE, 4, 5))
        line.write(smppbed.pdu(9 | smppbed.RESPONSE, 0, sequence, b"LINE\0"),
                   smppbed.pdu(smppbed.DELIVER, 0, 6, smppbed.sm(b"in time")))
        line.expect(smppbed.DELIVER | smppbed.RESPONSE)
        self.assertEqual([one["text"] for one in self.inbound(self.claim())], ["in time"])

    def test_broken_bodies_are_kept(self):
        line = self.centre.bind(smppbed.pdu(smppbed.DELIVER, 0, 5, smppbed.sm(b"hi", tlvs=b"\4\x24\0\x09x")))
        self.assertEqual(line.expect(smppbed.DELIVER | smppbed.RESPONSE)[1:3], (0, 5))
        self.assertIsNotNone(self.daemon.claim(self.alice))

    def submit_of(self, line, item, text):
        message = self.answer(item, text)
        return message, line.expect(smppbed.SUBMIT)[2]

    def test_answers_of_every_kind(self):
        line = self.centre.bind(smppbed.pdu(smppbed.DELIVER, 0, 1, smppbed.sm(b"hello")))
        line.expect(smppbed.DELIVER | smppbed.RESPONSE)
        item = self.claim()
        answer = smppbed.SUBMIT | smppbed.RESPONSE
        message, sequence = self.submit_of(line, item, "twice")
        line.write(smppbed.pdu(answer, 0, sequence + 1000, b"X\0"), smppbed.pdu(answer, 0, sequence, b"A\0"),
                   smppbed.pdu(answer, 0x0b, sequence))
        self.delivery(item, message, "sent")
        message, sequence = self.submit_of(line, item, "nack")
        line.write(smppbed.pdu(smppbed.RESPONSE, 3, sequence))
        self.delivery(item, message, "failed")
        message, sequence = self.submit_of(line, item, "no id, and no end of it")
        line.write(smppbed.pdu(answer, 0, sequence, b"x" * 80))
        self.delivery(item, message, "sent")
        message, sequence = self.submit_of(line, item, "late")
        self.delivery(item, message, "uncertain")
        line.write(smppbed.pdu(answer, 0, sequence, b"B\0"))
        message, sequence = self.submit_of(line, item, "not bound, says it")
        line.write(smppbed.pdu(answer, 4, sequence))
        line = self.centre.bind()
        _, _, sequence, body = line.expect(smppbed.SUBMIT)
        self.assertIn(b"not bound, says it", body)
        line.write(smppbed.pdu(answer, 0, sequence, b"C\0"))
        self.delivery(item, message, "sent")


if __name__ == "__main__":
    unittest.main()
