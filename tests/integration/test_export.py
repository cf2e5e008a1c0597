"""convergectl export: all that a workspace holds, once, wherever it lies."""
import hashlib
import json
import stat
import unittest

import harness
from test_evict import KEEP, NEVER, Bed


def rows(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


class Exporting:
    """Run on each database."""

    def export(self, name="out", code=0):
        folder = self.folder / name
        done = self.daemon.ctl_result("export", str(folder))
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return folder

    def fill(self):
        """Past and hot conversations, two customers who are one, a note, orders, and a file in each."""
        self.begin(NEVER)
        files = [self.daemon.request("POST", f"/v1/attachments?name={n}.bin", n.encode(), self.alice).json["blob"]
                 for n in ("past", "hot")]
        past = [self.talk("ann", *(f"旧 {i}" for i in range(3))), self.talk("bob", "old")]
        ann, bob = past[0]["customer"]["id"], past[1]["customer"]["id"]
        item = self.attach("ann", "with a file", files[0])
        self.assertEqual(self.post(f"/v1/customers/{ann}/notes", {"text": "a note"}).status, 201)
        for i in range(3):
            self.assertEqual(self.daemon.request("PUT", f"/v1/customers/{bob}/orders/o{i}", {"title": f"{i}"}, self.alice).status, 200)
        told = self.post("/v1/customers/events", {"events": [{"id": f"e{i}", "type": "x", "customer": bob} for i in range(70)]}, self.boss)
        self.assertEqual({one["result"] for one in told.json["results"]}, {"stored"})
        self.assertEqual(self.post(f"/v1/customers/{ann}/merge", {"from": bob}, self.boss).status, 200)
        self.close(item)
        self.keep(KEEP)
        self.left(*(one["conversation"] for one in past))
        self.keep(NEVER)
        hot = self.attach("carl", "still here", files[1])
        for i in range(205):  # more than a page
            self.say("carl", f"{i}")
        return ann, bob, files, past, hot

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

    def test_everything_is_there_once(self):
        ann, bob, files, past, hot = self.fill()
        talks = {one["conversation"] for one in past} | {hot["conversation"]}
        said = [m["id"] for talk in talks for m in self.whole(talk)]
        self.assertGreater(len(said), 205)
        self.assertFalse(self.is_hot(past[0]["conversation"]))
        self.assertTrue(self.is_hot(hot["conversation"]))
        folder = self.export()

        got = [m["id"] for m in rows(folder, "messages.jsonl")]
        self.assertEqual(sorted(got), sorted(said))
        self.assertEqual({c["id"] for c in rows(folder, "conversations.jsonl")}, talks)
        customers = {c["id"]: c for c in rows(folder, "customers.jsonl")}
        self.assertEqual(customers[bob], {"id": bob, "merged_into": ann})
        self.assertEqual(customers[ann]["merged"], [bob])
        self.assertEqual(len(customers[ann]["merges"]), 1)
        self.assertIn("proof", customers[ann]["identifiers"][0])
        self.assertEqual(len(customers), 3)
        self.assertEqual(sorted((o["customer"], o["order"]["id"]) for o in rows(folder, "orders.jsonl")),
                         [(ann, f"o{i}") for i in range(3)])
        self.assertEqual({(e["customer"], e["event"]["external_id"]) for e in rows(folder, "events.jsonl")},
                         {(ann, f"e{i}") for i in range(70)})
        self.assertEqual([(n["customer"], n["note"]["text"]) for n in rows(folder, "notes.jsonl")], [(ann, "a note")])
        self.assertIn(hot["id"], {w["id"] for w in rows(folder, "work_items.jsonl")})
        self.assertEqual(len(rows(folder, "work_items.jsonl")), len(self.get("/v1/export/work-items")["data"]))
        self.check_files(folder, files)

    def check_files(self, folder, files):
        found = {path.name: path.read_bytes() for path in (folder / "attachments").iterdir()}
        self.assertEqual(sorted(found.values()), [b"hot", b"past"])
        for row in rows(folder, "attachments.jsonl"):
            self.assertEqual(hashlib.sha256(found[row["id"]]).hexdigest(), row["sha256"])
        manifest = json.loads((folder / "manifest.json").read_text())
        for name, facts in manifest["files"].items():
            content = (folder / name).read_bytes()
            self.assertEqual((len(content), content.count(b"\n"), hashlib.sha256(content).hexdigest()),
                             (facts["bytes"], facts["rows"], facts["sha256"]), name)
        for path in folder.rglob("*"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, path)
            self.assertFalse(path.name.endswith(".partial"), path)

    def bytes_of(self, folder):
        """Of each file, but what tells that there was an export."""
        return {path: path.read_bytes() for path in folder.rglob("*")
                if path.is_file() and path.name not in ("audit.jsonl", "manifest.json")}

    def test_again_is_the_same_and_mends_what_is_damaged(self):
        self.fill()
        folder = self.export()
        before = self.bytes_of(folder)
        kept = next((folder / "attachments").iterdir())
        damaged = next(path for path in (folder / "attachments").iterdir() if path != kept)
        inode = kept.stat().st_ino
        damaged.write_bytes(b"half")
        self.export()
        self.assertEqual(self.bytes_of(folder), before)
        self.assertEqual(kept.stat().st_ino, inode)

    def test_lists_are_paged_and_only_for_admins(self):
        self.begin(NEVER)
        for i in range(5):
            self.say(f"c{i}", "hi")
        harness.wait_for("the history", lambda: len(self.get("/v1/export/customers")["data"]) == 5)
        whole = self.get("/v1/export/customers")["data"]
        found, after = [], ""
        while after is not None:
            page = self.get("/v1/export/customers?limit=2" + (f"&after={after}" if after else ""))
            self.assertLessEqual(len(page["data"]), 2)
            found, after, last = found + page["data"], page["next_cursor"], after
        self.assertEqual(found, whole)
        self.assertEqual(self.get("/v1/export/customers?order=asc")["data"], whole[::-1])
        for path, status in (("/v1/export/notes?after=" + last, 400), ("/v1/export/tokens", 404)):
            self.assertEqual(self.daemon.request("GET", path, token=self.boss).status, status)
        self.assertEqual(self.daemon.request("GET", "/v1/export/customers", token=self.alice).status, 403)

    def test_without_a_history_it_says_what_to_do(self):
        daemon = self.start_daemon("", "bare", extra="history: none\n")
        done = daemon.ctl_result("export", str(self.folder / "none"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("keeps no history", done.stderr)
        self.assertFalse((self.folder / "none" / "manifest.json").exists())


class OnSqlite(Exporting, Bed):
    database = "sqlite"


class OnPostgres(Exporting, Bed):
    database = "postgresql"


if __name__ == "__main__":
    unittest.main()
