"""What every channel of a provider must do, against that provider's stand-in (tests/sim): a test module gives the names, and
says what its provider does not have."""
import json
import secrets
import urllib.parse

import harness
import simbed

PICTURE = b"\x89PNG\r\n\x1a\n" + b"\x00\xff" * 3000


class Bed(harness.TestCase):
    """One daemon, one channel `c`, its stand-in, and alice who answers."""

    provider = None        # of the stand-in
    connector = None       # provider, unless said otherwise
    names = ()             # settings of the channel that the stand-in knows by the same names
    more = {}              # further settings of the channel
    who = "customer-1"     # a person of this provider

    def setUp(self):
        super().setUp()
        self.stand = simbed.stand(self, self.provider, **self.stand_settings())
        self.daemon = harness.Daemon(self.folder / "node", self.channel_yaml())
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        self.stand.set(**{"in": f"http://127.0.0.1:{self.daemon.http_port}/in/c"})
        self.alice = self.daemon.token()
        self.admin = self.daemon.token("admin", None)

    def stand_settings(self):
        return {"hurry": 20}

    def channel_settings(self):
        known = self.stand.settings
        return {"api_base": self.stand.base, **{name: known[name] for name in self.names}, **self.more}

    def channel_yaml(self):
        row = {"name": "c", "connector": self.connector or self.provider, **self.channel_settings()}
        return "  - " + json.dumps(row) + "\n"

    # --- words ---

    def take(self, text=None, **what):
        """A customer writes, alice has it: the work item and what stands in the thread."""
        self.stand.say(text, **{"from_": self.who, **what})
        item = self.daemon.claim(self.alice)
        self.assertIsNotNone(item, "nothing to do")
        return item, self.daemon.messages(item["conversation"], self.alice)

    def answer(self, item, text, **more):
        answer = self.daemon.reply(item["conversation"], text, self.alice, **more)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["id"]

    def delivery(self, item, message, *states):
        """Waits until the message of ours stands in one of these states; its delivery."""
        def look():
            for one in self.daemon.messages(item["conversation"], self.alice):
                if one["id"] == message:
                    seen.append(one["delivery"])
                    return one["delivery"] if one["delivery"]["state"] in states else None
        seen = []
        try:
            return harness.wait_for(f"{message} to be {states}", look)
        except AssertionError as late:
            raise AssertionError(f"{late}; it is {seen[-1:]}; refused: {self.stand.refused()}") from None

    def shown(self, text):
        """What a customer sees of a text that the provider got."""
        return text

    def shown_texts(self):
        """What customers saw of all that the provider took."""
        return [self.shown(text) for text in self.stand.texts()]

    def upload(self, content, kind, name):
        path = f"/v1/attachments?name={urllib.parse.quote(name)}&type={kind}"
        kept = self.daemon.request("POST", path, content, self.alice, headers={"Idempotency-Key": secrets.token_hex(12)})
        self.assertEqual(kept.status, 201, kept)
        return {"blob": kept.json["blob"], "name": name, "type": kind}

    def inbound(self, item):
        return [one for one in self.daemon.messages(item["conversation"], self.alice) if one["direction"] == "in"]


