"""telegram, by webhook and by long poll, against the stand-in of the Bot API and grammY's reading of the same updates."""
import unittest

import channelbed
import harness
import sdkbed


class Webhook(channelbed.Channel):
    provider = "telegram"
    names = ("bot_token", "secret_token")
    who = "5001"

    def test_a_place_and_a_button(self):
        item, thread = self.take(None, kind="location")
        self.assertEqual(thread[0]["kind"], "location")
        self.stand.say(from_=self.who, kind="postback", text="order:17")
        texts = harness.wait_for("the button", lambda: [one["text"] for one in self.inbound(item)][1:])
        self.assertEqual(texts, ["order:17"])

    def test_a_long_answer_goes_on_where_it_stopped(self):
        item, _ = self.take("tell me everything")
        text = "。".join("第" + str(number) + "句" + "很长" * 100 for number in range(50))
        self.stand.fault("status", status=503, after=1)
        message = self.answer(item, text)
        self.delivery(item, message, "sent")
        texts = self.stand.texts()
        self.assertEqual("".join(texts), text)
        self.assertEqual([len(one.encode("utf-16-le")) // 2 <= 4096 for one in texts], [True] * len(texts))
        self.assertGreater(len(texts), 2)

    def test_an_uncertain_part_is_not_what_went_before_it(self):
        item, _ = self.take("tell me everything")
        text = "。".join("第" + str(number) + "句" + "很长" * 100 for number in range(50))
        self.stand.fault("drop_after_accept", after=1)
        message = self.answer(item, text)
        self.delivery(item, message, "uncertain")
        self.daemon.ctl("deadletter", "decide", message, "resend")
        self.delivery(item, message, "sent")
        texts = self.stand.texts()
        self.assertEqual(texts[1], texts[2], "the part in doubt, and only that, is there twice")
        self.assertEqual("".join(texts[:1] + texts[2:]), text)

    def test_a_person_who_blocked_the_bot(self):
        item, _ = self.take("hello")
        self.stand.customer(self.who, blocked=True)
        failed = self.delivery(item, self.answer(item, "are you there?"), "failed")
        self.assertIn("blocked", str(failed["error"]))


    def test_another_library_reads_the_same(self):
        secret = self.stand.settings["secret_token"]
        person = {"id": 5001, "is_bot": False, "first_name": "Ana"}
        chat = {"id": 5001, "type": "private", "first_name": "Ana"}
        updates = [{"token": token, "update": {"update_id": number, "message": {
            "message_id": number, "date": 1767322545, "from": person, "chat": chat, "text": f"第{number}条"}}}
            for number, token in ((1, secret), (2, secret), (3, "wrong"))]
        said = sdkbed.sdk("telegram", {"updates": updates, "secret": secret})
        statuses = [self.daemon.request("POST", "/in/c", one["update"], headers={
            "X-Telegram-Bot-Api-Secret-Token": one["token"]}).status for one in updates]
        self.assertEqual((statuses, said["statuses"]), ([200, 200, 401], [200, 200, 401]))
        item = self.daemon.claim(self.alice)
        self.assertEqual([one["text"] for one in self.inbound(item)], [one["text"] for one in said["seen"]])


class LongPoll(channelbed.Bed):
    provider = "telegram"
    names = ("bot_token",)
    who = "5001"

    def stand_settings(self):
        return {"hurry": 20, "secret_token": ""}

    def poll(self, *texts):
        for text in texts:
            self.stand.write(text, from_=self.who)

    def test_updates_are_confirmed_once_they_are_stored(self):
        self.poll("一", "二", "三")
        item = self.daemon.claim(self.alice)
        harness.wait_for("all three", lambda: len(self.inbound(item)) == 3)
        self.daemon.restart()
        self.poll("四")
        harness.wait_for("the fourth", lambda: len(self.inbound(item)) == 4)
        self.assertEqual([one["text"] for one in self.inbound(item)], ["一", "二", "三", "四"])
        message = self.answer(item, "好")
        self.delivery(item, message, "sent")

    def test_a_busy_provider_and_another_poller(self):
        self.stand.fault("status", status=502, on="poll", count=2)
        self.poll("still here")
        item = self.daemon.claim(self.alice, wait_s=30)
        self.assertEqual(len(self.inbound(item)), 1)


if __name__ == "__main__":
    unittest.main()
