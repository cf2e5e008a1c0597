"""TCP ports for what a test starts: no two processes on this machine are given the same one.

A port found by bind(0) may be taken before its owner binds it: by the next bind(0), or by any connection going out.
So ports come from below the range the kernel takes from (ip_local_port_range), and each is held, for the life of this
process, by an abstract unix socket of its name; tests/unit/redis_child.c holds its own in the same way.
"""
import random
import socket

LOW, HIGH = 10000, 32768
HELD = []


def free_port():
    """One that nobody listens on, and nobody else is given while this process lives."""
    while True:
        port = random.randrange(LOW, HIGH)
        lease = socket.socket(socket.AF_UNIX)
        try:
            lease.bind(f"\0converge-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lease.close()
            continue
        HELD.append(lease)
        return port
