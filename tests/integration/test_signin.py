"""Signing in with an authenticator app as the second thing; the codes are made here, from the secret that is shown once."""
import base64
import concurrent.futures
import hashlib
import hmac
import http.server
import json
import secrets
import signal
import threading
import time
import unittest

import harness

PASSWORD = "correct horse battery"


def code(secret, step):
    mac = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


class SignIn(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon()
        self.admin = self.daemon.token("admin", None)
        self.alice = self.daemon.token("agent", "alice")
        self.daemon.ctl("agent", "password", "alice", "--stdin", stdin=PASSWORD + "\n")
        self.step = int(time.time()) // 30

    def ask(self, method, path, body=None, status=200, token=None, key=None):
        answer = self.daemon.request(method, path, body, token or self.alice,
                                     headers={"Idempotency-Key": key or secrets.token_hex(8)})
        self.assertEqual(answer.status, status, answer)
        return answer.json if answer.body else None

    def sign_in(self, status, code_=None, password=PASSWORD, key=None):
        """A code of the next step is right for at least half a minute: the daemon takes the one before and after too."""
        body = {"agent": "alice", "password": password, **({"code": code_} if code_ else {})}
        answer = self.daemon.request("POST", "/v1/session", body, headers={"Idempotency-Key": key or secrets.token_hex(8)})
        self.assertEqual(answer.status, status, answer)
        return answer.json.get("code")

    def set_up(self):
        made = self.ask("POST", "/v1/me/totp", {"password": PASSWORD}, 201)
        self.ask("POST", "/v1/me/totp/confirm", {"code": code(made["secret"], self.step)}, 204)
        return made

    def test_nothing_is_asked_for_until_a_first_code_was_right(self):
        self.sign_in(201)
        self.ask("POST", "/v1/me/totp", {"password": "another"}, 403)
        self.ask("POST", "/v1/me/totp/confirm", {"code": "123456"}, 409)
        made = self.ask("POST", "/v1/me/totp", {"password": PASSWORD}, 201, key="once")
        self.assertEqual(self.ask("POST", "/v1/me/totp", {"password": PASSWORD}, 201, key="once"), made)
        self.assertIn(made["secret"], made["uri"])
        self.sign_in(201)
        wrong = f"{(int(code(made['secret'], self.step)) + 1) % 1_000_000:06d}"
        if wrong not in (code(made["secret"], self.step + one) for one in (-1, 0, 1, 2)):
            self.assertEqual(self.ask("POST", "/v1/me/totp/confirm", {"code": wrong}, 422)["code"], "wrong_code")
        self.assertEqual(self.ask("GET", "/v1/me/totp"), {"active": False})
        for _ in range(2):
            self.ask("POST", "/v1/me/totp/confirm", {"code": code(made["secret"], self.step)}, 204, key="confirm")
        self.assertEqual(self.ask("GET", "/v1/me/totp"), {"active": True})
        self.assertEqual(self.sign_in(401), "code_required")
        self.ask("POST", "/v1/me/totp", {"password": PASSWORD}, 409)

    def test_a_code_opens_one_session(self):
        secret = self.set_up()["secret"]
        self.assertEqual(self.sign_in(401, code(secret, self.step)), "wrong_code")  # the one that confirmed
        self.assertEqual(self.sign_in(401, "000 00a"), "wrong_code")
        self.assertEqual(self.sign_in(401, code(secret, self.step + 1), password="no"), "wrong_password")
        for _ in range(2):  # the same request again is the same session
            self.sign_in(201, code(secret, self.step + 1), key="again")
        self.assertEqual(self.sign_in(401, code(secret, self.step + 1)), "wrong_code")

    def test_a_recovery_code_works_once_and_a_new_app_has_others(self):
        made = self.set_up()
        self.assertEqual(len(set(made["recovery_codes"])), 10)
        first = made["recovery_codes"][3]
        self.sign_in(201, first.upper())
        self.assertEqual(self.sign_in(401, first), "wrong_code")
        self.assertEqual(self.sign_in(401, "22222-22222"), "wrong_code")
        self.assertEqual(self.ask("POST", "/v1/me/totp/remove", {"code": made["recovery_codes"][4]}, 403)["code"], "wrong_code")
        self.ask("POST", "/v1/me/totp/remove", {"code": code(made["secret"], self.step + 1)}, 204)
        self.sign_in(201)
        again = self.ask("POST", "/v1/me/totp", {"password": PASSWORD}, 201)
        self.assertFalse(set(again["recovery_codes"]) & set(made["recovery_codes"]))

    def test_an_admin_helps_whose_phone_is_lost(self):
        self.set_up()
        self.ask("DELETE", "/v1/agents/alice/totp", status=403)
        self.daemon.ctl("agent", "totp-remove", "alice")
        self.sign_in(201)

    def test_who_gets_the_id_of_an_agent_that_was_deleted_is_somebody_else(self):
        path = "/v1/agents/alice"
        for how in ("one", "many"):
            self.daemon.ctl("agent", "password", "alice", "--stdin", stdin=PASSWORD + "\n")
            self.set_up()
            if how == "one":
                self.ask("DELETE", path, status=204, token=self.admin)
            else:
                self.ask("POST", "/v1/configuration", {"put": [], "delete": [{"kind": "agents", "id": "alice"}]}, token=self.admin)
            self.ask("PUT", path, {"id": "alice", "queues": ["support"]}, token=self.admin)
            self.assertEqual(self.sign_in(401), "wrong_password", how)
            self.assertEqual(self.ask("GET", "/v1/me/totp"), {"active": False})

    def test_made_up_workspaces_are_no_new_start(self):
        def guess(number):
            body = {"workspace": f"made-up-{number}", "agent": "alice", "password": "guess"}
            return self.daemon.request("POST", "/v1/session", body).status
        statuses = [guess(number) for number in range(60)]
        self.assertEqual(set(statuses), {401, 429})
        self.assertEqual(statuses[-1], 429)

    def test_a_token_goes_with_its_agent(self):
        bobs = self.daemon.token(agent="bob")
        self.assertEqual(self.daemon.request("GET", "/v1/me", token=bobs).status, 200)
        self.ask("DELETE", "/v1/agents/bob", status=204, token=self.admin)
        harness.wait_for("the token to be refused", lambda: self.daemon.request("GET", "/v1/me", token=bobs).status == 401)
        self.assertEqual(self.daemon.request("GET", "/v1/me", token=self.admin).status, 200)

    def test_a_session_alone_guesses_neither_the_code_nor_the_password(self):
        secret = self.set_up()["secret"]
        ask = lambda path, body: self.daemon.request("POST", path, body, self.alice)
        wrong = next(one for one in ("123456", "654321") if one not in [code(secret, self.step + at) for at in (-1, 0, 1, 2)])
        answers = [ask("/v1/me/totp/remove", {"code": wrong}) for _ in range(20)]
        self.assertEqual({one.status for one in answers}, {403, 429})
        self.assertEqual((answers[-1].json["code"], answers[-1].headers["Retry-After"]), ("too_many_attempts", "30"))
        for path, body in (("remove", {"code": code(secret, self.step + 1)}), ("", {"password": PASSWORD})):
            self.assertEqual(ask(f"/v1/me/totp/{path}".rstrip("/"), body).status, 429)
        self.sign_in(201, code(secret, self.step + 1))  # who knows all of it is not kept out

    def test_no_file_holds_a_secret(self):
        made = self.set_up()
        raw = base64.b32decode(made["secret"])
        self.daemon.stop()
        files = [one for one in self.folder.rglob("*") if one.is_file()]
        self.assertTrue(any(b"totp:alice" in one.read_bytes() for one in files))
        for what in (made["secret"].encode(), raw, *(one.encode() for one in made["recovery_codes"])):
            self.assertEqual([one for one in files if what in one.read_bytes()], [])

    def test_without_a_provider_there_is_the_password(self):
        ask = self.daemon.request
        self.assertEqual(ask("GET", "/v1/session/ways").json, {"password": True, "oidc": None})
        for path in ("/v1/oidc/start", "/v1/oidc/callback?code=x&state=y"):
            self.assertEqual((ask("GET", path).status, ask("GET", path).json["code"]), (404, "no_oidc"))
        self.assertEqual(self.ask("GET", "/v1/session", status=400)["code"], "no_session")

    def test_a_role_is_the_agents_of_now(self):
        roles = self.folder / "roles.yaml"
        roles.write_text("agents: [{ id: alice, name: Alice, role: supervisor }]\n")
        self.daemon.ctl("apply", "-f", str(roles))
        answer = self.daemon.request("POST", "/v1/session", {"agent": "alice", "password": PASSWORD})
        self.assertEqual((answer.status, answer.json["role"]), (201, "supervisor"), answer)

    def test_a_new_password_ends_what_the_old_one_opened(self):
        def sign_in(password):
            answer = self.daemon.request("POST", "/v1/session", {"agent": "alice", "password": password})
            return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
        status = lambda session: self.daemon.request("GET", "/v1/me", headers=session).status
        old = sign_in(PASSWORD)
        self.assertEqual(status(old), 200)
        self.daemon.ctl("agent", "password", "alice", "--stdin", stdin="another horse battery\n")
        self.assertEqual(status(old), 401)
        self.assertEqual(status(sign_in("another horse battery")), 200)

    def test_a_stream_ends_with_what_opened_it(self):
        self.daemon.write_config("", "limits: { disconnect_grace: 4s }\n")
        self.daemon.restart()
        ask, own = self.daemon.request, self.daemon.token("supervisor", "bob")
        stays = harness.Events(self.daemon.http_port, "/v1/events", {"Authorization": f"Bearer {own}"})
        token = json.loads(self.daemon.ctl("token", "create", "--role", "agent", "--agent", "alice", "-o", "json"))
        listening = [harness.Events(self.daemon.http_port, "/v1/events", {"Authorization": f"Bearer {token['token']}"})]
        signed = ask("POST", "/v1/session", {"agent": "alice", "password": PASSWORD})
        mine = {"Cookie": signed.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": signed.json["csrf_token"]}
        listening.append(harness.Events(self.daemon.http_port, "/v1/events", {"Cookie": mine["Cookie"]}))
        ticket = ask("POST", "/v1/events/ticket", {}, headers=mine).json["ticket"]
        listening.append(harness.Events(self.daemon.http_port, f"/v1/events?ticket={ticket}"))
        self.assertEqual([one.status for one in (stays, *listening)], [200] * 4)
        self.assertEqual(ask("DELETE", "/v1/session", headers=mine).status, 204)
        self.assertEqual(ask("DELETE", f"/v1/tokens/{token['id']}", token=self.admin).status, 204)
        for one in listening:
            self.assertIsNone(one.queue.get(timeout=harness.PATIENCE_S))
        ask("PUT", "/v1/me/presence", {"status": "busy"}, own)
        stays.wait(lambda event: event["event"] == "agent.presence" and event["data"]["to"] == "busy")
        stays.close()

    def test_a_program_has_no_app(self):
        self.ask("POST", "/v1/me/totp", {"password": "x"}, 409, token=self.admin)

    def test_a_reload_while_the_provider_is_asked_ends_the_sign_in(self):
        """What comes back is of a provider that is configured no more, or of another one."""
        asked, go_on = threading.Event(), threading.Event()

        class Provider(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                base = f"http://127.0.0.1:{self.server.server_port}/{self.path.split('/')[1]}"
                if self.path.endswith("/keys"):
                    asked.set()
                    go_on.wait(60)
                    answer = {"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                                        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
                else:
                    answer = {"issuer": base, "authorization_endpoint": f"{base}/a", "token_endpoint": f"{base}/t", "jwks_uri": f"{base}/keys"}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.addCleanup(go_on.set)
        base = f"http://127.0.0.1:{self.daemon.http_port}"
        other = f'public_url: "{base}"\noidc: {{ issuer: "http://127.0.0.1:9", client_id: x, name: other, allow_private: true }}\n'
        for number, (change, name, where) in enumerate(
                (("", None, "/#/sign-in/away"), (other, "other", f"{base}/#/sign-in/away"), (None, "right", "{issuer}/a?"))):
            with self.subTest(name=name):
                issuer = f"http://127.0.0.1:{server.server_port}/{number}"
                right = other.replace("http://127.0.0.1:9", issuer).replace("other", "right")
                self.reload(right, "right")
                asked.clear()
                go_on.clear()
                with concurrent.futures.ThreadPoolExecutor(1) as pool:
                    starting = pool.submit(self.daemon.request, "GET", "/v1/oidc/start")
                    self.assertTrue(asked.wait(60))
                    self.reload(right if change is None else change, name)
                    go_on.set()
                    answer = starting.result(60)
                self.assertEqual(answer.status, 303, answer)
                self.assertTrue(answer.headers["Location"].startswith(where.format(issuer=issuer)), answer.headers["Location"])

    def reload(self, extra, name):
        self.daemon.write_config("", extra)
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_for(name, lambda: self.daemon.request("GET", "/v1/session/ways").json["oidc"] == (name and {"name": name}))


if __name__ == "__main__":
    unittest.main()
