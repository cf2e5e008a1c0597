#!/usr/bin/env python3
"""The store's scripts keep the rules of daemon/store/scripts/README.md."""
import re

import common

FOLDER = "daemon/store/scripts"
WRITES = set("""APPEND COPY DECR DECRBY DEL EXPIRE EXPIREAT FLUSHALL FLUSHDB GETDEL GETEX GETSET HDEL HINCRBY HINCRBYFLOAT
HMSET HSET HSETNX INCR INCRBY LINSERT LMOVE LPOP LPUSH LPUSHX LREM LSET LTRIM MSET PERSIST PEXPIRE PSETEX PUBLISH RENAME
RESTORE RPOP RPUSH RPUSHX SADD SET SETEX SETNX SMOVE SPOP SREM UNLINK XACK XADD XAUTOCLAIM XCLAIM XDEL XGROUP XREADGROUP
XSETID XTRIM ZADD ZINCRBY ZPOPMAX ZPOPMIN ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE""".split())
READS = set("""EXISTS GET HEXISTS HGET HGETALL HKEYS HLEN HMGET LINDEX LLEN LRANGE PTTL SCARD SISMEMBER SMEMBERS
SMISMEMBER STRLEN TIME TTL TYPE XINFO XLEN XRANGE XREVRANGE ZCARD ZCOUNT ZRANGE ZRANGEBYSCORE ZRANK ZSCORE""".split())
# Of these, the cost or the effect is not bounded by the keys that the script was given.
NEVER = set("""KEYS SCAN FLUSHALL FLUSHDB SELECT EVAL EVALSHA FCALL CONFIG DEBUG SHUTDOWN SAVE BGSAVE MONITOR SUBSCRIBE
RANDOMKEY""".split())
CALL = re.compile(r"""\bcall\(\s*['"](\w+)['"]""")
RULES = (
    (re.compile(r"\b(cjson|cmsgpack|struct\.pack|bit)\s*[.(]"), "JSON and packing are made in C"),
    (re.compile(r"\bredis\.pcall\b"), "an error must stop the script before it writes"),
    (re.compile(r"\b(os|io|math\.random\w*|loadstring|load|dofile|require)\s*[.(]"), "not for a script"),
    (re.compile(r"\bredis\.(replicate_commands|set_repl|breakpoint|debug|setresp)\b"), "not for a script"),
)
FIRST = re.compile(r"#!lua( flags=(allow-oom|no-writes))?$")


def code_of(text):
    return re.sub(r"--\[\[.*?\]\]|--(?!@use)[^\n]*", lambda match: re.sub(r"[^\n]", " ", match.group()), text, flags=re.S)


def check_rules(lint, path, code):
    for pattern, why in RULES:
        for match in pattern.finditer(code):
            lint.say(path, common.line_of(code, match.start()), f"{match.group().strip('.( ')}: {why}")
    for match in CALL.finditer(code):
        name = match.group(1)
        if name != name.upper():
            lint.say(path, common.line_of(code, match.start()), f"the command {name} is not in capitals")
        if name.upper() in NEVER:
            lint.say(path, common.line_of(code, match.start()), f"{name} is never called from a script")


def returns_before_the_end(lines, at):
    """Does the branch that holds line `at` leave the script? Then nothing comes after its writes."""
    level = len(lines[at]) - len(lines[at].lstrip("\t"))
    for line in lines[at + 1:]:
        indent = len(line) - len(line.lstrip("\t"))
        if not line.strip():
            continue
        level = min(level, indent)
        if level == 0:
            return False
        if indent == level and line.strip().startswith("return"):
            return True
    return False


def check_halves(lint, path, code):
    """The first half reads, the second only writes. Functions are judged by who calls them, which this does not see."""
    code = re.sub(r"^local function .*?^end", lambda match: re.sub(r"[^\n]", " ", match.group()), code, flags=re.S | re.M)
    lines = code.split("\n")
    wrote = None
    for match in CALL.finditer(code):
        line = common.line_of(code, match.start())
        name = match.group(1).upper()
        if name in READS and wrote and line > wrote:
            lint.say(path, line, f"{name} reads after the write in line {wrote}")
        if name in WRITES and not wrote and not returns_before_the_end(lines, line - 1):
            wrote = line


def check_script(lint, path, readme):
    text = lint.read(path)
    lines = text.split("\n")
    name = path.split("/")[-1].removesuffix(".lua")
    first = FIRST.fullmatch(lines[0])
    code = code_of(text)
    if not first:
        lint.say(path, 1, "the first line is not #!lua, or has flags other than one of allow-oom, no-writes")
    if len(lines) < 2 or not lines[1].startswith("--") or lines[1].startswith("--@"):
        lint.say(path, 2, "the second line is not the script's comment")
    if not re.search(rf"\b{name}\b", readme):
        lint.say(path, 1, f"{name} is not in the table of README.md")
    uses = re.findall(r"^--@use (\S+)", text, re.M)
    for used in uses:
        if not lint.exists(f"{FOLDER}/prelude/{used}.lua"):
            lint.say(path, 1, f"--@use {used}: there is no prelude/{used}.lua")
    if not re.search(r"\bKEYS\b", code) and not uses:
        lint.say(path, 1, "uses no key that it was given")
    if first and first.group(2) == "no-writes":
        for match in CALL.finditer(code):
            if match.group(1).upper() in WRITES:
                lint.say(path, common.line_of(code, match.start()), f"{match.group(1)} in a script with no-writes")
    check_rules(lint, path, code)
    check_halves(lint, path, code)


def check(lint):
    table = ""
    if lint.exists(f"{FOLDER}/README.md"):
        table = lint.read(f"{FOLDER}/README.md").partition("## Scripts")[2]
    for path in lint.files((FOLDER,), (".lua",)):
        if "/prelude/" in path:
            check_rules(lint, path, code_of(lint.read(path)))
        else:
            check_script(lint, path, table)


common.main(check)
