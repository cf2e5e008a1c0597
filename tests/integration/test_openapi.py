"""What the daemon answers on the main path is what its own /openapi.json says."""
import re
import unittest

import harness


def problems(schema, value, document, where="$"):
    """A JSON Schema check with the words that schemas.json uses."""
    if "$ref" in schema:
        target = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return problems(target, value, document, where)
    if "anyOf" in schema:
        tries = [problems(one, value, document, where) for one in schema["anyOf"]]
        return [] if [] in tries else tries[0]
    found = []
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_kind(kind, value) for kind in kinds):
        return [f"{where} is {value!r}, not {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where} is {value!r}, not one of {schema['enum']}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{where} is {value!r}, not {schema['pattern']}")
        if schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}(-\d\d){2}T\d\d:\d\d:\d\d(\.\d+)?Z", value):
            found.append(f"{where} is {value!r}, not a time")
    if isinstance(value, dict):
        found += [f"{where}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            if name in schema.get("properties", {}):
                found += problems(schema["properties"][name], member, document, f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{where}.{name} is not described")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found += problems(schema["items"], item, document, f"{where}[{index}]")
    return found


def is_kind(kind, value):
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, {"string": str, "array": list, "object": dict}[kind])


class Openapi(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.sink = self.start_sink(self.secret)
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", deliver_url: "{self.sink.url}", '
            'allow_private_urls: true }\n  - { name: site, connector: webchat }\n')
        self.document = self.daemon.request("GET", "/openapi.json").json
        self.alice = self.daemon.token()
        self.boss = self.daemon.token("supervisor", "bob")
        self.admin = self.daemon.token("admin", None)

    def call(self, method, pattern, body=None, token=None, query="", part=None, **params):
        """Asks, and checks the answer against the row of this route; part names the schema of list items."""
        path = pattern.format(**params) + query
        answer = self.daemon.request(method, path, body, token or self.alice)
        row = self.document["paths"][pattern][method.lower()]
        described = row["responses"].get(str(answer.status))
        self.assertIsNotNone(described, f"{method} {path}: {answer} is not described")
        if "content" in described:
            schema = described["content"]["application/json"]["schema"]
            self.assertEqual(problems(schema, answer.json, self.document, f"{method} {pattern}"), [])
            if part:
                self.assertTrue(answer.json["data"], path)
                self.check_items(answer.json["data"], part, path)
        return answer.json

    def check_items(self, items, part, where):
        for item in items:
            self.assertEqual(problems({"$ref": f"#/components/schemas/{part}"}, item, self.document, where), [])

    def refused(self, answer):
        self.assertGreaterEqual(answer.status, 400)
        self.assertEqual(problems({"$ref": "#/components/schemas/Problem"}, answer.json, self.document), [])

    def incoming(self, message_id, **more):
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": message_id, "from": {"id": "u1", "name": "李雷", "email": "l@cust.example"}, "text": "退款", **more})
        self.assertEqual(answer.status, 200, answer)

    def test_the_main_path(self):
        self.incoming("m1")
        item = self.call("POST", "/v1/work/claim", {"wait_s": 10})
        self.call("GET", "/v1/work-items", part="WorkItem")
        self.call("GET", "/v1/work-items/{id}", id=item["id"])
        self.call("GET", "/v1/work-items/{id}/explain", id=item["id"])
        self.call("GET", "/v1/conversations/{id}", id=item["conversation"])
        self.call("POST", "/v1/conversations/{id}/messages", {"text": "好的"}, id=item["conversation"])
        self.call("POST", "/v1/conversations/{id}/messages", {"kind": "note", "text": "记"}, id=item["conversation"])
        self.call("POST", "/v1/conversations/{id}/messages/preview", {"text": "好的"}, id=item["conversation"])
        self.call("POST", "/v1/conversations/{id}/typing", {}, id=item["conversation"])
        harness.wait_for("the webhook out", self.sink.texts)
        self.call("GET", "/v1/conversations/{id}/messages", id=item["conversation"], part="Message")
        self.call("GET", "/v1/customers/{id}", id=item["customer"]["id"])
        self.call("PATCH", "/v1/customers/{id}", {"tags": ["vip"]}, id=item["customer"]["id"])
        self.call("GET", "/v1/customers", query="?identifier=email:l@cust.example")
        for word, body in (("snooze", {}), ("reopen", {}), ("transfer", {"target": "queue:support"})):
            answer = self.daemon.request("POST", f"/v1/work-items/{item['id']}/{word}", body, self.boss)
            if answer.status == 200:
                self.check_items([answer.json], "WorkItem", word)
            else:
                self.refused(answer)
        self.call("POST", "/v1/work-items", {"queue": "support"})
        self.call("GET", "/v1/live")

    def test_dead_letters(self):
        self.sink.answers = [400]
        self.incoming("m1")
        item = self.call("POST", "/v1/work/claim", {"wait_s": 10})
        sent = self.call("POST", "/v1/conversations/{id}/messages", {"text": "不行"}, id=item["conversation"])
        harness.wait_for("the failure", lambda: self.call("GET", "/v1/deadletters", token=self.boss)["data"])
        self.call("POST", "/v1/deadletters/{id}/redrive", {}, self.boss, id=sent["id"])
        harness.wait_for("the second attempt", self.sink.texts)

    def test_webhooks_out(self):
        admin = self.daemon.token("admin", None)
        self.call("PUT", "/v1/webhooks/{id}", {"url": "https://127.0.0.1/events"}, admin, id="crm")
        self.call("GET", "/v1/webhooks/{id}/state", token=admin, id="crm")
        made = self.call("POST", "/v1/webhooks/{id}/test", {}, admin, id="crm")
        harness.wait_for("the failure", lambda: self.call("GET", "/v1/webhooks/{id}/deliveries", token=admin, id="crm")["data"][0]["error"])
        self.call("POST", "/v1/webhooks/{id}/deliveries/{delivery}/resend", {}, admin, id="crm", delivery=made["id"])
        self.call("POST", "/v1/webhooks/{id}/resume", {}, admin, id="crm")
        self.call("GET", "/v1/webhooks/{id}/deliveries", token=admin, id="crm")

    def test_configuration(self):
        self.call("GET", "/v1/me")
        self.call("GET", "/v1/me/offers")
        self.call("PUT", "/v1/me/presence", {"status": "away"})
        self.call("PUT", "/v1/agents/{id}/presence", {"status": "away"}, self.boss, id="alice")
        self.call("POST", "/v1/events/ticket", {})
        for noun in ("agents", "queues", "rules"):
            self.call("GET", f"/v1/{noun}", part="Object")
        self.call("PUT", "/v1/queues/{id}", {"name": "VIP"}, self.admin, id="vip")
        self.call("GET", "/v1/queues/{id}", id="vip")
        self.call("DELETE", "/v1/queues/{id}", token=self.admin, id="vip")
        self.call("PUT", "/v1/agents/{id}/password", {"password": "a good password"}, self.admin, id="alice")
        self.call("POST", "/v1/session", {"agent": "alice", "password": "a good password"})
        self.call("GET", "/v1/channels", part="Object")
        self.call("POST", "/v1/channels/{name}/test", {}, self.admin, name="shop")
        made = self.call("POST", "/v1/tokens", {"role": "integration"}, self.admin)
        self.call("GET", "/v1/tokens", token=self.admin, part="Object")
        self.call("DELETE", "/v1/tokens/{id}", token=self.admin, id=made["id"])

    def test_chat(self):
        visitor = self.call("POST", "/chat/{channel}/sessions", {"name": "小明"}, channel="site")["token"]
        self.call("POST", "/chat/{channel}/messages", {"text": "在吗"}, visitor, channel="site")
        self.call("POST", "/chat/{channel}/typing", {}, visitor, channel="site")
        blob = self.call("POST", "/chat/{channel}/attachments", b"bytes", visitor, "?name=a.txt&type=text/plain",
                         channel="site")
        self.assertEqual(blob["size"], 5)
        events = self.daemon.events("/chat/site/events", visitor)
        self.addCleanup(events.close)
        shown = events.wait(lambda event: event["event"] == "message")["data"]
        self.check_items([shown], "Message", "chat")

    def test_events(self):
        events = self.daemon.events("/v1/events", self.alice)
        self.addCleanup(events.close)
        self.incoming("m1")
        for _ in range(3):
            self.check_items([events.next()["data"]], "Event", "events")

    def test_problems(self):
        for method, path, body in (("GET", "/v1/nothing", None), ("GET", "/v1/me?x=1", None), ("DELETE", "/v1/me", None),
                                   ("GET", "/v1/work-items/wrk_0", None), ("POST", "/v1/work/claim", {"wait_s": "x"}),
                                   ("GET", "/v1/tokens", None), ("POST", "/v1/tokens", {}), ("POST", "/in/shop", {}),
                                   ("POST", "/chat/site/messages", {"text": "x"})):
            self.refused(self.daemon.request(method, path, body, self.alice))
        self.refused(self.daemon.request("GET", "/v1/me"))


if __name__ == "__main__":
    unittest.main()
