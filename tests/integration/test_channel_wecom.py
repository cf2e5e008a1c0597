"""wecom: signals, pulls and sends, against the stand-in of the customer-service API."""
import time
import unittest
import urllib.parse

import channelbed
import harness
import sdkbed


class WeCom(channelbed.Channel):
    provider = "wecom"
    names = ("corp_id", "app_secret", "token", "encoding_aes_key")
    who = "wmDEMO7"
    idempotent = True
    has_window = True
    token_is_fetched = True

    def take(self, text=None, **what):
        """A signal is answered before its message is pulled."""
        self.stand.say(text, **{"from_": self.who, **what})
        item = self.daemon.claim(self.alice, wait_s=30)
        self.assertIsNotNone(item, "nothing to do")
        return item, self.daemon.messages(item["conversation"], self.alice)

    def texts(self, item, count):
        return harness.wait_for(f"{count} messages", lambda: (lambda texts: texts if len(texts) >= count else None)(
            [one["text"] for one in self.inbound(item)]))

    def test_the_console_proves_the_address(self):
        self.assertTrue(self.stand.handshake()["ok"])
        self.stand.fault("wrong_signature", on="post")
        self.assertFalse(self.stand.handshake()["ok"])

    def test_the_customer_has_a_name(self):
        item, _ = self.take("在吗")
        self.assertEqual(item["customer"]["name"], "小明")

    def test_pages_come_whole_and_once(self):
        self.stand.set(page="2")
        for number in range(6):
            self.stand.write(f"第{number}条", from_=self.who, silent=True)
        item, _ = self.take("最后一条")
        self.assertEqual(self.texts(item, 7), [f"第{number}条" for number in range(6)] + ["最后一条"])
        self.daemon.restart()
        self.stand.say("重启之后", from_=self.who)
        self.assertEqual(self.texts(item, 8)[7:], ["重启之后"])

    def test_a_signal_that_was_lost(self):
        self.stand.write("nobody rang", from_=self.who, silent=True)
        self.daemon.restart()
        item = self.daemon.claim(self.alice, wait_s=30)
        self.assertEqual(self.texts(item, 1), ["nobody rang"])

    def test_a_pull_that_fails_goes_on(self):
        self.stand.fault("status", status=503, on="poll")
        item, thread = self.take("at last")
        self.assertEqual([one["text"] for one in thread], ["at last"])

    def test_an_ended_session_is_a_closed_window(self):
        self.stand.set(service_state="4")
        item, _ = self.take("hello")
        failed = self.delivery(item, self.answer(item, "too late"), "failed")
        self.assertIn("window", str(failed))

    def test_a_new_session_is_taken_over(self):
        self.stand.set(service_state="0")
        item, _ = self.take("hello")
        self.stand.fault("error", code="95018")
        self.delivery(item, self.answer(item, "in time"), "sent")
        self.assertEqual(self.stand.texts(), ["in time"])
        self.assertIn("/cgi-bin/kf/service_state/trans", [call["path"] for call in self.stand.calls("other")])

    def test_a_failure_that_is_told_later(self):
        item, _ = self.take("hello")
        message = self.answer(item, "do you hear me?")
        self.delivery(item, message, "sent")
        self.stand.receipt(self.stand.sent()[-1]["id"], "failed", from_=self.who, code="10")
        failed = self.delivery(item, message, "failed")
        self.assertIn("refuses", str(failed))

    def test_a_recall_and_an_unknown_event_are_kept(self):
        item, _ = self.take("hello")
        self.stand.say(None, from_=self.who, kind="event", event="user_recall_msg", reply_to="msg_1")
        self.stand.say(None, from_=self.who, kind="event", event="brand_new")
        self.assertEqual(sorted(self.texts(item, 3)[1:]), ["[brand_new]", "[user_recall_msg]"])

    def test_a_place_both_ways(self):
        item, thread = self.take("人民广场", kind="location")
        self.assertEqual(thread[0]["kind"], "location")
        place = {"latitude": 31.2304, "longitude": 121.4737, "name": "门店", "address": "南京路1号"}
        self.delivery(item, self.answer(item, "", location=place), "sent")
        self.assertEqual(self.stand.sent()[-1]["kind"], "location")

    def test_the_count_of_messages_is_kept(self):
        item, _ = self.take("hello")
        for number in range(5):
            self.delivery(item, self.answer(item, f"answer {number}"), "sent")
        refused = self.daemon.reply(item["conversation"], "one too many", self.alice)
        self.assertEqual(refused.status, 409, refused)
        self.assertEqual(self.stand.refused(), [])

    def test_the_channel_can_be_tried(self):
        self.assertIn("ok", self.daemon.ctl("channel", "test", "c"))


    def test_a_signal_sealed_by_the_library_of_others(self):
        known = self.stand.settings
        sign = {"timestamp": str(int(time.time())), "nonce": "n1"}
        signal = ("<xml><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event><Token>"
                  f"<![CDATA[too-old]]></Token><OpenKfId><![CDATA[{known['open_kfid']}]]></OpenKfId></xml>")
        made = sdkbed.sdk("weixin", {"token": known["token"], "key": known["encoding_aes_key"], "id": known["corp_id"],
                                     "message": signal, **sign})
        body = f"<xml><Encrypt><![CDATA[{made['sealed']['wecom']}]]></Encrypt></xml>".encode()
        self.stand.write("rung by another hand", from_=self.who, silent=True)
        for signature, status in ((made["signatures"]["wecom"][::-1], 401), (made["signatures"]["wecom"], 200)):
            query = urllib.parse.urlencode({**sign, "msg_signature": signature})
            answer = self.daemon.request("POST", f"/in/c?{query}", body, headers={"Content-Type": "text/xml"})
            self.assertEqual(answer.status, status, answer)
        # The token of the signal is unknown: the pull goes on without it.
        item = self.daemon.claim(self.alice, wait_s=30)
        self.assertEqual(self.texts(item, 1), ["rung by another hand"])


class ManyAccounts(channelbed.Bed):
    provider = "wecom"
    names = WeCom.names
    who = WeCom.who

    def stand_settings(self):
        return {"hurry": 20, "open_kfid": "wkDEMO1,wkDEMO2"}

    def test_each_account_has_its_own_cursor(self):
        for number in range(3):
            for account in ("wkDEMO1", "wkDEMO2"):
                self.stand.say(f"{account} {number}", from_=self.who, open_kfid=account)
        items = [self.daemon.claim(self.alice, wait_s=30) for _ in range(2)]
        def told():
            texts = sorted(one["text"] for item in items for one in self.inbound(item))
            return texts if len(texts) == 6 else None
        self.assertEqual(harness.wait_for("both accounts' messages", told),
                         [f"{account} {number}" for account in ("wkDEMO1", "wkDEMO2") for number in range(3)])


if __name__ == "__main__":
    unittest.main()
