"""No state can stick: whoever is killed in whatever state, its timer ends it in a lawful next one.

ROWS is the table: how a state is entered, and how it must have ended. Each test enters all states with everybody of them
then silent for ever, takes one participant away, and waits for every row to end. Nothing is helped along.
"""
import datetime
import http.server
import json
import shutil
import threading

import harness

GRACE_S = 4
FIRST_S = 6
PATIENCE_S = 40
OVERDUE = "local t = redis.call('TIME') return redis.call('ZCOUNT', KEYS[1], '-inf', t[1] * 1000 - 3000)"

BUSINESS = """\
queues:
  - {{ id: plain, missed_offers: 1 }}
  - {{ id: fast, missed_offers: 1, offer_timeout: {seconds}s }}
  - {{ id: wrap, wrap_up: {seconds}s }}
  - {{ id: shut, close_after: {seconds}s }}
  - {{ id: lead, escalation: [ {{ after: 1s, to: "agent:deaf", accept: {seconds}s }}, {{ after: 30d, to: "queue:plain" }} ] }}
  - {{ id: slow, escalation: [ {{ after: {seconds}s, to: "queue:plain" }} ] }}
  - {{ id: unserved }}
  - {{ id: empty }}
agents:
  - {{ id: boss, name: Boss, role: supervisor, queues: [unserved] }}
  - {{ id: other, name: Other, queues: [unserved] }}
  - {{ id: deaf, name: Deaf, queues: [unserved] }}
  - {{ id: rescuer, name: Rescuer, queues: [plain, fast, wrap, shut, lead, slow] }}
{agents}
rules: [ {{ name: all, then: {{ queue: plain }} }} ]
"""


QUEUES = {"offered": "fast", "wish": "empty"}  # whom a row's agent serves


class Silent:
    """A provider that never answers the first message after be_silent(), until is_over hangs up; others it takes."""

    def __init__(self):
        self.came, self.is_over = threading.Event(), threading.Event()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if not provider.came.is_set():
                    provider.came.set()
                    provider.is_over.wait()
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/out"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def be_silent(self):
        self.is_over.clear()
        self.came.clear()

    def close(self):
        self.is_over.set()
        self.server.shutdown()
        self.server.server_close()


