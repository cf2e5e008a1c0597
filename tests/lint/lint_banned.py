#!/usr/bin/env python3
"""Functions that are never called, exits without a name, and words that mark unfinished work."""
import re

import common

BANNED = {
    "system": "a shell parses its argument",
    "popen": "a shell parses its argument",
    "strcpy": "no bound",
    "stpcpy": "no bound",
    "strcat": "no bound",
    "sprintf": "no bound",
    "vsprintf": "no bound",
    "gets": "no bound",
    "strtok": "hidden state",
    "alloca": "no bound",
    "tmpnam": "a race",
    "mktemp": "a race",
    "gmtime": "hidden state",
    "localtime": "hidden state",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
# Exit codes have the names of sysexits.h, so that service managers and people can tell them apart. 126 and 127 are what
# a shell says of a program that it could not start.
EXIT = re.compile(r"\b(?:exit|_exit|quick_exit)\s*\(\s*((?!12[67]\b)[1-9]\d*|EXIT_FAILURE)\s*\)")
WORD = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
TEXTS = (".c", ".h", ".py", ".lua", ".cmake", ".txt", ".md", ".js", ".ts", ".tsx", ".css", ".html", ".yaml", ".yml",
         ".conf", ".service", ".sh", "run")
FOLDERS = ("daemon", "include", "connectors", "ctl", "cmake", "conf", "deploy", "docs", "web", "tests")


def main_body(text):
    match = re.search(r"^int main\(.*?^}", text, re.M | re.S)
    return (match.start(), match.group()) if match else (0, "")


def check_c(lint, path):
    text = common.blank(lint.read(path), strings=True)
    for match in CALL.finditer(text):
        name = match.group(1)
        lint.say(path, common.line_of(text, match.start()), f"{name}() is banned: {BANNED[name]}")
    if not path.startswith(("daemon/", "ctl/")):
        return
    for match in EXIT.finditer(text):
        lint.say(path, common.line_of(text, match.start()), f"an exit code without a name: {match.group(1)}")
    start, body = main_body(text)
    for match in re.finditer(r"\breturn\s+([1-9]\d*|EXIT_FAILURE)\s*;", body):
        lint.say(path, common.line_of(text, start + match.start()), f"an exit code without a name: {match.group(1)}")


def check(lint):
    for path in lint.files(common.SHIPPED + ("tests/sim",), (".c", ".h")):
        check_c(lint, path)
    for path in lint.files(FOLDERS, TEXTS):
        if path.startswith("tests/data/"):
            continue
        text = lint.read(path)
        for match in WORD.finditer(text):
            lint.say(path, common.line_of(text, match.start()), f"{match.group()}: finish it or leave it out")


common.main(check)
