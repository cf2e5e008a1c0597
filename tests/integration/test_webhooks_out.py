"""Webhooks out: what an endpoint elsewhere is told of, whatever it answers and whoever dies."""
import base64
import collections
import http.server
import json
import shutil
import subprocess
import threading
import time

import harness

BUSINESS = """
queues: [ { id: support }, { id: money } ]
agents: [ { id: alice, name: Alice, queues: [support, money] } ]
rules:
  - { name: money, when: { text: "invoice" }, then: { queue: money } }
  - { name: rest, then: { queue: support } }
"""
LIMITS = "limits: { private_webhooks: true, api_per_second: 100000 }\n"


class Receiver:
    """Strict about signatures; answers as it is told, event by event. `gate` holds answers back while it is not set."""

    def __init__(self):
        self.secrets = []
        self.taken = collections.defaultdict(list)  # id: events that were answered with 2xx
        self.asked = []  # (id, status given, headers)
        self.bad = []
        self.answers = []  # for the next requests: a status, (status, headers), "close" or "flood"
        self.otherwise = 204
        self.gate = threading.Event()
        self.gate.set()
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = receiver.take(self.headers, body)
                if not receiver.gate.is_set():
                    receiver.gate.wait(60)
                try:
                    self.answer(answer)
                except OSError:
                    pass  # the daemon did not wait

            def answer(self, answer):
                if answer == "close":
                    self.close_connection = True
                    return
                status, fields = answer if isinstance(answer, tuple) else (answer, {})
                body = b""
                if answer == "flood":
                    status, body = 200, b"x" * (8 << 20)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a daemon that is killed ends its connections so
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers, body):
        with self.lock:
            given = headers.get("webhook-signature", "").split(" ")
            wanted = [harness.sign(secret, headers["webhook-id"], headers["webhook-timestamp"], body)
                      for secret in self.secrets]
            event = json.loads(body)
            if not set(wanted) & set(given) or event["id"] != headers["webhook-id"]:
                self.bad.append((dict(headers), body))
                return 401
            if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
                self.bad.append(("stale", dict(headers)))
            answer = self.answers.pop(0) if self.answers else self.otherwise
            self.asked.append((event["id"], answer, dict(headers)))
            status = answer[0] if isinstance(answer, tuple) else answer
            if status == "flood" or isinstance(status, int) and status < 300:
                self.taken[event["id"]].append(event)
            return answer

    def events(self, kind=None):
        with self.lock:
            return [events[0] for events in self.taken.values() if kind in (None, events[0]["type"])]

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class WebhooksOut(harness.TestCase):
    def begin(self, extra=LIMITS, **fields):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n',
                                        business=BUSINESS, extra=extra)
        self.admin = self.daemon.token(role="admin", agent=None)
        made = self.put(**fields)
        self.assertEqual(made.status, 200, made)
        self.receiver.secrets = [made.json["secret"]]
        return made

    def put(self, hook="crm", headers=None, **fields):
        return self.daemon.request("PUT", f"/v1/webhooks/{hook}", {"url": self.receiver.url, **fields}, self.admin,
                                   headers=headers)

    def get(self, path, hook="crm"):
        answer = self.daemon.request("GET", f"/v1/webhooks/{hook}{path}", token=self.admin)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def act(self, path, hook="crm", key=None):
        return self.daemon.request("POST", f"/v1/webhooks/{hook}{path}", {}, self.admin,
                                   headers={"Idempotency-Key": key} if key else {})

    def post(self, number, text="hello"):
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": f"m{number}", "from": {"id": f"u{number}", "name": "Li Lei"}, "text": text})
        self.assertEqual(answer.status, 200, answer)
        return answer.json.get("message")  # none where an answer before was lost

    def deliveries(self, query=""):
        return self.get(f"/deliveries?limit=200{query}")["data"]

    def keys(self, pattern):
        socket = next(self.daemon.state_dir.rglob("redis.sock"))
        return subprocess.run(["redis-cli", "-s", socket, "--scan", "--pattern", "{main}:" + pattern], check=True,
                              capture_output=True, text=True).stdout.split()

    def retry_now(self):
        """What waits for its time is due now."""
        self.assertEqual(self.act("/resume").status, 200)

    def arrives(self, message):
        return harness.wait_for("the event", lambda: [one for one in self.receiver.events("message.created")
                                                      if one["message"] == message])[0]

    def test_events_arrive_signed_and_thin(self):
        made = self.begin()
        self.assertRegex(made.json["secret"], r"^whsec_[A-Za-z0-9+/]{43}=$")
        self.assertRegex(self.get("")["secret"], r"^set:", "a secret is shown once")
        event = self.arrives(self.post(1, "the text stays here"))
        self.assertLessEqual({"id", "type", "time", "message", "conversation", "customer", "work_item", "queue"}, set(event))
        self.assertNotIn("the text stays here", json.dumps(self.receiver.events()))
        harness.wait_for("all three", lambda: {one["type"] for one in self.receiver.events()} >= {
            "conversation.opened", "message.created", "work_item.created"})
        harness.wait_for("them to be written down", lambda: {one["state"] for one in self.deliveries()} == {"delivered"})
        one = next(row for row in self.deliveries() if row["type"] == "message.created")
        self.assertEqual((one["id"], one["attempts"], one["status"], one["event"]), (event["id"], 1, 204, event))
        self.assertEqual(self.receiver.bad, [])
        state = self.get("/state")
        self.assertEqual((state["state"], state["waiting"], state["dead"]), ("working", 0, 0))
        self.assertEqual(state["delivered_total"], len(self.receiver.events()))

    def test_it_is_told_of_the_types_and_queues_it_wants(self):
        self.begin(types=["work_item.created"], queues=["money"])
        self.post(1)
        wanted = self.post(2, "an invoice")
        event = harness.wait_for("the event", self.receiver.events)[0]
        self.assertEqual((event["type"], event["queue"], event["message"]), ("work_item.created", "money", wanted))
        self.assertEqual(len(self.deliveries()), 1)
        wrong = self.put("other", types=["work_item.stat"])
        self.assertEqual(wrong.status, 400)
        self.assertIn('did you mean "work_item.state"', wrong.json["detail"])
        self.assertEqual(self.put("other", queues=["no-such"]).status, 400)
        self.assertEqual(self.daemon.request("DELETE", "/v1/queues/money", token=self.admin).status, 409)

    def test_whatever_it_answers_nothing_is_lost(self):
        self.begin(types=["message.created"], timeout="1s")
        self.receiver.answers = [500, "close", (302, {"Location": self.receiver.url}), 404, (503, {"Retry-After": "1"})]
        message = self.post(1)
        for number in range(1, 6):
            harness.wait_for(f"failure {number}", lambda: self.deliveries()[0]["attempts"] == number)
            row = self.deliveries()[0]
            self.assertEqual(row["state"], "waiting")
            self.assertTrue(row["error"])
            self.assertIsNotNone(row["next_attempt_at"])
            self.assertEqual(self.get("/state")["state"], "failing")
            self.retry_now()
        self.arrives(message)
        self.assertEqual(len({one[0] for one in self.receiver.asked}), 1, "one id, on every attempt")
        harness.wait_for("the end", lambda: self.deliveries()[0]["state"] == "delivered")
        self.assertEqual((self.deliveries()[0]["attempts"], self.get("/state")["state"]), (6, "working"))

    def test_a_slow_one_is_not_waited_for_and_a_flood_counts_as_its_status(self):
        self.begin(types=["message.created"], timeout="1s")
        self.receiver.gate.clear()
        self.post(1)
        harness.wait_for("it is given up", lambda: self.deliveries() and self.deliveries()[0]["attempts"] == 1)
        self.assertIsNone(self.deliveries()[0]["status"])
        self.receiver.gate.set()
        self.receiver.answers = ["flood"]
        self.retry_now()
        harness.wait_for("the flood", lambda: self.deliveries()[0]["state"] == "delivered")
        self.assertEqual(self.deliveries()[0]["status"], 200)

    def test_the_first_retry_comes_by_itself(self):
        self.begin(types=["message.created"])
        self.receiver.answers = [500]
        self.arrives(self.post(1))

    def test_gone_switches_it_off_and_resume_on(self):
        self.begin(types=["message.created"])
        self.receiver.answers = [410]
        first = self.post(1)
        state = harness.wait_for("it is off", lambda: (lambda one: one if one["state"] == "off" else None)(self.get("/state")))
        self.assertEqual((state["reason"], state["last_status"], state["dead"]), ("gone", 410, 1))
        second = self.post(2)
        harness.wait_for("the second waits", lambda: self.get("/state")["waiting"] == 1)
        self.assertEqual(len(self.receiver.asked), 1)
        self.assertEqual(self.act("/resume").json["state"], "working")
        self.arrives(second)
        dead = self.deliveries("&state=dead")
        self.assertEqual([one["event"]["message"] for one in dead], [first])
        queued = self.act(f"/deliveries/{dead[0]['id']}/resend", key="once")
        self.assertEqual((queued.status, queued.json), (202, {"id": dead[0]["id"], "state": "waiting"}))
        self.arrives(first)
        harness.wait_for("it is written down", lambda: not self.deliveries("&state=waiting"))
        again = self.act(f"/deliveries/{dead[0]['id']}/resend", key="once")
        self.assertEqual((again.status, again.json), (queued.status, queued.json))
        self.assertEqual(self.deliveries("&state=waiting"), [], "a repeated request resends nothing")
        self.assertEqual(self.act("/deliveries/evt_none/resend").status, 404)
        self.assertEqual(self.act("/test", hook="none").status, 404)

    def test_after_failing_too_long_it_is_switched_off(self):
        self.begin(types=["message.created"], disable_after="1s")
        self.receiver.otherwise = 503
        self.post(1)
        harness.wait_for("a failure", lambda: self.get("/state")["failing_since"])
        harness.wait_for("it is off", lambda: self.get("/state")["state"] == "off")
        self.assertEqual(self.get("/state")["reason"], "failing")
        self.receiver.otherwise = 204
        self.assertEqual(self.put(types=["message.created"], name="Mended").status, 200)
        self.assertEqual(self.get("/state")["state"], "failing", "another configuration is tried again")
        self.retry_now()
        harness.wait_for("it works", lambda: self.get("/state")["state"] == "working")

    def test_a_dead_endpoint_holds_nothing_and_the_oldest_give_way(self):
        self.begin(types=["message.created", "conversation.opened"], max_waiting=1000)
        self.receiver.otherwise = 500
        other = Receiver()
        self.addCleanup(other.close)
        made = self.daemon.request("PUT", "/v1/webhooks/other", {"url": other.url, "types": ["message.created"]}, self.admin)
        other.secrets = [made.json["secret"]]
        messages = [self.post(number) for number in range(600)]
        harness.wait_for("the other has all", lambda: len(other.events()) == 600)
        self.assertEqual({one["message"] for one in other.events()}, set(messages))
        state = self.get("/state")
        self.assertEqual((state["waiting"], state["overflow_total"], state["dead"]), (1000, 200, 200))
        dead = self.deliveries("&state=dead&order=asc")
        self.assertEqual({one["error"] for one in dead}, {"too many events wait"})
        self.assertEqual(dead[0]["event"]["message"] if "message" in dead[0]["event"] else dead[1]["event"]["message"],
                         messages[0], "the oldest")
        self.assertEqual(other.bad, [])
        self.assertEqual({len(events) for events in other.taken.values()}, {1}, "where nothing dies nothing comes twice")

    def test_pages_hold_each_delivery_once(self):
        self.begin(types=["message.created"])
        messages = [self.post(number) for number in range(25)]
        harness.wait_for("all", lambda: len(self.receiver.events()) == 25)
        for order, wanted in (("asc", messages), ("desc", messages[::-1])):
            seen, after = [], ""
            while True:
                page = self.get(f"/deliveries?limit=7&order={order}{after}")
                seen += [one["event"]["message"] for one in page["data"]]
                if page["next_cursor"] is None:
                    break
                after = f"&after={page['next_cursor']}"
            self.assertEqual(seen, wanted)
        cursor = base64.urlsafe_b64decode(self.get("/deliveries?limit=7")["next_cursor"] + "===").decode()
        forged = cursor.rsplit(" ", 1)[0] + " +inf"
        for bad in ("7", "bm9uZQ", base64.urlsafe_b64encode(forged.encode()).decode().rstrip("=")):
            answer = self.daemon.request("GET", f"/v1/webhooks/crm/deliveries?after={bad}", token=self.admin)
            self.assertEqual(answer.status, 400, answer)

    def test_kill_nine_in_the_middle_loses_nothing(self):
        self.begin(types=["message.created"])
        messages, stop = [], threading.Event()

        def campaign():
            for number in range(1000):
                while not stop.is_set():
                    try:
                        messages.append(self.post(number))
                        break
                    except (OSError, AssertionError, harness.http.client.HTTPException):
                        time.sleep(0.02)

        thread = threading.Thread(target=campaign)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        for so_far in (150, 350, 550, 750):
            harness.wait_for(f"{so_far} events", lambda: len(self.receiver.events()) >= so_far, patience_s=120)
            if so_far == 550:
                self.daemon.kill_store()
            else:
                self.daemon.restart(apply=False)
        thread.join(180)
        self.assertEqual(len(messages), 1000)
        harness.wait_for("all", lambda: len({one["message"] for one in self.receiver.events()}) == 1000, patience_s=60)
        self.assertEqual(set(messages) - {one["message"] for one in self.receiver.events()} - {None}, set())
        self.assertEqual(len(self.receiver.events()), 1000, "no event has two ids")
        self.assertEqual(self.receiver.bad, [])
        twice = [events for events in self.receiver.taken.values() if len(events) > 1]
        for events in twice:
            self.assertEqual([one for one in events if one != events[0]], [], "a repeat is the same")

    def test_a_test_event_says_nothing_and_arrives(self):
        self.begin(types=["sla.state"])
        queued = self.act("/test")
        self.assertEqual(queued.status, 202, queued)
        event = harness.wait_for("the event", self.receiver.events)[0]
        self.assertEqual((event["id"], event["type"], event["endpoint"]), (queued.json["id"], "webhook.test", "crm"))

    def test_a_new_secret_signs_beside_the_last_one(self):
        made = self.begin()
        first = made.json["secret"]
        rolled = self.put(secret="new", headers={"If-Match": made.headers["ETag"]})
        self.assertEqual(rolled.status, 200, rolled)
        second = rolled.json["secret"]
        self.assertNotEqual(first, second)
        self.assertRegex(rolled.json["secret_previous"], r"^set:")
        self.assertEqual(self.put(secret="new", headers={"If-Match": made.headers["ETag"]}).status, 412)
        for secret in (first, second):
            self.receiver.secrets = [secret]
            queued = self.act("/test")
            harness.wait_for("the event", lambda: queued.json["id"] in self.receiver.taken)
        self.assertEqual(self.receiver.bad, [])
        kept = self.put(name="Another name")
        self.assertRegex(kept.json["secret"], r"^set:")
        self.assertEqual(kept.json["previous_until"], rolled.json["previous_until"])

    def test_private_addresses_need_the_operator(self):
        self.begin(extra="", url="https://crm.example/events")
        plain = {"url": self.receiver.url}
        [error] = self.put(**plain).json["errors"]
        self.assertEqual(error["pointer"], "#/body/url")
        self.assertIn("private_webhooks", error["detail"])
        many = {"put": [{"kind": "webhooks", "object": {"id": "crm", **plain}}]}
        [error] = self.daemon.request("POST", "/v1/configuration", many, self.admin).json["errors"]
        self.assertEqual(error["pointer"], "#/body/put/0/object/url")
        self.assertEqual(self.put(url=self.receiver.url.replace("http:", "https:")).status, 200)
        self.act("/test")
        harness.wait_for("the address is refused", lambda: any("private" in (one["error"] or "") for one in self.deliveries()))
        self.assertEqual(self.receiver.asked, [])

    def test_what_is_off_is_told_of_nothing_and_what_is_gone_leaves_nothing(self):
        self.begin(types=["message.created"])
        self.arrives(self.post(1))
        self.assertEqual(self.put(types=["message.created"], enabled=False).status, 200)
        self.assertEqual(self.get("/state")["state"], "disabled")
        self.post(2)
        self.assertEqual(self.put(types=["message.created"]).status, 200)
        self.arrives(self.post(3))
        self.assertEqual(len(self.receiver.events()), 2)
        gone = self.daemon.request("DELETE", "/v1/webhooks/crm", token=self.admin)
        self.assertEqual(gone.status, 204, gone)
        self.assertEqual(self.daemon.request("GET", "/v1/webhooks/crm/state", token=self.admin).status, 404)
        self.assertEqual(self.daemon.request("GET", "/v1/webhooks/crm/deliveries", token=self.admin).status, 404)
        harness.wait_for("its outbox to be gone", lambda: not self.keys("wh*"))

    def test_a_file_brings_an_endpoint_and_keeps_its_secret(self):
        self.begin()
        path = self.daemon.folder / "hooks.yaml"
        path.write_text(f'webhooks: [ {{ id: file, url: "{self.receiver.url}", types: [sla.state] }} ]\n')
        self.daemon.ctl("apply", "-f", str(path))
        first = self.get("", "file")
        self.assertRegex(first["secret"], r"^set:")
        self.daemon.ctl("apply", "-f", str(path))
        self.assertEqual(self.get("", "file"), first, "the same again changes nothing")
        shown = self.put("file", secret="new", types=["sla.state"])
        self.receiver.secrets.append(shown.json["secret"])
        queued = self.act("/test", hook="file")
        harness.wait_for("the event", lambda: queued.json["id"] in self.receiver.taken)
        self.assertEqual(self.receiver.bad, [])

    def test_the_command_line_shows_and_resends(self):
        self.begin(types=["message.created"])
        self.receiver.answers = [410]
        message = self.post(1)
        harness.wait_for("it is off", lambda: self.get("/state")["state"] == "off")
        self.assertIn("crm", self.daemon.ctl("webhook", "list"))
        self.assertEqual(json.loads(self.daemon.ctl("webhook", "state", "crm", "-o", "json"))["reason"], "gone")
        rows = json.loads(self.daemon.ctl("webhook", "deliveries", "crm", "--state", "dead", "-o", "json"))
        self.assertEqual([one["event"]["message"] for one in rows], [message])
        self.daemon.ctl("webhook", "resend", "crm", rows[0]["id"])
        self.daemon.ctl("webhook", "resume", "crm")
        self.arrives(message)
        self.daemon.ctl("webhook", "test", "crm")
        harness.wait_for("the test", lambda: self.receiver.events("webhook.test"))

    def test_figures(self):
        self.begin(types=["message.created"])
        self.receiver.answers = [500]
        self.arrives(self.post(1))

        def figure(line):
            lines = self.daemon.request("GET", "/metrics", token=self.admin).body.decode().splitlines()
            return next(int(one.split()[-1]) for one in lines if one.startswith(f"converged_webhook_{line}"))

        harness.wait_for("the figures", lambda: figure('events_total{workspace="main",result="delivered"}') == 1)
        self.assertEqual(figure('events_total{workspace="main",result="failed_attempt"}'), 1)
        self.assertEqual(figure('events_total{workspace="main",result="copied"}'), 1)
        harness.wait_for("nothing waits", lambda: figure('waiting{workspace="main"}') == 0)


