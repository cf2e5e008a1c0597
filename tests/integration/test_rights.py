"""Who may do what: every route of the daemon's own /openapi.json with every kind of caller."""
import http.client
import json
import re
import socket
import unittest

import harness

OPERATIONS = ("get", "post", "put", "patch", "delete")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Rights(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.secret = harness.new_secret()
        channels = (f'  - {{ name: shop, connector: webhook, secret: "{cls.secret}" }}\n' + "".join(f'  - {{ name: shop, workspace: {name}, connector: webhook, secret: "{cls.secret}" }}\n'
                              for name in ("other", "third")))
        cls.daemon = harness.Daemon(harness.RUNS / f"rights-{harness.os.getpid()}", channels)
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()
        cls.document = cls.daemon.request("GET", "/openapi.json").json
        cls.roles = {"agent": cls.daemon.token(), "supervisor": cls.daemon.token("supervisor", "bob"),
                     "admin": cls.daemon.token("admin", None), "integration": cls.daemon.token("integration", None)}

    def rows(self):
        for pattern, operations in self.document["paths"].items():
            for method in OPERATIONS:
                if method in operations:
                    yield method, pattern, set(operations[method]["x-roles"])

    def ask(self, method, pattern, token=None, **more):
        """A harmless request: ids that do not exist, and a body that no handler takes."""
        path = re.sub(r"\{[^}]*\}", "nobody", pattern)
        body = None if method in ("get", "delete") else {"no such member": 1}
        return self.daemon.request(method.upper(), path, body, token, **more)

    def test_every_route_asks_for_credentials(self):
        revoked = self.daemon.request("POST", "/v1/tokens", {"role": "admin"}, self.roles["admin"]).json
        gone = self.daemon.request("DELETE", f"/v1/tokens/{revoked['id']}", token=self.roles["admin"])
        self.assertEqual(gone.status, 204, gone)
        callers = {"nobody": None, "garbage": "garbage", "wrong": "cvg_main_" + "A" * 43, "revoked": revoked["token"],
                   "other workspace": self.roles["admin"].replace("cvg_main_", "cvg_other_"), "empty": " "}
        for method, pattern, roles in self.rows():
            if "public" in roles:
                continue
            for caller, token in callers.items():
                with self.subTest(method=method, pattern=pattern, caller=caller):
                    answer = self.ask(method, pattern, token)
                    self.assertEqual(answer.status, 401, answer)
                    self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
                    self.assertEqual(answer.json["code"], "not_signed_in")

    def test_every_route_asks_for_its_roles(self):
        for method, pattern, roles in self.rows():
            if "public" in roles:
                continue
            for role, token in self.roles.items():
                with self.subTest(method=method, pattern=pattern, role=role):
                    answer = self.ask(method, pattern, token)
                    if role in roles:
                        self.assertNotIn(answer.status, (401, 403), answer)
                        self.assertLess(answer.status, 500, answer)
                    else:
                        self.assertEqual((answer.status, answer.json["code"]), (403, "not_allowed"))

    def test_the_stream_of_events_asks_too(self):
        for token in (None, "garbage", "cvg_main_" + "A" * 43):
            self.assertEqual(self.daemon.request("GET", "/v1/events", token=token).status, 401)
        for ticket in ("", "x", self.roles["agent"], "cvg_main_" + "A" * 43):
            self.assertEqual(self.daemon.request("GET", f"/v1/events?ticket={ticket}").status, 401, ticket)

    def other(self, role="admin", agent=None):
        return self.daemon.token(role, agent, "other")

    def test_what_another_workspace_has_answers_like_what_nobody_has(self):
        posted = self.daemon.post_signed("shop", self.secret, {"id": "r1", "from": {"id": "u1"}, "text": "秘密"})
        self.assertEqual(posted.status, 200, posted)
        item = self.daemon.claim(self.roles["agent"])
        foreign = {"wrk": item["id"], "cnv": item["conversation"], "cus": item["customer"]["id"],
                   "msg": posted.json["message"]}
        absent = {kind: f"{kind}_" + "0" * 26 for kind in foreign}
        asks = [("GET", "/v1/work-items/{wrk}", None), ("GET", "/v1/work-items/{wrk}/explain", None),
                ("GET", "/v1/conversations/{cnv}", None), ("GET", "/v1/conversations/{cnv}/messages", None),
                ("GET", "/v1/customers/{cus}", None), ("PATCH", "/v1/customers/{cus}", {"name": "x"}),
                ("POST", "/v1/conversations/{cnv}/messages", {"text": "x"}),
                ("POST", "/v1/conversations/{cnv}/messages", {"kind": "note", "text": "x"}),
                ("POST", "/v1/messages/{msg}/decide", {"outcome": "sent"}),
                ("POST", "/v1/deadletters/{msg}/redrive", {}), ("GET", "/v1/agents/alice", None)]
        for word in ("accept", "decline", "release", "extend", "resolve", "close", "reopen", "snooze"):
            asks.append(("POST", f"/v1/work-items/{{wrk}}/{word}", {}))
        asks.append(("POST", "/v1/work-items/{wrk}/transfer", {"target": "queue:support"}))
        for method, path, body in asks:
            with self.subTest(method=method, path=path):
                here = self.daemon.request(method, path.format(**foreign), body, self.other())
                nowhere = self.daemon.request(method, path.format(**absent), body, self.other())
                self.assertEqual(here.status, 404, here)
                self.assertEqual(self.bare(here, foreign), self.bare(nowhere, absent))
        self.assertEqual(self.daemon.request("GET", "/v1/work-items", token=self.other()).json["data"], [])
        self.assertEqual(self.daemon.request("GET", "/v1/channels", token=self.other()).json["data"][0]["name"], "shop")
        found = self.daemon.request("GET", "/v1/customers?identifier=webhook:shop:u1", token=self.other())
        self.assertEqual(found.json["data"], [])

    def test_a_file_of_another_workspace_is_nobodys_though_its_id_is_known(self):
        agent, other = self.roles["agent"], self.daemon.token("admin", None, "third")
        kept = self.daemon.request("POST", "/v1/attachments?name=a.bin", b"secret", agent).json["blob"]
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{kept}", token=agent).body, b"secret")
        hidden = self.daemon.request("GET", f"/v1/attachments/{kept}", token=other)
        self.assertEqual((hidden.status, hidden.json["code"]), (404, "no_such_attachment"))
        self.daemon.post_signed("third.shop", self.secret, {"id": "f1", "from": {"id": "u1"}, "text": "x"})
        item = self.daemon.claim(self.daemon.token("agent", "eve", "third"))
        files = [{"blob": kept, "name": "a.bin", "type": "text/plain"}]
        for kind in ("reply", "note"):
            answer = self.daemon.reply(item["conversation"], "x", other, kind=kind, attachments=files)
            self.assertEqual((answer.status, answer.json["code"]), (422, "no_such_attachment"), answer)
        started = self.daemon.request("POST", "/v1/conversations", {
            "channel": "shop", "to": "u9", "text": "x", "attachments": files}, other)
        self.assertEqual(started.status, 400, started)
        # Who has the bytes may say so: then they are theirs too.
        again = self.daemon.request("POST", "/v1/attachments?name=b.bin", b"secret", other).json["blob"]
        self.assertEqual(self.daemon.request("GET", f"/v1/attachments/{again}", token=other).body, b"secret")

    @staticmethod
    def bare(answer, ids):
        text = json.dumps({key: value for key, value in answer.json.items() if key != "instance"})
        for kind, value in ids.items():
            text = text.replace(value, kind)
        return answer.status, text.replace("alice", "x")

    def test_an_agent_acts_on_the_own_items_only(self):
        self.daemon.post_signed("shop", self.secret, {"id": "r2", "from": {"id": "u2"}, "text": "x"})
        item = self.daemon.claim(self.roles["supervisor"])
        for word in ("release", "resolve", "close", "snooze"):
            answer = self.daemon.request("POST", f"/v1/work-items/{item['id']}/{word}", {}, self.roles["agent"])
            self.assertIn(answer.status, (403, 409), f"{word}: {answer}")
        answer = self.daemon.reply(item["conversation"], "x", self.roles["agent"])
        self.assertEqual((answer.status, answer.json["code"]), (403, "not_assignee"))
        self.assertEqual(self.daemon.reply(item["conversation"], "x", self.roles["agent"], kind="note").status, 201)

    def sign_in(self, password="a good password"):
        return self.daemon.request("POST", "/v1/session", {"agent": "alice", "password": password})

    def test_a_session_needs_its_csrf_token_for_effects(self):
        stored = self.daemon.request("PUT", "/v1/agents/alice/password", {"password": "a good password"},
                                     self.roles["admin"])
        self.assertEqual(stored.status, 204, stored)
        self.assertEqual(self.sign_in("another password").status, 401)
        signed = self.sign_in()
        self.assertEqual(signed.status, 201, signed)
        cookie = signed.headers["Set-Cookie"]
        self.assertIn("HttpOnly", cookie)
        self.assertIn("SameSite=Strict", cookie)
        mine = {"Cookie": cookie.partition(";")[0]}
        both = {**mine, "X-CSRF-Token": signed.json["csrf_token"]}
        self.assertEqual(self.daemon.request("GET", "/v1/me", headers=mine).json["agent"], "alice")
        for headers in (mine, {**mine, "X-CSRF-Token": "0" * 64}, {**mine, "X-CSRF-Token": ""}):
            for method, path, body in (("PUT", "/v1/me/presence", {"status": "online"}), ("DELETE", "/v1/session", None),
                                       ("POST", "/v1/work/claim", {})):
                answer = self.daemon.request(method, path, body, headers=headers)
                self.assertEqual((answer.status, answer.json["code"]), (403, "csrf"))
        self.assertEqual(self.daemon.request("PUT", "/v1/me/presence", {"status": "away"}, headers=both).status, 200)
        self.assertEqual(self.daemon.request("DELETE", "/v1/session", headers=both).status, 204)
        self.assertEqual(self.daemon.request("GET", "/v1/me", headers=mine).status, 401)

    def test_only_the_admin_socket_takes_a_peer_at_its_word(self):
        headers = {"X-Converge-Workspace": "main"}
        self.assertEqual(self.daemon.request("GET", "/v1/tokens", headers=headers).status, 401)
        sockets = list(self.daemon.state_dir.rglob("*.sock"))
        path = next(path for path in sockets if "admin" in path.name)
        self.assertEqual(path.stat().st_mode & 0o077, 0, "the socket is the owner's")
        connection = UnixConnection(path)
        connection.request("GET", "/v1/tokens", headers=headers)
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        connection = UnixConnection(path)
        connection.request("GET", "/v1/tokens", headers={"X-Converge-Workspace": "main}:x"})
        self.assertEqual(connection.getresponse().status, 400)
        connection.close()


class Streams(harness.TestCase):
    def test_an_event_is_heard_in_its_own_workspace_alone(self):
        """The logs of two workspaces give the same id to what happens in one millisecond."""
        redis = self.start_redis()
        channels = "".join(f"  - {{ name: site, workspace: {name}, connector: webchat }}\n" for name in ("main", "other"))
        daemon = self.start_daemon(channels, extra=f"store: unix:{redis.socket}\n")
        streams = {name: daemon.events("/v1/events?types=agent.presence", daemon.token("admin", None, name))
                   for name in ("main", "other")}
        for name, stream in streams.items():
            self.addCleanup(stream.close)
            self.assertEqual(stream.status, 200)
        for at in range(3):
            for name in streams:
                redis.ask("XADD", f"{{{name}}}:log", f"{2 ** 42}-{at}", "t", "agent.presence", "a", f"{name}-{at}", "o", "busy")
                redis.ask("PUBLISH", f"{{{name}}}:bell", "")
            for name, stream in streams.items():
                self.assertEqual(stream.next()["data"]["agent"], f"{name}-{at}")


if __name__ == "__main__":
    unittest.main()
