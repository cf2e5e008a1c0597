#!/usr/bin/env python3
"""A worker process whose behaviour the job names, for the tests of the pool."""
import os
import signal
import socket
import struct
import sys

READY, JOB, ANSWER, ERROR = 1, 2, 3, 4
channel = socket.socket(fileno=3)


def send(status, body=b""):
    channel.send(struct.pack("=IIQ", status, 0, len(body)) + body)


def run(job):
    name, _, rest = job.partition(b":")
    if name == b"echo":
        send(ANSWER, rest)
    elif name == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == b"die-once":
        try:
            os.close(os.open(rest, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            send(ANSWER, b"second life")
            return
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == b"read":
        with open(rest, "rb") as file:
            send(ANSWER, file.read())
    elif name == b"hang":
        signal.pause()
    elif name == b"fail":
        send(ERROR, b"\x02" + rest)
    elif name == b"junk":
        channel.send(b"junk")
    elif name == b"unasked":
        send(READY)
    elif name == b"facts":
        fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))
        status = open("/proc/self/status").read()
        no_new_privs = status.split("NoNewPrivs:")[1].split()[0]
        facts = f"sid={os.getsid(0) == os.getpid()} nnp={no_new_privs} fds={fds[:-1]} secret={'CONVERGE_TEST_SECRET' in os.environ}"
        send(ANSWER, facts.encode())
    elif name == b"unsealed":
        fd = os.memfd_create("x")
        os.write(fd, b"x" * 100000)
        socket.send_fds(channel, [struct.pack("=IIQ", ANSWER, 1, 100000)], [fd])
    else:
        send(ERROR, b"\x02unknown job")


if sys.argv[1:] == ["--worker=never"]:
    sys.exit(3)
send(READY)
while True:
    packet, fds, _, _ = socket.recv_fds(channel, 128 * 1024, 4)
    if not packet:
        break
    status, beside, length = struct.unpack("=IIQ", packet[:16])
    if fds:
        body = os.pread(fds[0], length, 0)
        os.close(fds[0])
        run(b"echo:" + str(len(body)).encode())
    else:
        run(packet[16:])