class Bed:
    """One set of states, each entered with an agent of its own, so that no row disturbs another."""

    def __init__(self, test, seconds, prefix):
        self.test, self.seconds, self.prefix, self.seen = test, seconds, prefix, {}

    def agent(self, row):
        return f"{self.prefix}{row.replace('_', '-')}"

    def ask(self, method, path, agent, body=None, status=200):
        role = "supervisor" if agent == "boss" else "agent"
        answer = self.test.daemon.request(method, path, body, self.test.daemon.token(role=role, agent=agent))
        self.test.assertEqual(answer.status, status, answer)
        return answer.json

    def opened(self, queue):
        return self.ask("POST", "/v1/work-items", "boss", {"queue": queue}, 201)["id"]

    def do(self, item, word, agent, **body):
        return self.ask("POST", f"/v1/work-items/{item}/{word}", agent, body)

    def held(self, row, queue="unserved"):
        """An item that the row's agent has, as somebody at work has it."""
        agent = self.agent(row)
        self.ask("PUT", "/v1/me/presence", agent, {"status": "online"})
        item = self.opened(queue)
        self.do(item, "assign", "boss", target=f"agent:{agent}")
        return item

    def field(self, key, name):
        return self.test.redis.ask("HGET", f"{{main}}:{key}", name)

    def state(self, item):
        return self.field(f"w:{item}", "s")

    def end(self, item, *states):
        return self.state(item) in states and self.field(f"w:{item}", "a") == ""

    def transfer(self, item):
        return self.field(f"w:{item}", "tc").split(" ")[0]

    # --- the states ---

    def enter_queued(self):
        return self.opened("slow")

    def in_queued(self, item):
        return self.field(f"w:{item}", "q") == "slow"

    def ended_queued(self, item):
        return self.field(f"w:{item}", "q") == "plain" and self.field(f"t:{self.transfer(item)}", "s") == "pending"

    def enter_offered(self):
        agent = self.agent("offered")
        self.ask("PUT", "/v1/me/presence", agent, {"status": "online"})
        item = self.opened("fast")
        harness.wait_for("an offer", lambda: self.state(item) == "offered")
        return item, self.field(f"w:{item}", "o")

    def in_offered(self, entered):
        return self.state(entered[0]) == "offered" and self.field(f"o:{entered[1]}", "s") == "pending"

    def ended_offered(self, entered):
        return self.end(entered[0], "queued") and self.field(f"o:{entered[1]}", "s") == "timeout"

    def enter_assigned(self):
        return self.held("assigned")

    def in_assigned(self, item):
        return self.state(item) == "assigned"

    def ended_assigned(self, item):
        return self.end(item, "queued") and self.field(f"a:{self.agent('assigned')}", "st") == "offline"

    def enter_wrapping(self):
        item = self.held("wrapping", "wrap")
        self.do(item, "resolve", self.agent("wrapping"))
        return item

    def in_wrapping(self, item):
        return self.state(item) == "wrapping"

    def ended_wrapping(self, item):
        return self.end(item, "resolved")

    def enter_waiting(self):
        item = self.held("waiting")
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.seconds)
        self.do(item, "snooze", self.agent("waiting"), until=until.strftime("%Y-%m-%dT%H:%M:%S.%fZ")[:-5] + "Z")
        return item

    def in_waiting(self, item):
        return self.state(item) == "waiting"

    def ended_waiting(self, item):
        return self.end(item, "queued")

    def enter_resolved(self):
        item = self.held("resolved", "shut")
        self.do(item, "resolve", self.agent("resolved"))
        return item

    def in_resolved(self, item):
        return self.state(item) == "resolved"

    def ended_resolved(self, item):
        return self.state(item) == "closed"

    def enter_transfer_to_agent(self):
        item = self.held("transfer_to_agent")
        self.do(item, "transfer", self.agent("transfer_to_agent"), target="agent:other", accept_within_s=self.seconds)
        return item, self.transfer(item)

    def in_transfer_to_agent(self, entered):
        return self.field(f"t:{entered[1]}", "s") == "pending"

    def ended_transfer_to_agent(self, entered):
        # Whoever comes first: the deadline of the target, or the end of the patience with the one who asked.
        return self.end(entered[0], "queued") and self.field(f"t:{entered[1]}", "s") in ("timeout", "cancelled")

    def enter_transfer_to_queue(self):
        item = self.held("transfer_to_queue", "plain")
        self.do(item, "transfer", self.agent("transfer_to_queue"), target="queue:unserved", accept_within_s=self.seconds)
        return item, self.transfer(item)

    def in_transfer_to_queue(self, entered):
        return self.field(f"t:{entered[1]}", "s") == "pending"

    def ended_transfer_to_queue(self, entered):
        return (self.end(entered[0], "queued") and self.field(f"w:{entered[0]}", "q") == "plain"
                and self.field(f"t:{entered[1]}", "s") == "timeout")

    def enter_consult_pending(self):
        item = self.held("consult_pending")
        self.do(item, "consult", self.agent("consult_pending"), target="agent:other", accept_within_s=self.seconds)
        return item, self.field(f"w:{item}", "cp")

    def in_consult_pending(self, entered):
        return self.field(f"t:{entered[1]}", "s") == "pending"

    def ended_consult_pending(self, entered):
        return self.field(f"t:{entered[1]}", "s") == "timeout" and self.end(entered[0], "queued")

    def enter_consult_accepted(self):
        item = self.held("consult_accepted")
        helper = self.agent("consult_helper")
        self.ask("PUT", "/v1/me/presence", helper, {"status": "online"})
        self.do(item, "consult", self.agent("consult_accepted"), target=f"agent:{helper}")
        trf = self.field(f"w:{item}", "cp")
        self.do(item, "accept", helper)
        return item, trf

    def in_consult_accepted(self, entered):
        return self.field(f"t:{entered[1]}", "s") == "accepted"

    def ended_consult_accepted(self, entered):
        return (self.field(f"t:{entered[1]}", "s") == "ended" and self.field(f"w:{entered[0]}", "co") == ""
                and self.end(entered[0], "queued"))

    def enter_escalation(self):
        item = self.opened("lead")
        harness.wait_for("the first level", lambda: self.field(f"w:{item}", "el") == "1")
        return item, self.transfer(item)

    def in_escalation(self, entered):
        return self.field(f"t:{entered[1]}", "s") == "pending"

    def ended_escalation(self, entered):
        return (self.field(f"t:{entered[1]}", "s") == "timeout" and self.field(f"w:{entered[0]}", "el") == "2"
                and self.field(f"w:{entered[0]}", "q") == "plain")

    def enter_wish(self):
        agent = self.agent("wish")
        connection = harness.http.client.HTTPConnection("127.0.0.1", self.test.daemon.http_port)
        self.test.claims.append(connection)
        connection.request("POST", "/v1/work/claim", json.dumps({"wait_s": self.seconds, "queues": ["empty"]}), {
            "Authorization": f"Bearer {self.test.daemon.token(agent=agent)}", "Content-Type": "application/json"})
        harness.wait_for("the wish", lambda: self.in_wish(agent))
        return agent

    def in_wish(self, agent):
        return self.test.redis.ask("ZSCORE", "{main}:wishes", agent) != ""

    def ended_wish(self, agent):
        return not self.in_wish(agent) and self.field(f"wish:{agent}", "end") == "1"

    def enter_lease(self):
        item = self.opened("shut")
        tool = self.test.daemon.token(role="integration", agent=None)
        got = self.test.daemon.request("POST", "/v1/work/claim", {"wait_s": 20, "queues": ["shut"], "lease_s": self.seconds}, tool)
        self.test.assertEqual((got.status, got.json["id"]), (200, item), got)
        return item

    def in_lease(self, item):
        return self.state(item) == "assigned" and self.field(f"w:{item}", "lx") != ""

    def ended_lease(self, item):
        return self.end(item, "queued")

    def enter_sending(self):
        self.test.provider.be_silent()
        sender = f"u{self.prefix}"
        answer = self.test.daemon.post_signed("shop", self.test.secret, {
            "id": f"m{self.prefix}", "from": {"id": sender}, "text": "hello"})
        self.test.assertEqual(answer.status, 200, answer)
        waiting = self.ask("GET", "/v1/work-items?queue=plain", "boss")["data"]
        item = next(one for one in waiting if one["conversation"])
        sent = self.test.daemon.reply(item["conversation"], "on its way", self.test.daemon.token(role="supervisor", agent="boss"))
        self.test.assertEqual(sent.status, 201, sent)
        self.test.assertTrue(self.test.provider.came.wait(harness.PATIENCE_S), "the provider has the message")
        return item["conversation"], sent.json["id"]

    def in_sending(self, entered):
        return self.field(f"y:{entered[0]}", entered[1]).startswith("sending")

    def ended_sending(self, entered):
        return self.field(f"y:{entered[0]}", entered[1]).split(" ")[0] in ("sent", "uncertain")


