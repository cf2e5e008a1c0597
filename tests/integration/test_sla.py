"""Service level clocks: deadlines kept, paused, missed and told, also when the daemon was not there."""
import datetime
import json
import shutil
import time

import harness

TODAY = datetime.date.today()
BUSINESS = f"""\
queues:
  - {{ id: support }}
  - {{ id: second }}
  - {{ id: office, calendar: never, overflow: [ {{ when: {{ closed: true }}, to: second }} ] }}
calendars:
  - {{ id: never, holidays: [ {{ date: {TODAY - datetime.timedelta(100)}, to: {TODAY + datetime.timedelta(200)} }} ] }}
""" + """\
agents:
  - { id: alice, name: Alice, queues: [support, second] }
  - { id: bob, name: Bob, queues: [second] }
rules:
  - { name: quick, when: { text: "quick" }, then: { queue: support, type: quick } }
  - { name: prompt, when: { text: "prompt" }, then: { queue: support, type: prompt } }
  - { name: raising, when: { text: "raising" }, then: { queue: support, type: raising } }
  - { name: office, when: { text: "office" }, then: { queue: office } }
  - { name: rest, then: { queue: support } }
sla_policies:
  - { id: quick, when: { type: quick }, first_response: 1s, warn: 50, pause: [] }
  - { id: prompt, when: { type: prompt }, first_response: 4s, warn: 0 }
  - { id: raising, when: { type: raising }, first_response: 1s, warn: 0, on_breach: { urgency: urgent, priority: 45, escalate: "queue:second" } }
  - { id: second, when: { queue: second }, resolution: 5h }
  - { id: standard, first_response: 1h, next_response: 2h, resolution: 8h, owner: 30m, pause: [customer] }
"""


