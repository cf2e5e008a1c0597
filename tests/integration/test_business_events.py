"""POST /v1/customers/events: what a shop tells of its customers, once each, for whoever reads the log."""
import datetime
import json
import unittest

import harness
import test_evict
from test_evict import NEVER


class Events(test_evict.Bed):
    def begin(self, *words):
        super().begin(NEVER, *words)
        self.shop = self.post("/v1/tokens", {"role": "integration", "name": "shop"}, self.boss).json["token"]
        self.say("ann", "hello")
        self.ann = self.get("/v1/customers?identifier=webhook:shop:ann")["data"][0]["id"]

    def tell(self, *events, status=200):
        body = events[0] if len(events) == 1 else {"events": list(events)}
        answer = self.daemon.request("POST", "/v1/customers/events", body, token=self.shop)
        self.assertEqual(answer.status, status, answer)
        return answer.json if status != 200 else answer.json["results"]

    def told(self, customer, query=""):
        return self.get(f"/v1/customers/{customer}/events{query}")["data"]

    def entries(self):
        """Of the log, as any reader finds them: the customer, the event, its type."""
        rows = json.loads(self.redis.ask("--json", "XRANGE", "{main}:log", "-", "+"))
        found = [dict(zip(fields[::2], fields[1::2])) for _, fields in rows]
        return [(row["u"], row["x"], json.loads(row["e"])["event"]) for row in found if row["t"] == "customer.event"]

    def test_an_event_is_stored_once_and_a_reader_of_the_log_finds_it(self):
        self.begin()
        at = "2026-11-01T10:00:00.000Z"
        cart = {"id": "e1", "type": "cart.abandoned", "time": at, "customer": self.ann, "data": {"total": "99.50"}}
        [done] = self.tell(cart)
        self.assertEqual((done["id"], done["result"], done["customer"]), ("e1", "stored", self.ann))
        self.assertEqual(self.tell(cart), [{"id": "e1", "result": "known"}])
        [seen] = self.told(self.ann)
        self.assertEqual({key: seen[key] for key in ("id", "external_id", "type", "time", "data", "source")}, {
            "id": done["event"], "external_id": "e1", "type": "cart.abandoned", "time": at, "data": {"total": "99.50"},
            "source": "integration:shop"})
        self.assertEqual(self.entries(), [(self.ann, done["event"], "cart.abandoned")])
        stored = self.redis.ask("HGET", f"{{main}}:ue:{self.ann}", done["event"])
        self.assertEqual(json.loads(stored.split(" ", 1)[1]), seen)
        events = self.daemon.events("/v1/events?types=customer.event", self.alice)
        self.tell({"id": "e2", "type": "order.placed", "identifier": "webhook:shop:ann"})
        event = events.wait(lambda event: event["event"] == "customer.event")
        data = event["data"]
        self.assertEqual((data["customer"], data["object"]), (self.ann, self.told(self.ann)[0]["id"]))

    def test_a_list_is_taken_event_by_event(self):
        self.begin()
        results = self.tell({"id": "a", "type": "x", "customer": self.ann},
                            {"id": "b", "type": "x", "customer": "cus_01HZZZZZZZZZZZZZZZZZZZZZZZ"},
                            {"id": "c", "type": "x", "identifier": "email:nobody@cust.example"},
                            {"id": "d", "type": "x", "identifier": "nonsense"},
                            {"id": "a", "type": "x", "customer": self.ann})
        self.assertEqual([(one["result"], one.get("code")) for one in results], [
            ("stored", None), ("refused", "no_such_customer"), ("refused", "no_such_customer"),
            ("refused", "bad_identifier"), ("known", None)])
        # What was refused is told again once it is mended.
        [again] = self.tell({"id": "b", "type": "x", "customer": self.ann})
        self.assertEqual(again["result"], "stored")

    def test_what_is_wrong_with_one_refuses_all_and_says_where(self):
        self.begin()
        good = {"id": "good", "type": "x", "customer": self.ann}
        far = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for bad in ({"type": "x", "customer": self.ann}, {"id": "1", "type": "Not So", "customer": self.ann},
                    {"id": "1", "type": "x"}, {**good, "identifier": "email:a@b.cn"}, {**good, "time": far},
                    {**good, "time": "yesterday"}, {**good, "data": [1]}, {**good, "data": {"long": "x" * 9000}}):
            problem = self.tell(good, bad, status=400)
            self.assertTrue(problem["errors"][0]["pointer"].startswith("#/body/events/1"), (bad, problem))
        self.assertEqual(self.told(self.ann), [])
        self.tell({**good, "events": [good]}, status=400)
        self.assertEqual(len(self.tell(*[{**good, "id": f"m{number}"} for number in range(100)])), 100)
        self.tell(*[{**good, "id": f"n{number}"} for number in range(101)], status=400)

    def test_the_store_keeps_the_newest_100_and_the_history_all(self):
        self.begin()
        for start in range(0, 250, 50):
            self.tell(*[{"id": f"e{number}", "type": "page.seen", "customer": self.ann,
                         "time": f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z"} for number in range(start, start + 50)])
            self.until_rows(start + 50)
        self.assertEqual(self.redis.ask("HLEN", f"{{main}}:ue:{self.ann}"), "100")
        found, after = [], ""
        while after is not None:
            page = self.get(f"/v1/customers/{self.ann}/events?limit=40" + (f"&after={after}" if after else ""))
            found, after = found + page["data"], page["next_cursor"]
        self.assertEqual([one["external_id"] for one in found], [f"e{number}" for number in reversed(range(250))])
        line = self.get(f"/v1/customers/{self.ann}/timeline?limit=100")["data"]
        self.assertEqual([one["event"]["external_id"] for one in line if one["type"] == "event"][:3], ["e249", "e248", "e247"])

    def until_rows(self, count):
        harness.wait_for("the history", lambda: self.get("/v1/history")["rows"]["customer_event"] == count)

    def test_they_follow_a_merge_and_are_erased(self):
        self.begin()
        self.say("bob", "hello")
        bob = self.get("/v1/customers?identifier=webhook:shop:bob")["data"][0]["id"]
        self.tell({"id": "1", "type": "x", "customer": self.ann}, {"id": "2", "type": "x", "customer": bob})
        self.assertEqual(self.post(f"/v1/customers/{self.ann}/merge", {"from": bob}).status, 200)
        self.tell({"id": "3", "type": "x", "customer": bob})
        self.assertEqual({one["external_id"] for one in self.told(bob)}, {"1", "2", "3"})
        self.until_rows(3)
        answer = self.daemon.request("DELETE", f"/v1/customers/{self.ann}", token=self.boss)
        self.assertIn(answer.status, (200, 202), answer)
        self.until_rows(0)
        self.assertEqual(self.redis.ask("EXISTS", *[f"{{main}}:{kind}:{who}" for kind in ("ue", "uv") for who in (self.ann, bob)]), "0")

    def test_who_sees_a_subset_only_sees_none(self):
        self.begin()
        self.tell({"id": "1", "type": "x", "customer": self.ann})
        bot = self.post("/v1/tokens", {"role": "integration", "view": "bot", "name": "bot"}, self.boss).json["token"]
        line = self.get(f"/v1/customers/{self.ann}/timeline", bot)["data"]
        self.assertNotIn("event", [one["type"] for one in line])
        self.assertEqual(self.daemon.request("GET", f"/v1/customers/{self.ann}/events", token=bot).status, 403)


class EventsOnPostgresql(Events):
    database = "postgresql"


if __name__ == "__main__":
    unittest.main()
