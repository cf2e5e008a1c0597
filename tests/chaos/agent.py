"""Plays agents: claims work, looks at it, answers, resolves. Its log is what was displayed and answered.

Once the file `drain` appears it goes on until nothing waits any more (a claim that came back empty proves nothing:
the router may be on its way back), then looks at every conversation once more from first to last message and ends.
"""
import argparse
import hashlib
import json
import os
import pathlib
import secrets
import threading
import time

from record import Caller, Log

PAGE = 200


class Agent(threading.Thread):
    def __init__(self, name, token, options, log):
        super().__init__()
        self.agent_name = name
        self.token = token
        self.log = log
        self.caller = Caller(options.port)
        self.drain_file = pathlib.Path(options.folder) / "drain"
        self.conversations = set()
        self.patience_s = options.patience

    def fetch(self, path):
        """Bytes, without patience: it is for when the faults are over."""
        return self.caller.call("GET", path, None, {"Authorization": f"Bearer {self.token}"}) or (0, None)

    def call(self, method, path, body=None, key=None, accept=(200, 201, 204)):
        """Repeats until the daemon answers something that is not "later"."""
        headers = {"Authorization": f"Bearer {self.token}"}
        raw = None
        if body is not None:
            raw = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        deadline = time.monotonic() + self.patience_s
        while True:
            answer = self.caller.call(method, path, raw, headers)
            if answer is not None and answer[0] not in (429, 503):
                break
            if time.monotonic() > deadline:
                self.log.write("gave_up", call=f"{method} {path}", status=answer[0] if answer else 0)
                return 0, None
            time.sleep(0.05)
        status, data = answer
        if status not in accept:
            self.log.write("unexpected", call=f"{method} {path}", status=status, body=data[:500].decode(errors="replace"))
        return status, (json.loads(data) if data and status < 500 else None)

    def run(self):
        while True:
            is_draining = self.drain_file.exists()
            status, item = self.call("POST", "/v1/work/claim", {"wait_s": 1 if is_draining else 3},
                                     key=secrets.token_hex(12))
            if status == 200:
                self.work(item)
            elif is_draining and self.is_over():
                return
            elif status != 204:
                time.sleep(0.05)

    def is_over(self):
        """Nothing waits any more; what still does after all our patience is for the leftovers to tell."""
        if time.time() > self.drain_file.stat().st_mtime + self.patience_s:
            return True
        status, page = self.call("GET", "/v1/work-items?state=queued&limit=1")
        return status == 200 and not page["data"]

    def work(self, item):
        conversation = item["conversation"]
        self.conversations.add(conversation)
        self.log.write("claimed", item=item["id"], conversation=conversation, state=item["state"],
                       agent=self.agent_name)
        newest = self.display(conversation, "?limit=20&order=desc")
        if newest is None:
            return
        key = f"re-{item['id']}-{newest}"
        status, sent = self.call("POST", f"/v1/conversations/{conversation}/messages",
                                 {"kind": "reply", "text": f"key:{key}: 好的 ok"}, key=key)
        self.log.write("reply", key=key, status=status, id=(sent or {}).get("id"), conversation=conversation)
        status, _ = self.call("POST", f"/v1/work-items/{item['id']}/resolve", {}, key=f"resolve-{key}",
                              accept=(200, 204, 409))
        self.log.write("resolved", item=item["id"], status=status)

    def display(self, conversation, query):
        """Looks at one page; gives the id of the newest message on it."""
        status, page = self.call("GET", f"/v1/conversations/{conversation}/messages{query}")
        if status != 200:
            return None
        self.log.write("displayed", conversation=conversation, part=query, messages=[shown(m) for m in page["data"]])
        return page["data"][0]["id"] if page["data"] else None

    def sweep(self, conversation):
        """The whole conversation, page by page, as one list."""
        after, messages = "", []
        while True:
            status, page = self.call("GET", f"/v1/conversations/{conversation}/messages?limit={PAGE}{after}")
            if status != 200:
                return
            messages += [shown(m) for m in page["data"]]
            for message in page["data"]:
                self.open_files(message)
            if not page["next_cursor"]:
                break
            after = f"&after={page['next_cursor']}"
        self.log.write("final", conversation=conversation, messages=messages)

    def open_files(self, message):
        for file in message["attachments"] if message["direction"] == "in" else []:
            status, raw = self.fetch(f"/v1/attachments/{file['id']}")
            self.log.write("file", message=message["id"], status=status, text=(message["text"] or "")[:80],
                           sha256=hashlib.sha256(raw or b"").hexdigest())

    def leftovers(self):
        """Work that is still somewhere between new and resolved."""
        for state in ("new", "queued", "offered", "assigned"):
            status, page = self.call("GET", f"/v1/work-items?state={state}&limit={PAGE}")
            for item in (page or {}).get("data", []) if status == 200 else []:
                self.log.write("leftover", item=item["id"], state=item["state"], conversation=item["conversation"])


def shown(message):
    text = message["text"] or ""
    return {"id": message["id"], "direction": message["direction"], "text": text[:80],
            "delivery": (message.get("delivery") or {}).get("state"), "kind": message["kind"]}


def is_settled(messages):
    return all(message["delivery"] not in ("queued", "sending") for message in messages)


def settle(agent, conversations, patience_s):
    """Looks again at what is still on its way until all of it ended or patience ends."""
    deadline = time.monotonic() + patience_s
    waiting = set(conversations)
    while waiting and time.monotonic() < deadline:
        for conversation in sorted(waiting):
            status, page = agent.call("GET", f"/v1/conversations/{conversation}/messages?limit=50&order=desc")
            if status == 200 and is_settled([shown(m) for m in page["data"]]):
                waiting.discard(conversation)
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tokens", required=True, help="JSON: agent -> token; `supervisor` is the one who sweeps")
    parser.add_argument("--patience", type=float, default=60)
    # A sender that died in mid-send is given up after two minutes; a second refusal waits for five.
    parser.add_argument("--settle", type=float, default=340)
    options = parser.parse_args()
    log = Log(os.path.join(options.folder, "agent.log"))
    tokens = json.loads(options.tokens)
    sweeper = Agent("supervisor", tokens.pop("supervisor"), options, log)
    agents = [Agent(name, token, options, log) for name, token in tokens.items()]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join()
    conversations = sorted(set().union(*(agent.conversations for agent in agents)))
    settle(sweeper, conversations, options.settle)
    for conversation in conversations:
        sweeper.sweep(conversation)
    sweeper.leftovers()
    log.write("end")


if __name__ == "__main__":
    main()
