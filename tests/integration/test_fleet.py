"""Two instances over one store: whichever is killed, nothing is lost, nothing is held by two, and work goes on."""
import json
import random
import shutil
import subprocess
import threading

import harness

ITEMS = 120
CAPACITY = 3
AGENTS = ["ann", "ben", "cho", "dan"]
BUSINESS = ("queues: [ { id: support, offer_timeout: 5s } ]\nagents:\n"
            + "".join(f"  - {{ id: {name}, name: {name}, queues: [support], capacity: {CAPACITY} }}\n" for name in AGENTS)
            + "  - { id: boss, name: Boss, role: supervisor }\nrules: [ { name: all, then: { queue: support } } ]\n")


def entries(redis):
    """The log, oldest first, as one dictionary an entry."""
    text = subprocess.run(["redis-cli", "-s", redis.socket, "--json", "XRANGE", "{main}:log", "-", "+"],
                          capture_output=True, text=True, check=True).stdout
    return [dict(zip(fields[::2], fields[1::2])) for _, fields in json.loads(text)]


def check_log(test, log):
    """What must hold of every history of work items and offers."""
    state, held, pending = {}, {}, {}
    for one in log:
        item, extra = one.get("w", ""), json.loads(one["e"]) if one.get("e") else {}
        if one["t"] not in ("message.created", "work_item.state", "offer.created", "work_item.created") or not one.get("o"):
            continue
        if item in state:
            test.assertEqual(one["f"], state[item], f"{item}: {one}")
        state[item] = one["o"]
        if one["t"] == "offer.created":
            test.assertNotIn(item, pending, f"offered twice at once: {one}")
            pending[item] = one["x"]
        elif "offer" in extra or "rescinded" in extra or "wish" in extra:
            pending.pop(item, None)
        if one["o"] == "assigned":
            test.assertNotIn(item, held, f"given while it is held: {one}")
            held[item] = one["a"]
            load = sum(owner == one["a"] for owner in held.values())
            test.assertLessEqual(load, CAPACITY, f"beyond the capacity: {one}")
        elif item in held:
            del held[item]
    test.assertEqual(pending, {}, "every offer ends")
    return state


class Agent(threading.Thread):
    """Takes what is offered or pulls, on whichever instance answers, and resolves it."""

    def __init__(self, fleet, name, pulls):
        super().__init__(daemon=True)
        self.fleet, self.name, self.pulls, self.random = fleet, name, pulls, random.Random(name)
        self.is_over = threading.Event()
        self.done = set()

    def ask(self, method, path, body=None):
        port = self.random.choice(self.fleet.daemons).http_port
        try:
            return harness.http_request(port, method, path, body, {"Authorization": f"Bearer {self.fleet.tokens[self.name]}"},
                                        timeout=20)
        except (OSError, harness.http.client.HTTPException):
            self.is_over.wait(0.05)
            return None

    def resolve(self, item):
        while not self.is_over.is_set():
            answer = self.ask("POST", f"/v1/work-items/{item}/resolve", {})
            if answer is not None and answer.status in (200, 409):
                self.done.add(item)
                return
            if answer is not None and answer.status == 403:
                return

    def finish_mine(self):
        """What an answer gave that never arrived is in the list of my work."""
        mine = self.ask("GET", f"/v1/work-items?state=assigned&agent={self.name}&limit=200")
        for item in mine.json["data"] if mine is not None and mine.status == 200 else []:
            self.resolve(item["id"])

    def take_offers(self):
        self.ask("PUT", "/v1/me/presence", {"status": "online"})
        answer = self.ask("GET", "/v1/work-items?state=offered&limit=200")
        for item in answer.json["data"] if answer is not None and answer.status == 200 else []:
            self.ask("POST", f"/v1/work-items/{item['id']}/accept", {})

    def run(self):
        while not self.is_over.is_set():
            if self.pulls:
                self.ask("POST", "/v1/work/claim", {"wait_s": 1})
            else:
                self.take_offers()
            self.finish_mine()


class Fleet(harness.TestCase):
    def start_instance(self, name, business):
        if self.daemons:
            state = self.folder / name / "var"
            state.mkdir(parents=True, mode=0o700)
            shutil.copy(self.daemons[0].state_dir / "installation.key", state)
        self.daemons.append(self.start_daemon(
            f'  - {{ name: shop, connector: webhook, secret: "{self.secret}" }}\n', name, business=business,
            extra=f"store: {{ url: \"unix:{self.redis.socket}\" }}\nhistory: sqlite:{self.folder}/history.db\n"
                  "limits: { api_per_second: 100000, visitor_messages_per_minute: 10000 }\n"))

    def setUp(self):
        super().setUp()
        self.secret, self.daemons = harness.new_secret(), []
        self.redis = self.start_redis()
        self.start_instance("one", BUSINESS)
        self.start_instance("two", None)
        self.tokens = {name: self.daemons[0].token(agent=name) for name in AGENTS}

    def post(self, number):
        """Until one instance has taken it, as a provider would."""
        def taken():
            daemon = random.choice(self.daemons)
            try:
                return daemon.post_signed("shop", self.secret, {
                    "id": f"m{number}", "from": {"id": f"u{number}"}, "text": "help"}).status == 200
            except (OSError, harness.http.client.HTTPException):
                return False
        harness.wait_for(f"an instance that takes message {number}", taken)

    def test_the_check_of_the_log_sees_what_must_not_be(self):
        offered = {"t": "offer.created", "w": "w1", "f": "queued", "o": "offered", "x": "off_1", "a": "ann"}
        given = {"t": "work_item.state", "w": "w1", "f": "offered", "o": "assigned", "a": "ann", "e": '{"offer":"accepted"}'}
        check_log(self, [offered, given])
        for bad in ([offered], [offered, offered | {"f": "offered"}, given], [offered, given, given | {"f": "assigned"}],
                    [offered, given | {"f": "queued"}],
                    [given | {"w": f"w{number}", "f": "queued"} for number in range(CAPACITY + 1)]):
            with self.assertRaises(AssertionError):
                check_log(self, bad)

    def test_a_killed_leader_loses_nothing_and_holds_up_nobody(self):
        agents = [Agent(self, name, pulls=number % 2 == 0) for number, name in enumerate(AGENTS)]
        for agent in agents:
            agent.start()
        for number in range(ITEMS):
            self.post(number)
            if number in (20, 50, 80, 100):
                victim = self.daemons[(number // 30) % 2]
                victim.kill()
                self.post(1000 + number)
                if number > 60:  # the other one must do it alone, once the dead one's lease is over
                    harness.wait_for("the survivor to serve", lambda: self.redis.ask("ZCARD", "{main}:q:support") == "0")
                victim.start(False)

        def all_done():
            return len(set().union(*(agent.done for agent in agents))) >= ITEMS + 4
        try:
            harness.wait_for("all work to be done", all_done, 60)
        finally:
            for agent in agents:
                agent.is_over.set()
            for agent in agents:
                agent.join()
        states = check_log(self, entries(self.redis))
        self.assertEqual(len(states), ITEMS + 4)
        self.assertEqual(set(states.values()), {"resolved"})
