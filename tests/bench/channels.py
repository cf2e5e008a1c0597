"""What each connector costs: reading a request, and its whole way in, beside the generic webhook's in the same run.

The requests are the golden ones of tests/data with another id and another person each, signed as the provider signs them.
"""
import base64
import hashlib
import hmac
import itertools
import json
import random
import subprocess
import time
import urllib.parse

import bed
from bed import ROOT, SECRET, median, run_json, say

TEXT = "我的订单 4711 还没有收到，请帮我查一下。 Where is my parcel?"
META = {"app_secret": "0123456789abcdef0123456789abcdef", "verify_token": "v", "access_token": "t"}
WEBHOOK_KEY = base64.b64decode(SECRET.removeprefix("whsec_"))


def mac(key, message, digest=hashlib.sha256):
    return hmac.new(key.encode() if isinstance(key, str) else key, message, digest)


def in_base64(value):
    return base64.b64encode(value.digest()).decode()


def webhook(number, person):
    body = compact({"id": f"w{number}", "from": {"id": f"p{person}", "name": "Bo"}, "text": TEXT})
    now = str(int(time.time()))
    head = f"{number}.{now}.".encode()
    return "", body, {"webhook-id": number, "webhook-timestamp": now, "webhook-signature": f"v1,{in_base64(mac(WEBHOOK_KEY, head + body))}"}


def telegram(number, person):
    body = compact({"update_id": number, "message": {
        "message_id": number, "from": {"id": 5000 + person, "is_bot": False, "first_name": "Bo", "language_code": "zh"},
        "chat": {"id": 5000 + person, "first_name": "Bo", "type": "private"}, "date": 1767322545, "text": TEXT}})
    return "", body, {"x-telegram-bot-api-secret-token": "s3cr3t"}


def line(number, person):
    body = compact({"destination": "Ubot", "events": [{
        "type": "message", "webhookEventId": f"01J{number}", "deliveryContext": {"isRedelivery": False}, "timestamp": 1767322545123,
        "source": {"type": "user", "userId": f"U{person}"}, "replyToken": "r", "mode": "active",
        "message": {"type": "text", "id": str(number), "text": TEXT, "quoteToken": "q"}}]})
    return "", body, {"x-line-signature": in_base64(mac("secret", body))}


def slack(number, person):
    now = str(int(time.time()))
    body = compact({"token": "t", "team_id": "T1", "api_app_id": "A1", "type": "event_callback", "event_id": f"Ev{number}", "event": {
        "type": "message", "channel": f"D{person}", "channel_type": "im", "user": f"U{person}", "text": TEXT, "ts": f"1767322545.{number}"}})
    signed = mac("secret", b"v0:" + now.encode() + b":" + body).hexdigest()
    return "", body, {"x-slack-request-timestamp": now, "x-slack-signature": f"v0={signed}"}


def x(number, person):
    body = compact({"for_user_id": "433", "direct_message_events": [{
        "type": "message_create", "id": str(number), "created_timestamp": "1767322545123", "message_create": {
            "target": {"recipient_id": "433"}, "sender_id": str(person + 500), "message_data": {"text": TEXT, "entities": {}}}}],
        "users": {str(person + 500): {"id": str(person + 500), "name": "Bo 波", "screen_name": "bo"}}})
    return "", body, {"x-twitter-webhooks-signature": "sha256=" + in_base64(mac("secret", body))}


def graph(body):
    return "", body, {"x-hub-signature-256": "sha256=" + mac(META["app_secret"], body).hexdigest()}


def whatsapp(number, person):
    phone = str(8613800000000 + person)
    return graph(compact({"object": "whatsapp_business_account", "entry": [{"id": "1020", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "1555", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Bo"}, "wa_id": phone}],
        "messages": [{"from": phone, "id": f"wamid.{number}", "timestamp": "1767322545", "type": "text", "text": {"body": TEXT}}]}}]}]}))


