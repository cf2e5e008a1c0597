"""Judges a run from its logs and from the store read raw. Standard library only; shares no code with the load.

usage: checker.py FOLDER --redis unix:PATH

I1  acknowledged => stored                      I5  at most one automatic send per reply
I2  one visible message per (channel, id)       I6  everything ends; nothing is stuck
I3  order in a conversation = order of acks     I7  nothing in a foreign workspace
I4  nothing without an origin                   I8  a delivery's state never goes back

Prints one line a violation and a summary; exit code 1 when there is one, 2 when the run proves nothing.
"""
import argparse
import collections
import json
import pathlib
import re
import socket
import sys

# On the way (it may be tried again) < sent < delivered < read; the rest are ends of their own.
RANK = {None: 0, "queued": 0, "sending": 0, "sent": 1, "delivered": 2, "read": 3,
        "failed": 4, "uncertain": 4, "expired": 4}
ID = re.compile(r"^id:([^:]+):")
KEY = re.compile(r"^key:([^:]+):")


class Redis:
    """Enough of the protocol to read."""

    def __init__(self, url):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(url.removeprefix("unix:"))
        self.file = self.socket.makefile("rb")

    def run(self, *words):
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            raw = word if isinstance(word, bytes) else str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(raw), raw))
        self.socket.sendall(b"".join(parts))
        return self.read()

    def read(self):
        line = self.file.readline()
        mark, rest = line[:1], line[1:-2]
        if mark in (b"+", b":"):
            return rest
        if mark == b"$":
            size = int(rest)
            return None if size < 0 else self.file.read(size + 2)[:-2]
        if mark == b"*":
            return [self.read() for _ in range(int(rest))]
        raise RuntimeError(f"store: {line!r}")

    def keys(self):
        cursor = b"0"
        while True:
            cursor, found = self.run("SCAN", cursor, "COUNT", 1000)
            yield from found
            if cursor == b"0":
                return


def read_store(redis, workspace):
    """(conversation -> messages as stored, ids found under other workspaces, leftovers of the outbox)."""
    stored, foreign, outbox = {}, [], []
    own = f"{{{workspace}}}:".encode()
    for key in sorted(set(redis.keys())):
        if not key.startswith(b"{"):
            continue
        kind = key.partition(b"}:")[2].partition(b":")[0]
        if kind == b"m":
            rows = [json.loads(row) for row in redis.run("LRANGE", key, 0, -1)]
            name = key.partition(b"}:m:")[2].decode()
            if key.startswith(own):
                stored[name] = rows
            else:
                foreign += [(key.decode(), row.get("text", "")) for row in rows]
        elif kind == b"oq" and key.startswith(own):
            outbox += [f"{key.decode()} {item.decode()}" for item in redis.run("LRANGE", key, 0, -1)]
    return stored, foreign, outbox


def read_log(path):
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            rows.append(json.loads(line))
        except ValueError:
            raise SystemExit(f"{path}:{number}: torn line") from None
    return rows


