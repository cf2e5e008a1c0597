"""The pages in a browser: a thread and a queue that are as long as they get."""
import json
import secrets
import subprocess

import bed
from bed import ROOT, SECRET, load, say

MESSAGES, WAITING = 5_000, 10_000
E2E = ROOT / "tests" / "e2e"


def taken(ground, processor, load_cpu):
    """Median and tail of each kind of interaction, and what the lists hold."""
    if not (E2E / "node_modules").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=E2E, check=True, capture_output=True)
    daemon = ground.daemon(ground.redis("everysec", processor), processor)
    password = secrets.token_hex(8)
    subprocess.run([bed.BUILD / "convergectl", "-c", daemon.config, "agent", "password", "alice", "--stdin"], input=password + "\n",
                   text=True, check=True, capture_output=True)
    bed.put_online(daemon.port, daemon.token())
    # One customer's long story, which alice has; then everybody else's first words, which wait.
    load(daemon.port, load_cpu, "-c", 1, "-f", 0, "-m", MESSAGES, "-s", 600)
    claim(daemon)
    load(daemon.port, load_cpu, "-c", WAITING, "-f", 1, "-m", WAITING, "-s", 600)
    done = subprocess.run(["node", ROOT / "tests" / "bench" / "pages.js", f"http://127.0.0.1:{daemon.port}", "alice", password],
                          capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    took = json.loads(done.stdout.splitlines()[-1])
    say(f"  {took['thread']:,} messages loaded in {took['thread_load_ms'] / 1000:.1f} s, {took['queue']:,} waiting items in "
        f"{took['queue_load_ms'] / 1000:.1f} s")
    return took


def claim(daemon):
    import http.client
    link = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    link.request("POST", "/v1/work/claim", json.dumps({"wait_s": 10}), {
        "Authorization": f"Bearer {daemon.token()}", "Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(12)})
    answer = link.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"claim: {answer.status} {answer.read()}")