class Sla(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()

    def channels(self):
        return (f'  - {{ name: shop, connector: webhook, secret: "{self.secret}", '
                f'deliver_url: "http://127.0.0.1:1/", allow_private_urls: true }}\n')

    def start(self):
        self.daemon = self.start_daemon(self.channels(), business=BUSINESS)
        self.alice = self.daemon.token()
        self.boss = self.daemon.token(role="supervisor", agent="alice")

    def post(self, text="hello", message_id="m1", sender="u1"):
        answer = self.daemon.post_signed("shop", self.secret, {
            "id": message_id, "from": {"id": sender, "name": "Li Lei"}, "text": text})
        self.assertEqual(answer.status, 200, answer)

    def item(self, path="/v1/work-items"):
        return self.daemon.request("GET", path, token=self.boss).json["data"][0]

    def clocks(self):
        return {one["metric"]: one for one in self.item()["sla"]}

    def wait_clock(self, metric, state):
        return harness.wait_for(f"{metric} to be {state}", lambda: (
            self.clocks().get(metric, {}).get("state") == state and self.clocks()[metric]))

    def do(self, item, word, body=None):
        answer = self.daemon.request("POST", f"/v1/work-items/{item['id']}/{word}", body or {}, self.alice)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def explained(self):
        return self.daemon.request("GET", f"/v1/work-items/{self.item()['id']}/explain", token=self.boss).json

    def test_explain_says_which_clock_is_next(self):
        self.start()
        self.post()
        self.wait_clock("first_response", "active")
        said = self.explained()
        self.assertEqual(said["sla"], self.item()["sla"])
        first = self.clocks()["first_response"]
        self.assertEqual(said["sla_next"], {"metric": "first_response", "event": "warn", "at": first["warn_at"]})
        self.assertRegex(said["text"]["en"], r'Its first response \(policy "standard"\) is due in (59 min|1 h 0 min)\.')
        self.assertRegex(said["text"]["zh"], "“首次响应”（策略“standard”）还剩 (59 分钟|1 小时 0 分)。")
        self.do(self.daemon.claim(self.alice), "snooze", {"waiting_for": "customer"})
        self.wait_clock("resolution", "paused")
        self.assertIn('Its clock of the resolution (policy "standard") is paused.', self.explained()["text"]["en"])
        self.post("quick", "m2", "u2")
        self.wait_clock("first_response", "breached")
        said = self.explained()
        self.assertRegex(said["text"]["en"], r'Its first response \(policy "quick"\) has been due for \d+ s\.')
        self.assertRegex(said["text"]["zh"], "“首次响应”（策略“quick”）已超时 \\d+ 秒。")
        self.assertIsNone(said["sla_next"])

    def test_figures_count_the_clocks(self):
        self.start()
        self.daemon.request("PUT", "/v1/me/presence", {"status": "away"}, self.alice)
        self.post("quick")
        self.wait_clock("first_response", "breached")
        counted = {one["metric"]: one for one in self.daemon.request("GET", "/v1/live", token=self.boss).json["sla"]}
        self.assertEqual(counted["first_response"], {"metric": "first_response", "warned": 1, "breached": 1, "fulfilled": 0})
        rows = dict(line.rsplit(" ", 1) for line in self.daemon.request("GET", "/metrics").body.decode().splitlines()
                    if not line.startswith("#"))
        self.assertEqual(rows['converged_sla_total{workspace="main",metric="first_response",event="breached"}'], "1")
        self.assertEqual(rows['converged_sla_total{workspace="main",metric="owner",event="breached"}'], "0")
        self.assertGreaterEqual(float(rows['converged_queue_oldest_seconds{workspace="main",queue="support"}']), 1)
        self.assertEqual(rows['converged_queue_oldest_seconds{workspace="main",queue="second"}'], "0")
        self.assertEqual(rows['converged_queue_expected_wait_seconds{workspace="main",queue="support"}'], "-1")
        self.assertEqual([rows[f'converged_queue_agents{{workspace="main",queue="{queue}",state="away"}}'] for queue in
                          ("support", "second")], ["1", "1"])
        self.assertEqual(rows['converged_queue_agents{workspace="main",queue="second",state="offline"}'], "1")
        self.assertEqual(rows['converged_agents{workspace="main",state="offline"}'], "1")
        self.assertEqual(rows['converged_queue_agents_ready{workspace="main",queue="support"}'], "0")

    def test_clocks_follow_the_work(self):
        self.start()
        stream = self.daemon.events("/v1/events?types=sla.state", self.boss)
        self.post()
        seen = {}
        for _ in range(2):
            event = stream.next()["data"]
            seen[event["metric"]] = event
        self.assertEqual({name: (one["event"], one["policy"], one["to"]) for name, one in seen.items()},
                         {"first_response": ("activate", "standard", "active"), "resolution": ("activate", "standard", "active")})
        bot = self.daemon.token(role="integration", agent=None)
        work = self.daemon.claim(bot)
        self.assertEqual(self.daemon.reply(work["conversation"], "I am a bot", bot).status, 201)
        self.assertEqual(self.daemon.reply(work["conversation"], "a note", self.alice, kind="note").status, 201)
        self.daemon.request("POST", f"/v1/work-items/{work['id']}/release", {}, bot)
        self.daemon.claim(self.alice)
        owners = [stream.next()["data"] for _ in range(3)]
        self.assertEqual([(one["metric"], one["event"]) for one in owners],
                         [("owner", "activate"), ("owner", "cancel"), ("owner", "activate")])
        self.assertEqual(self.clocks()["first_response"]["state"], "active")
        self.assertIsNone(self.item()["first_response_at"])
        self.assertEqual(self.daemon.reply(work["conversation"], "hello", self.alice).status, 201)
        ended = [stream.next()["data"] for _ in range(2)]
        self.assertEqual([(one["metric"], one["event"]) for one in ended], [("first_response", "fulfil"), ("owner", "fulfil")])
        fulfilled = self.wait_clock("first_response", "fulfilled")
        self.assertLessEqual(fulfilled["fulfilled_at"], fulfilled["due_at"])
        self.post("still broken", "m2")
        self.assertEqual(stream.next()["data"]["metric"], "next_response")
        self.do(work, "snooze", {"waiting_for": "customer", "until": "2099-01-01T00:00:00Z"})
        paused = [stream.next()["data"] for _ in range(2)]
        self.assertEqual([(one["metric"], one["event"], one["paused_for"]) for one in paused],
                         [("next_response", "pause", "customer"), ("resolution", "pause", "customer")])
        shown = self.wait_clock("resolution", "paused")
        self.assertEqual((shown["paused_for"], shown["due_at"]), ("customer", None))
        self.post("again", "m3")
        self.assertEqual([stream.next()["data"]["event"] for _ in range(2)], ["resume", "resume"])
        self.do(work, "resolve")
        self.assertEqual([(one["metric"], one["event"]) for one in (stream.next()["data"] for _ in range(2))],
                         [("next_response", "cancel"), ("resolution", "fulfil")])

    def test_a_missed_deadline_is_warned_of_told_and_listed(self):
        self.start()
        stream = self.daemon.events("/v1/events?types=sla.state", self.boss)
        self.post("quick")
        due = stream.next()["data"]["due_at"]
        self.assertEqual([stream.next()["data"]["event"] for _ in range(2)], ["warn", "breach"])
        clock = self.wait_clock("first_response", "breached")
        self.assertEqual((clock["breached_at"], clock["due_at"]), (due, due))
        self.assertEqual(len(self.daemon.request("GET", "/v1/work-items?sla=breached", token=self.boss).json["data"]), 1)
        self.assertEqual(self.daemon.request("GET", "/v1/work-items?sla=warned", token=self.boss).json["data"], [])
        self.assertEqual(self.daemon.request("GET", "/v1/work-items?sla=late", token=self.boss).status, 400)

    def test_a_breach_raises_and_escalates_and_a_disabled_policy_takes_that_back(self):
        self.start()
        stream = self.daemon.events("/v1/events?types=sla.state,work_item.state", self.boss)
        self.post("raising")
        stream.wait(lambda event: event["data"].get("event") == "breach")
        moved = stream.wait(lambda event: event["type" if "type" in event else "event"] == "work_item.state")["data"]
        self.assertEqual(moved["queue"], "second")
        self.assertEqual((self.item()["urgency"], self.item()["priority"]), ("urgent", 45))
        admin = self.daemon.token(role="admin", agent=None)
        policy = self.daemon.request("GET", "/v1/sla-policies/raising", token=admin).json
        policy.pop("version")
        answer = self.daemon.request("PUT", "/v1/sla-policies/raising", {**policy, "enabled": False}, admin)
        self.assertEqual(answer.status, 200, answer)
        harness.wait_for("the urgency to fall", lambda: self.item()["urgency"] != "urgent")
        self.assertEqual(self.item()["priority"], 0)
        self.assertEqual({one["policy"] for one in self.item()["sla"] if one["state"] == "active"}, {"second"})

    def test_a_calendar_is_tried_by_api_and_command_line(self):
        self.start()
        admin = self.daemon.token(role="admin", agent=None)
        office = {"time_zone": "Asia/Shanghai", "hours": [{"days": ["mon-fri"], "from": "09:00", "to": "18:00"}],
                  "holidays": [{"date": "2026-10-01", "to": "2026-10-07"}], "workdays": [{"date": "2026-10-10"}]}
        answer = self.daemon.request("PUT", "/v1/calendars/office", {"id": "office", **office}, admin)
        self.assertIn(answer.status, (200, 201), answer)
        tried = self.daemon.request("POST", "/v1/calendars/office/test",
                                    {"at": "2026-09-30T17:00:00+08:00", "add": "2h", "to": "2026-10-10T10:00:00+08:00"}, self.alice)
        self.assertEqual(tried.status, 200, tried)
        self.assertEqual((tried.json["open"], tried.json["next_change_at"], tried.json["added_at"], tried.json["between_ms"]),
                         (True, "2026-09-30T10:00:00.000Z", "2026-10-08T02:00:00.000Z", (1 + 9 + 9 + 1) * 3600 * 1000))
        shown = json.loads(self.daemon.ctl("-o", "json", "calendar", "test", "office", "--at", "2026-10-01T12:00:00+08:00"))
        self.assertEqual((shown["open"], shown["next_change_at"]), (False, "2026-10-08T01:00:00.000Z"))
        for path, body, status in (("nowhere", {}, 404), ("office", {"add": "long"}, 400), ("office", {"to": "2999-01-01T00:00:00Z"}, 400)):
            self.assertEqual(self.daemon.request("POST", f"/v1/calendars/{path}/test", body, self.alice).status, status, body)
        office["time_zone"] = "Asia/Shangai"
        answer = self.daemon.request("PUT", "/v1/calendars/office", {"id": "office", **office}, admin)
        self.assertEqual(answer.status, 400, answer)
        self.assertIn("no time zone", answer.json["detail"])

    def test_the_shipped_calendar_has_the_holidays_and_adjusted_workdays_of_2026(self):
        self.start()
        self.daemon.ctl("apply", "-f", str(harness.ROOT / "conf" / "business.yaml"))
        off = [("01-01", 3), ("02-15", 9), ("04-04", 3), ("05-01", 5), ("06-19", 3), ("09-25", 3), ("10-01", 7)]
        closed = {datetime.date.fromisoformat(f"2026-{first}") + datetime.timedelta(day) for first, days in off for day in range(days)}
        worked = {datetime.date.fromisoformat(f"2026-{day}") for day in ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")}
        day, wrong = datetime.date(2026, 1, 1), []
        while day.year == 2026:
            answer = self.daemon.request("POST", "/v1/calendars/cn/test", {"at": f"{day}T10:00:00+08:00"}, self.boss)
            self.assertEqual(answer.status, 200, answer)
            if answer.json["open"] != (day in worked or (day.weekday() < 5 and day not in closed)):
                wrong.append(str(day))
            day += datetime.timedelta(1)
        self.assertEqual(wrong, [])

    def test_work_of_a_closed_queue_goes_where_its_overflow_says(self):
        self.start()
        self.post("office")
        harness.wait_for("the item in the other queue", lambda: self.item()["queue"] == "second")
        harness.wait_for("that queue's policy", lambda: {one["policy"] for one in self.item()["sla"] if one["state"] == "active"} == {"second"})

    def breaches(self, redis):
        return [line for line in redis.ask("XRANGE", "{main}:log", "-", "+").splitlines() if '"event":"breach"' in line]

    def start_on(self, redis, name="node", business=BUSINESS):
        return self.start_daemon(self.channels(), name=name, business=business,
                                 extra=f"store: {{ url: 'unix:{redis.socket}', allow_unsafe: true }}\n"
                                       f"history: sqlite:{self.folder}/history.db\n")

    def test_a_deadline_that_passes_while_the_daemon_is_dead_is_missed_once_and_then(self):
        redis = self.start_redis()
        self.daemon = self.start_on(redis)
        self.boss = self.daemon.token(role="supervisor", agent="alice")
        stream = self.daemon.events("/v1/events?types=sla.state", self.boss)
        self.post("quick")
        due = stream.next()["data"]["due_at"]
        self.daemon.kill()
        harness.wait_for("the deadline to pass", lambda: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) > due)
        self.assertEqual(self.breaches(redis), [])
        self.daemon.start(apply=False)
        clock = self.wait_clock("first_response", "breached")
        self.assertEqual(clock["breached_at"], due)
        self.daemon.restart(apply=False)
        self.post("another", "m2", "u2")
        harness.wait_for("the next item's clocks", lambda: self.item()["sla"])
        self.assertEqual(len(self.breaches(redis)), 1, self.breaches(redis))
        self.assertEqual(json.loads(self.breaches(redis)[0])["at"], json.loads(self.breaches(redis)[0])["due"])

    def told(self, redis):
        """How often each (work item, event) is in the log."""
        lines, told, item = redis.ask("XRANGE", "{main}:log", "-", "+").splitlines(), {}, None
        for at, line in enumerate(lines):
            if line == "w":
                item = lines[at + 1]
            elif line.startswith('{"metric"'):
                key = (item, json.loads(line)["event"])
                told[key] = told.get(key, 0) + 1
        return told

    def test_everything_is_told_once_however_often_the_daemon_dies(self):
        redis = self.start_redis()
        self.daemon = self.start_on(redis)
        self.boss = self.daemon.token(role="supervisor", agent="alice")
        for turn in range(4):
            for number in range(10):
                self.post("quick", f"m{turn}-{number}", f"u{turn}-{number}")
            self.daemon.restart(apply=False)
        harness.wait_for("every breach", lambda: len(self.breaches(redis)) >= 40)
        self.daemon.restart(apply=False)
        self.post("last", "last", "last")
        harness.wait_for("the last item's clocks", lambda: self.item()["sla"])
        told = {key: count for key, count in self.told(redis).items() if key[0] != self.item()["id"]}
        self.assertEqual({event for _, event in told}, {"activate", "warn", "breach"})
        self.assertEqual((len(told), set(told.values())), (120, {1}))

    def wait_read(self, redis):
        def is_read():
            newest = redis.ask("XREVRANGE", "{main}:log", "+", "-", "COUNT", "1").split()[0]
            return redis.ask("GET", "{main}:cur:sla").endswith("-" + newest)
        harness.wait_for("the log to be read to its end", is_read)

    def test_what_is_read_again_is_told_once(self):
        redis = self.start_redis()
        self.daemon = self.start_on(redis)
        self.alice = self.daemon.token()
        self.post()
        self.wait_read(redis)
        work = self.daemon.claim(self.alice)
        for number in range(3):
            self.assertEqual(self.daemon.reply(work["conversation"], "hello", self.alice).status, 201)
            self.post("more", f"more{number}")
            self.do(work, "snooze", {"waiting_for": "customer", "until": "2099-01-01T00:00:00Z"})
            self.post("again", f"again{number}")
        self.wait_read(redis)
        told = self.told(redis)
        self.assertEqual(told[(work["id"], "activate")], 3 + 3)
        self.daemon.stop()
        first = redis.ask("XRANGE", "{main}:log", "-", "+", "COUNT", "1").split()[0]
        redis.ask("SET", "{main}:cur:sla", f"1-{first}")
        self.daemon.start(apply=False)
        self.wait_read(redis)
        self.assertEqual(self.told(redis), told)

    def test_an_answer_in_time_is_no_breach_though_it_is_read_too_late(self):
        redis = self.start_redis()
        self.daemon = self.start_on(redis)
        self.alice = self.daemon.token()
        self.boss = self.daemon.token(role="supervisor", agent="alice")
        self.post("prompt")
        work = self.daemon.claim(self.alice)
        due = self.wait_clock("first_response", "active")["due_at"]
        self.assertEqual(self.daemon.reply(work["conversation"], "hello", self.alice).status, 201)
        self.daemon.kill()
        harness.wait_for("the deadline to pass", lambda: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) > due)
        self.daemon.start(apply=False)
        self.assertLess(self.wait_clock("first_response", "fulfilled")["fulfilled_at"], due)
        self.assertEqual(self.breaches(redis), [])

    def test_of_two_daemons_the_survivor_tells_it_once(self):
        redis = self.start_redis()
        self.daemon = self.start_on(redis)
        other = self.folder / "other" / "var"
        other.mkdir(parents=True, mode=0o700)
        shutil.copy(self.daemon.state_dir / "installation.key", other)
        other = self.start_on(redis, "other", business=None)
        self.boss = self.daemon.token(role="supervisor", agent="alice")
        for number in range(20):
            self.post("quick", f"m{number}", f"u{number}")
        self.daemon.kill()
        self.daemon = other
        harness.wait_for("every breach", lambda: len(self.breaches(redis)) >= 20)
        self.post("last", "last", "last")
        harness.wait_for("the last item's clocks", lambda: self.item()["sla"])
        self.assertEqual(len(self.breaches(redis)), 20)
