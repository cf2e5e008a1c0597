"""The providers' stand-ins themselves, by a careful client of Python's own: what is right is taken, what is wrong is
refused in the provider's words, what they post is signed as the providers' known answers say."""
import hashlib
import hmac
import json
import time
import urllib.parse

import harness
from simcase import PNG, Case, hmac256, multipart, query_of, vector



class Telegram(Case):
    def bot(self, method, body, status=200):
        return self.post(f"/bot{self.set['bot_token']}/{method}", body, status)

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("telegram")
        self.sim.customer("5001")
        sent = self.bot("sendMessage", {"chat_id": 5001, "text": "你好"})
        self.assertEqual((sent["ok"], sent["result"]["text"], sent["result"]["chat"]["id"]), (True, "你好", 5001))
        self.assertEqual(self.bot("sendMessage", {"chat_id": 5002, "text": "x"}, 400)["description"],
                         "Bad Request: chat not found")
        self.assertEqual(self.bot("sendMessage", {"chat_id": 5001, "text": "x" * 4097}, 400)["description"],
                         "Bad Request: message is too long")
        self.assertEqual(self.bot("sendMessage", {"chat_id": 5001, "text": ""}, 400)["error_code"], 400)
        self.assertEqual(self.post("/bot1:wrong/sendMessage", {"chat_id": 5001, "text": "x"}, 401)["error_code"], 401)
        self.sim.customer("5001", blocked=True)
        self.assertEqual(self.bot("sendMessage", {"chat_id": 5001, "text": "x"}, 403)["error_code"], 403)
        self.assertEqual(self.sim.texts(), ["你好"])
        self.assertEqual(len(self.sim.refused()), 5)

    def test_files_both_ways(self):
        self.start("telegram")
        self.sim.say("look", from_="5001", kind="image", media=(PNG, "image/png", "a.png"))
        photo = self.broker.next_json()["message"]["photo"][-1]
        path = self.bot("getFile", {"file_id": photo["file_id"]})["result"]["file_path"]
        self.assertEqual(self.get(f"/file/bot{self.set['bot_token']}/{path}").body, PNG)
        self.get(f"/file/bot1:wrong/{path}", 401)
        body, kind = multipart({"chat_id": "5001", "caption": "这"}, [("photo", "b.png", "image/png", PNG * 2)])
        self.post(f"/bot{self.set['bot_token']}/sendPhoto", body, type=kind)
        sent = self.sim.sent()[0]
        self.assertEqual((sent["kind"], sent["text"], self.sim.media(sent["media"])), ("photo", "这", PNG * 2))
        self.post(f"/bot{self.set['bot_token']}/sendPhoto", *multipart({"chat_id": "5001"})[:1], status=400,
                  type=multipart({})[1])

    def test_updates_by_webhook_are_repeated_with_the_same_id(self):
        self.start("telegram")
        self.broker.answers = [(503, "text/plain", b""), (200, "text/plain", b"")]
        self.sim.say("hola", from_="5001", name="Ana")
        first, second = self.broker.next(), self.broker.next()
        self.assertEqual(first[3], second[3])
        self.assertEqual(first[2]["X-Telegram-Bot-Api-Secret-Token"], "s3cr3t-Token_01")
        update = json.loads(first[3])
        self.assertEqual((update["message"]["text"], update["message"]["from"]["first_name"]), ("hola", "Ana"))
        self.assertEqual(self.sim.state()["posts"][0]["attempts"], 2)

    def test_updates_are_kept_until_the_offset_confirms_them(self):
        self.start("telegram", secret_token="")
        self.sim.write("one", from_="5001")
        self.sim.write("two", from_="5001")
        got = self.bot("getUpdates", {"timeout": 0})["result"]
        self.assertEqual([update["message"]["text"] for update in got], ["one", "two"])
        self.assertEqual(len(self.bot("getUpdates", {"offset": got[0]["update_id"] + 1, "timeout": 0})["result"]), 1)
        self.assertEqual(self.bot("getUpdates", {"offset": got[1]["update_id"] + 1, "timeout": 0})["result"], [])
        self.sim.set(secret_token="now-there-is-a-webhook")
        self.assertIn("webhook is active", self.bot("getUpdates", {"timeout": 0}, 409)["description"])

    def test_faults(self):
        self.start("telegram")
        self.sim.customer("5001")
        hello = {"chat_id": 5001, "text": "x"}
        self.sim.fault("retry_after", seconds=7)
        self.assertEqual(self.bot("sendMessage", hello, 429)["parameters"], {"retry_after": 7})
        self.sim.fault("status", status=502, after=1)
        self.bot("sendMessage", hello)
        self.bot("sendMessage", hello, 502)
        for kind, taken in (("drop_before", 1), ("drop_after_accept", 2)):
            self.sim.fault(kind)
            with self.assertRaises((OSError, harness.http.client.HTTPException)):
                self.bot("sendMessage", hello)
            self.assertEqual(len(self.sim.sent()), taken, kind)
        self.sim.fault("garbage")
        self.assertEqual(self.sim.request("POST", f"/bot{self.set['bot_token']}/sendMessage", hello).headers["Content-Type"],
                         "text/html")
        self.sim.fault("slow")
        self.bot("sendMessage", hello)
        self.sim.fault("truncate")
        with self.assertRaises(harness.http.client.IncompleteRead):
            self.bot("sendMessage", hello)
        self.sim.fault("expire_token")
        self.bot("sendMessage", hello, 401)
        self.bot("sendMessage", hello)

    def test_what_it_posts_can_be_doubled_reordered_replayed_and_forged(self):
        self.start("telegram")
        self.sim.fault("duplicate", times=3)
        self.sim.say("thrice", from_="5001")
        self.assertEqual({self.broker.next()[3] for _ in range(3)}.__len__(), 1)
        self.sim.fault("reorder")
        self.sim.write("first", from_="5001")
        self.sim.write("second", from_="5001")
        self.assertEqual([self.broker.next_json()["message"]["text"] for _ in range(2)], ["second", "first"])
        self.sim.fault("replay", count=1)
        self.assertEqual(self.broker.next_json()["message"]["text"], "thrice")
        self.sim.fault("wrong_signature")
        self.sim.write("forged", from_="5001")
        self.assertNotEqual(self.broker.next()[2]["X-Telegram-Bot-Api-Secret-Token"], self.set["secret_token"])


