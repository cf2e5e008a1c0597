"""Idempotency-Key where the effect is a secret or bytes: made once, and answered with the same again."""
import unittest

import harness

PASSWORD = {"password": "correct horse battery"}


class Keys(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n')
        self.admin = self.daemon.token("admin", None)
        self.alice = self.daemon.token()

    def ask(self, path, body, token, key, **headers):
        return self.daemon.request("POST", path, body, token, headers={"Idempotency-Key": key, **headers})

    def twice(self, path, body, token):
        """The same request with the same key: the same status and body, and said to be a repetition."""
        first, again = (self.ask(path, body, token, "k1") for _ in range(2))
        self.assertEqual((first.status, first.body), (again.status, again.body))
        self.assertNotIn("Idempotency-Replayed", first.headers)
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        return first

    def refused(self, answer):
        self.assertEqual((answer.status, answer.json["code"]), (422, "idempotency_conflict"), answer)

    def test_a_token_is_made_once(self):
        made = self.twice("/v1/tokens", {"role": "agent", "agent": "alice", "name": "desk"}, self.admin)
        self.assertEqual(made.status, 201)
        tokens = self.daemon.request("GET", "/v1/tokens", token=self.admin).json["data"]
        self.assertEqual([token["id"] for token in tokens if token["name"] == "desk"], [made.json["id"]])
        self.assertEqual(self.daemon.request("GET", "/v1/me", token=made.json["token"]).json["agent"], "alice")
        self.refused(self.ask("/v1/tokens", {"role": "admin"}, self.admin, "k1"))
        other = self.ask("/v1/tokens", {"role": "agent", "agent": "alice", "name": "desk"}, self.admin, "k2")
        self.assertNotEqual(other.json["token"], made.json["token"])

    def test_a_token_that_was_revoked_stays_so(self):
        made = self.twice("/v1/tokens", {"role": "admin"}, self.admin)
        gone = self.daemon.request("DELETE", f"/v1/tokens/{made.json['id']}", token=self.admin)
        self.assertEqual(gone.status, 204, gone)
        again = self.ask("/v1/tokens", {"role": "admin"}, self.admin, "k1")
        self.assertEqual(again.body, made.body)
        self.assertEqual(self.daemon.request("GET", "/v1/me", token=made.json["token"]).status, 401)

    def test_a_ticket_is_made_once(self):
        made = self.twice("/v1/events/ticket", {}, self.alice)
        self.assertEqual(made.status, 201)
        self.assertEqual(self.ask("/v1/events/ticket", {}, self.admin, "k1").status, 201)
        self.assertNotEqual(self.ask("/v1/events/ticket", {}, self.alice, "k2").json, made.json)

    def upload(self, content, key, query="name=a.bin", token=None):
        return self.daemon.request("POST", f"/v1/attachments?{query}", content, token or self.alice,
                                   headers={"Idempotency-Key": key, "Content-Type": "application/octet-stream"})

    def test_an_upload_is_made_once(self):
        first, again = (self.upload(b"bytes", "k1") for _ in range(2))
        self.assertEqual((first.status, first.body), (201, again.body))
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        self.refused(self.upload(b"other bytes", "k1"))
        self.refused(self.upload(b"bytes", "k1", "name=b.bin"))
        self.assertEqual(self.upload(b"other bytes", "k2").status, 201)

    def test_a_queue_is_paused_once(self):
        boss = self.daemon.token("supervisor", "bob")
        paused = self.ask("/v1/queues/support/pause", {}, boss, "k1")
        self.assertEqual((paused.status, paused.json["paused"]), (200, True), paused)
        self.assertEqual(self.ask("/v1/queues/support/resume", {}, boss, "k2").json["paused"], False)
        again = self.ask("/v1/queues/support/pause", {}, boss, "k1")
        self.assertEqual((again.status, again.headers["Idempotency-Replayed"]), (200, "true"))
        self.assertFalse(self.daemon.request("GET", "/v1/queues/support", token=self.admin).json["paused"])
        self.refused(self.ask("/v1/queues/support/pause", {}, boss, "k2"))

    def test_a_session_is_made_once_for_who_knows_the_password(self):
        put = self.daemon.request("PUT", "/v1/agents/alice/password", PASSWORD, self.admin)
        self.assertEqual(put.status, 204, put)
        body = {"agent": "alice", **PASSWORD}
        made = self.twice("/v1/session", body, None)
        again = self.ask("/v1/session", body, None, "k1")
        self.assertEqual(made.headers["Set-Cookie"], again.headers["Set-Cookie"])
        wrong = self.ask("/v1/session", {"agent": "alice", "password": "wrong horse battery"}, None, "k1")
        self.assertEqual(wrong.status, 401, wrong)
        self.refused(self.ask("/v1/session", {"workspace": "main", **body}, None, "k1"))

    def sign_in(self, agent):
        answer = self.daemon.request("POST", "/v1/session", {"agent": agent, **PASSWORD})
        self.assertEqual(answer.status, 201, answer)
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": answer.json["csrf_token"]}

    def test_the_next_session_of_an_agent_repeats_what_the_one_before_did(self):
        for agent in ("alice", "bob"):
            put = self.daemon.request("PUT", f"/v1/agents/{agent}/password", PASSWORD, self.admin)
            self.assertEqual(put.status, 204, put)
        self.daemon.post_signed("shop", self.secret, {"id": "s1", "from": {"id": "u1"}, "text": "?"})
        path = f"/v1/conversations/{self.daemon.claim(self.alice)['conversation']}/messages"
        sessions = [self.sign_in(agent) for agent in ("alice", "alice", "bob")]
        first, again, other = (self.ask(path, {"kind": "note", "text": "once"}, None, "k1", **one) for one in sessions)
        self.assertEqual([one.status for one in (first, again, other)], [201] * 3)
        self.assertEqual((again.body, again.headers["Idempotency-Replayed"]), (first.body, "true"))
        self.assertNotEqual(other.json["id"], first.json["id"])


if __name__ == "__main__":
    unittest.main()