class Checker:
    def __init__(self):
        self.violations = []

    def say(self, invariant, text):
        self.violations.append((invariant, text))

    # --- from the logs ---

    def load(self, generator, agent, provider, faults):
        self.offered = {row["id"]: row for row in generator if row["op"] == "offer"}
        self.acked = {row["id"]: row for row in generator if row["op"] == "ack"}
        self.finals = {row["conversation"]: row["messages"] for row in agent if row["op"] == "final"}
        self.displays = [row for row in agent if row["op"] in ("displayed", "final")]
        self.files = {}
        for row in agent:
            if row["op"] == "file" and ID.match(row["text"]):
                self.files.setdefault(ID.match(row["text"])[1], set()).add(row["sha256"])
        self.replies = [row for row in agent if row["op"] == "reply"]
        self.leftovers = [row for row in agent if row["op"] == "leftover"]
        self.strange = [row for row in agent if row["op"] in ("unexpected", "gave_up")]
        self.sends = [row for row in provider if row["op"] == "out"]
        self.mails = [row for row in provider if row["op"] == "mail"]
        self.faults = [row["t"] for row in faults if row["op"] in ("kill", "over", "restart")]
        if not any(row["op"] == "end" for row in agent) or not any(row["op"] == "end" for row in generator):
            self.say("I6", "the load did not end by itself")

    def check_stored(self, stored):
        """I1, I4 on the store's own bytes."""
        found = collections.Counter()
        for messages in stored.values():
            for message in messages:
                match = ID.match(message.get("text") or "")
                if message.get("direction") == "in" and match:
                    found[match[1]] += 1
        for message_id in self.acked:
            if found[message_id] == 0:
                self.say("I1", f"{message_id} was acknowledged and is not stored")
        for message_id, count in found.items():
            if count > 1:
                self.say("I2", f"{message_id} is stored {count} times")
            if message_id not in self.offered:
                self.say("I4", f"{message_id} is stored and was never offered")
        for conversation, messages in stored.items():
            if not any(message.get("direction") == "in" for message in messages):
                self.say("I4", f"conversation {conversation} has no inbound message")

    def check_visible(self):
        """I1, I2, I4 as an agent sees it."""
        places = collections.defaultdict(list)
        for conversation, messages in self.finals.items():
            for message in messages:
                match = ID.match(message["text"]) if message["direction"] == "in" else None
                if match:
                    places[match[1]].append(conversation)
        for message_id in self.acked:
            if message_id not in places:
                self.say("I1", f"{message_id} was acknowledged and no agent can see it")
        for message_id in self.acked:
            file = self.offered.get(message_id, {}).get("file")
            if file and file not in self.files.get(message_id, ()):
                self.say("I1", f"{message_id} was acknowledged and its file is lost")
        for message_id, conversations in places.items():
            if len(conversations) > 1:
                self.say("I2", f"{message_id} is visible {len(conversations)} times in {sorted(set(conversations))}")
            if message_id not in self.offered:
                self.say("I4", f"{message_id} is visible and was never offered")
        for display in self.displays:
            ids = [message["id"] for message in display["messages"]]
            if len(ids) != len(set(ids)):
                self.say("I2", f"one page of {display['conversation']} shows a message twice")

    def check_order(self, name, conversations):
        """I3: the generator sends a customer's next message only after the last one's acknowledgement."""
        for conversation, messages in conversations.items():
            last = {}
            for message in messages:
                match = ID.match(message.get("text") or "") if message["direction"] == "in" else None
                offer = self.offered.get(match[1]) if match else None
                if offer is None:
                    continue
                before = last.get(offer["sender"], -1)
                if offer["seq"] <= before:
                    self.say("I3", f"{name}: in {conversation} {match[1]} stands behind number {before}")
                last[offer["sender"]] = offer["seq"]

    def check_sends(self):
        """I5. A repeat of the same message under the same webhook id is a repeat that its receiver can drop:
        allowed after a refusal, and after a fault that may have eaten the answer; never by itself."""
        by_reply = collections.defaultdict(set)
        by_id = collections.defaultdict(list)
        for send in self.sends:
            if not send["signed"]:
                self.say("I5", f"{send['id']} went out with a wrong signature")
            match = KEY.match(send["text"])
            if not match:
                self.say("I4", f"{send['id']} went out and no agent wrote it")
                continue
            by_reply[match[1]].add(send["id"])
            by_id[send["id"]].append(send)
        for key, ids in by_reply.items():
            if len(ids) > 1:
                self.say("I5", f"the reply {key} went out as {len(ids)} messages")
        for message_id, sends in by_id.items():
            if len({send["hook"] for send in sends}) > 1:
                self.say("I5", f"{message_id} went out under several webhook ids")
            for before, after in zip(sends, sends[1:]):
                was_taken = before["status"] < 300
                if was_taken and not any(before["t"] - 1 <= fault <= after["t"] for fault in self.faults):
                    self.say("I5", f"{message_id} went out again after it was taken, with no fault between")

    def check_mails(self):
        """I5. A mail server cannot drop repeats: what it took must never come again, whatever happened."""
        taken = collections.Counter()
        names = collections.defaultdict(set)
        for mail in self.mails:
            match = KEY.match(mail["text"])
            if not match:
                self.say("I4", f"the mail {mail['id']} went out and no agent wrote it")
                continue
            names[match[1]].add(mail["id"])
            taken[match[1]] += mail["status"] < 300
        for key, ids in names.items():
            if len(ids) > 1:
                self.say("I5", f"the reply {key} went out as {len(ids)} mails")
        for key, count in taken.items():
            if count > 1:
                self.say("I5", f"the mail server took the reply {key} {count} times")

    def check_ends(self, outbox):
        """I6."""
        for row in self.leftovers:
            self.say("I6", f"work item {row['item']} ended as {row['state']}")
        for row in self.strange:
            self.say("I6", f"{row['call']} answered {row['status']}: {row.get('body', '')[:200]}")
        for item in outbox:
            self.say("I6", f"the outbox still holds {item}")
        visible = {message["id"]: message for messages in self.finals.values() for message in messages}
        for reply in self.replies:
            message = visible.get(reply["id"])
            if reply["status"] == 201 and message is None:
                self.say("I6", f"reply {reply['key']} was accepted and cannot be seen")
            elif message is not None and message["delivery"] in (None, "queued", "sending"):
                self.say("I6", f"reply {reply['key']} ended as {message['delivery']}")
        taken = {send["id"] for send in self.sends if send["status"] < 300}
        mailed = {KEY.match(mail["text"])[1] for mail in self.mails if mail["status"] < 300 and KEY.match(mail["text"])}
        for message in visible.values():
            key = KEY.match(message["text"]) if message["direction"] == "out" else None
            if message["delivery"] in ("failed", "expired") and (message["id"] in taken or key and key[1] in mailed):
                self.say("I6", f"{message['id']} was taken by the provider and is marked {message['delivery']}")

    def check_foreign(self, foreign):
        """I7."""
        for key, text in foreign:
            if ID.match(text) and ID.match(text)[1] in self.offered:
                self.say("I7", f"{key} holds {text[:60]}")

    def check_states(self):
        """I8, over everything that was displayed, in the order it was displayed."""
        best = {}
        for display in self.displays:
            for message in display["messages"]:
                if message["direction"] != "out":
                    continue
                state = message["delivery"]
                rank = RANK.get(state)
                if rank is None:
                    self.say("I8", f"{message['id']} has the unknown state {state}")
                    continue
                if rank < RANK[best.get(message["id"])]:
                    self.say("I8", f"{message['id']} went back from {best[message['id']]} to {state}")
                else:
                    best[message["id"]] = state

    def judge(self, logs, store):
        stored, foreign, outbox = store
        self.load(*logs)
        self.check_stored(stored)
        self.check_visible()
        self.check_order("stored", stored)
        self.check_order("displayed", self.finals)
        self.check_sends()
        self.check_mails()
        self.check_ends(outbox)
        self.check_foreign(foreign)
        self.check_states()
        return self.violations