def messaging(what, page, number, person):
    return graph(compact({"object": what, "entry": [{"id": page, "time": 1, "messaging": [{
        "sender": {"id": str(9000 + person)}, "recipient": {"id": page}, "timestamp": 1767322545123,
        "message": {"mid": f"m_{number}", "text": TEXT}}]}]}))


def messenger(number, person):
    return messaging("page", "1001", number, person)


def instagram(number, person):
    return messaging("instagram", "17841400000000001", number, person)


def feishu(number, person):
    body = compact({"schema": "2.0", "header": {
        "event_id": f"ev-{number}", "event_type": "im.message.receive_v1", "create_time": "1767322545123", "token": "vtok_0123456789",
        "app_id": "cli_demo", "tenant_key": "tk"}, "event": {
        "sender": {"sender_id": {"open_id": f"ou_{person}", "union_id": f"on_{person}"}, "sender_type": "user", "tenant_key": "tk"},
        "message": {"message_id": f"om_{number}", "chat_id": f"oc_{person}", "chat_type": "p2p", "message_type": "text",
                    "content": json.dumps({"text": TEXT}, ensure_ascii=False), "create_time": "1767322545000"}}})
    return "", body, {}


def dingtalk(number, person):
    now = str(int(time.time() * 1000))
    body = compact({"conversationId": f"cid{person}==", "conversationType": "1", "msgId": f"msg{number}==", "createAt": 1767322545123,
                    "senderStaffId": f"staff{person}", "senderNick": "李雷", "robotCode": "dingdemo", "chatbotUserId": "b",
                    "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=demo",
                    "sessionWebhookExpiredTime": 1767327945123, "msgtype": "text", "text": {"content": TEXT}})
    return "", body, {"timestamp": now, "sign": in_base64(mac("secret", f"{now}\nsecret".encode()))}


def sorted_sha1(secret, **query):
    query["signature"] = hashlib.sha1("".join(sorted([secret, *query.values()])).encode()).hexdigest()
    return "?" + urllib.parse.urlencode(query)


def wechat(number, person):
    body = (f"<xml><ToUserName><![CDATA[gh_0a1b2c3d4e5f]]></ToUserName><FromUserName><![CDATA[oX{person}]]></FromUserName><CreateTime>"
            f"1767322545</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{TEXT}]]></Content><MsgId>{number}</MsgId></xml>")
    return sorted_sha1("pamtest", timestamp=str(int(time.time())), nonce="n1"), body.encode(), {}


def weibo(number, person):
    # Weibo gives its messages no id: the second stands for it.
    at = time.strftime("%a %b %d %H:%M:%S +0800 %Y", time.gmtime(1500000000 + number))
    body = compact({"receiver_id": 1902000001, "sender_id": 2489000002 + person, "created_at": at, "type": "text", "text": TEXT, "data": {}})
    return sorted_sha1("secret", timestamp=str(int(time.time() * 1000)), nonce="57155157"), body, {}


