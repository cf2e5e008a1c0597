"""What is held about a person is exported whole, wherever it lies, and nobody else's with it."""
import json
import stat
import unittest

import harness
from test_evict import KEEP, NEVER, Bed


class Exporting:
    """Run on each database."""

    def export(self, customer, query="", token=None, status=200):
        answer = self.post(f"/v1/customers/{customer}/export{query}", {}, token or self.boss)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def whole(self, conversation):
        found, after = [], ""
        while after is not None:
            page = self.get(f"/v1/conversations/{conversation}/messages?limit=50" + (f"&after={after}" if after else ""))
            found, after = found + page["data"], page["next_cursor"]
        return found

    def attach(self, customer, text, blob):
        self.say(customer, text)
        item = self.take()
        answer = self.daemon.reply(item["conversation"], "a file", self.alice, attachments=[{"blob": blob, "name": "a.bin"}])
        self.assertEqual(answer.status, 201, answer)
        self.sent(item["conversation"])
        return item

    def fill(self):
        """Ann, who is Bob too, with past and hot conversations; and Carl, who is somebody else."""
        self.begin(NEVER)
        files = [self.daemon.request("POST", f"/v1/attachments?name={n}.bin", n.encode(), self.alice).json["blob"]
                 for n in ("past", "hot")]
        past = [self.talk("ann", *(f"旧 {i}" for i in range(3))), self.talk("bob", "old")]
        ann, bob = past[0]["customer"]["id"], past[1]["customer"]["id"]
        with_file = self.attach("ann", "with a file", files[0])
        self.assertEqual(self.post(f"/v1/customers/{ann}/notes", {"text": "ann's note"}).status, 201)
        self.assertEqual(self.post(f"/v1/customers/{bob}/notes", {"text": "bob's note"}).status, 201)
        self.assertEqual(self.post(f"/v1/conversations/{with_file['conversation']}/messages", {"kind": "note", "text": "between us"}).status, 201)
        for path, body in ((f"{bob}/orders/o1", {"title": "a lamp"}), (f"{ann}/consent/marketing", {"state": "granted"})):
            self.assertEqual(self.daemon.request("PUT", f"/v1/customers/{path}", body, self.alice).status, 200)
        case = self.post("/v1/work-items", {"queue": "support", "customer": bob, "summary": "a past case"})
        self.close(self.take())
        for i in range(3):
            told = self.post("/v1/customers/events", {"id": f"e{i}", "type": "cart.left", "customer": ann, "data": {"n": i}})
            self.assertEqual(told.status, 200, told)
        self.assertEqual(self.post(f"/v1/customers/{ann}/merge", {"from": bob}, self.boss).status, 200)
        self.close(with_file)
        self.keep(KEEP)
        self.left(case.json["id"], *(one["conversation"] for one in past))
        self.keep(NEVER)
        hot = self.attach("ann", "still here", files[1])
        for i in range(45):  # more than two pages
            self.say("ann", f"{i}")
        carl = self.talk("carl", "carl's own words")
        self.assertEqual(self.post("/v1/work-items", {"queue": "support", "customer": ann, "summary": "a case"}).status, 201)
        return ann, bob, files, past + [with_file, hot], carl

    def test_everything_about_the_person_and_nothing_about_others(self):
        ann, bob, files, talks, carl = self.fill()
        ids = {one["conversation"] for one in talks}
        said = [m["id"] for talk in ids for m in self.whole(talk)]
        self.assertGreater(len(said), 50)
        self.left(talks[1]["conversation"])
        self.assertTrue(self.is_hot(talks[-1]["conversation"]))
        found = self.export(ann)

        self.assertTrue(found["complete"])
        self.assertEqual({c["id"] for c in found["conversations"]}, ids)
        messages = [m for c in found["conversations"] for m in c["messages"]]
        self.assertEqual(sorted(m["id"] for m in messages), sorted(said))
        self.assertEqual(sorted(i["value"] for i in found["customer"]["identifiers"] if i["kind"] == "webhook"), ["ann", "bob"])
        self.assertEqual(found["customer"]["merged"], [bob])
        self.assertEqual(found["customer"]["consent"][0]["purpose"], "marketing")
        self.assertEqual({n["text"] for n in found["notes"]}, {"ann's note", "bob's note"})
        self.assertEqual([o["title"] for o in found["orders"]], ["a lamp"])
        self.assertEqual(len(found["merges"]), 1)
        self.assertEqual({e["type"] for e in found["business_events"]}, {"cart.left"})
        self.assertEqual(len(found["business_events"]), 3)
        self.assertEqual({c["summary"] for c in found["cases"]}, {"a case", "a past case"})
        self.assertEqual(sorted(w["id"] for c in found["conversations"] for w in c["work_items"]), sorted(one["id"] for one in talks))
        self.assertIn("customer.merged", {e["type"] for e in found["events"]})
        self.assertNotIn("carl", json.dumps(found))
        self.assertNotIn(carl["conversation"], json.dumps(found))
        links = [f for m in messages for f in m["attachments"]]
        self.assertEqual({f["id"] for f in links}, set(files))
        for file in links:
            answer = self.daemon.request("GET", file["link"])
            self.assertIn(answer.body, (b"past", b"hot"))

        counted = self.export(ann, "?preview=true")
        self.assertEqual(counted["messages"], len(messages))
        self.assertEqual(counted["conversations"], len(ids))
        self.assertGreaterEqual(counted["events"], len(found["events"]))
        self.assertEqual((counted["notes"], counted["orders"], counted["merges"], counted["attachments"]), (2, 1, 1, 2))
        self.assertEqual(self.export(bob)["customer"]["id"], ann)
        without = self.export(ann, "?notes=false")
        self.assertEqual(without["notes"], [])
        self.assertNotIn("between us", json.dumps(without))
        self.assertIn("between us", json.dumps(found))

        path = self.folder / "ann.json"
        self.daemon.ctl("customer", "export", ann, "-f", str(path))
        self.assertEqual({c["id"] for c in json.loads(path.read_text())["conversations"]}, ids)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_who_may_and_what_is_not_there(self):
        self.begin(NEVER)
        self.say("ann", "hello")
        ann = self.take()["customer"]["id"]
        self.export(ann, token=self.alice, status=403)
        self.export("cus_00000000000000000000000000", status=404)


class OnSqlite(Exporting, Bed):
    def test_where_no_history_is_kept_the_store_is_looked_through(self):
        self.begin(NEVER)
        self.daemon.stop()
        self.daemon.write_config(self.channels, f"store: unix:{self.redis.socket}\nhistory: none\n")
        self.daemon.start(apply=False)
        items = [self.talk("ann", f"about {i}") for i in range(55)]
        self.talk("carl", "other")
        found = self.export(items[0]["customer"]["id"])
        self.assertEqual({c["id"] for c in found["conversations"]}, {one["conversation"] for one in items})


class OnPostgresql(Exporting, Bed):
    database = "postgresql"


if __name__ == "__main__":
    unittest.main()
