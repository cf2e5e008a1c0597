"""The API as an enemy would use it: every route of the daemon's own /openapi.json, everything wrong that fits it.

Whatever comes, the answer is a problem with the right status and a stable code, never a 500, and the daemon lives.
"""
import contextlib
import json
import re
import unittest
import urllib.parse

import harness

METHODS = ("get", "post", "put", "patch", "delete")
WRONG = {"string": [1, True, {}, [], 1.5], "integer": ["1", 1.5, True, {}, [1], 1e300], "boolean": ["true", 1, [], {}],
         "array": ["x", 1, {}, True], "object": ["x", 1, [], True]}
HUGE = {"string": ["x" * 300000], "integer": [2 ** 63, -2 ** 63 - 1, 10 ** 40, -1, 2 ** 31 * 1000],
        "boolean": [], "array": [["x"] * 10000, [{"a": 1}] * 10000, [None], [[]], [1]], "object": []}
BROKEN = (b"{", b"[", b"}", b'{"a":}', b"{'a':1}", b'{"a":1,}', b'{"a" 1}', b"\xef\xbb\xbf{}", b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}',
          b'{"a":"\x01"}', b"{}{}", b"{} x", b"nul", b"NaN", b'{"a":01}', b'{"a":1e}', b'{"a":"\\u12"}', b'{"a":"\\x"}',
          b'{"a":"\\ud800"}', b"\x00", b"{\x00}", b"[" * 5000, b'{"a":' * 5000, b"[" * 100000 + b"]" * 100000)


