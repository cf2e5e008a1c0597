"""Every list pages the same way: newest first or as asked, to a null cursor, and says what is wrong with a query."""
import concurrent.futures
import unittest

import harness

BAD = {"limit=0": "bad_limit", "limit=201": "bad_limit", "limit=abc": "bad_limit", "limit=": "bad_limit",
       "limit=-1": "bad_limit", "limit=1.5": "bad_limit", "order=up": "bad_order", "order=": "bad_order",
       "order=ASC": "bad_order", "after=garbage": "bad_cursor", "after=": "bad_cursor", "after=%F0%9F%98%80": "bad_cursor",
       "colour=red": "unknown_parameter", "Limit=1": "unknown_parameter", "=1": "unknown_parameter",
       "limit=1&limit=2": "repeated_parameter",
       "after=%ff": "bad_parameter"}


class Lists(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.secret = harness.new_secret()
        cls.daemon = harness.Daemon(
            harness.RUNS / f"lists-{harness.os.getpid()}",
            "".join(f'  - {{ name: shop{n}, connector: webhook, secret: "{cls.secret}" }}\n' for n in range(5)))
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()
        cls.admin = cls.daemon.token("admin", None)
        document = cls.daemon.request("GET", "/openapi.json").json
        cls.lists = [path for path, methods in document["paths"].items()
                     if "limit" in [one["name"] for one in methods.get("get", {}).get("parameters", [])]]

    def ask(self, method, path, body=None):
        return self.daemon.request(method, path, body, self.admin)

    def pages(self, path, size):
        seen, cursor = [], None
        while True:
            answer = self.ask("GET", f"{path}{'&' if '?' in path else '?'}limit={size}"
                                     + (f"&after={cursor}" if cursor else ""))
            self.assertEqual(answer.status, 200, answer)
            self.assertTrue(0 < len(answer.json["data"]) <= size, answer)
            seen += [row["id"] for row in answer.json["data"]]
            cursor = answer.json["next_cursor"]
            if cursor is None:
                return seen

    def test_lists_page_in_both_orders(self):
        for name in ("b", "a", "d", "c", "e"):
            put = self.ask("PUT", f"/v1/skills/{name}", {"name": name})
            self.assertEqual(put.status, 200, put)
            self.assertEqual(self.ask("POST", "/v1/tokens", {"role": "admin", "name": name}).status, 201)
        self.ask("PUT", "/v1/skills/b", {"name": "changed"})
        for path, oldest in (("/v1/skills", ["b", "a", "d", "c", "e"]), ("/v1/channels", [f"shop{n}" for n in range(5)]),
                             ("/v1/tokens", None)):
            for size in (1, 2, 5, 200):
                with self.subTest(path=path, size=size):
                    newest = self.pages(path, size)
                    self.assertEqual(self.pages(path + "?order=asc", size), newest[::-1])
                    self.assertEqual(len(newest), len(set(newest)))
                    if oldest:
                        self.assertEqual(newest, oldest[::-1])
        self.assertEqual(self.ask("DELETE", "/v1/skills/b").status, 204)
        self.ask("PUT", "/v1/skills/b", {"name": "again"})
        self.assertEqual(self.pages("/v1/skills", 2)[0], "b")

    def test_every_list_says_what_is_wrong_with_its_query(self):
        self.assertGreaterEqual(len(self.lists), 10)
        item = self.ask("POST", "/v1/work-items", {"queue": "support"})
        self.assertEqual(item.status, 201, item)
        for path in self.lists:
            rest = {"/v1/customers": "identifier=email:a@b.cn&", "/v1/search": "q=a&"}.get(path, "")
            for query, code in BAD.items():
                if query.startswith("order") and path.endswith(("/timeline", "/{id}/events")):  # newest first, always
                    code = "unknown_parameter"
                with self.subTest(path=path, query=query):
                    answer = self.ask("GET", f"{path.format(id='cnv_none')}?{rest}{query}")
                    self.assertEqual((answer.status, answer.json["code"]), (400, code), answer)
                    if code != "bad_parameter":
                        self.assertRegex(answer.json["detail"], "limit|order|after")

    def test_what_an_agent_has_in_hand_is_on_the_first_page(self):
        """However many came after it: a page looks at 2,000 items, and alice's is older than those."""
        post = lambda number: self.daemon.post_signed("shop0", self.secret, {"id": f"h{number}", "from": {"id": f"h{number}"}, "text": "x"})
        post(0)
        alice = self.daemon.token()
        mine = self.daemon.claim(alice)["id"]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertEqual({answer.status for answer in pool.map(post, range(1, 2101))}, {200})
        page = self.daemon.request("GET", "/v1/work-items?agent=me&limit=50", token=alice).json
        self.assertEqual([one["id"] for one in page["data"]], [mine])
        others = [self.daemon.claim(alice)["id"] for _ in range(4)]
        for size in (1, 2, 50):
            for order, wanted in (("asc", [mine, *others]), ("desc", [*reversed(others), mine])):
                self.assertEqual(self.pages_of(f"/v1/work-items?agent=me&order={order}&limit={size}", alice), wanted, (size, order))

    def pages_of(self, path, token):
        seen, cursor = [], ""
        while cursor is not None:
            page = self.daemon.request("GET", f"{path}{cursor and '&after=' + cursor}", token=token).json
            seen += [row["id"] for row in page["data"]]
            cursor = page["next_cursor"]
        return seen

    def test_a_cursor_is_good_for_its_own_list_and_order(self):
        for path in ("/v1/channels", "/v1/agents"):
            cursor = self.ask("GET", f"{path}?limit=1").json["next_cursor"]
            self.assertEqual(self.ask("GET", f"{path}?after={cursor}").status, 200)
            for other in (f"/v1/tokens?after={cursor}", f"{path}?after={cursor}&order=asc", f"{path}?after={cursor}A"):
                self.assertEqual((self.ask("GET", other).status, self.ask("GET", other).json["code"]), (400, "bad_cursor"))


if __name__ == "__main__":
    unittest.main()
