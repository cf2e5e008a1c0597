"""The 360 view: what is kept of a customer, who wrote it, and who may see it."""
import base64
import hashlib
import hmac
import http.server
import threading
import time
import unittest
import urllib.parse

import harness


class Bed(harness.TestCase):
    settings = ""

    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", trust_addresses: true }}\n'
            f'  - {{ name: other, connector: webhook, secret: "{self.secret}", trust_addresses: true }}\n'
            "  - { name: site, connector: webchat }\n", extra=self.settings)
        self.alice = self.daemon.token()
        self.admin = self.daemon.token("admin", None)
        self.item = self.incoming("shop", "m1", "退款，谢谢")
        self.customer = self.item["customer"]["id"]
        self.path = f"/v1/customers/{self.customer}"

    def incoming(self, channel, message_id, text):
        answer = self.daemon.post_signed(channel, self.secret, {
            "id": message_id, "from": {"id": "u1", "name": "李雷", "email": "lilei@cust.example"}, "text": text})
        self.assertEqual(answer.status, 200, answer)
        return self.daemon.claim(self.alice)

    def ask(self, method, path, body=None, status=200, token=None, **more):
        answer = self.daemon.request(method, path, body, token or self.alice, **more)
        self.assertEqual(answer.status, status, answer)
        return answer

    def view(self, query="", token=None):
        return self.ask("GET", self.path + query, token=token).json

    def token_of(self, **body):
        return self.ask("POST", "/v1/tokens", {"role": "integration", **body}, 201, self.admin).json["token"]