class Hostile(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.secret = harness.new_secret()
        cls.daemon = harness.Daemon(
            harness.RUNS / f"hostile-{harness.os.getpid()}",
            f'  - {{ name: shop, connector: webhook, secret: "{cls.secret}" }}\n  - {{ name: site, connector: webchat }}\n'
            f'  - {{ name: shop, workspace: other, connector: webhook, secret: "{cls.secret}" }}\n',
            extra="limits: { api_per_second: 10000 }\n")
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()
        cls.document = cls.daemon.request("GET", "/openapi.json").json
        cls.roles = {"agent": cls.daemon.token(), "supervisor": cls.daemon.token("supervisor", "bob"),
                     "admin": cls.daemon.token("admin", None), "integration": cls.daemon.token("integration", None)}
        cls.before = [made["id"] for pattern, methods in cls.document["paths"].items() if "put" in cls.document["paths"].get(
            f"{pattern}/{{id}}", {}) for made in cls.daemon.request("GET", pattern, token=cls.roles["admin"]).json["data"]]
        cls.number = 0

    def tearDown(self):
        for _, pattern, row in self.rows():
            if f"{pattern}/{{id}}" in self.document["paths"] and "delete" in self.document["paths"][f"{pattern}/{{id}}"] \
                    and pattern not in ("/v1/tokens", "/v1/customers") and "get" in self.document["paths"][pattern]:
                for made in self.daemon.request("GET", f"{pattern}?limit=200", token=self.roles["admin"]).json["data"]:
                    if made["id"] not in self.before:
                        path = f"{pattern}/{urllib.parse.quote(made['id'], safe='')}"
                        self.assertEqual(self.daemon.request("DELETE", path, token=self.roles["admin"]).status, 204)
        self.assertIsNone(self.daemon.process.poll(), "the daemon lives")
        self.assertEqual(self.daemon.request("GET", "/healthz").status, 200)
        super().tearDown()

    # ---- what there is ----

    def rows(self, only=None):
        """(method, pattern, row) of every route; with `only`, of those with that key."""
        for pattern, methods in self.document["paths"].items():
            for method in METHODS:
                if method in methods and (only is None or only in methods[method]):
                    yield method.upper(), pattern, methods[method]

    def token_for(self, row):
        return next((self.roles[role] for role in ("admin", "supervisor", "agent", "integration") if role in row["x-roles"]), None)

    @staticmethod
    def fill(pattern, value=None):
        """A path of this pattern; ids are of things that are not there, channels and kinds are real."""
        names = {"channel": "site" if pattern.startswith("/chat") else "shop", "name": "shop"}
        return re.sub(r"\{([^}]*)\}", lambda found: "marketing" if found[1] == "purpose" else value or names.get(found[1], "nobody"),
                      pattern)

    def good_body(self, row):
        """A body that passes the table of fields: what is required, with the simplest values."""
        schema = row["requestBody"]["content"]["application/json"]["schema"]
        body = {}
        for name in schema.get("required", []):
            field = schema["properties"][name]
            body[name] = (field["enum"][0] if "enum" in field else min(60, field.get("maximum", 60)) if field["type"] == "integer" else
                          "xxxxxxxxxxxx"[:max(field.get("minLength", 1), 1)])
        return body

    def fields(self, row):
        return row["requestBody"]["content"]["application/json"]["schema"].get("properties", {})

    # ---- asking ----

    def check(self, answer, statuses=None, codes=None):
        self.assertLess(answer.status, 500, answer)
        self.assertTrue(answer.headers.get("X-Request-Id"), answer)
        if answer.status >= 400:
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json", answer)
            problem = answer.json
            self.assertLessEqual({"type", "title", "status", "code", "detail"}, set(problem), answer)
            self.assertEqual(problem["status"], answer.status)
            self.assertRegex(problem["code"], r"^[a-z][a-z_]+$")
            self.assertTrue(problem["detail"] and problem["title"], answer)
        if statuses is not None:
            self.assertIn(answer.status, statuses, answer)
        if codes is not None:
            self.assertIn(answer.json["code"], codes, answer)
        return answer

    def send(self, method, path, body=None, token=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes) and "Content-Type" not in fields:
            fields["Content-Type"] = "application/json"
        return self.daemon.request(method, path, body, token, headers=fields)

    def with_bodies(self):
        """Routes that take JSON and are not the providers' or visitors' own."""
        for method, pattern, row in self.rows("requestBody"):
            yield method, pattern, row, self.token_for(row)

    # ---- the attacks ----

    def test_a_wrong_method_tells_the_right_ones(self):
        for pattern, methods in self.document["paths"].items():
            known = {method.upper() for one, its in self.document["paths"].items() for method in its
                     if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", one), self.fill(pattern))}
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"):
                if method in known:
                    continue
                with self.subTest(method=method, pattern=pattern):
                    body = b"{}" if method in ("POST", "PUT", "PATCH") else None
                    answer = self.send(method, self.fill(pattern), body, self.roles["admin"])
                    if answer.status == 405 and method not in ("TRACE", "BREW"):
                        self.check(answer, None, {"method_not_allowed"})
                        self.assertEqual(set(answer.headers["Allow"].split(", ")), known)
                    else:  # no method that is spoken here at all
                        self.assertIn(answer.json["code"], ("not_implemented", "method_not_allowed"))
                        self.assertEqual((answer.status in (501, 405), method in ("TRACE", "BREW")), (True, True), answer)

    def test_broken_json_is_refused_with_its_place(self):
        for method, pattern, row, token in self.with_bodies():
            for body in BROKEN:
                with self.subTest(method=method, pattern=pattern, body=body[:20]):
                    answer = self.check(self.send(method, self.fill(pattern), body, token), {400, 413}, {"bad_json", "body_too_large"})
                    if answer.status == 400:
                        self.assertRegex(answer.json["detail"], r"line \d+, column \d+")

    def test_a_body_that_is_no_object_is_refused(self):
        for method, pattern, row, token in self.with_bodies():
            for body in (b"[]", b"1", b'"x"', b"true", b"null", b"[{}]"):
                with self.subTest(method=method, pattern=pattern, body=body):
                    self.check(self.send(method, self.fill(pattern), body, token), {400}, {"bad_json", "invalid_field"})

    def test_a_key_that_comes_twice_is_refused(self):
        for method, pattern, row, token in self.with_bodies():
            with self.subTest(method=method, pattern=pattern):
                self.check(self.send(method, self.fill(pattern), b'{"a":1,"a":2}', token), {400}, {"bad_json"})

    def test_wrong_types_and_huge_values_name_the_field(self):
        for method, pattern, row, token in self.with_bodies():
            for name, field in self.fields(row).items():
                kind = field.get("type")
                values = [(value, True) for value in WRONG.get(kind, [])] + [(value, False) for value in HUGE.get(kind, [])]
                if name in self.good_body(row):
                    values.append((None, True))
                for value, is_wrong in values:
                    with self.subTest(method=method, pattern=pattern, field=name, value=str(value)[:20]):
                        body = {**self.good_body(row), name: value}
                        answer = self.check(self.send(method, self.fill(pattern), body, token))
                        if is_wrong:
                            self.check(answer, {400}, {"invalid_field"})
                            self.assertTrue(answer.json["errors"][0]["pointer"].startswith(f"#/body/{name}"), answer)
                        elif isinstance(value, str):
                            self.check(answer, {400, 413}, {"invalid_field", "unknown_name", "body_too_large"})
                        elif isinstance(value, int) and abs(value) > 2 ** 62:
                            self.check(answer, {400}, {"invalid_field", "bad_json"})

    def test_unknown_fields_are_named(self):
        for method, pattern, row, token in self.with_bodies():
            if row["requestBody"]["content"]["application/json"]["schema"]["additionalProperties"]:
                continue
            for name in ("colour", "", "__proto__", "a/b", "~", "状态", "x" * 5000):
                with self.subTest(method=method, pattern=pattern, name=name[:20]):
                    body = {**self.good_body(row), name: 1}
                    answer = self.check(self.send(method, self.fill(pattern), body, token), {400, 413})
                    if answer.status == 400:
                        self.assertEqual(answer.json["code"], "invalid_field")
                        self.assertTrue(answer.json["errors"][0]["pointer"].startswith("#/body/"))

    def test_a_wrong_content_type_is_refused(self):
        for method, pattern, row, token in self.with_bodies():
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x",
                         "application/jsonp", "application/json-seq"):
                with self.subTest(method=method, pattern=pattern, kind=kind):
                    answer = self.send(method, self.fill(pattern), json.dumps(self.good_body(row)).encode(), token,
                                       Content_Type=kind)
                    self.check(answer, {415}, {"wrong_content_type"})

    def test_odd_ids_are_not_found(self):
        odd = ("%00", "%ff", "a%00b", "..", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc", "*", "%7Bmain%7D", "a%0Ab", "%F0%9F%98%80",
               "x" * 300, "%20", "cus_" + "0" * 26, "wrk_", "token:", "'%20OR%201=1", "%25s%25n", "-1", "null")
        for method, pattern, row in self.rows():
            if "{" not in pattern or row["x-roles"] == ["public"] and "{id}" not in pattern:
                continue
            for value in odd:
                with self.subTest(method=method, pattern=pattern, value=value):
                    body = self.good_body(row) if "requestBody" in row else (b"{}" if method == "POST" else None)
                    answer = self.check(self.send(method, self.fill(pattern, value), body, self.token_for(row)))
                    if method == "GET":
                        self.assertIn(answer.status, (400, 401, 403, 404, 405), answer)

    def test_odd_queries_are_refused(self):
        for method, pattern, row in self.rows():
            if method != "GET" or pattern in ("/", "/in/{channel}") or "/chat/" in pattern:
                continue
            for query in ("colour=red", "=", "&&&", "limit=0", "after=%00", "%ff=1", "a" * 6000, "limit=1&limit=2", "%zz"):
                with self.subTest(pattern=pattern, query=query[:20]):
                    answer = self.check(self.send(method, f"{self.fill(pattern)}?{query}", None, self.token_for(row)))
                    if query != "&&&":
                        self.assertIn(answer.status, (400, 404, 414, 431), answer)

    def test_nobody_and_the_wrong_role_get_nothing(self):
        for method, pattern, row in self.rows():
            if "public" in row["x-roles"]:
                continue
            body = b"{" if method in ("POST", "PUT", "PATCH") else None
            for token in (None, "x", "cvg_main_", "cvg_main_" + "A" * 43, "cvg_" + "a" * 5000, "cvg_main}_x", "%s%n", "cvs_main_x"):
                with self.subTest(method=method, pattern=pattern, token=(token or "")[:20]):
                    self.check(self.send(method, self.fill(pattern), body, token), {401, 431}, None)
            for role, token in self.roles.items():
                if role not in row["x-roles"]:
                    with self.subTest(method=method, pattern=pattern, role=role):
                        self.check(self.send(method, self.fill(pattern), body, token), {403}, {"not_allowed"})

    def things(self):
        """Real ids of workspace main by the start of their pattern."""
        type(self).number += 1
        posted = self.daemon.post_signed("shop", self.secret, {
            "id": f"h{self.number}", "from": {"id": f"u{self.number}"}, "text": "x"})
        item = {"customer": None}
        while item["customer"] is None:  # cases of other tests have none
            item = self.daemon.claim(self.roles["agent"])
        kept = self.daemon.request("POST", "/v1/attachments", b"bytes", self.roles["agent"]).json["blob"]
        made = self.daemon.request("POST", "/v1/tokens", {"role": "admin"}, self.roles["admin"]).json["id"]
        return {"/v1/work-items/": item["id"], "/v1/conversations/": item["conversation"],
                "/v1/customers/": item["customer"]["id"], "/v1/messages/": posted.json["message"],
                "/v1/deadletters/": posted.json["message"], "/v1/attachments/": kept, "/v1/tokens/": made,
                "/v1/transfers/": "trf_none"}

    def test_what_is_another_workspace_s_is_not_there(self):
        things = self.things()
        for method, pattern, row in self.rows():
            start = next((start for start in things if pattern.startswith(start + "{")), None)
            if start is None:
                continue
            body = self.good_body(row) if "requestBody" in row else None
            if body is not None and pattern.endswith(("/transfer", "/assign")):
                body["target"] = "queue:support"
            if pattern.endswith("/messages"):
                body = {"text": "x"} if method == "POST" else None
            for role in row["x-roles"]:
                token = self.daemon.token(role, "eve", "other")
                with self.subTest(method=method, pattern=pattern, role=role):
                    answer = self.check(self.send(method, self.fill(pattern, things[start]), body, token))
                    if not pattern.endswith(("/typing", "/viewing", "/mentions/seen")):
                        self.assertIn(answer.status, (400, 404), answer)
                        if answer.status == 400:
                            nowhere = self.send(method, self.fill(pattern, start[4:7] + "_none"), body, token)
                            self.assertEqual((answer.status, answer.json["code"]), (nowhere.status, nowhere.json["code"]))
        me = self.send("GET", f"/v1/work-items/{things['/v1/work-items/']}", None, self.roles["agent"])
        self.assertEqual((me.status, me.json["state"], me.json["version"]), (200, "assigned", me.json["version"]))

    def test_a_stale_or_odd_if_match_changes_nothing(self):
        things = self.things()
        self.send("PUT", "/v1/skills/s1", {"name": "s"}, self.roles["admin"])
        asks = [("PATCH", f"/v1/customers/{things['/v1/customers/']}", {"name": "changed"}),
                ("PUT", "/v1/skills/s1", {"name": "changed"}), ("DELETE", "/v1/skills/s1", None),
                ("PUT", "/v1/skills/none", {"name": "changed"})]
        asks += [("POST", f"/v1/work-items/{things['/v1/work-items/']}/{word}", {"target": "queue:support"} if word == "transfer" else {})
                 for word in ("resolve", "close", "release", "snooze", "transfer")]
        for method, path, body in asks:
            for match in ('"999"', '"0"', '"-1"', "1", 'W/"1"', '"1', '""', "x", '"abc"', '"99999999999999999999"', '"2x"'):
                with self.subTest(method=method, path=path, match=match):
                    answer = self.send(method, path, body, self.roles["admin"], If_Match=match)
                    self.check(answer, {412}, {"version"})
        for path in (f"/v1/customers/{things['/v1/customers/']}", "/v1/skills/s1"):
            self.assertNotEqual(self.send("GET", path, None, self.roles["admin"]).json["name"], "changed")
        item = self.send("GET", f"/v1/work-items/{things['/v1/work-items/']}", None, self.roles["admin"]).json
        self.assertEqual(item["state"], "assigned")

    def test_what_stands_in_lists_and_objects_is_checked_too(self):
        things = self.things()
        words = f"/v1/conversations/{things['/v1/conversations/']}/messages"
        customer = f"/v1/customers/{things['/v1/customers/']}"
        for files in ([{}], [{"blob": 1}], [{"blob": "x"}], [{"blob": "../" * 22}], [{"blob": "0" * 64}], [{"blob": "G" * 64}],
                      [{"blob": "0" * 64, "name": 1}], [{"blob": None}], [{"blob": "0" * 64, "name": "x" * 100000}]):
            with self.subTest(files=str(files)[:40]):
                self.check(self.send("POST", words, {"text": "x", "attachments": files}, self.roles["admin"]), {400, 422})
        for cc in ([1], ["x"], ["a@b.cn\r\nBcc: c@d.cn"], ["a@b.cn,c@d.cn"], ["<a@b.cn>"], ["x" * 2000 + "@b.cn"], [None]):
            with self.subTest(cc=str(cc)[:40]):
                self.check(self.send("POST", words, {"text": "x", "cc": cc}, self.roles["admin"]), {400}, {"invalid_field"})
        for tags in ([1], [None], ["x" * 1001], ["x"] * 51):
            with self.subTest(tags=str(tags)[:40]):
                self.check(self.send("PATCH", customer, {"tags": tags}, self.roles["admin"]), {400}, {"invalid_field"})
        for text in ("", " ", "\u0001\u0002"):
            with self.subTest(text=text):
                self.check(self.send("POST", words, {"text": text}, self.roles["admin"]))
        self.check(self.send("GET", customer, None, self.roles["admin"]), {200})

    def test_a_key_goes_with_one_request(self):
        things = self.things()
        item = f"/v1/work-items/{things['/v1/work-items/']}"
        words = f"/v1/conversations/{things['/v1/conversations/']}/messages"
        asks = [("/v1/tokens", {"role": "admin"}, {"role": "integration"}), ("/v1/work-items", {"queue": "support"}, {"queue": "support", "type": "x"}),
                (words, {"text": "a"}, {"text": "b"}), (words, {"kind": "note", "text": "a"}, {"kind": "note", "text": "b"}),
                ("/v1/conversations", {"channel": "shop", "to": "u", "text": "a"}, {"channel": "shop", "to": "u", "text": "b"}),
                ("/v1/attachments", b"a", b"b"), (f"{item}/snooze", {"reason": "a"}, {"reason": "b"}),
                (f"{item}/reopen", {}, {"reason": "b"}), (f"{item}/resolve", {}, {"reason": "b"}), (f"{item}/close", {}, {"reason": "b"})]
        for number, (path, body, other) in enumerate(asks):
            token = self.roles["admin"]
            with self.subTest(path=path):
                for key in ("", "k" * 256):
                    answer = self.send("POST", path, body, token, Idempotency_Key=key)
                    self.check(answer, {400}, {"bad_idempotency_key"})
                first = self.check(self.send("POST", path, body, token, Idempotency_Key=f"key {number}"), {200, 201})
                again = self.check(self.send("POST", path, body, token, Idempotency_Key=f"key {number}"), {200, 201})
                self.assertEqual((first.status, first.body), (again.status, again.body))
                self.check(self.send("POST", path, other, token, Idempotency_Key=f"key {number}"), {422}, {"idempotency_conflict"})

    def test_visitors_doors_hold_too(self):
        for path in ("/chat/site/sessions", "/chat/site/messages", "/chat/site/typing"):
            token = self.send("POST", "/chat/site/sessions", b"{}").json["token"]
            for body in BROKEN + (b"[]", b"null", b'{"text":1}', b'{"text":{}}', b'{"attachments":1}', b'{"attachments":[1]}',
                                  b'{"client_id":[]}', json.dumps({"text": "x" * 300000}).encode()):
                with self.subTest(path=path, body=body[:20]):
                    with contextlib.suppress(ConnectionError):
                        self.check(self.send("POST", path, body, token))
        for body in BROKEN:
            with self.subTest(body=body[:20]):
                self.check(self.daemon.post_signed("shop", self.secret, body), {400})
        for body in ({"id": 1}, {"from": []}, {"text": {}}, {"id": "x", "from": {"id": {}}}, {"attachments": {}}, {"sent_at": "never"}):
            with self.subTest(body=body):
                self.check(self.daemon.post_signed("shop", self.secret, body))


if __name__ == "__main__":
    unittest.main()
