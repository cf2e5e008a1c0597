"""dingtalk, by the session's webhook and by the API, against the stand-in."""
import json
import unittest

import channelbed
import sdkbed


class Session(channelbed.Channel):
    provider = "dingtalk"
    names = ("app_key", "app_secret", "robot_code", "token")
    who = "staff01"
    token_is_fetched = True

    def channel_settings(self):
        return {**super().channel_settings(), "encoding_aes_key": self.stand.settings["aes_key"]}

    def test_an_event_is_answered_with_the_sealed_word(self):
        self.assertTrue(self.stand.handshake()["ok"])
        item, thread = self.take(None, kind="event", event="user_add_org")
        self.assertEqual([one["text"] for one in thread], ["[user_add_org]"])

    def test_the_published_code_opens_our_answer(self):
        """It writes JSON percent-encoded, as DingTalk does not, so it judges one way only."""
        settings = self.stand.settings
        answer = json.loads(self.stand.handshake()["answer"])
        said = sdkbed.sdk("dingtalk", {"token": settings["token"], "aes_key": settings["aes_key"],
                                       "owner": settings["app_key"], "answer": answer})
        self.assertEqual(said["text"], "success")

    def test_a_group_is_answered_in_the_group(self):
        item, _ = self.take(" 大家好", chat="cidGROUP==")
        self.delivery(item, self.answer(item, "你好"), "sent")
        self.assertEqual(self.stand.wait_sent(1)[0]["to"], "cidGROUP==")


class Api(Session):
    """The session is over before the answer is written."""

    def stand_settings(self):
        return {**super().stand_settings(), "session_ms": "0"}

    def test_a_file_goes_out(self):
        item, _ = self.take("send me the picture")
        file = self.upload(channelbed.PICTURE, "image/png", "答复.png")
        self.delivery(item, self.answer(item, "here it is", attachments=[file]), "sent")
        sent = self.stand.wait_sent(2)
        self.assertEqual([one["kind"] for one in sent], ["sampleText", "sampleImageMsg"])
        self.assertEqual(self.stand.media(sent[1]["media"]), channelbed.PICTURE)

    def test_a_person_who_is_not_of_the_company(self):
        item, _ = self.take("hello", outsider=True)
        failed = self.delivery(item, self.answer(item, "too late"), "failed", "expired")
        self.assertIn("session_ended", str(failed["error"]))

    def test_a_person_whom_the_robot_cannot_reach(self):
        item, _ = self.take("hello")
        self.stand.customer(self.who, blocked=True)
        failed = self.delivery(item, self.answer(item, "are you there?"), "failed")
        self.assertIn("invalid_staff_id", str(failed["error"]))


if __name__ == "__main__":
    unittest.main()