def service_back_s(faults, agent):
    """The longest time from the end of a fault to the next work handed out; it judges nothing."""
    claims = [row["t"] for row in agent if row["op"] == "claimed"]
    ends = [row["t"] for row in faults if row["op"] == "over"]
    return max([min(t for t in claims if t > end) - end for end in ends if claims and claims[-1] > end], default=0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--redis", required=True)
    parser.add_argument("--workspace", default="main")
    parser.add_argument("--least", type=int, default=100, help="fewer acknowledged messages prove nothing")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    logs = [read_log(folder / f"{name}.log") for name in ("generator", "agent", "provider", "faults")]
    checker = Checker()
    violations = checker.judge(logs, read_store(Redis(options.redis), options.workspace))
    for invariant, text in violations[:50]:
        print(f"VIOLATION {invariant}: {text}")
    counts = collections.Counter(invariant for invariant, _ in violations)
    kills = sum(row["op"] == "kill" for row in logs[3])
    print(f"{len(checker.offered)} offered, {len(checker.acked)} acknowledged, {len(checker.replies)} replies, "
          f"{len(checker.sends)} sends, {len(checker.mails)} mails, {kills} kills, work again "
          f"within {service_back_s(logs[3], logs[1]):.1f} s; violations: {dict(counts) or 'none'}")
    if violations:
        return 1
    if len(checker.acked) < options.least:
        print("too few messages to prove anything")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
