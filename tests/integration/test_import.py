"""convergectl import: tables, and the answers of two other products, from a folder and from a stand-in of their APIs."""
import base64
import http.server
import json
import sqlite3
import threading
import urllib.parse

import harness

TABLE = """\
id,姓名,邮箱,手机,标签,等级,城市
7,"王, 小明",wang@example.test,+8613800138000,"vip|老客户",gold,上海
8,Ann "the" Lee,ANN@Example.test,+14155550100,,,Boston
,没有地址,,,,,
"""

CONTACTS = [
    {"id": 1, "name": "Maria", "email": "maria@example.test", "phone_number": "+4915112345678", "created_at": 1700000000,
     "custom_attributes": {"plan": "pro", "seats": 5}, "additional_attributes": {"city": "Köln"}, "labels": ["vip"]},
    {"id": 2, "name": "Nobody", "email": None, "phone_number": None, "custom_attributes": {}, "labels": []},
]
USERS = [
    {"id": 41, "name": "李雷", "email": "li@example.test", "phone": "+8613900139000", "role": "end-user", "tags": ["wechat"],
     "user_fields": {"shop": "天猫", "age": 31}, "notes": "calls at noon", "created_at": "2024-02-01T10:00:00Z"},
    {"id": 42, "name": "Staff", "email": "staff@example.test", "role": "agent"},
]
TALK = {"id": 77, "status": "resolved", "created_at": 1700000100, "labels": ["refund"],
        "meta": {"sender": {"id": 1}, "channel": "Channel::WebWidget"}}
SAID = [
    {"id": 503, "content": "Gerne", "message_type": 1, "created_at": 1700000300, "private": False, "sender": {"name": "Tom"}},
    {"id": 501, "content": "Where is my order? 我的订单呢？", "message_type": 0, "created_at": 1700000100, "private": False},
    {"id": 502, "content": "assigned to Tom", "message_type": 2, "created_at": 1700000200, "private": False},
    {"id": 504, "content": "angry", "message_type": 1, "created_at": 1700000400, "private": True, "sender": {"name": "Tom"}},
]
TICKET = {"id": 12, "status": "solved", "subject": "退款", "requester_id": 41, "created_at": "2024-03-01T10:00:00Z",
          "via": {"channel": "email"}, "tags": []}
COMMENTS = [
    {"id": 1, "author_id": 41, "body": "请退款", "public": True, "created_at": "2024-03-01T10:00:00Z"},
    {"id": 2, "author_id": 42, "body": "好的", "public": True, "created_at": "2024-03-01T11:00:00Z"},
    {"id": 3, "author_id": 42, "body": "do it", "public": False, "created_at": "2024-03-01T11:01:00Z"},
]


