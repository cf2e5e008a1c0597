"""twilio_voice against the stand-in of Twilio's API (test_calls.py: what calls do to work, and Twilio's library as the signer)."""
import unittest

import channelbed
import harness

PUBLIC = "https://converge.example"


class TwilioVoice(channelbed.Bed):
    provider = "twilio"
    connector = "twilio_voice"
    names = ("account_sid", "auth_token")
    who = "+15005550001"

    def setUp(self):
        super().setUp()
        self.stand.set(signed_url=f"{PUBLIC}/in/c")

    def channel_settings(self):
        return {**super().channel_settings(), "public_url": PUBLIC}

    def ring(self, **more):
        """The stand-in wants TwiML back."""
        return self.stand.say(kind="call", status="ringing", from_=self.who, **more)

    def tell(self, call, status, sequence, **more):
        self.stand.say(kind="call", id=call, status=status, sequence=str(sequence), from_=self.who, **more)

    def items(self):
        return self.daemon.request("GET", "/v1/work-items", token=self.admin).json["data"]

    def test_a_call_is_answered_with_twiml_and_is_work(self):
        call = self.ring(name="Ann")
        item = self.daemon.claim(self.alice)
        thread = self.daemon.messages(item["conversation"], self.alice)
        self.assertEqual((item["channel"], thread[0]["extra"]["call"]["id"], thread[0]["author"]["name"]), ("c", call, "Ann"))

    def test_a_duplicate_is_one_event(self):
        self.stand.fault("duplicate", times=3, on="post")
        self.ring()
        item = self.daemon.claim(self.alice)
        self.assertEqual(len(self.daemon.messages(item["conversation"], self.alice)), 1)

    def test_the_end_that_overtakes_the_beginning(self):
        call = self.ring()
        self.stand.fault("reorder", on="post")
        self.stand.write(kind="call", id=call, status="in-progress", sequence="2", from_=self.who)
        self.tell(call, "completed", 3, duration="42")
        self.stand.wait_taken()
        item, = self.items()
        self.assertEqual((item["state"], item["type"]), ("queued", "callback"), "nobody talked: in-progress is TwiML's")

    def test_the_wrong_secret_is_refused(self):
        self.stand.fault("wrong_signature", on="post")
        self.stand.write(kind="call", status="ringing", from_=self.who)
        posts = self.stand.wait_taken(ok=False)
        self.assertEqual(([one["status"] for one in posts], self.items()), ([401], []))

    def test_a_recording_is_fetched_with_the_accounts_token(self):
        call = self.ring()
        sound = b"ID3" + b"\x00\x7f" * 2000
        self.tell(call, "completed", 3, duration="42", media=(sound, "audio/mpeg", "call.mp3"))
        item, = self.items()
        def stored():
            last = self.daemon.messages(item["conversation"], self.admin)[-1]
            files = last["attachments"]
            return files[0] if files and files[0].get("state") == "stored" else None
        kept = harness.wait_for("the recording to be stored", stored)
        self.assertEqual(kept["size"], len(sound), kept)

    def test_the_account_is_tried(self):
        answer = self.daemon.request("POST", "/v1/channels/c/test", {}, self.admin)
        self.assertIn("the account is Sim", str(answer))

    def test_nothing_can_be_sent(self):
        self.ring()
        item = self.daemon.claim(self.alice)
        answer = self.daemon.reply(item["conversation"], "hello", self.alice)
        self.assertEqual((answer.status, "only receives" in str(answer)), (409, True), answer)
        shown = self.daemon.request("GET", f"/v1/conversations/{item['conversation']}", token=self.alice).json["window"]
        self.assertEqual((shown["open"], shown["reason"]), (False, "cannot_send"))
        started = self.daemon.request("POST", "/v1/conversations", {"channel": "c", "to": self.who, "text": "hello"}, self.alice,
                                      headers={"Idempotency-Key": "k1"})
        self.assertEqual((started.status, "only receives" in str(started)), (400, True), started)
        self.assertEqual(self.daemon.reply(item["conversation"], "note", self.alice, kind="note").status, 201)


if __name__ == "__main__":
    unittest.main()