class Fleet(harness.TestCase):
    """Two instances over one store: whichever looks after the outboxes is killed."""

    def start_instance(self, name, business=None):
        if self.daemons:
            state = self.folder / name / "var"
            state.mkdir(parents=True, mode=0o700)
            shutil.copy(self.daemons[0].state_dir / "installation.key", state)
        self.daemons.append(self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n', name, business=business,
            extra=f"store: {{ url: \"unix:{self.redis.socket}\" }}\nhistory: sqlite:{self.folder}/history.db\n" + LIMITS))

    def test_another_instance_goes_on_where_one_died(self):
        self.secret, self.daemons = harness.new_secret(), []
        self.redis = self.start_redis()
        self.start_instance("one", BUSINESS)
        self.start_instance("two")
        receiver = Receiver()
        self.addCleanup(receiver.close)
        made = self.daemons[0].request("PUT", "/v1/webhooks/crm", {"url": receiver.url, "types": ["message.created"]},
                                       self.daemons[0].token(role="admin", agent=None))
        receiver.secrets = [made.json["secret"]]
        messages = set()
        for number in range(200):
            if number in (50, 100, 150):
                self.daemons[(number // 50) % 2].kill()
            alive = next(one for one in self.daemons if one.process.poll() is None)
            answer = alive.post_signed("shop", self.secret, {"id": f"m{number}", "from": {"id": f"u{number}"}, "text": "help"})
            self.assertEqual(answer.status, 200, answer)
            messages.add(answer.json["message"])
            if number in (70, 120):
                self.daemons[(number // 50) % 2].start(False)
        harness.wait_for("all", lambda: {one["message"] for one in receiver.events()} == messages)
        self.assertEqual(receiver.bad, [])


if __name__ == "__main__":
    harness.unittest.main()