class Product:
    """The API of the other product: asks for its token, gives two a page, and is over its rate once."""

    def __init__(self, check, pages):
        self.asked, self.refused = [], 0
        product = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                product.asked.append(self.path)
                if not check(self.headers):
                    return self.answer(401, {"error": "unauthorized"})
                if len(product.asked) == 2:
                    product.refused += 1
                    return self.answer(429, {"error": "slow down"}, {"Retry-After": "0"})
                found = pages(urllib.parse.urlsplit(self.path))
                return self.answer(404 if found is None else 200, {} if found is None else found)

            def answer(self, status, value, headers=()):
                raw = json.dumps(value).encode()
                self.send_response(status)
                for name, text in dict(headers).items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class ImportTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon()
        self.token = self.daemon.token("admin", agent=None)

    def product(self, check, pages):
        product = Product(check, pages)
        self.addCleanup(product.close)
        return product

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            path.write_text(data if isinstance(data, str) else json.dumps(data))
        return str(path)

    def found(self, identifier):
        answer = self.daemon.request("GET", "/v1/customers?identifier=" + urllib.parse.quote(identifier), token=self.token)
        return [row["id"] for row in answer.json["data"]]

    def customer(self, identifier):
        [one] = self.found(identifier)
        return self.daemon.request("GET", f"/v1/customers/{one}", token=self.token).json

    def said(self):
        """What the history holds, in order."""
        with sqlite3.connect(f"file:{self.daemon.state_dir}/history.db?mode=ro", uri=True) as db:
            rows = db.execute("SELECT json, mark FROM message ORDER BY conversation, position").fetchall()
        found = [(json.loads(row[0]), row[1]) for row in rows]
        return [(one["direction"], one["kind"], one["text"], one["author"]["type"], mark) for one, mark in found]

    def imported(self, *words, code=0):
        done = self.daemon.ctl_result("import", *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_a_table_comes_in_once_and_says_what_it_refuses(self):
        path = self.write("people.csv", TABLE)
        dry = self.imported("csv", path, "--dry-run", code=65)
        self.assertIn("nothing done", dry.stdout)
        self.assertIn("2 new, 0 changed, 0 as they were, 1 refused", dry.stdout)
        self.assertEqual(self.found("external:csv:7"), [])
        done = self.imported("csv", path, code=65)
        self.assertIn(f"{path}:4: error: neither id, email nor phone", done.stderr)
        self.assertIn("2 new", done.stdout)
        wang = self.customer("external:csv:7")
        self.assertEqual((wang["name"], wang["tier"]), ("王, 小明", "gold"))
        self.assertIn(("email", "wang@example.test", "claimed"),
                      [(one["kind"], one["value"], one["proof"]) for one in wang["identifiers"]])
        self.assertEqual(self.customer("email:ann@example.test")["name"], 'Ann "the" Lee')
        again = self.imported("csv", path, code=65)
        self.assertIn("0 new, 0 changed, 2 as they were, 1 refused", again.stdout)

    def test_a_table_of_a_chinese_spreadsheet_is_read(self):
        path = self.write("people.csv", TABLE.encode("gb18030"))
        done = self.imported("csv", path, code=65)
        self.assertIn("read as GB18030", done.stderr)
        self.assertEqual(self.customer("external:csv:7")["name"], "王, 小明")

    def test_what_was_written_here_stays(self):
        self.imported("csv", self.write("one.csv", "id,name,city\n7,Wang,Shanghai\n"))
        wang = self.customer("external:csv:7")["id"]
        answer = self.daemon.request("PATCH", f"/v1/customers/{wang}", {"name": "Wang Xiaoming"}, token=self.token)
        self.assertEqual(answer.status, 200)
        self.assertIn("0 new, 1 changed",
                      self.imported("csv", self.write("two.csv", "id,name,city,tier\n7,Other,Beijing,gold\n")).stdout)
        view = self.customer("external:csv:7")
        self.assertEqual((view["id"], view["name"], view["tier"]), (wang, "Wang Xiaoming", "gold"))

    def test_trusted_addresses_are_the_customer_s(self):
        self.imported("csv", "--trust", self.write("one.csv", "id,email\n7,wang@example.test\n"))
        self.imported("csv", "--trust", "--source", "crm", self.write("two.csv", "id,email\n900,Wang@example.test\n"))
        self.assertEqual(self.found("external:csv:7"), self.found("external:crm:900"))
        self.imported("csv", "--source", "shop", self.write("three.csv", "id,email\n5,wang@example.test\n"))
        self.assertNotEqual(self.found("external:csv:7"), self.found("external:shop:5"))

    def test_national_numbers_need_a_country(self):
        path = self.write("one.csv", "id,手机\n7,138 0013 8000\n")
        self.imported("csv", path)
        self.assertEqual(self.found("phone:+8613800138000"), [])
        self.imported("csv", "--region", "CN", path)
        self.assertEqual(self.found("phone:+8613800138000"), self.found("external:csv:7"))
        self.assertIn("two upper-case letters", self.imported("csv", "--region", "cn", path, code=1).stderr)

    def test_tables_that_cannot_be_read_say_where_and_why(self):
        for text, said in (("", ":1: the file is empty"), ("name,city\nA,B\n", "no column is called id, email or phone"),
                           ('id,name\n1,"open\n', ":2: the quote of column 2 is never closed"),
                           (b"id,name\n1,\xff\xfe\xff\n", "neither UTF-8 nor GB18030")):
            done = self.imported("csv", self.write("bad.csv", text), code=65)
            self.assertIn(said, done.stderr)
        self.imported("csv", str(self.folder / "none.csv"), code=65)

    def test_a_saved_folder_of_chatwoot(self):
        self.write("saved/contacts-1.json", {"meta": {}, "payload": CONTACTS[:1]})
        self.write("saved/contacts-2.json", {"payload": CONTACTS[1:]})
        self.write("saved/canned_responses.json", [{"id": 3, "short_code": "Hello There", "content": "Hi, how can we help?"}])
        self.write("saved/conversations.json", {"data": {"payload": [TALK, {**TALK, "id": 78, "status": "open"}]}})
        self.write("saved/messages-77.json", {"payload": SAID})
        self.assertIn("conversations    1 new", self.imported("chatwoot", str(self.folder / "saved"), "--dry-run").stdout)
        done = self.imported("chatwoot", str(self.folder / "saved"))
        self.assertIn("customers        2 new", done.stdout)
        self.assertIn("conversations    1 new", done.stdout)
        self.assertEqual(self.said(), [("in", "text", "Where is my order? 我的订单呢？", "customer", None),
                                       ("out", "text", "Gerne", "agent", "sent"), ("out", "note", "angry", "agent", None)])
        maria = self.customer("external:chatwoot:1")
        self.assertEqual(maria["created_at"], "2023-11-14T22:13:20.000Z")
        canned = self.daemon.request("GET", "/v1/canned-replies/hello-there", token=self.token).json
        self.assertEqual(canned["text"], "Hi, how can we help?")
        again = self.imported("chatwoot", str(self.folder / "saved"))
        self.assertIn("customers        0 new, 0 changed, 2 as they were", again.stdout)
        self.assertIn("canned replies   0 new, 0 changed, 1 as they were", again.stdout)
        self.assertIn("conversations    0 new, 0 changed, 1 as they were", again.stdout)
        self.assertEqual(len(self.said()), 3)

    def test_a_running_chatwoot(self):
        def pages(url):
            number = int(urllib.parse.parse_qs(url.query).get("page", ["1"])[0])
            if url.path == "/api/v1/accounts/5/contacts":
                bare = [{key: value for key, value in one.items() if key != "labels"} for one in CONTACTS]
                return {"payload": bare[number - 1:number]}
            if url.path.endswith("/labels"):
                return {"payload": ["vip"]}
            if url.path.endswith("/conversations"):
                return {"data": {"payload": [TALK] if number == 1 else []}}
            if url.path.endswith("/conversations/77/messages"):
                before = int(urllib.parse.parse_qs(url.query).get("before", ["1000"])[0])
                return {"payload": sorted((one for one in SAID if one["id"] < before), key=lambda one: one["id"])[-2:]}
            return []

        product = self.product(lambda headers: headers["api_access_token"] == "s3cret", pages)
        token = self.write("token", "s3cret\n")
        wrong = self.imported("chatwoot", "--url", product.url, "--token-file", self.write("wrong", "x"), "--account", "5", code=69)
        self.assertIn("the token is not accepted", wrong.stderr)
        done = self.imported("chatwoot", "--url", product.url, "--token-file", token, "--account", "5")
        self.assertIn("customers        2 new", done.stdout)
        self.assertEqual(product.refused, 1)
        self.assertEqual([one[2] for one in self.said()], ["Where is my order? 我的订单呢？", "Gerne", "angry"])

    def test_a_running_zendesk(self):
        def pages(url):
            after = urllib.parse.parse_qs(url.query).get("page[after]", [""])[0]
            if url.path == "/api/v2/users.json":
                more = after == ""
                return {"users": USERS[:1] if more else USERS[1:], "meta": {"has_more": more, "after_cursor": "x y"}}
            if url.path == "/api/v2/macros.json":
                return {"macros": [{"id": 9, "title": "退款", "active": True, "actions": [
                    {"field": "status", "value": "open"}, {"field": "comment_value", "value": ["channel:all", "您好"]}]}],
                        "meta": {"has_more": False}}
            if url.path == "/api/v2/tickets/12/comments.json":
                more = after == ""
                return {"comments": COMMENTS[:1] if more else COMMENTS[1:], "meta": {"has_more": more, "after_cursor": "c"}}
            return {"tickets": [TICKET, {**TICKET, "id": 13, "status": "open"}], "meta": {"has_more": False}}

        login = "Basic " + base64.b64encode(b"me@shop.test/token:s3cret").decode()
        product = self.product(lambda headers: headers["Authorization"] == login, pages)
        done = self.imported("zendesk", "--url", product.url, "--user", "me@shop.test", "--token-file", self.write("token", "s3cret"))
        self.assertIn("customers        1 new", done.stdout)
        self.assertEqual(self.customer("external:zendesk:41")["name"], "李雷")
        self.assertEqual(self.found("external:zendesk:42"), [])
        self.assertEqual([one[:4] for one in self.said()], [("in", "text", "请退款", "customer"), ("out", "text", "好的", "agent"),
                                                           ("out", "note", "do it", "agent")])
        self.assertEqual(self.daemon.request("GET", "/v1/canned-replies/zendesk-9", token=self.token).json["text"], "您好")

    def test_a_talk_of_nobody_is_refused(self):
        self.write("saved/conversations.json", [{**TALK, "meta": {"sender": {"id": 99}}}, {**TALK, "id": 79}])
        self.write("saved/messages-77.json", SAID)
        done = self.imported("chatwoot", str(self.folder / "saved"), code=65)
        self.assertIn("its customer has not been imported", done.stderr)
        self.assertIn("messages-79.json: No such file", done.stderr)

    def test_a_folder_with_nothing_in_it_and_no_folder(self):
        self.assertIn("holds neither", self.imported("zendesk", str(self.folder), code=65).stderr)
        self.assertIn("not a folder", self.imported("zendesk", self.write("file", "x"), code=66).stderr)
        self.imported("zendesk", code=64)