class WhatsApp(Case):
    def graph(self, path, body, status=200, token=None):
        return self.post(f"/v25.0/{self.set['phone_number_id']}/{path}", body, status,
                         {"Authorization": f"Bearer {token or self.set['access_token']}"})

    def message(self, to="16505551234", **more):
        return {"messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "text",
                "text": {"body": "你好"}, **more}

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("whatsapp")
        self.assertEqual(self.graph("messages", self.message(), 400)["error"]["code"], 131047)
        self.sim.say("hi", from_="16505551234")
        sent = self.graph("messages", self.message(biz_opaque_callback_data="msg_1"))
        self.assertTrue(sent["messages"][0]["id"].startswith("wamid."))
        for wrong, code, status in (
                (self.message(to="+1650"), 100, 400), (self.message(text={"body": "x" * 4097}), 131009, 400),
                (self.message(type="image", image={"id": "nowhere"}), 131009, 400),
                (self.message(type="poll"), 131051, 400), (self.message(messaging_product="x"), 100, 400),
                (self.message(type="template", template={"name": "nope", "language": {"code": "en"}}), 132001, 400)):
            self.assertEqual(self.graph("messages", wrong, status)["error"]["code"], code, wrong)
        self.assertEqual(self.graph("messages", self.message(), 401, token="old")["error"]["code"], 190)
        self.post("/v25.0/999/messages", self.message(), 400, {"Authorization": f"Bearer {self.set['access_token']}"})
        self.post("/messages", self.message(), 400)
        self.graph("messages", self.message(to="8613900000000", type="template", template={
            "name": "order_update", "language": {"code": "zh_CN"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "88"}]}]}))
        self.assertEqual([(one["kind"], one["key"]) for one in self.sim.sent()], [("text", "msg_1"), ("template", None)])

    def test_known_answers(self):
        known = vector("meta-x-hub-signature-256")
        self.start("whatsapp", app_secret=known["inputs"]["app_secret"])
        self.sim.say(raw=known["inputs"]["raw_body"])
        _, _, headers, body = self.broker.next()
        self.assertEqual((headers["X-Hub-Signature-256"], body.decode()),
                         (known["expected"]["header"], known["inputs"]["raw_body"]))
        self.broker.answers = [(200, "text/plain", lambda m, path, h, b: query_of(path)["hub.challenge"].encode())]
        self.assertTrue(self.sim.handshake()["ok"])
        self.assertEqual(query_of(self.broker.next()[1]), dict(urllib.parse.parse_qsl(
            vector("meta-hub-challenge")["inputs"]["query"])))
        self.assertFalse(self.sim.handshake()["ok"], "a challenge that is not answered")

    def test_text_beyond_ascii_goes_escaped_and_signed_as_it_goes(self):
        self.start("whatsapp")
        self.sim.say("你好😀", from_="8613900000000", name="René")
        _, _, headers, body = self.broker.next()
        self.assertTrue(body.isascii())
        self.assertEqual(headers["X-Hub-Signature-256"], "sha256=" + hmac256(self.set["app_secret"], body).hexdigest())
        value = json.loads(body)["entry"][0]["changes"][0]["value"]
        self.assertEqual((value["messages"][0]["text"]["body"], value["contacts"][0]["profile"]["name"]), ("你好😀", "René"))

    def test_files_and_statuses(self):
        self.start("whatsapp")
        self.sim.say("look", kind="image", media=(PNG, "image/png", "a.png"))
        image = self.broker.next_json()["entry"][0]["changes"][0]["value"]["messages"][0]["image"]
        bearer = {"Authorization": f"Bearer {self.set['access_token']}"}
        found = self.get(f"/v25.0/{image['id']}", headers=bearer).json
        path = urllib.parse.urlsplit(found["url"]).path
        self.get(path, 401)
        self.assertEqual(self.get(path, headers=bearer).body, PNG)
        body, kind = multipart({"messaging_product": "whatsapp", "type": "image/png"}, [("file", "b.png", "image/png", PNG)])
        made = self.post(f"/v25.0/{self.set['phone_number_id']}/media", body, headers=bearer, type=kind)
        sent = self.graph("messages", self.message(type="image", image={"id": made["id"], "caption": "c"}))
        self.assertEqual(self.sim.media(self.sim.sent()[0]["media"]), PNG)
        self.sim.receipt(sent["messages"][0]["id"], "read")
        status = self.broker.next_json()["entry"][0]["changes"][0]["value"]["statuses"][0]
        self.assertEqual((status["id"], status["status"], status["recipient_id"]),
                         (sent["messages"][0]["id"], "read", "16505551234"))
        body, kind = multipart({"type": "image/png"}, [("file", "b.png", "image/png", PNG)])
        self.post(f"/v25.0/{self.set['phone_number_id']}/media", body, 400, bearer, kind)


