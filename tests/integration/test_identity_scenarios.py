"""The right person: what users of other products complained about, and random acts judged by a model."""
import concurrent.futures
import os
import random
import unittest
import urllib.parse

import harness
import test_evict

CHANNELS = """\
  - {{ name: sure, connector: webhook, secret: "{secret}", trust_addresses: true, default_region: CN }}
  - {{ name: open, connector: webhook, secret: "{secret}" }}
"""


class IdentityCase(harness.TestCase):
    """`sure` is a system that checked the addresses of its users, `open` a form where anybody types anything."""

    def setUp(self):
        super().setUp()
        self.secret = harness.new_secret()
        self.daemon = self.start_daemon(CHANNELS.format(secret=self.secret))
        self.token = self.daemon.token()
        self.sent = 0

    def request(self, method, path, body=None, **more):
        return self.daemon.request(method, path, body, token=self.token, **more)

    def write(self, channel, sender, text="hello", thread=None, **addresses):
        self.sent += 1
        body = {"id": f"m{self.sent}", "from": {"id": sender, "name": "", **addresses}, "text": text}
        if thread:
            body["thread"] = thread
        answer = self.daemon.post_signed(channel, self.secret, body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["message"]

    def say(self, channel, sender, *words, **more):
        self.write(channel, sender, *words, **more)
        return self.owner(f"webhook:{channel}:{sender}")

    def found(self, identifier):
        answer = self.request("GET", "/v1/customers?identifier=" + urllib.parse.quote(identifier))
        self.assertEqual(answer.status, 200, answer)
        return [row["id"] for row in answer.json["data"]]

    def owner(self, identifier):
        [one] = self.found(identifier)
        return one

    def view(self, customer):
        answer = self.request("GET", f"/v1/customers/{customer}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def post(self, path, body=None, status=200):
        answer = self.request("POST", f"/v1/customers/{path}", body or {})
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def patch(self, customer, status=200, **fields):
        answer = self.request("PATCH", f"/v1/customers/{customer}", fields)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def values(self, customer):
        return {one["value"] for one in self.view(customer)["identifiers"]}

    def talks(self, customer):
        return {one["id"] for one in self.view(customer)["conversations"]}

    def suggested(self, customer):
        answer = self.request("GET", f"/v1/customers/{customer}/suggestions")
        return {one["customer"]: (one["state"], one["score"]) for one in answer.json["data"]}


class Scenarios(IdentityCase):
    """One test for each complaint, in the words of those who complained."""

    def test_01_same_person_by_phone_and_by_email_becomes_one(self):
        phone = self.say("sure", "caller", phone="+8613800138000")
        mail = self.say("sure", "writer", email="li@example.org")
        self.assertNotEqual(phone, mail)
        self.post(f"{phone}/merge", {"from": mail})
        self.assertEqual(self.values(phone), {"caller", "+8613800138000", "writer", "li@example.org"})
        self.assertEqual(self.say("sure", "third", email="li@example.org"), phone)

    def test_02_a_phone_alone_groups_over_channels(self):
        self.daemon.stop()
        row = '  - {{ name: {name}, connector: webhook, secret: "{secret}", trust_addresses: true }}\n'
        self.daemon = self.start_daemon("".join(row.format(name=name, secret=self.secret) for name in ("sms", "voice")),
                                        name="phones")
        self.token = self.daemon.token()
        first = self.say("sms", "s1", phone="+8613800138000")
        self.assertEqual(self.say("voice", "v1", phone="+86 138 0013 8000"), first)
        self.assertEqual(len(self.talks(first)), 2)

    def test_03_two_who_type_one_email_stay_two_with_their_attributes(self):
        one = self.say("open", "u1", email="info@example.org")
        other = self.say("open", "u2", email="info@example.org")
        self.assertNotEqual(one, other)
        self.patch(one, attributes={"plan": "pro"})
        self.patch(other, attributes={"plan": "free"})
        self.assertEqual(self.say("open", "u2", "again", email="info@example.org"), other)
        self.assertEqual((self.say("open", "u1", "again", email="info@example.org")), one)

    def test_04_different_ids_are_never_merged_by_a_typed_address(self):
        owner = self.say("sure", "u1", email="li@example.org")
        stranger = self.say("open", "u1", email="li@example.org", phone="+8613800138000")
        self.assertNotEqual(owner, stranger)
        self.assertEqual(self.suggested(owner)[stranger][0], "open")
        self.assertEqual(self.owner("webhook:sure:u1"), owner)
        self.assertEqual(self.values(owner), {"u1", "li@example.org"})

    def test_05_the_direction_is_chosen_and_nobody_is_deleted(self):
        imported, fresh = self.say("sure", "imported"), self.say("sure", "fresh")
        self.patch(imported, name="Li Lei", tier="gold")
        self.post(f"{imported}/merge", {"from": fresh})
        self.assertEqual((self.view(fresh)["id"], self.view(fresh)["tier"]), (imported, "gold"))
        merge = self.post(f"{imported}/split", {"identifier": "webhook:sure:fresh"})
        self.post(f"{merge['customer']}/merge", {"from": imported})
        self.assertEqual(self.view(imported)["id"], merge["customer"])

    def test_06_merging_with_itself_destroys_nothing(self):
        one = self.say("sure", "u1")
        for origin in (one, one):
            self.assertEqual(self.post(f"{one}/merge", {"from": origin}, 409)["code"], "same_customer")
        other = self.say("sure", "u2")
        self.post(f"{one}/merge", {"from": other})
        for into, origin in ((one, other), (other, one), (other, other)):
            self.post(f"{into}/merge", {"from": origin}, 409)
        self.assertEqual((self.values(one), len(self.talks(one))), ({"u1", "u2"}, 2))

    def test_07_edits_that_race_a_merge_are_kept(self):
        one, other = self.say("sure", "u1"), self.say("sure", "u2")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            edits = [pool.submit(self.patch, other, tier=f"t{number}") for number in range(40)]
            merge = pool.submit(self.post, f"{one}/merge", {"from": other})
            for edit in edits:
                edit.result()
            merge.result()
        self.patch(other, tier="last")
        self.assertEqual((self.view(one)["tier"], self.view(other)["tier"]), ("last", "last"))

    def test_08_national_variants_are_one_customer_and_are_never_rewritten(self):
        for number, (first, again) in enumerate((("+5511987654321", "+551187654321"), ("+5215512345678", "+525512345678"))):
            one = self.say("sure", f"a{number}", phone=first)
            self.assertEqual(self.say("sure", f"b{number}", phone=again), one)
            self.assertIn(first, self.values(one))

    def test_09_an_id_without_a_phone_is_enough(self):
        one = self.say("sure", "@username")
        self.assertEqual((self.values(one), len(self.talks(one))), ({"@username"}, 1))

    def test_10_a_number_that_is_shared_later_is_a_suggestion_that_merges(self):
        hidden = self.say("sure", "bsuid")
        known = self.say("sure", "caller", phone="+8613800138000")
        self.assertEqual(self.say("sure", "bsuid", "my number", phone="+8613800138000"), hidden)
        self.assertEqual(self.suggested(hidden)[known], ("open", 80))
        done = self.post(f"{known}/merge", {"from": hidden})
        self.assertEqual(self.suggested(known), {})
        [merge] = self.request("GET", f"/v1/customers/{known}/merges").json["data"]
        self.assertEqual((merge["id"], merge["was_suggested"]), (done["merge"], True))

    def test_10_a_suggestion_is_accepted_by_its_name(self):
        hidden = self.say("sure", "bsuid")
        known = self.say("sure", "caller", phone="+8613800138000")
        self.say("sure", "bsuid", "my number", phone="+8613800138000")
        path = f"{known}/suggestions/{hidden}/accept"
        seen = self.post(path + "?preview=true")
        self.assertEqual(([one["value"] for one in seen["identifiers"]], seen["from"]["id"]), (["bsuid"], hidden))
        self.assertEqual(self.values(hidden), {"bsuid"})
        self.patch(known, name="Known")
        self.assertEqual(self.post(path, {"versions": seen["versions"]}, 412)["code"], "version")
        versions = self.post(path + "?preview=true")["versions"]
        body = {"versions": versions, "reason": "the same voice"}
        done = [self.request("POST", f"/v1/customers/{path}", body, headers={"Idempotency-Key": "once"}).json for _ in range(2)]
        self.assertEqual((done[0]["customer"], done[0]["other"], done[1]), (known, hidden, done[0]))
        self.assertEqual(self.values(known), {"bsuid", "caller", "+8613800138000"})
        [merge] = self.request("GET", f"/v1/customers/{known}/merges").json["data"]
        self.assertEqual((merge["evidence"], merge["was_suggested"]), ({"kind": "suggestion", "reason": "the same voice"}, True))
        self.assertEqual((merge["suggestion"]["score"], merge["suggestion"]["evidence"][0]["value"]), (80, "+8613800138000"))
        self.assertEqual(self.post(path, status=409)["code"], "same_customer")
        # What was undone is decided: it can be neither accepted nor dismissed any more.
        self.post(f"merges/{merge['id']}/revert")
        for query in ("", "?preview=true"):
            self.assertEqual(self.post(path + query, status=409)["state"], "dismissed")
        stranger = self.say("sure", "stranger")
        for query in ("", "?preview=true"):
            answer = self.post(f"{known}/suggestions/{stranger}/accept{query}", status=404)
            self.assertEqual(answer["code"], "no_such_suggestion")

    def test_10_a_suggestion_outlives_a_merge_of_one_of_the_two(self):
        hidden = self.say("sure", "bsuid")
        known = self.say("sure", "caller", phone="+8613800138000")
        self.say("sure", "bsuid", "my number", phone="+8613800138000")
        elder = self.say("sure", "elder")
        self.post(f"{elder}/merge", {"from": hidden})
        for one, other in ((known, elder), (elder, known)):
            self.assertEqual(self.suggested(one), {other: ("open", 80)})
        self.daemon.ctl("customer", "accept", known, elder, "--reason", "asked her")
        self.assertEqual(self.values(known), {"bsuid", "caller", "elder", "+8613800138000"})

    def test_10_a_no_to_who_was_merged_since_is_a_no_on_both_sides(self):
        hidden = self.say("sure", "bsuid")
        known = self.say("sure", "caller", phone="+8613800138000")
        self.say("sure", "bsuid", "my number", phone="+8613800138000")
        elder = self.say("sure", "elder")
        self.post(f"{elder}/merge", {"from": hidden})
        self.daemon.ctl("customer", "dismiss", known, elder)
        for one, other in ((known, elder), (elder, known)):
            self.assertEqual(self.suggested(one), {other: ("dismissed", 80)})

    def test_11_one_customer_has_several_emails_and_phones(self):
        ones = [self.say("sure", f"u{number}", email=f"li{number}@example.org", phone=f"+861380013800{number}")
                for number in range(4)]
        for other in ones[1:]:
            self.post(f"{ones[0]}/merge", {"from": other})
        kinds = [one["kind"] for one in self.view(ones[0])["identifiers"]]
        self.assertEqual((kinds.count("email"), kinds.count("phone"), kinds.count("webhook")), (4, 4, 4))
        for number in range(4):
            self.assertEqual(self.found(f"email:li{number}@example.org"), [ones[0]])

    def test_12_who_writes_to_a_second_inbox_is_shown_as_one(self):
        first = self.say("sure", "u1", email="li@example.org")
        second = self.say("open", "u1", email="li@example.org")
        self.post(f"{first}/merge", {"from": second})
        self.assertEqual({one["channel"] for one in self.view(first)["conversations"]}, {"sure", "open"})
        self.assertEqual(self.view(second)["id"], first)

    def test_13_customers_without_an_email_are_merged(self):
        one, other = self.say("open", "u1"), self.say("open", "u2")
        self.post(f"{one}/merge", {"from": other})
        self.assertEqual(self.values(one), {"u1", "u2"})

    def test_14_a_merge_is_undone_after_more_was_said_and_stays_undone(self):
        one, other = self.say("sure", "u1", email="li@example.org"), self.say("sure", "u2")
        merge = self.post(f"{one}/merge", {"from": other})["merge"]
        self.say("sure", "u2", "since", thread="new")
        self.post(f"merges/{merge}/revert")
        self.assertEqual((len(self.talks(one)), len(self.talks(other))), (1, 2))
        self.assertEqual(self.suggested(one)[other][0], "dismissed")
        # What would suggest them again does not.
        self.assertEqual(self.say("sure", "u2", "me again", thread="third", email="li@example.org"), other)
        self.assertEqual(self.suggested(one)[other][0], "dismissed")


class Edges(IdentityCase):
    def test_an_old_conversation_learns_whose_it_is_when_somebody_writes(self):
        """A merge puts right the 50 newest conversations; those before them when they are written into."""
        self.daemon.stop()  # past ones would be in the view too, as soon as a history has them
        self.daemon = self.start_daemon(CHANNELS.format(secret=self.secret), "bare", extra="history: none\n")
        self.token = self.daemon.token()
        into, origin = self.say("sure", "into"), self.say("sure", "many", thread="t0")
        [old] = self.talks(origin)
        for number in range(1, 55):
            self.write("sure", "many", thread=f"t{number}")
        self.assertNotIn(old, self.talks(origin))
        events = self.daemon.events("/v1/events?types=message.created", token=self.token)
        merge = self.post(f"{into}/merge", {"from": origin})["merge"]
        for owner, undo in ((into, False), (origin, True)):
            if undo:
                self.post(f"merges/{merge}/revert")
            message = self.write("sure", "many", thread="t0")
            event = events.wait(lambda one, message=message: one["data"].get("message") == message)
            self.assertEqual(event["data"]["customer"], owner)
            talk = self.request("GET", f"/v1/conversations/{old}").json
            self.assertEqual(talk["customer"]["id"], owner)
            item = self.request("GET", f"/v1/work-items/{talk['work_item']}").json
            self.assertEqual(item["customer"]["id"], owner)
        events.close()

    def test_a_customer_has_at_most_64_identifiers(self):
        everybody = [self.say("sure", f"u{number}", email=f"u{number}@example.org") for number in range(33)]
        for other in everybody[1:32]:
            self.post(f"{everybody[0]}/merge", {"from": other})
        self.assertEqual(len(self.values(everybody[0])), 64)
        self.assertEqual(self.post(f"{everybody[0]}/merge", {"from": everybody[32]}, 409)["code"], "too_many_identifiers")
        self.assertEqual(self.owner("webhook:sure:u32"), everybody[32])

    def test_a_message_that_shows_a_65th_identifier_is_taken_without_it(self):
        everybody = [self.say("sure", f"u{number}", email=f"u{number}@example.org") for number in range(32)]
        for other in everybody[1:]:
            self.post(f"{everybody[0]}/merge", {"from": other})
        person = everybody[0]
        self.assertEqual(len(self.values(person)), 64)
        message = self.write("sure", "u5", "my number", phone="+8613800138000")
        [talk] = [one for one in self.view(person)["conversations"] if one["last_message"]["text"] == "my number"]
        self.assertIn(message, [one["id"] for one in self.daemon.messages(talk["id"], self.token)])
        self.assertEqual(len(self.values(person)), 64)
        self.assertEqual(self.found("phone:+8613800138000"), [])
        said = [line for line in self.daemon.log.read_text().splitlines() if "event=identifiers_left_out" in line]
        self.assertEqual(len(said), 1)
        self.assertIn(person, said[0])
        # Once there is room, the next one that shows it brings it.
        self.post(f"{person}/split", {"identifier": "email:u7@example.org"})
        self.write("sure", "u5", "my number", thread="again", phone="+8613800138000")
        self.assertEqual(self.found("phone:+8613800138000"), [person])

    def test_a_new_sender_whom_an_address_leads_to_a_full_customer_is_one_of_their_own(self):
        everybody = [self.say("sure", f"u{number}", email=f"u{number}@example.org") for number in range(32)]
        for other in everybody[1:]:
            self.post(f"{everybody[0]}/merge", {"from": other})
        sender = self.say("sure", "u32", "hello", email="u3@example.org")
        self.assertNotEqual(sender, everybody[0])
        self.assertEqual(self.values(sender), {"u32"})
        self.assertEqual(self.suggested(sender), {everybody[0]: ("open", 80)})
        self.assertEqual(self.owner("email:u3@example.org"), everybody[0])

    def test_what_both_claimed_is_of_both_again_after_a_revert(self):
        one, other = (self.say("open", sender, email="family@example.org") for sender in ("u1", "u2"))
        merge = self.post(f"{one}/merge", {"from": other})["merge"]
        self.assertEqual(self.values(one), {"u1", "u2", "family@example.org"})
        self.post(f"merges/{merge}/revert")
        self.assertEqual((self.values(one), self.values(other)),
                         ({"u1", "family@example.org"}, {"u2", "family@example.org"}))

    def test_a_revert_takes_back_only_what_its_merge_brought(self):
        a, b, c = (self.say("open", sender) for sender in "abc")
        first = self.post(f"{a}/merge", {"from": b})["merge"]
        second = self.post(f"{c}/merge", {"from": a})["merge"]
        self.post(f"merges/{first}/revert")
        self.post(f"{c}/merge", {"from": b})
        self.post(f"merges/{second}/revert")
        self.assertEqual((self.values(a), self.values(c)), ({"a"}, {"b", "c"}))
        self.assertEqual(self.view(b)["id"], c)


class AtRest(test_evict.Bed):
    """Conversations that are in the history alone belong to whom their identifier belongs to, from the same moment on."""

    def talks(self, customer):
        return {one["id"] for one in self.get(f"/v1/customers/{customer}")["conversations"]}

    def act(self, path, body):
        answer = self.post(f"/v1/customers/{path}", body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_they_go_with_their_identifier(self):
        self.begin()
        ann, bob = self.talk("ann", "one"), self.talk("bob", "two")
        self.left(ann["conversation"], bob["conversation"])
        one, other = ann["customer"]["id"], bob["customer"]["id"]
        both = {ann["conversation"], bob["conversation"]}
        done = self.act(f"{one}/merge", {"from": other})
        self.assertEqual((self.talks(one), self.talks(other)), (both, both))
        self.act(f"merges/{done['merge']}/revert", {})
        self.assertEqual((self.talks(one), self.talks(other)), ({ann["conversation"]}, {bob["conversation"]}))
        self.act(f"{one}/merge", {"from": other})
        new = self.act(f"{one}/split", {"identifier": "webhook:shop:ann"})["customer"]
        self.assertEqual((self.talks(one), self.talks(new)), ({bob["conversation"]}, {ann["conversation"]}))
        # Who writes again is found, and the conversation comes back as theirs.
        self.say("ann", "again")
        item = self.take()
        self.assertEqual((item["conversation"], item["customer"]["id"]), (ann["conversation"], new))


class Model:
    """What ought to be: who has which identifiers, what brought them, and what each merge moved."""

    def __init__(self):
        self.has = {}        # customer -> {identifier: merge that brought it, or None}
        self.redirect = {}   # customer -> into
        self.acts = {}       # merge -> {kind, into, from, ids, both, before, done}
        self.talks = {}      # (channel, sender, thread) -> identifiers last seen

    def now(self, customer):
        while customer in self.redirect:
            customer = self.redirect[customer]
        return customer

    def people(self):
        return sorted(one for one in self.has if one not in self.redirect)

    def owner(self, identifier):
        return next((one for one, ids in self.has.items() if identifier in ids), None)

    def merged(self, customer):
        return sum(self.now(one) == customer for one in self.redirect)

    def say(self, channel, sender, thread, email):
        """Who must have been found; None: somebody new."""
        key, me = (channel, sender, thread), ("webhook", channel, sender)
        seen = [me] + ([("email", channel if channel == "open" else "", email)] if email else [])
        proved = [one for one in seen if one[:2] != ("email", "open")]
        if self.talks.get(key) == seen:
            return self.owner(me), []
        owners = [self.owner(me)] if key in self.talks else [self.owner(one) for one in proved]
        self.talks[key] = seen
        found = next((one for one in owners if one), None)
        return found, [one for one in seen if one not in proved or not self.owner(one)]

    def learn(self, customer, identifiers):
        for one in identifiers:
            self.has.setdefault(customer, {}).setdefault(one, None)

    def may_merge(self, into, origin):
        return len(self.has[into]) + len(self.has[origin]) <= 64 and self.merged(into) + self.merged(origin) + 1 <= 64

    def merge(self, act, into, origin):
        mine, theirs = self.has[into], self.has[origin]
        both = {one: at for one, at in theirs.items() if one in mine}
        ids = set(theirs) - set(both)
        self.acts[act] = {"kind": "merge", "into": into, "from": origin, "ids": ids, "both": both,
                          "before": dict(theirs), "done": True}
        mine.update({one: act for one in ids})
        self.has[origin] = {}
        self.redirect[origin] = into

    def split(self, act, customer, new, identifier):
        before = self.has[customer].pop(identifier)
        self.has[new] = {identifier: act}
        self.acts[act] = {"kind": "split", "into": new, "from": customer, "ids": {identifier}, "both": {},
                          "before": {identifier: before}, "done": True}

    def brought(self, customer, identifier, act):
        at = self.has[customer].get(identifier)
        while at and at != act:
            at = self.acts[at]["before"].get(identifier) if self.acts[at]["kind"] == "merge" else None
        return at == act

    def revert(self, name):
        """False where it must be refused."""
        act = self.acts[name]
        is_merge = act["kind"] == "merge"
        there = self.now(act["from"]) if is_merge else act["into"]
        back = act["from"] if is_merge else self.now(act["from"])
        ids = {one for one in act["ids"] if one in self.has.get(there, {}) and self.brought(there, one, name)}
        if not act["done"] or there == back or (not is_merge and (there in self.redirect or not ids)):
            return False
        if not is_merge and self.merged(back) + self.merged(there) + 1 > 64:
            return False
        for one in ids:
            del self.has[there][one]
            self.has[back][one] = act["before"].get(one)
        self.has[back].update(act["both"])
        if is_merge:
            del self.redirect[back]
        elif not self.has[there]:
            self.redirect[there] = back
        act["done"] = False
        return True


class RandomActs(IdentityCase):
    steps = int(os.environ.get("CONVERGE_STEPS", "2000"))

    def act_say(self):
        channel, sender = self.dice.choice(("sure", "open")), f"s{self.dice.randrange(7)}"
        thread, email = f"t{self.dice.randrange(3)}", self.dice.choice((None, "e0@x.test", "e1@x.test", "e2@x.test"))
        wanted, learned = self.model.say(channel, sender, thread, email)
        found = self.say(channel, sender, thread=thread, **({"email": email} if email else {}))
        if wanted:
            self.assertEqual(found, wanted)
        else:
            self.assertNotIn(found, self.model.has)
        self.model.learn(found, learned)
        return [found]

    def act_merge(self):
        if len(self.model.people()) < 2:
            return []
        into, origin = self.dice.sample(self.model.people(), 2)
        if not self.model.may_merge(into, origin):
            self.post(f"{into}/merge", {"from": origin}, 409)
            return []
        # By an id of long ago as well: it leads to the same customer.
        alias = self.dice.choice([origin] + [one for one in self.model.redirect if self.model.now(one) == origin])
        seen = self.post(f"{into}/merge?preview=true", {"from": alias})
        done = self.post(f"{into}/merge", {"from": alias, "versions": seen["versions"]})
        self.assertEqual((done["customer"], done["other"]), (into, origin))
        self.model.merge(done["merge"], into, origin)
        return [into]

    def act_split(self):
        who = self.dice.choice(self.model.people() or [None])
        texts = [self.text(one) for one in self.model.has.get(who, {})]
        alone = sorted(one for one in self.model.has.get(who, {}) if texts.count(self.text(one)) == 1)
        if not alone:
            return []
        identifier = self.dice.choice(alone)
        refused = len(texts) < 2
        done = self.post(f"{who}/split", {"identifier": self.text(identifier)}, 409 if refused else 200)
        if refused:
            return []
        self.model.split(done["merge"], who, done["customer"], identifier)
        return [who, done["customer"]]

    def act_revert(self):
        if not self.model.acts:
            return []
        name = self.dice.choice(sorted(self.model.acts)[-12:])
        origin = self.model.acts[name]["from"]
        before = {self.model.now(origin), self.model.now(self.model.acts[name]["into"])}
        self.post(f"merges/{name}/revert", status=200 if self.model.revert(name) else 409)
        return sorted(before | {self.model.now(origin)})

    @staticmethod
    def text(identifier):
        kind, scope, value = identifier
        return f"{kind}:{scope}:{value}" if kind == "webhook" else f"{kind}:{value}"

    def check(self, customer):
        view = self.view(customer)
        self.assertEqual(view["id"], self.model.now(customer))
        wanted = self.model.has[view["id"]]
        self.assertEqual(sorted(self.text((one["kind"], one["scope"], one["value"])) for one in view["identifiers"]),
                         sorted(map(self.text, wanted)))
        talks = [key for key in self.model.talks if ("webhook", *key[:2]) in wanted]
        self.assertEqual(len(view["conversations"]), len(talks))
        self.assertEqual({one["customer"]["id"] for one in view["work_items"]}, {view["id"]} if talks else set())

    def test_random_claims_proofs_merges_splits_and_reverts(self):
        seed = int(os.environ.get("CONVERGE_SEED", random.SystemRandom().randrange(10 ** 6)))
        print(f"CONVERGE_SEED={seed}")
        self.dice, self.model = random.Random(seed), Model()
        acts = (self.act_say, self.act_say, self.act_merge, self.act_split, self.act_revert)
        for step in range(self.steps):
            try:
                for customer in self.dice.choice(acts)():
                    self.check(customer)
            except AssertionError as wrong:
                raise AssertionError(f"seed {seed}, step {step}: {wrong}") from wrong
        for customer in list(self.model.has):
            self.check(customer)
        for key in self.model.talks:
            self.assertEqual(self.owner("webhook:%s:%s" % key[:2]), self.model.owner(("webhook", *key[:2])))


if __name__ == "__main__":
    unittest.main()