class CustomerView(Bed):
    def test_who_it_is_and_every_conversation_with_its_last_message(self):
        other = self.incoming("other", "m2", "还在吗 \"quoted\" \\ 😀" * 60)
        seen = self.view()
        self.assertEqual(other["customer"]["id"], self.customer)
        email = next(one for one in seen["identifiers"] if one["kind"] == "email")
        self.assertEqual((email["value"], email["proof"], email["trust"], email["shared"]),
                         ("lilei@cust.example", "proved", 1, False))
        last = {one["channel"]: one["last_message"] for one in seen["conversations"]}
        self.assertEqual((last["shop"]["text"], last["shop"]["direction"], last["shop"]["author"]),
                         ("退款，谢谢", "in", "customer"))
        self.assertTrue(("还在吗 \"quoted\" \\ 😀" * 60).startswith(last["other"]["text"]))
        self.assertGreater(len(last["other"]["text"]), 50)
        self.assertEqual({one["id"] for one in seen["work_items"]}, {self.item["id"], other["id"]})
        self.assertEqual((seen["orders"], seen["notes"], seen["csat"]),
                         ([], [], {"count": 0, "average": None, "last": None}))

    def test_attributes_are_merged_and_say_who_wrote_them(self):
        shop = self.token_of(name="erp")
        self.ask("PATCH", self.path, {"attributes": {"city": "上海", "a.b": 1}, "tier": "gold"}, token=shop)
        seen = self.ask("PATCH", self.path, {"attributes": {"size": "L", "a.b": None}, "tags": ["vip"]}).json
        self.assertEqual({name: (one["value"], one["source"]) for name, one in seen["attributes"].items()},
                         {"city": ("上海", "integration:erp"), "size": ("L", "agent:alice")})
        self.assertTrue(seen["attributes"]["city"]["at"])
        self.assertEqual((seen["tier"], seen["sources"]["tier"]["source"], seen["tags"]),
                         ("gold", "integration:erp", ["vip"]))
        tested = self.ask("PATCH", self.path, {"attributes": {f"n{i}": i for i in range(101)}}, 400)
        self.assertIn("100", tested.json["detail"] + str(tested.json))

    def test_what_an_import_adds_says_so_and_keeps_who_wrote_the_rest(self):
        self.ask("PATCH", self.path, {"attributes": {"city": "上海"}})
        self.ask("POST", "/v1/import", {"source": "crm", "trusted": True, "customers": [{
            "external_id": "7", "tier": "gold", "attributes": {"city": "北京", "plan": "pro"},
            "identifiers": [{"kind": "email", "value": "lilei@cust.example"}]}]}, token=self.admin)
        seen = self.view()
        self.assertEqual({name: (one["value"], one["source"]) for name, one in seen["attributes"].items()},
                         {"city": ("上海", "agent:alice"), "plan": ("pro", "import")})
        self.assertEqual((seen["tier"], seen["sources"]["tier"]["source"]), ("gold", "import"))

    def test_an_edit_of_an_older_version_is_refused(self):
        tag = self.ask("GET", self.path).headers["ETag"]
        changed = self.ask("PATCH", self.path, {"name": "李雷雷"}, headers={"If-Match": tag})
        self.assertNotEqual(changed.headers["ETag"], tag)
        self.ask("PATCH", self.path, {"name": "x"}, 412, headers={"If-Match": tag})
        self.assertEqual(self.view()["name"], "李雷雷")

    def test_notes_are_written_once_and_deleted(self):
        for _ in range(2):
            note = self.ask("POST", self.path + "/notes", {"text": "喜欢电话"}, 201, headers={"Idempotency-Key": "n1"}).json
        seen = self.view()
        self.assertEqual((len(seen["notes"]), seen["notes_total"]), (1, 1))
        self.assertEqual((seen["notes"][0]["text"], seen["notes"][0]["author"]["id"]), ("喜欢电话", "alice"))
        self.ask("DELETE", f"{self.path}/notes/{seen['notes'][0]['id']}", status=204)
        self.ask("DELETE", f"{self.path}/notes/{note['id']}", status=404)
        self.ask("POST", "/v1/customers/cus_none/notes", {"text": "x"}, 404)

    def test_orders_are_kept_paged_and_guarded_by_their_version(self):
        for i in range(5):
            self.ask("PUT", f"{self.path}/orders/o{i}", {"placed_at": f"2026-11-0{i + 1}T00:00:00Z", "status": "paid",
                                                        "items": [{"name": "鞋", "quantity": 2, "price": "99.00"}]})
        first = self.ask("GET", self.path + "/orders?limit=3").json
        rest = self.ask("GET", f"{self.path}/orders?limit=3&after={first['next_cursor']}").json
        self.assertEqual([one["id"] for one in first["data"] + rest["data"]], ["o4", "o3", "o2", "o1", "o0"])
        self.assertIsNone(rest["next_cursor"])
        up = self.ask("GET", self.path + "/orders?order=asc&limit=2").json
        self.assertEqual([one["id"] for one in up["data"]], ["o0", "o1"])
        body = {"placed_at": "2026-11-05T00:00:00Z", "status": "shipped"}
        tag = self.ask("PUT", self.path + "/orders/o4", body, headers={"If-Match": '"1"'}).headers["ETag"]
        self.assertEqual(tag, '"2"')
        self.ask("PUT", self.path + "/orders/o4", {**body, "status": "x"}, 412, headers={"If-Match": '"1"'})
        self.assertEqual(self.view()["orders"][0]["status"], "shipped")
        self.ask("DELETE", self.path + "/orders/o4", status=204, headers={"If-Match": '"2"'})
        self.ask("DELETE", self.path + "/orders/o4", status=404)
        self.assertEqual(self.view()["orders_total"], 4)
        for wrong in ({"url": "javascript:alert(1)"}, {"items": [{"sku": "1"}]}, {"items": [{"name": "x", "quantity": -1}]}):
            self.ask("PUT", self.path + "/orders/bad", {"placed_at": "2026-11-05T00:00:00Z", **wrong}, 400)
        self.ask("PUT", self.path + "/orders/a%20b", {"placed_at": "2026-11-05T00:00:00Z"}, 400)

    def test_consent_is_kept_by_purpose_and_channel(self):
        self.ask("PUT", self.path + "/consent/marketing", {"state": "granted", "source": "form 7", "at": "2026-01-02T03:04:05Z"})
        self.ask("PUT", self.path + "/consent/marketing", {"state": "withdrawn", "channel": "shop"})
        seen = {(one["purpose"], one["channel"]): (one["state"], one["source"]) for one in self.view()["consent"]}
        self.assertEqual(seen, {("marketing", None): ("granted", "form 7"), ("marketing", "shop"): ("withdrawn", "agent:alice")})
        self.ask("PUT", self.path + "/consent/marketing", {"state": "perhaps"}, 400)
        self.ask("PUT", self.path + "/consent/Mark%20eting", {"state": "granted"}, 400)

    def test_ratings_count_once_a_work_item(self):
        path = f"/v1/work-items/{self.item['id']}/rating"
        self.ask("POST", path, {"score": 1}, 403)
        survey = self.token_of(name="survey")
        self.ask("POST", path, {"score": 2}, token=survey)
        self.ask("POST", path, {"score": 5, "comment": "谢谢"}, token=survey)
        csat = self.view()["csat"]
        self.assertEqual((csat["count"], csat["average"], csat["last"]["comment"]), (1, 5, "谢谢"))
        second = self.incoming("other", "m2", "hi")
        self.ask("POST", f"/v1/work-items/{second['id']}/rating", {"score": 2}, token=survey)
        self.assertEqual(self.view()["csat"]["average"], 3.5)
        self.ask("POST", path, {"score": 6}, 400, survey)

    def test_a_visitor_rates_the_own_chat(self):
        token = self.ask("POST", "/chat/site/sessions", {}, 201).json["token"]
        rate = lambda body, status, who=token: self.ask("POST", "/chat/site/rating", body, status, who)
        rate({"score": 5}, 404)
        self.ask("POST", "/chat/site/messages", {"text": "hi"}, 201, token)
        item = self.daemon.claim(self.alice)
        rate({"score": 3, "comment": "ok"}, 204)
        rate({"score": 9}, 400)
        rate({"score": 3}, 401, "wrong")
        csat = self.ask("GET", f"/v1/customers/{item['customer']['id']}").json["csat"]
        self.assertEqual((csat["count"], csat["average"], csat["last"]["comment"], csat["last"]["source"]),
                         (1, 3, "ok", "channel:site"))

    def test_a_bot_sees_the_safe_subset_only(self):
        self.ask("POST", self.path + "/notes", {"text": "geheim"}, 201)
        bot = self.token_of(name="bot", view="bot")
        for seen in (self.view("?view=bot"), self.view(token=bot), self.view("?view=bot", token=bot)):
            self.assertEqual({"notes", "conflicts", "suggestions", "merged"} & set(seen), set())
            email = next(one for one in seen["identifiers"] if one["kind"] == "email")
            self.assertEqual(email["value"], "l***@cust.example")
            self.assertNotIn("lilei", str(seen["identifiers"]))
        talk = f"/v1/conversations/{self.item['conversation']}/messages"
        self.ask("POST", talk, {"kind": "note", "text": "auch geheim"}, 201)
        kinds = [[one["kind"] for one in self.ask("GET", talk, token=token).json["data"]] for token in (None, bot)]
        self.assertEqual(kinds[1], [kind for kind in kinds[0] if kind != "note"])
        self.assertIn("note", kinds[0])
        self.ask("GET", self.path + "?view=all", status=400)
        self.ask("POST", "/v1/tokens", {"role": "admin", "view": "bot"}, 400, self.admin)

    def timeline(self, query="", token=None):
        return self.ask("GET", f"{self.path}/timeline{query}", token=token).json

    def test_the_timeline_is_whole_and_in_order_over_all_channels_whatever_the_page(self):
        for i in range(12):
            answer = self.daemon.post_signed("other" if i % 2 else "shop", self.secret, {
                "id": f"t{i}", "from": {"id": "u1", "name": "李雷", "email": "lilei@cust.example"}, "text": f"text {i}"})
            self.assertEqual(answer.status, 200, answer)
            self.ask("POST", self.path + "/notes", {"text": f"note {i}"}, 201)
        whole = self.timeline("?limit=100")["data"]
        self.assertEqual([one["at"] for one in whole], sorted((one["at"] for one in whole), reverse=True))
        self.assertEqual([one["message"]["text"] for one in whole if one["type"] == "message"],
                         [f"text {i}" for i in reversed(range(12))] + ["退款，谢谢"])
        self.assertEqual([one["note"]["text"] for one in whole if one["type"] == "note"],
                         [f"note {i}" for i in reversed(range(12))])
        self.assertIn(self.item["id"], [one["work_item"]["id"] for one in whole if one["type"] == "work_item"])
        for limit in (1, 5):
            paged, after = [], ""
            while after is not None:
                page = self.timeline(f"?limit={limit}" + (f"&after={after}" if after else ""))
                paged, after = paged + page["data"], page["next_cursor"]
            self.assertEqual(paged, whole)
        self.assertEqual([one for one in self.timeline("?view=bot&limit=100")["data"] if one["type"] == "note"], [])
        self.ask("GET", self.path + "/timeline?after=eA", status=400)
        self.ask("GET", "/v1/customers/cus_none/timeline", status=404)

    def test_links_are_filled_in_signed_and_for_staff_only(self):
        secret = harness.new_secret()
        for name, url in (("crm", "https://crm.example/find?mail={identifier.email}&c={attribute.city}"),
                          ("fax", "https://crm.example/{identifier.fax}")):
            self.ask("PUT", f"/v1/context-links/{name}", {"url": url, "secret": secret, "name": name}, token=self.admin)
        self.ask("PUT", "/v1/context-links/bad", {"url": "https://{customer.name}/", "secret": secret}, 400, self.admin)
        self.ask("GET", "/v1/context-links/crm", status=403)
        self.assertEqual(self.view()["links"], [])
        self.ask("PATCH", self.path, {"attributes": {"city": "上海&x=1"}})
        link, = self.view()["links"]
        signed, _, signature = link["url"].rpartition("&signature=")
        key = base64.b64decode(secret.removeprefix("whsec_"))
        self.assertEqual(signature, hmac.new(key, signed.encode(), hashlib.sha256).hexdigest())
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link["url"]).query))
        self.assertEqual((query["mail"], query["c"]), ("lilei@cust.example", "上海&x=1"))
        self.assertGreater(int(query["expires"]), time.time())
        self.assertNotIn("links", self.view("?view=bot"))
        self.assertNotIn(secret, str(self.view()))