class Messenger(Case):
    provider, page, window = "messenger", "page", 2018278

    def graph(self, body, status=200, page=None, headers=None):
        return self.post(f"/v25.0/{page or self.set['page_id']}/messages", body, status,
                         {"Authorization": f"Bearer {self.set['access_token']}", **(headers or {})})

    @staticmethod
    def message(to="9009", **more):
        return {"recipient": {"id": to}, "messaging_type": "RESPONSE", "message": {"text": "你好"}, **more}

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start(self.provider)
        self.sim.say("hi", from_="9009")
        self.assertEqual(self.broker.next_json()["object"], self.page)
        self.assertEqual(self.graph(self.message())["recipient_id"], "9009")
        for wrong, code, sub in (
                (self.message(to="77"), 100, 2018001), (self.message(message={"text": ""}), 100, 2018034),
                (self.message(message={"text": "x" * 2001}), 100, None), (self.message(messaging_type="X"), 100, None),
                (self.message(message={"text": "x", "attachment": {"type": "image", "payload": {"url": "https://a/b"}}}),
                 100, None)):
            error = self.graph(wrong, 400)["error"]
            self.assertEqual((error["code"], error.get("error_subcode")), (code, sub), wrong)
        self.assertEqual(self.graph(self.message(), 401, headers={"Authorization": "Bearer x"})["error"]["code"], 190)
        self.sim.customer("9009", window_ms=-1)
        self.assertEqual(self.graph(self.message(), 403)["error"]["error_subcode"], self.window)
        self.graph(self.message(messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT"))
        self.graph(self.message(messaging_type="MESSAGE_TAG", tag="CONFIRMED_EVENT_UPDATE"), 403)
        self.sim.customer("9009", blocked=True)
        self.assertEqual(self.graph(self.message(), 400)["error"]["code"], 551)

    def test_the_proof_of_the_secret(self):
        known = vector("meta-appsecret-proof")["inputs"]
        self.start(self.provider, app_secret=known["app_secret"], access_token=known["access_token"])
        self.sim.customer("9009", window_ms=60000)
        proof = vector("meta-appsecret-proof")["expected"]["appsecret_proof"]
        path = f"/v25.0/{self.set['page_id']}/messages?access_token={known['access_token']}&appsecret_proof="
        self.post(path + proof, self.message())
        self.post(path + "0" + proof[1:], self.message(), 400)

    def test_files_and_receipts(self):
        self.start(self.provider)
        self.sim.say(kind="image", media=(PNG, "image/png", "a.png"))
        payload = self.broker.next_json()["entry"][0]["messaging"][0]["message"]["attachments"][0]["payload"]
        self.assertEqual(self.get(urllib.parse.urlsplit(payload["url"]).path).body, PNG)
        body, kind = multipart({"message": '{"attachment":{"type":"image","payload":{"is_reusable":true}}}'},
                               [("filedata", "b.png", "image/png", PNG)])
        made = self.post(f"/v25.0/me/message_attachments?access_token={self.set['access_token']}", body, type=kind)
        sent = self.graph(self.message(message={"attachment": {"type": "image", "payload": made}}))
        self.assertEqual(self.sim.media(self.sim.sent()[0]["media"]), PNG)
        self.sim.receipt(sent["message_id"], "delivered")
        event = self.broker.next_json()["entry"][0]["messaging"][0]
        self.assertEqual((event["sender"]["id"], event["delivery"]["mids"]), ("9009", [sent["message_id"]]))
        self.sim.receipt(sent["message_id"], "read")
        self.assertIn("mid" if self.page == "instagram" else "watermark",
                      self.broker.next_json()["entry"][0]["messaging"][0]["read"])


class Instagram(Messenger):
    provider, page, window = "instagram", "instagram", 2534022

    def test_its_texts_are_counted_in_bytes(self):
        self.start("instagram")
        self.sim.say("hi", from_="9009")
        self.graph(self.message(message={"text": "好" * 333}))
        self.graph(self.message(message={"text": "好" * 334}), 400)


class WeChat(Case):
    def token(self):
        return self.post("/cgi-bin/stable_token", {"grant_type": "client_credential", "appid": self.set["app_id"],
                                                   "secret": self.set["app_secret"]})["access_token"]

    def send(self, body, token=None):
        return self.post(f"/cgi-bin/message/custom/send?access_token={token or self.token()}", body)["errcode"]

    @staticmethod
    def text(content="你好", to="oX1"):
        return {"touser": to, "msgtype": "text", "text": {"content": content}}

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("wechat")
        self.broker.answers = [(200, "text/plain", b"success")]
        self.sim.say("hi", from_="oX1")
        self.assertEqual(self.post("/cgi-bin/stable_token", {"grant_type": "client_credential", "appid": "wx",
                                                             "secret": "x"})["errcode"], 40013)
        token = self.token()
        self.assertEqual(token, self.token(), "the same while it is good")
        for number in range(4):
            self.assertEqual(self.send(self.text(f"{number}")), 0)
        for wrong, code in ((self.text(to="oX2"), 40003), (self.text("好" * 683), 45002), (self.text(""), 44004),
                            ({"touser": "oX1", "msgtype": "image", "image": {"media_id": "none"}}, 40007),
                            (b"{", 47001), (json.dumps(self.text()).encode(), 40035)):
            self.assertEqual(self.send(wrong), code, wrong)
        self.assertEqual(self.send(self.text(), "88_old"), 40001)
        self.assertEqual(self.send(self.text("five")), 0)
        self.assertEqual(self.send(self.text("six")), 45047)
        self.sim.customer("oX1", window_ms=-1)
        self.assertEqual(self.send(self.text()), 45015)
        self.sim.fault("expire_token")
        self.assertEqual(self.send(self.text(), token), 40001)
        self.assertNotEqual(self.token(), token)
        self.assertEqual(self.sim.state()["tokens_minted"], 2)

    def test_known_answers(self):
        for name in ("wechat-aes-text", "wechat-aes-short", "wechat-aes-fullpad"):
            known = vector(name)
            given = known["inputs"]
            self.start("wechat", token=given["token"], encoding_aes_key=given["encoding_aes_key"],
                       app_id=given["receive_id"])
            self.sim.say(raw=given["plaintext"], timestamp=given["timestamp"], nonce=given["nonce"],
                         random=given["random_prefix_ascii"])
            _, path, _, body = self.broker.next()
            self.assertIn(known["expected"]["encrypt"].encode(), body)
            self.assertEqual(query_of(path)["msg_signature"], known["expected"]["msg_signature"])
        known = vector("wechat-url-verify")
        given = known["inputs"]
        self.start("wechat", token=given["token"])
        self.broker.answers = [(200, "text/plain", given["echostr"].encode())]
        self.assertTrue(self.sim.handshake(echostr=given["echostr"], timestamp=given["timestamp"], nonce=given["nonce"])["ok"])
        query = query_of(self.broker.next()[1])
        self.assertEqual((query["signature"], query["echostr"]), (known["expected"]["signature"], given["echostr"]))

    def test_its_rules_of_answering(self):
        self.start("wechat", mode="plain")
        self.broker.answers = [(200, "application/json", b'{"ok":true}'), (500, "text/plain", b""), (200, "text/plain", b"")]
        self.sim.write("one", from_="oX1")
        post = self.sim.wait_taken()[0]
        self.assertEqual((post["attempts"], post["ok"]), (3, True))
        bodies = [self.broker.next()[3] for _ in range(3)]
        self.assertEqual(len(set(bodies)), 1)
        self.assertIn("<Content><![CDATA[one]]></Content>", bodies[0].decode())

    def test_files(self):
        self.start("wechat", mode="plain")
        self.sim.say(kind="image", media=(PNG, "image/png", "a.png"), from_="oX1")
        xml = self.broker.next()[3].decode()
        media_id = xml.split("<MediaId><![CDATA[")[1].split("]")[0]
        self.assertEqual(self.get(f"/cgi-bin/media/get?access_token={self.token()}&media_id={media_id}").body, PNG)
        self.assertEqual(self.get(f"/cgi-bin/media/get?access_token={self.token()}&media_id=x").json["errcode"], 40007)
        body, kind = multipart({}, [("media", "b.png", "image/png", PNG)])
        made = self.post(f"/cgi-bin/media/upload?access_token={self.token()}&type=image", body, type=kind)
        self.assertEqual(self.send({"touser": "oX1", "msgtype": "image", "image": {"media_id": made["media_id"]}}), 0)
        self.assertEqual(self.sim.media(self.sim.sent()[0]["media"]), PNG)


class WeCom(Case):
    def token(self):
        return self.get(f"/cgi-bin/gettoken?corpid={self.set['corp_id']}&corpsecret={self.set['app_secret']}").json["access_token"]

    def kf(self, call, body, token=None):
        return self.post(f"/cgi-bin/kf/{call}?access_token={token or self.token()}", body)

    def send(self, **more):
        return self.kf("send_msg", {"touser": "wmDEMO7", "open_kfid": "wkDEMO1", "msgtype": "text",
                                    "text": {"content": "好"}, **more})["errcode"]

    def test_the_signal_and_the_pull(self):
        self.start("wecom", page=1)
        self.sim.write("one", silent=True)
        self.sim.say("two")
        self.broker.next()
        cursor, texts = "", []
        while True:
            got = self.kf("sync_msg", {"open_kfid": "wkDEMO1", "cursor": cursor, "limit": 1000})
            texts += [item["text"]["content"] for item in got["msg_list"]]
            cursor = got["next_cursor"]
            if not got["has_more"]:
                break
        self.assertEqual(texts, ["one", "two"])
        self.assertEqual(self.kf("sync_msg", {"open_kfid": "wkDEMO1", "cursor": cursor})["msg_list"], [])
        self.assertEqual(self.kf("sync_msg", {"open_kfid": "wkOTHER"})["errcode"], 95000)
        self.assertEqual(self.kf("sync_msg", {"open_kfid": "wkDEMO1", "token": "old"})["errcode"], 95007)
        self.assertEqual(self.kf("sync_msg", {"open_kfid": "wkDEMO1"}, "wc_old")["errcode"], 42001)

    def test_sends(self):
        self.start("wecom", window_count=3)
        self.sim.say("hi")
        self.assertEqual([self.send(msgid="m-1"), self.send(msgid="m-1"), self.send()], [0, 0, 0])
        self.assertEqual(len(self.sim.sent()), 2, "the same msgid is one message")
        self.assertEqual(self.send(msgid="x" * 33), 40058)
        self.assertEqual(self.send(text={"content": "好" * 683}), 40058)
        self.assertEqual(self.send(open_kfid="wkX"), 95000)
        self.assertEqual(self.send(msgtype="image", image={"media_id": "none"}), 40007)
        self.assertEqual([self.send(), self.send()], [0, 95001])
        who = {"open_kfid": "wkDEMO1", "external_userid": "wmDEMO7"}
        self.assertEqual(self.kf("service_state/get", who)["service_state"], 1)
        self.assertEqual(self.kf("service_state/trans", {**who, "service_state": 3, "servicer_userid": "li"})["errcode"], 0)
        self.assertEqual(self.send(), 95018)

    def test_known_answers(self):
        known = vector("wecom-kf-callback")
        given = known["inputs"]
        self.start("wecom")
        self.sim.say(sealed=given["encrypt"], timestamp=given["timestamp"], nonce=given["nonce"])
        _, path, _, body = self.broker.next()
        self.assertEqual((query_of(path)["msg_signature"], body.decode()), (given["msg_signature"], given["post_body"]))
        known = vector("wecom-url-verify-official")
        given = known["inputs"]
        self.sim.set(token=given["token"], encoding_aes_key=given["encoding_aes_key"], corp_id=given["receive_id"])
        self.broker.answers = [(200, "text/plain", known["expected"]["response_body"].encode())]
        post = self.sim.handshake(sealed=given["echostr"], timestamp=given["timestamp"], nonce=given["nonce"])
        self.assertTrue(post["ok"], post)
        query = query_of(self.broker.next()[1])
        self.assertEqual((query["msg_signature"], query["echostr"]), (given["msg_signature"], given["echostr"]))


class Feishu(Case):
    def token(self):
        return self.post("/open-apis/auth/v3/tenant_access_token/internal",
                         {"app_id": self.set["app_id"], "app_secret": self.set["app_secret"]})["tenant_access_token"]

    def send(self, content, status=200, kind="text", token=None, to="ou_demo", **more):
        return self.post("/open-apis/im/v1/messages?receive_id_type=open_id",
                         {"receive_id": to, "msg_type": kind, "content": json.dumps(content), **more}, status,
                         {"Authorization": f"Bearer {token or self.token()}"})

    def open(self, body):
        sealed = harness.base64.b64decode(json.loads(body)["encrypt"])
        key = hashlib.sha256(self.set["encrypt_key"].encode()).hexdigest()
        return json.loads(harness.subprocess.run(
            ["openssl", "enc", "-d", "-aes-256-cbc", "-K", key, "-iv", sealed[:16].hex()], input=sealed[16:],
            stdout=harness.subprocess.PIPE, check=True).stdout)

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("feishu")
        self.sim.customer("ou_demo")
        first = self.send({"text": "你好"}, uuid="u-1")
        self.assertEqual(self.send({"text": "你好"}, uuid="u-1")["data"]["message_id"], first["data"]["message_id"])
        self.assertEqual(len(self.sim.sent()), 1, "the same uuid is one message")
        for code, content, more in ((230001, {"text": ""}, {}), (230013, {"text": "x"}, {"to": "ou_other"}),
                                    (230025, {"text": "x" * 160000}, {}), (230001, {"image_key": "none"}, {"kind": "image"}),
                                    (230001, {"text": "x"}, {"uuid": "u" * 51}), (99991663, {"text": "x"}, {"token": "t-old"})):
            self.assertEqual(self.send(content, 400, **more)["code"], code, (content, more))
        self.assertEqual(self.post("/open-apis/auth/v3/tenant_access_token/internal",
                                   {"app_id": self.set["app_id"], "app_secret": "x"})["code"], 10014)
        self.sim.fault("retry_after", seconds=3)
        answer = self.sim.request("POST", "/open-apis/im/v1/messages?receive_id_type=open_id", {})
        self.assertEqual((answer.status, answer.headers["x-ogw-ratelimit-reset"], answer.json["code"]), (429, "3", 99991400))

    def test_what_it_posts_is_sealed_and_signed(self):
        self.start("feishu")
        self.sim.say("在吗")
        _, _, headers, body = self.broker.next()
        event = self.open(body)
        self.assertEqual(json.loads(event["event"]["message"]["content"]), {"text": "在吗"})
        self.assertEqual(event["header"]["token"], self.set["verification_token"])
        signed = headers["X-Lark-Request-Timestamp"] + headers["X-Lark-Request-Nonce"] + self.set["encrypt_key"]
        self.assertEqual(headers["X-Lark-Signature"], hashlib.sha256(signed.encode() + body).hexdigest())
        known = vector("feishu-card-legacy-signature")
        given = known["inputs"]
        self.sim.say(raw=given["raw_body"], kind="legacy_card", timestamp=given["timestamp"], nonce=given["nonce"])
        self.assertEqual(self.broker.next()[2]["X-Lark-Signature"], known["expected"]["x_lark_signature"])
        self.broker.answers = [(200, "application/json", lambda m, p, h, raw: json.dumps(
            {"challenge": self.open(raw)["challenge"]}).encode())]
        self.assertTrue(self.sim.handshake()["ok"])
        self.assertEqual(self.sim.handshake()["wrong"], "not the challenge in JSON")
        self.sim.set(encrypt_key="")
        for _ in range(2):
            self.broker.next()
        self.sim.say("plain")
        self.assertEqual(self.broker.next_json()["event"]["message"]["chat_type"], "p2p")

    def test_files(self):
        self.start("feishu", encrypt_key="")
        message_id = self.sim.say(kind="image", media=(PNG, "image/png", "a.png"))
        key = json.loads(self.broker.next_json()["event"]["message"]["content"])["image_key"]
        bearer = {"Authorization": f"Bearer {self.token()}"}
        self.assertEqual(self.get(f"/open-apis/im/v1/messages/{message_id}/resources/{key}?type=image", headers=bearer).body, PNG)
        self.get(f"/open-apis/im/v1/messages/{message_id}/resources/{key}", 400, bearer)
        body, kind = multipart({"image_type": "message"}, [("image", "b.png", "image/png", PNG)])
        made = self.post("/open-apis/im/v1/images", body, headers=bearer, type=kind)["data"]
        self.send(made, kind="image")
        self.assertEqual(self.sim.media(self.sim.sent()[0]["media"]), PNG)


class DingTalk(Case):
    def token(self):
        return self.post("/v1.0/oauth2/accessToken", {"appKey": self.set["app_key"],
                                                      "appSecret": self.set["app_secret"]})["accessToken"]

    def send(self, status=200, token=None, **more):
        return self.post("/v1.0/robot/oToMessages/batchSend", {
            "robotCode": self.set["robot_code"], "userIds": ["staff01"], "msgKey": "sampleText",
            "msgParam": json.dumps({"content": "好"}), **more}, status,
            {"x-acs-dingtalk-access-token": token or self.token()})

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("dingtalk")
        self.sim.say("hi")
        webhook = self.broker.next_json()["sessionWebhook"].removeprefix(self.sim.base)
        text = {"msgtype": "text", "text": {"content": "好"}}
        self.assertEqual(self.post(webhook, text)["errcode"], 0)
        self.assertEqual(self.post(webhook + "x", text)["errcode"], 300001)
        self.assertEqual(self.post(webhook, {"msgtype": "image"})["errcode"], 40035)
        self.assertEqual(self.post(webhook, {"msgtype": "text", "text": {"content": ""}})["errcode"], 40035)
        self.assertEqual(self.send()["invalidStaffIdList"], [])
        self.assertEqual(self.send(userIds=["nobody"])["invalidStaffIdList"], ["nobody"])
        self.assertEqual(self.send(401, token="old")["code"], "InvalidAuthentication")
        self.assertEqual(self.send(400, msgParam="{}")["code"], "invalidParameter.msgParam.invalid")
        self.assertEqual(self.send(400, robotCode="x")["code"], "robot.not.exist")
        self.assertEqual([one["to"] for one in self.sim.sent()], ["staff01", "staff01"])
        self.sim.set(session_ms="-1")
        self.sim.say("late")
        webhook = self.broker.next_json()["sessionWebhook"].removeprefix(self.sim.base)
        self.assertEqual(self.post(webhook, text)["errcode"], 300001)

    def test_known_answers(self):
        known = vector("dingtalk-robot-inbound-sign")
        self.start("dingtalk", app_secret=known["inputs"]["app_secret"])
        self.sim.say("hi", timestamp=known["inputs"]["timestamp"])
        headers = self.broker.next()[2]
        self.assertEqual((headers["timestamp"], headers["sign"]), (known["inputs"]["timestamp"], known["expected"]["sign"]))
        known = vector("dingtalk-event-success-reply")
        given = known["inputs"]
        self.sim.set(token=given["token"], aes_key=given["aes_key"], app_key=given["owner_key"])
        reply = {"msg_signature": known["expected"]["msg_signature"], "timeStamp": given["timestamp"],
                 "nonce": given["nonce"], "encrypt": known["expected"]["encrypt"]}
        self.broker.answers = [(200, "application/json", json.dumps(reply).encode()),
                               (200, "application/json", json.dumps({**reply, "nonce": "1"}).encode())]
        self.assertTrue(self.sim.handshake()["ok"])
        self.assertEqual(self.sim.handshake()["wrong"], "msg_signature is wrong")
        _, path, _, body = self.broker.next()
        query = query_of(path)
        words = sorted([given["token"], query["timestamp"], query["nonce"], json.loads(body)["encrypt"]])
        self.assertEqual(query["signature"], hashlib.sha1("".join(words).encode()).hexdigest())

    def test_files(self):
        self.start("dingtalk")
        self.sim.say(kind="image", media=(PNG, "image/png", "a.png"))
        code = self.broker.next_json()["content"]["downloadCode"]
        token = {"x-acs-dingtalk-access-token": self.token()}
        found = self.post("/v1.0/robot/messageFiles/download", {"downloadCode": code, "robotCode": self.set["robot_code"]},
                          headers=token)
        self.assertEqual(self.get(found["downloadUrl"].removeprefix(self.sim.base)).body, PNG)
        self.post("/v1.0/robot/messageFiles/download", {"downloadCode": "x", "robotCode": self.set["robot_code"]}, 400, token)
        body, kind = multipart({}, [("media", "b.png", "image/png", PNG)])
        made = self.post(f"/media/upload?access_token={self.token()}&type=file", body, type=kind)
        self.send(msgKey="sampleFile", msgParam=json.dumps({"mediaId": made["media_id"], "fileName": "b.png", "fileType": "png"}))
        self.assertEqual(self.sim.media(self.sim.sent()[0]["media"]), PNG)


class Line(Case):
    def call(self, path, body, status=200, token=None, **headers):
        return self.post(f"/v2/bot/message/{path}", body, status,
                         {"Authorization": f"Bearer {token or self.set['channel_access_token']}", **headers})

    def push(self, status=200, to="Ucust", text="好", **more):
        return self.call("push", {"to": to, "messages": [{"type": "text", "text": text}]}, status, **more)

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("line")
        self.sim.say("hi")
        token = self.broker.next_json()["events"][0]["replyToken"]
        reply = {"replyToken": token, "messages": [{"type": "text", "text": "好"}]}
        self.assertEqual(self.call("reply", reply, 400, **{"X-Line-Retry-Key": "x"})["message"], "The retry key is invalid.")
        self.assertEqual(len(self.call("reply", reply)["sentMessages"]), 1)
        self.assertEqual(self.call("reply", reply, 400)["message"], "Invalid reply token", "it is used once")
        key = {"X-Line-Retry-Key": "123e4567-e89b-12d3-a456-426614174000"}
        self.push(**key)
        self.push(409, **key)
        self.assertEqual(len(self.sim.sent()), 2, "the same key is one message")
        self.push(400, to="Uother")
        self.push(400, text="x" * 5001)
        self.push(400, **{"X-Line-Retry-Key": "no-uuid"})
        self.push(401, token="old")
        self.call("push", {"to": "Ucust", "messages": []}, 400)
        self.call("push", {"to": "Ucust", "messages": [{"type": "image", "originalContentUrl": "http://a/b"}]}, 400)
        self.sim.set(reply_ms="-1")
        self.sim.say("late")
        self.call("reply", {**reply, "replyToken": self.broker.next_json()["events"][0]["replyToken"]}, 400)
        self.sim.customer("Ucust", blocked=True)
        self.push()
        self.assertEqual(self.sim.sent()[-1]["to"], "nobody", "nobody is told")
        self.sim.fault("error", code="monthly")
        self.assertIn("monthly limit", self.push(429)["message"])

    def test_known_answers(self):
        known = vector("line-signature-official")
        self.start("line", channel_secret=known["inputs"]["channel_secret"])
        self.sim.say(raw=known["inputs"]["raw_body"])
        self.assertEqual(self.broker.next()[2]["x-line-signature"], known["expected"]["x_line_signature"])
        self.assertTrue(self.sim.handshake()["ok"])
        self.assertEqual(self.broker.next()[3].decode(), known["inputs"]["raw_body"])

    def test_redelivery_and_files(self):
        self.start("line")
        self.broker.answers = [(500, "text/plain", b"")]
        message_id = self.sim.say(kind="image", media=(PNG, "image/png", "a.png"))
        first, again = (self.broker.next_json()["events"][0] for _ in range(2))
        self.assertEqual(first["webhookEventId"], again["webhookEventId"])
        self.assertEqual([one["deliveryContext"]["isRedelivery"] for one in (first, again)], [False, True])
        bearer = {"Authorization": f"Bearer {self.set['channel_access_token']}"}
        self.assertEqual(self.get(f"/v2/bot/message/{message_id}/content", headers=bearer).body, PNG)
        self.get(f"/v2/bot/message/{message_id}/content", 401)
        self.get("/v2/bot/message/1/content", 404, bearer)


class Slack(Case):
    def call(self, method, body, token=None):
        return self.post(f"/api/{method}", body, headers={"Authorization": f"Bearer {token or self.set['bot_token']}"})

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("slack")
        self.sim.say("help", from_="U1")
        sent = self.call("chat.postMessage", {"channel": "DU1", "text": "好", "thread_ts": "1.000002"})
        self.assertEqual((sent["ok"], sent["message"]["text"]), (True, "好"))
        for body, error in (({"channel": "D9", "text": "x"}, "channel_not_found"), ({"channel": "DU1"}, "no_text"),
                            ({"channel": "DU1", "text": "x" * 40001}, "msg_too_long"),
                            ({"channel": "DU1", "text": "x", "thread_ts": "17"}, "invalid_arguments")):
            self.assertEqual(self.call("chat.postMessage", body), {"ok": False, "error": error})
        self.assertEqual(self.call("chat.postMessage", {"channel": "DU1", "text": "x"}, "xoxb-old")["error"], "invalid_auth")
        self.assertEqual(self.call("conversations.open", {"users": "U1"})["channel"]["id"], "DU1")
        self.assertEqual(self.call("no.such", {})["error"], "unknown_method")
        self.sim.fault("retry_after", seconds=4)
        answer = self.sim.request("POST", "/api/chat.postMessage", {})
        self.assertEqual((answer.status, answer.headers["Retry-After"], answer.json["error"]), (429, "4", "ratelimited"))

    def test_known_answers(self):
        known = vector("slack-signature-official")
        given = known["inputs"]
        self.start("slack", signing_secret=given["signing_secret"])
        self.sim.say(raw=given["raw_body"], timestamp=given["x_slack_request_timestamp"])
        headers = self.broker.next()[2]
        self.assertEqual((headers["X-Slack-Signature"], headers["Content-Type"]),
                         (known["expected"]["x_slack_signature"], "application/x-www-form-urlencoded"))
        self.broker.answers = [(200, "text/plain", lambda m, p, h, body: json.loads(body)["challenge"].encode())]
        self.assertTrue(self.sim.handshake()["ok"])
        self.assertFalse(self.sim.handshake()["ok"])

    def test_its_way_of_repeating(self):
        self.start("slack", hurry="1000")
        self.broker.answers = [(500, "text/plain", b"")] * 4
        self.sim.write("one")
        self.assertEqual(self.sim.wait_taken(ok=False)[0]["attempts"], 4)
        got = [self.broker.next() for _ in range(4)]
        self.assertEqual([one[2]["X-Slack-Retry-Num"] for one in got], [None, "1", "2", "3"])
        self.assertEqual(len({one[3] for one in got}), 1)

    def test_files(self):
        self.start("slack")
        self.sim.say("look", kind="image", media=(PNG, "image/png", "a.png"))
        file = self.broker.next_json()["event"]["files"][0]
        path = file["url_private"].removeprefix(self.sim.base)
        self.assertEqual(self.get(path).headers["Content-Type"], "text/html", "a page to sign in")
        self.assertEqual(self.get(path, headers={"Authorization": f"Bearer {self.set['bot_token']}"}).body, PNG)
        made = self.call("files.getUploadURLExternal", {"filename": "b.png", "length": len(PNG)})
        path = made["upload_url"].removeprefix(self.sim.base)
        self.assertEqual(self.sim.request("POST", path, PNG[1:]).status, 400)
        end = {"files": [{"id": made["file_id"], "title": "b"}], "channel_id": "DU1"}
        self.assertEqual(self.call("files.completeUploadExternal", end)["error"], "file_not_found")
        self.assertEqual(self.sim.request("POST", path, PNG).status, 200)
        self.assertTrue(self.call("files.completeUploadExternal", end)["ok"])
        self.assertEqual(self.sim.media(self.sim.sent()[0]["media"]), PNG)


class Weibo(Case):
    def send(self, status=200, data=None, token=None, **more):
        fields = {"access_token": token or self.set["access_token"], "type": "text", "receiver_id": "2489000002",
                  "save_sender_box": "1", "data": json.dumps(data or {"text": "好"}), **more}
        return self.post("/2/messages/reply.json", urllib.parse.urlencode(fields).encode(), status,
                         type="application/x-www-form-urlencoded")

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("weibo")
        self.assertEqual(self.send(400)["error_code"], 10016)
        self.sim.say("你好")
        self.assertTrue(self.send()["result"])
        self.assertEqual(self.send(400, data={"text": "好" * 301})["error_code"], 10017)
        self.assertEqual(self.send(400, type="poem")["error_code"], 10017)
        self.assertEqual(self.send(401, token="old")["error_code"], 21332)
        self.post("/2/messages/reply.json", {"type": "text"}, 401)
        self.sim.customer("2489000002", window_ms=-1)
        self.assertEqual(self.send(400)["error_code"], 26401)
        self.sim.say(kind="event", event="unfollow")
        self.assertEqual(self.send(400)["error_code"], 26401)

    def test_known_answers_and_files(self):
        known = vector("weibo-url-verify-official")
        given = known["inputs"]
        self.start("weibo", app_secret=given["appsecret"])
        self.broker.answers = [(200, "text/plain", lambda m, path, h, b: query_of(path)["echostr"].encode())]
        self.assertTrue(self.sim.handshake(timestamp=given["timestamp"], nonce=given["nonce"])["ok"])
        self.assertEqual(query_of(self.broker.next()[1])["signature"], known["expected"]["signature"])
        self.sim.say(kind="image", media=(PNG, "image/png", "a.png"))
        fid = self.broker.next_json()["data"]["tovfid"]
        self.assertEqual(self.get(f"/2/mss/msget?access_token={self.set['access_token']}&fid={fid}").body, PNG)
        self.get(f"/2/mss/msget?access_token={self.set['access_token']}&fid={fid - 1}", 400)
        self.broker.answers = [(200, "text/plain", b"success")]
        self.sim.write("hi")
        self.assertEqual(self.sim.wait_taken(2, ok=False)[0]["attempts"], 2, "the word success is WeChat's")


class X(Case):
    def send(self, status=201, to="300", token=None, **body):
        return self.post(f"/2/dm_conversations/with/{to}/messages", body or {"text": "好"}, status,
                         {"Authorization": f"Bearer {token or self.set['access_token']}"})

    def refresh(self, token, status=200):
        body = urllib.parse.urlencode({"grant_type": "refresh_token", "refresh_token": token, "client_id": "c"}).encode()
        return self.post("/2/oauth2/token", body, status, type="application/x-www-form-urlencoded")

    def test_what_is_right_is_taken_and_what_is_wrong_refused(self):
        self.start("x")
        self.send(403)
        self.sim.say("hi")
        self.assertIn("dm_event_id", self.send()["data"])
        self.send(400, text="x" * 10001)
        self.send(400, attachments=[{"media_id": "none"}])
        self.send(401, token="old")
        self.sim.fault("expire_token")
        self.send(401)
        fresh = self.refresh("refresh-0")
        self.send(token=fresh["access_token"])
        self.refresh("refresh-0", 400)
        self.sim.fault("retry_after", seconds=9)
        answer = self.sim.request("POST", "/2/dm_conversations/with/300/messages", {"text": "x"})
        self.assertGreater(int(answer.headers["x-rate-limit-reset"]), 1700000000)

    def test_requests_signed_by_oauth_1(self):
        self.start("x")
        self.sim.customer("300")
        path = "/2/dm_conversations/with/300/messages"
        fields = {"oauth_consumer_key": self.set["app_key"], "oauth_nonce": "n 1", "oauth_signature_method": "HMAC-SHA1",
                  "oauth_timestamp": str(int(time.time())), "oauth_token": self.set["access_token"], "oauth_version": "1.0"}

        def pct(text):
            return urllib.parse.quote(text, safe="-._~")

        def field(secret):
            given = "&".join(f"{name}={pct(fields[name])}" for name in sorted(fields))
            text = f"POST&{pct(self.sim.base + path)}&{pct(given)}"
            mac = hmac.new(f"{self.set['app_secret']}&{secret}".encode(), text.encode(), hashlib.sha1).digest()
            signed = {**fields, "oauth_signature": harness.base64.b64encode(mac).decode()}
            return {"Authorization": "OAuth " + ", ".join(f'{name}="{pct(value)}"' for name, value in signed.items())}

        self.post(path, {"text": "好"}, 201, field(self.set["access_token_secret"]))
        self.post(path, {"text": "好"}, 401, field("other"))
        fields["oauth_timestamp"] = "1300000000"
        self.post(path, {"text": "好"}, 401, field(self.set["access_token_secret"]))

    def test_known_answers_and_files(self):
        known = vector("x-crc")
        self.start("x", app_secret=known["inputs"]["consumer_secret"])
        self.broker.answers = [(200, "application/json", known["expected"]["response_body"].encode())]
        self.assertTrue(self.sim.handshake(crc_token=known["inputs"]["crc_token"])["ok"])
        self.assertFalse(self.sim.handshake(crc_token="other")["ok"])
        self.broker.next(), self.broker.next()
        self.sim.say("look", kind="image", media=(PNG, "image/png", "a.png"))
        _, _, headers, body = self.broker.next()
        mac = hmac256(known["inputs"]["consumer_secret"], body).digest()
        self.assertEqual(headers["x-twitter-webhooks-signature"], "sha256=" + harness.base64.b64encode(mac).decode())
        media = json.loads(body)["direct_message_events"][0]["message_create"]["message_data"]["attachment"]["media"]
        self.assertEqual(self.get(media["media_url_https"].removeprefix(self.sim.base)).body, PNG)
        bearer = {"Authorization": f"Bearer {self.set['access_token']}"}
        body, kind = multipart({"media_category": "dm_image"}, [("media", "b.png", "image/png", PNG)])
        made = self.post("/2/media/upload", body, headers=bearer, type=kind)["data"]["id"]
        self.send(attachments=[{"media_id": made}])
        self.assertEqual(self.sim.media(self.sim.sent()[0]["media"]), PNG)
        self.post("/2/media/upload", *multipart({})[:1], status=400, headers=bearer, type=kind)


if __name__ == "__main__":
    harness.unittest.main()
