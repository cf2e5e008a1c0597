"""The providers' own libraries (tests/integration/sdk) as signers and peers: one node script per provider, JSON in, JSON out."""
import fcntl
import json
import os
import pathlib
import subprocess

SDK = pathlib.Path(__file__).resolve().parent / "sdk"
OURS = SDK.parent.parent.parent / "build/node/node_modules/node/bin"
ENVIRONMENT = {**os.environ, "PATH": f"{OURS}:{os.environ['PATH']}"}


def ready():
    """Installs the pinned packages once, however many test modules ask at the same time."""
    stamp = SDK / "node_modules/.package-lock.json"
    with open(SDK / "package-lock.json", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.stat().st_mtime < (SDK / "package-lock.json").stat().st_mtime:
            subprocess.run(["npm", "ci", "--prefix", str(SDK), "--no-audit", "--no-fund", "--ignore-scripts"],
                           check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
            stamp.touch()


def sdk(script, given):
    """What sdk/<script>.mjs writes to its standard output for `given` (JSON both ways)."""
    ready()
    done = subprocess.run(["node", str(SDK / f"{script}.mjs")], input=json.dumps(given), text=True, check=True,
                          stdout=subprocess.PIPE, env=ENVIRONMENT)
    return json.loads(done.stdout.splitlines()[-1])  # a library may chat before