class Channel(Bed):
    """The tests that every provider's module inherits. What is False the provider does not have."""

    idempotent = False     # a repeated send is dropped by the provider
    media_out = True
    media_in = "image"     # a kind that say() knows; None
    media_type = "image/png"
    has_window = False     # a reply window that closes
    token_is_fetched = False  # a bad token is replaced by asking for another

    def __init_subclass__(cls):
        """What a provider does not have is no test of its module."""
        super().__init_subclass__()
        for name, has in (("test_a_file_comes_in", cls.media_in), ("test_a_file_goes_out", cls.media_out),
                          ("test_a_closed_window_says_so", cls.has_window)):
            if not has:
                setattr(cls, name, None)

    def test_text_both_ways(self):
        item, thread = self.take("我要退款 😀")
        self.assertEqual([one["text"] for one in thread], ["我要退款 😀"])
        self.assertEqual(item["channel"], "c")
        message = self.answer(item, "好的，马上处理 <b>&amp;")
        self.delivery(item, message, "sent", "delivered")
        self.assertEqual(self.shown_texts(), ["好的，马上处理 <b>&amp;"])
        self.assertEqual(self.stand.refused(), [])

    def test_a_duplicate_is_one_message(self):
        self.stand.fault("duplicate", times=4, on="post")
        item, thread = self.take("only once")
        self.assertEqual(len(thread), 1)
        before = len(self.stand.state()["posts"])
        self.stand.fault("replay")
        self.stand.wait_taken(before)
        self.assertEqual(len(self.inbound(item)), 1)

    def test_a_wrong_signature_is_refused(self):
        self.stand.fault("wrong_signature", on="post")
        before = len(self.stand.state()["posts"])
        self.stand.write("forged", from_=self.who)
        harness.wait_for("the refusal", lambda: 401 in [post["status"] for post in self.stand.state()["posts"][before:]])

    def test_a_file_comes_in(self):
        item, _ = self.take(None, kind=self.media_in, media=(PICTURE, self.media_type, "图.png"))
        def stored():
            files = [file for one in self.inbound(item) for file in one["attachments"]]
            return files[0] if files and files[0]["state"] != "pending" else None
        file = harness.wait_for("the file to be fetched", stored)
        self.assertEqual(file["state"], "stored", file)
        got = self.daemon.request("GET", f"/v1/attachments/{file['id']}", token=self.alice)
        self.assertEqual(got.body, PICTURE)

    def test_a_file_goes_out(self):
        item, _ = self.take("send me the picture")
        file = self.upload(PICTURE, self.media_type, "答复.png")
        message = self.answer(item, "here it is", attachments=[file])
        self.delivery(item, message, "sent", "delivered")
        sent = self.stand.wait_sent(2)
        self.assertEqual([bool(one["text"]) and one["kind"] == "text" for one in sent], [True, False])
        self.assertEqual(self.stand.media(sent[1]["media"]), PICTURE)

    def test_a_lost_answer_is_uncertain_or_sent_once(self):
        item, _ = self.take("hello")
        self.stand.fault("drop_after_accept")
        message = self.answer(item, "exactly once")
        if self.idempotent:
            self.delivery(item, message, "sent", "delivered")
        else:
            self.delivery(item, message, "uncertain")
        self.assertEqual(self.shown_texts(), ["exactly once"])

    def test_a_busy_provider_is_asked_again(self):
        item, _ = self.take("hello")
        self.stand.fault("status", status=503)
        message = self.answer(item, "at last")
        self.delivery(item, message, "sent", "delivered")
        self.assertEqual(self.shown_texts(), ["at last"])

    def test_a_throttled_send_waits_as_it_is_told(self):
        item, _ = self.take("hello")
        self.stand.fault("retry_after", seconds=1)
        message = self.answer(item, "after a while")
        self.delivery(item, message, "sent", "delivered")
        self.assertEqual(self.shown_texts(), ["after a while"])

    def test_a_bad_token(self):
        item, _ = self.take("hello")
        if self.token_is_fetched:
            self.stand.fault("expire_token")
            message = self.answer(item, "with another token")
            self.delivery(item, message, "sent", "delivered")
            self.assertEqual(self.shown_texts(), ["with another token"])
            return
        self.stand.fault("expire_token", count=1000)
        message = self.answer(item, "kept until the token is good")
        parked = harness.wait_for("the channel to be parked", self.parked)
        self.assertTrue(parked)
        self.stand.clear_faults()
        self.unpark()
        self.delivery(item, message, "sent", "delivered")
        self.assertEqual(self.shown_texts(), ["kept until the token is good"])

    def parked(self):
        rows = self.daemon.request("GET", "/v1/channels", token=self.admin).json["data"]
        return [row for row in rows if row["name"] == "c"][0]["parked_because"]

    def unpark(self):
        """What a person does who has mended the token at the provider."""
        self.assertIn("ok", self.daemon.ctl("channel", "test", "c"))

    def test_a_closed_window_says_so(self):
        item, _ = self.take("hello")
        self.stand.fault("window_closed")
        message = self.answer(item, "too late")
        failed = self.delivery(item, message, "failed", "expired")
        self.assertIn("window", failed["error"]["code"] if isinstance(failed["error"], dict) else str(failed))

