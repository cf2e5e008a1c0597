"""The blob store: what is erased is gone from the disk, and what is downloaded is never run."""
import secrets
import unittest
import urllib.parse

import harness

CANARY = b"canary-" + secrets.token_hex(8).encode()


class Blobs(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon("  - { name: site, connector: webchat }\n")
        self.alice = self.daemon.token()

    def upload(self, content, name="a.bin"):
        answer = self.daemon.request("POST", f"/v1/attachments?name={urllib.parse.quote(name)}", content, self.alice)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["blob"]

    def delete(self, blob):
        return self.daemon.request("DELETE", f"/v1/attachments/{blob}", token=self.alice)

    def is_on_disk(self, content):
        return any(content in path.read_bytes() for path in self.daemon.state_dir.glob("blobs/*"))

    def converse(self):
        visitor = self.daemon.request("POST", "/chat/site/sessions", {}).json["token"]
        self.assertEqual(self.daemon.request("POST", "/chat/site/messages", {"text": "在吗"}, visitor).status, 201)
        return self.daemon.claim(self.alice)["conversation"]

    def test_an_upload_that_nobody_uses_is_destroyed(self):
        kept, gone = self.upload(b"kept"), self.upload(CANARY)
        self.assertTrue(self.is_on_disk(CANARY))
        self.assertEqual(self.delete(gone).status, 204)
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{gone}", token=self.alice).status, 404)
        harness.wait_for("the bytes to be gone", lambda: not self.is_on_disk(CANARY))
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{kept}", token=self.alice).body, b"kept")
        self.assertEqual(self.delete(gone).status, 404)

    def test_a_crash_between_the_answer_and_the_destruction_forgets_nothing(self):
        folder = self.daemon.state_dir / "blobs"
        gone = self.upload(CANARY)
        folder.rename(folder.with_name("away"))  # as if the disk were gone: erasing finds nothing there and fails
        folder.write_bytes(b"")
        self.assertEqual(self.delete(gone).status, 204)
        self.daemon.kill()
        folder.unlink()
        folder.with_name("away").rename(folder)
        self.assertTrue(self.is_on_disk(CANARY))
        self.daemon.start(apply=False)
        harness.wait_for("the bytes to be gone", lambda: not self.is_on_disk(CANARY))

    def test_what_a_message_names_stays(self):
        blob = self.upload(CANARY)
        file = [{"blob": blob, "name": "a.bin", "type": "image/png"}]
        self.assertEqual(self.daemon.reply(self.converse(), "见附件", self.alice, attachments=file).status, 201)
        answer = self.delete(blob)
        self.assertEqual((answer.status, answer.json["code"]), (409, "in_use"), answer)
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{blob}", token=self.alice).body, CANARY)

    def test_what_was_destroyed_cannot_be_sent(self):
        blob, conversation = self.upload(CANARY), self.converse()
        self.delete(blob)
        answer = self.daemon.reply(conversation, "x", self.alice,
                                   attachments=[{"blob": blob, "name": "a.bin", "type": "image/png"}])
        self.assertEqual((answer.status, answer.json["code"]), (422, "no_such_attachment"), answer)
        self.assertIn("a.bin", answer.json["detail"])


if __name__ == "__main__":
    unittest.main()