def twilio_sms(number, person):
    account = "AC0123456789abcdef0123456789abcdef"
    form = {"MessageSid": f"SM{number}", "SmsSid": f"SM{number}", "AccountSid": account, "From": f"+1500555{person:04d}",
            "To": "+15005550006", "Body": TEXT, "NumMedia": "0", "NumSegments": "2", "SmsStatus": "received", "ApiVersion": "2010-04-01"}
    signed = "https://broker.example.com/in/twilio-sms" + "".join(key + form[key] for key in sorted(form))
    return "", urllib.parse.urlencode(form).encode(), {"x-twilio-signature": in_base64(mac("secret", signed.encode(), hashlib.sha1)),
                                                       "content-type": "application/x-www-form-urlencoded"}


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# Settings, the maker of its requests, its golden case (tests/data/<connector>/) where that is not text.json.
CHANNELS = {
    "webhook": ({"secret": SECRET}, webhook, "text"),
    "telegram": ({"bot_token": "123456:ABC-DEF", "secret_token": "s3cr3t"}, telegram, "text"),
    "line": ({"channel_secret": "secret", "channel_access_token": "t"}, line, "text"),
    "slack": ({"signing_secret": "secret", "bot_token": "xoxb-t"}, slack, "direct"),
    "x": ({"app_secret": "secret", "access_token": "t"}, x, "text"),
    "whatsapp": ({"phone_number_id": "106540352242922", **META}, whatsapp, "text"),
    "messenger": ({"page_id": "1001", **META}, messenger, "text"),
    "instagram": ({"page_id": "17841400000000001", **META}, instagram, "text"),
    "feishu": ({"app_id": "cli_demo", "app_secret": "s", "verification_token": "vtok_0123456789"}, feishu, "plain_text"),
    "dingtalk": ({"app_key": "ding1", "app_secret": "secret", "robot_code": "dingdemo"}, dingtalk, "text"),
    "wechat": ({"app_id": "wxb11529c136998cb6", "app_secret": "s", "token": "pamtest"}, wechat, "text"),
    "weibo": ({"app_secret": "secret", "access_token": "t"}, weibo, "text"),
    "twilio_sms": ({"account_sid": "AC0123456789abcdef0123456789abcdef", "auth_token": "secret", "number": "+15005550006",
                    "public_url": "https://broker.example.com"}, twilio_sms, "text"),
}
NOT_JSON = {"wechat", "twilio_sms"}
PEOPLE = 2000


def name_of(connector):
    return connector.replace("_", "-")


def yaml():
    """Their lines in the daemon's configuration."""
    return "".join(f"  - {json.dumps({'name': name_of(connector), 'connector': connector, **settings})}\n"
                   for connector, (settings, _, _) in CHANNELS.items())


def write_requests(path, connector, first, count):
    """Each a line with its length, then its bytes: what load -q sends."""
    make, dice = CHANNELS[connector][1], random.Random(first)
    with open(path, "wb") as out:
        for number in range(first, first + count):
            query, body, fields = make(number, dice.randrange(PEOPLE))
            head = {"content-type": "application/json", **fields, "content-length": len(body)}
            text = "".join(f"{name}: {value}\r\n" for name, value in head.items())
            request = f"POST /in/{name_of(connector)}{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{text}\r\n".encode() + body
            out.write(b"%d\n" % len(request) + request)


def admitted(ground, daemon, redis, plan, processor):
    """connector: the rates of the rounds, all connectors in each."""
    count = int(12000 * plan.seconds)
    seen = {connector: [] for connector in CHANNELS}
    numbers = itertools.count(1_000_000, count)
    for round_number in range(plan.rounds + 1):  # the first makes the people known and does not count
        for connector in CHANNELS:
            path = ground.folder / "requests"
            write_requests(path, connector, next(numbers), count)
            result = run_json([bed.TOOLS / "load", "-p", daemon.port, "-t", "-", "-q", path, "-s", plan.seconds], processor,
                              [daemon.pid, redis.pid])
            if round_number:
                seen[connector].append(result)
        say(f"  round {round_number}: " + ", ".join(f"{name} {list_[-1]['rate']:,.0f}/s" for name, list_ in seen.items() if list_))
    return seen


def read(connector, plan, processor):
    case = ROOT / "tests" / "data" / connector / f"{CHANNELS[connector][2]}.json"
    words = ["taskset", "-c", str(processor), bed.TOOLS / "parsing", connector, case, str(plan.rounds), str(int(plan.seconds * 50))]
    return json.loads(subprocess.check_output([str(word) for word in words], text=True))


def worst(rates):
    """The connector whose rounds were slowest beside the webhook's of the same rounds, and by how much."""
    by = {connector: median([one["rate"] / other["rate"] for one, other in zip(list_, rates["webhook"])])
          for connector, list_ in rates.items() if connector != "webhook"}
    return sorted(by.items(), key=lambda item: item[1])