class ShopBed(Bed):
    settings = "limits: { private_order_hooks: true }\n"

    def setUp(self):
        self.asked, self.answer, self.gate = [], (200, b'{"orders":[]}'), threading.Event()
        case = self

        class Shop(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                case.asked.append((dict(self.headers), raw))
                case.gate.wait(harness.PATIENCE_S)
                self.send_response(case.answer[0])
                self.send_header("Content-Length", str(len(case.answer[1])))
                self.end_headers()
                self.wfile.write(case.answer[1])

            def log_message(self, *_):
                pass

        super().setUp()
        self.shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
        threading.Thread(target=self.shop.serve_forever, daemon=True).start()
        self.addCleanup(self.shop.server_close)
        self.addCleanup(self.shop.shutdown)
        self.addCleanup(self.gate.set)
        self.hook_secret = harness.new_secret()
        self.ask("PUT", "/v1/order-hooks/shop", {
            "url": f"http://127.0.0.1:{self.shop.server_port}/orders", "secret": self.hook_secret}, token=self.admin)


class OrderHooks(ShopBed):
    """A shop that is asked: well, slow, wrong and hostile."""

    def pulled(self):
        one, = self.view()["pulled_orders"]
        return one

    def test_the_view_does_not_wait_and_shows_what_came_with_its_age(self):
        self.answer = (200, b'{"orders":[{"id":"A1","status":"paid","evil":"<x>"}]}')
        first = self.pulled()
        self.assertEqual((first["orders"], first["stale"], first["age_s"]), ([], True, None))
        harness.wait_for("the question", lambda: self.asked)
        self.assertEqual(self.pulled()["orders"], [])
        self.gate.set()
        seen = harness.wait_for("the orders", lambda: (lambda one: one["orders"] and one)(self.pulled()))
        self.assertEqual(seen["orders"], [{"id": "A1", "placed_at": None, "status": "paid"}])
        self.assertEqual((seen["stale"], len(self.asked)), (False, 1))
        head, raw = self.asked[0]
        head = {name.lower(): value for name, value in head.items()}
        signed = b".".join([head["webhook-id"].encode(), head["webhook-timestamp"].encode(), raw])
        key = base64.b64decode(self.hook_secret.removeprefix("whsec_"))
        self.assertEqual(head["webhook-signature"], "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())
        self.assertIn("lilei@cust.example", raw.decode())

    def test_wrong_answers_are_not_followed(self):
        for hook, answer in enumerate([(500, b""), (200, b"<html>"), (200, b'{"orders":[{"id":"1","url":"javascript:x"}]}'),
                                       (200, b'{"orders":[' + b" " * 300000 + b"]}"), (302, b"")]):
            self.answer = answer
            self.gate.set()
            self.ask("PUT", f"/v1/order-hooks/h{hook}", {
                "url": f"http://127.0.0.1:{self.shop.server_port}/", "secret": self.hook_secret}, token=self.admin)
            self.view()
            harness.wait_for("the refusal", lambda name=f"hook=h{hook} ": name in self.daemon.log.read_text(errors="replace"))
            self.assertEqual([one["orders"] for one in self.view()["pulled_orders"] if one["hook"] == f"h{hook}"], [[]])


class GuardedShop(ShopBed):
    settings = ""

    def test_a_private_address_is_not_asked_unless_it_is_allowed(self):
        self.view()
        harness.wait_for("the refusal", lambda: "hook=shop " in self.daemon.log.read_text(errors="replace"))
        self.assertEqual(self.asked, [])


if __name__ == "__main__":
    unittest.main()
