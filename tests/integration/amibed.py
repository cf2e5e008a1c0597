"""A strict stand-in of Asterisk's manager interface: one user, queues with callers, and the events of their calls."""
import hashlib
import socket
import threading

import harness

BANNER = b"Asterisk Call Manager/8.0.2\r\n"


class Asterisk:
    """`calls` are the channels that are up, uniqueid -> facts; `waiting` the uniqueids in the queue. What a client does wrong
    stands in `wrong`."""

    def __init__(self, test, user="converge", secret="amisecret", lists_channels=True, tls=None):
        self.user, self.secret, self.lists_channels = user, secret, lists_channels
        self.tls = tls
        self.calls, self.waiting, self.wrong, self.actions = {}, [], [], []
        self.logins = 0
        self.lock = threading.Lock()
        self.clients = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def close(self):
        try:
            self.server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.server.close()
        self.drop()

    def drop(self):
        """The network goes: every connection ends."""
        with self.lock:
            clients, self.clients = self.clients, []
        for one in clients:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait_for_login(self, count=1):
        harness.wait_for(f"login {count}", lambda: self.logins >= count and "QueueStatus" in self.actions)

    # --- what a PBX tells ---

    def send(self, fields, split=0):
        block = "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n"
        with self.lock:
            for client in self.clients:
                if split:
                    for at in range(0, len(block), split):
                        client.sendall(block[at:at + split])
                else:
                    client.sendall(block)

    def tell(self, event, call, split=0, **more):
        facts = {"CallerIDNum": "<unknown>", "CallerIDName": "<unknown>", **self.calls.get(call, {})}
        self.send([("Event", event), ("Privilege", "agent,all"), ("Channel", f"PJSIP/trunk-{call}"), ("ChannelState", "6"),
                   ("CallerIDNum", facts["CallerIDNum"]), ("CallerIDName", facts["CallerIDName"]), ("Exten", "8000"),
                   ("Uniqueid", call), ("Linkedid", call), *more.items()], split)

    def call(self, call, number, heard=True):
        self.calls[call] = {"CallerIDNum": number}
        self.waiting.append(call)
        if heard:
            self.tell("Newchannel", call)
            self.tell("QueueCallerJoin", call, Queue="support", Position="1", Count="1", split=7)

    def answer(self, call, device, member="Somebody", heard=True):
        self.waiting.remove(call)
        self.calls[call]["bridge"] = f"b-{call}"
        self.calls[f"{call}.leg"] = {"device": device, "bridge": f"b-{call}"}
        if heard:
            self.tell("QueueCallerLeave", call, Queue="support", Position="1", Count="0")
            self.tell("AgentConnect", call, Queue="support", MemberName=member, Interface=device, RingTime="4", HoldTime="12")

    def hang_up(self, call, device="PJSIP/101", talk=None, abandoned=False, heard=True):
        if abandoned and heard:
            self.tell("QueueCallerAbandon", call, Queue="support", Position="1", OriginalPosition="1", HoldTime="35")
        if talk is not None and heard:
            self.tell("AgentComplete", call, Queue="support", MemberName="Somebody", Interface=device, HoldTime="12",
                      TalkTime=str(talk), Reason="caller")
        if heard:
            self.tell("Hangup", call, **{"Cause": "16", "Cause-txt": "Normal Clearing"})
        self.calls.pop(call, None)
        self.calls.pop(f"{call}.leg", None)
        if call in self.waiting:
            self.waiting.remove(call)

    # --- the connection ---

    def _accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        state = {"challenge": None, "in": False}
        rest = b""
        try:
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            client.sendall(BANNER)
            while True:
                some = client.recv(65536)
                if not some:
                    break
                rest += some
                while b"\r\n\r\n" in rest:
                    block, rest = rest.split(b"\r\n\r\n", 1)
                    self._action(client, state, block)
        except OSError:
            pass
        with self.lock:
            if client in self.clients:
                self.clients.remove(client)
        client.close()

    def _action(self, client, state, block):
        fields = {}
        for line in block.decode().split("\r\n"):
            name, colon, value = line.partition(": ")
            if not colon or "\n" in line or name in fields:
                self.wrong.append(line)
            fields[name] = value
        action, ident = fields.get("Action"), fields.get("ActionID")
        if not ident:
            self.wrong.append(f"{action} without ActionID")

        def say(*lines):
            client.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")

        self.actions.append(action)
        if action == "Challenge":
            state["challenge"] = "125065091"
            say("Response: Success", f"ActionID: {ident}", f"Challenge: {state['challenge']}")
        elif action == "Login":
            wanted = hashlib.md5(((state["challenge"] or "") + self.secret).encode()).hexdigest()
            good = fields.get("Username") == self.user and (
                fields.get("Key") == wanted if fields.get("AuthType") == "MD5" else fields.get("Secret") == self.secret)
            if not good:
                say("Response: Error", f"ActionID: {ident}", "Message: Authentication failed")
                client.shutdown(socket.SHUT_RDWR)
                return
            state["in"] = True
            say("Response: Success", f"ActionID: {ident}", "Message: Authentication accepted")
            say("Event: FullyBooted", "Privilege: system,all", "Status: Fully Booted")
            with self.lock:
                self.clients.append(client)
            self.logins += 1
        elif not state["in"]:
            self.wrong.append(f"{action} before Login")
        elif action == "CoreShowChannels" and not self.lists_channels:
            say("Response: Error", f"ActionID: {ident}", "Message: Permission denied")
        elif action == "CoreShowChannels":
            say("Response: Success", f"ActionID: {ident}", "EventList: start", "Message: Channels will follow")
            for call, facts in list(self.calls.items()):
                device = facts.get("device", "PJSIP/trunk")
                say("Event: CoreShowChannel", f"ActionID: {ident}", f"Channel: {device}-0000002a", f"Uniqueid: {call}",
                    f"Linkedid: {call.removesuffix('.leg')}", f"BridgeId: {facts.get('bridge', '')}")
            say("Event: CoreShowChannelsComplete", f"ActionID: {ident}", "EventList: Complete", "ListItems: 1")
        elif action == "QueueStatus":
            say("Response: Success", f"ActionID: {ident}", "EventList: start", "Message: Queue status will follow")
            say("Event: QueueParams", f"ActionID: {ident}", "Queue: support", "Max: 0", "Strategy: ringall")
            for call in list(self.waiting):
                say("Event: QueueEntry", f"ActionID: {ident}", "Queue: support", "Position: 1",
                    f"Channel: PJSIP/trunk-{call}", f"Uniqueid: {call}", f"CallerIDNum: {self.calls[call]['CallerIDNum']}",
                    "CallerIDName: unknown", "Wait: 12", "Priority: 0")
            say("Event: QueueStatusComplete", f"ActionID: {ident}", "EventList: Complete", "ListItems: 1")
        elif action == "Ping":
            say("Response: Success", f"ActionID: {ident}", "Ping: Pong")
        else:
            self.wrong.append(f"unknown action {action}")
