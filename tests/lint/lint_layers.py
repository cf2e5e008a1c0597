#!/usr/bin/env python3
"""base <- services <- store <- domain <- stages and readers <- broker <- main; connectors see only include/."""
import re

import common

ANYWHERE = {"converge"}
# What each folder of daemon/ may include beside itself and include/converge.
DOMAIN = {"identity", "conversation", "routing"}
STAGES = {"receive", "verify", "normalise", "thread", "admit"}
READERS = {"delivery", "media", "automation", "events", "history", "api"}
LOWER = {
    "base": set(),
    "services": {"base"},
    "workers": {"base", "services"},
    "store": {"base", "services"},
}
for folder in DOMAIN:
    LOWER[folder] = {"base", "services", "store", "business"}
for folder in STAGES | READERS:
    # Job and answer formats of the worker processes are in workers/*.h.
    LOWER[folder] = {"base", "services", "store", "workers", "business"} | DOMAIN
# business: the pure language of the configuration (calendars, plans) and its tables.
# The API shows what the readers keep.
LOWER["business"] = {"base"}
LOWER["api"] |= {"delivery", "automation", "events", "history"}
# The headers of daemon/ itself through which stages and readers meet the rest.
MEETING = {"channel.h", "pipeline.h", "connectors.h", "workspace.h", "parts.h", "config.h"}
FOREIGN_OK = re.compile(r"[a-z0-9_]+\.h")  # the C library: connectors use nothing else
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def check_daemon(lint, path, line, target, allowed):
    parts = path.split("/")
    if len(parts) == 2 or parts[1] not in LOWER:
        return  # broker.c, main.c and their folders see everything
    own = parts[1]
    folder = target.split("/")[0] if "/" in target else ""
    if folder in LOWER[own] | ANYWHERE | {own}:
        return
    if folder == "" and (target in MEETING and own in DOMAIN | STAGES | READERS
                         or lint.exists(f"daemon/{own}/{target}")):
        return
    if f"{own} -> {target}" in allowed or f"{own} -> {folder}" in allowed:
        return
    lint.say(path, line, f"{own} must not include {target}")


def check_connector(lint, path, line, bracket, target):
    if target.startswith("converge/"):
        return
    if bracket == '"' and lint.exists(f"connectors/{target}"):
        return
    if bracket == "<" and FOREIGN_OK.fullmatch(target):
        return
    lint.say(path, line, f"a connector includes only include/converge, its siblings and the C library: {target}")


def check(lint):
    allowed = lint.allowed("layers.allow")
    for path in lint.files(common.SHIPPED, (".c", ".h")):
        text = common.blank(lint.read(path), strings=False)
        for match in INCLUDE.finditer(text):
            bracket, target = match.groups()
            line = common.line_of(text, match.start(2))
            if path == "connectors/registry.c":
                continue
            if path.startswith("connectors/"):
                check_connector(lint, path, line, bracket, target)
            elif path.startswith("include/") and bracket == '"' and not target.startswith("converge/"):
                lint.say(path, line, f"the contract includes only itself: {target}")
            elif path.startswith("daemon/") and bracket == '"':
                check_daemon(lint, path, line, target, allowed)
    allowed.report_unused()


common.main(check)
