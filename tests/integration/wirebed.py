"""A second reader of the wire: what two peers say is written down as a capture file, and tshark reads it."""
import socket
import struct
import subprocess
import threading


class Tap:
    """A relay to a port: .port leads there, and everything that passes is kept, in order."""

    def __init__(self, test, to):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.to = to
        self.said = []  # (number of the connection, from whom came first?, bytes)
        self.lock = threading.Lock()
        self.sockets = [self.listener]
        test.addCleanup(self.stop)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        for one in self.sockets:
            one.close()

    def _accept(self):
        number = 0
        try:
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                self.sockets += [near, far]
                for sides in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pass, args=(number, *sides), daemon=True).start()
                number += 1
        except OSError:
            pass  # stopped

    def _pass(self, number, source, target, is_caller):
        try:
            while data := source.recv(65536):
                with self.lock:
                    self.said.append((number, is_caller, data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # stopped

    def capture(self, path):
        """The capture file (pcap of bare IPv4 packets); the port that was called is 2775."""
        with self.lock, open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
            sequences = {}
            for at, (number, is_caller, data) in enumerate(self.said):
                for start in range(0, len(data), 1400):
                    piece = data[start:start + 1400]
                    mine = sequences.setdefault((number, is_caller), 1)
                    theirs = sequences.setdefault((number, not is_caller), 1)
                    ports = (40000 + number, 2775) if is_caller else (2775, 40000 + number)
                    tcp = struct.pack(">HHIIBBHHH", *ports, mine, theirs, 5 << 4, 0x18, 65535, 0, 0)
                    hosts = (b"\x7f\0\0\1", b"\x7f\0\0\2")
                    packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(piece), 0, 0, 64, 6, 0,
                                         *(hosts if is_caller else hosts[::-1])) + tcp + piece
                    out.write(struct.pack("<IIII", at, 0, len(packet), len(packet)) + packet)
                    sequences[number, is_caller] = mine + len(piece)


def read(path, protocol, *fields):
    """For each packet a dictionary of the fields that it has, each a list; packets without any are left out."""
    words = ["tshark", "-r", path, "-d", f"tcp.port==2775,{protocol}", "-o", "tcp.check_checksum:FALSE", "-T", "fields",
             "-E", "separator=/t", "-E", "aggregator=|"]
    done = subprocess.run([*words, *(word for field in fields for word in ("-e", field))], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=True)
    rows = [dict(zip(fields, line.split("\t"))) for line in done.stdout.splitlines()]
    return [{name: value.split("|") for name, value in row.items() if value} for row in rows if any(row.values())]