ROWS = [name.removeprefix("enter_") for name in vars(Bed) if name.startswith("enter_")]


class NoStateSticks(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret, self.claims, self.daemons = harness.new_secret(), [], []
        self.redis = self.start_redis()
        self.provider = Silent()
        self.addCleanup(self.provider.close)
        self.addCleanup(lambda: [claim.close() for claim in self.claims])
        self.daemon = self.start_instance("one")

    def start_instance(self, name):
        if self.daemons:
            state = self.folder / name / "var"
            state.mkdir(parents=True, mode=0o700)
            shutil.copy(self.daemons[0].state_dir / "installation.key", state)
        daemon = self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", deliver_url: "{self.provider.url}", '
            f'allow_private_urls: true }}\n', name, business=None,
            extra=f"store: {{ url: \"unix:{self.redis.socket}\" }}\nhistory: sqlite:{self.folder}/history.db\nlimits: {{ api_per_second: 100000, disconnect_grace: {GRACE_S}s }}\n")
        self.daemons.append(daemon)
        return daemon

    def configure(self, bed):
        agents = "".join(
            f"  - {{ id: {bed.agent(row)}, name: {row}, queues: [{QUEUES.get(row, 'unserved')}] }}\n"
            for row in [*ROWS, "consult_helper"])
        path = self.folder / "business.yaml"
        path.write_text(BUSINESS.format(seconds=bed.seconds, agents=agents))
        self.daemon.ctl("apply", "-f", str(path))

    def enter_all(self):
        """Every state at once. Where the machine was too slow for the shortest of their timers, again with longer ones."""
        for attempt in range(4):
            bed = Bed(self, FIRST_S << attempt, "abcd"[attempt])
            self.configure(bed)
            entered = {row: getattr(bed, f"enter_{row}")() for row in ROWS}
            if all(getattr(bed, f"in_{row}")(entered[row]) for row in ROWS):
                return bed, entered
            self.provider.is_over.set()
            harness.wait_for("the message to be sent", lambda: bed.ended_sending(entered["sending"]))
        raise AssertionError("this machine never has all states at the same time")

    def check(self, kill):
        bed, entered = self.enter_all()
        kill(bed)
        self.provider.is_over.set()

        def stuck():
            return [row for row in ROWS if not getattr(bed, f"ended_{row}")(entered[row])]
        try:
            harness.wait_for("every state to end", lambda: not stuck(), PATIENCE_S + bed.seconds)
        except AssertionError:
            told = {row: self.redis.ask("HGETALL", "{main}:w:" + (entered[row] if isinstance(entered[row], str) else entered[row][0]))
                    for row in stuck()}
            told["sending"] = self.redis.ask("HGETALL", "{main}:y:" + entered["sending"][0])
            raise AssertionError(f"stuck: {json.dumps(told, indent=1)}") from None
        harness.wait_for("no timer to be overdue", lambda: self.redis.ask("EVAL", OVERDUE, 1, "{main}:timers") == "0")
        self.check_service()

    def check_service(self):
        """And work goes on: somebody who comes gets what went back into the queues."""
        daemon = self.daemons[-1]
        token = daemon.token(agent="rescuer")
        waits = {one["id"] for one in daemon.request("GET", "/v1/work-items?state=queued&queue=plain&limit=200",
                                                     token=token).json["data"]}
        self.assertGreaterEqual(len(waits), 3)
        for _ in range(3):
            item = daemon.claim(token, wait_s=20, queues=["plain"])
            self.assertIsNotNone(item, "work is handed out again")
            waits.discard(item["id"])

    def test_the_clients_are_gone(self):
        self.check(lambda bed: [claim.close() for claim in self.claims])

    def test_the_targets_go_offline(self):
        def kill(bed):
            for agent in ("other", "deaf", bed.agent("consult_helper"), bed.agent("offered"), bed.agent("wish")):
                bed.ask("PUT", "/v1/me/presence", agent, {"status": "offline"})
        self.check(kill)

    def test_the_daemon_is_killed_and_restarted(self):
        def kill(bed):
            self.daemon.kill()
            self.daemon.start(False)
        self.check(kill)

    def test_the_store_is_killed_and_restarted(self):
        def kill(bed):
            self.redis.kill()
            self.redis.start()
        self.check(kill)

    def test_the_steward_is_replaced_by_a_second_instance(self):
        def kill(bed):
            self.start_instance("two")
            self.daemon.kill()
        self.check(kill)


if __name__ == "__main__":
    harness.unittest.main()
