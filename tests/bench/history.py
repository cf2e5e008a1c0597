"""The history behind intake: how much of it costs, and whether its writer keeps up."""
import pathlib
import re
import sys
import threading
import time
import urllib.request

import bed
from bed import load, median, say

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import historybed  # noqa: E402


def figures(daemon):
    text = urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/metrics", timeout=20).read().decode()
    return {name: float(value) for name, value in re.findall(r'^converged_history_(\w+)\{workspace="main"\} (\S+)$', text, re.M)}


def is_done(daemon):
    seen = figures(daemon)
    return seen and seen["held_entries"] == 0


def catch_up(daemon):
    """Seconds until nothing is held any more."""
    began = time.monotonic()
    bed.wait_for("the history", lambda: is_done(daemon), 300)
    return time.monotonic() - began


class Watch(threading.Thread):
    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.target_of, self.lags, self.ended = daemon, [], threading.Event()

    def run(self):
        while not self.ended.wait(0.25):
            self.lags.append(figures(self.target_of).get("lag_seconds", 0.0))

    def end(self):
        self.ended.set()
        self.join()
        return self.lags or [0.0]


def bytes_a_message(daemon, messages):
    return sum(path.stat().st_size for path in (daemon.folder / "var").glob("history.db*")) / messages


def one(plan, ground, kind, place, both, load_cpu, walk, at_random):
    redis = ground.redis("everysec", both, f"redis-{kind}")
    daemon = ground.daemon(redis, both, f"daemon-{kind}", history=place)
    load(daemon.port, load_cpu, *walk)
    if kind != "none":
        catch_up(daemon)
    full = [load(daemon.port, load_cpu, *at_random, pids=[daemon.pid, redis.pid]) for _ in range(plan.rounds)]
    rate = median([each["rate"] for each in full])
    if kind == "none":
        return {"rate": rate}
    behind = catch_up(daemon)
    watch = Watch(daemon)
    watch.start()
    steady = load(daemon.port, load_cpu, *at_random[:-2], "-s", 5 * plan.seconds, "-r", 0.8 * rate)
    lags = watch.end()
    drained = catch_up(daemon)
    say(f"  {kind}: {rate:,.0f}/s, behind {behind:.1f} s after that; at {steady['rate']:,.0f}/s the lag was at most {max(lags):.2f} s, "
        f"at the end {lags[-1]:.2f} s, gone {drained:.1f} s later")
    return {"rate": rate, "max": max(lags), "last": lags[-1], "drained": drained, "daemon": daemon,
            "messages": plan.customers + sum(each["done"] for each in full) + steady["done"]}
