#!/usr/bin/env python3
"""The core names no connector: neither its symbol nor its name as a text."""
import re

import common

SYMBOL = re.compile(r"\bconst\s+struct\s+connector\s+(\w+)_connector\b")
NAME = re.compile(r'\.name\s*=\s*"([^"]+)"')


def connector_names(lint):
    names = set()
    for path in lint.files(("connectors",), (".c",)):
        text = common.blank(lint.read(path), strings=False)
        for match in SYMBOL.finditer(text):
            names.add(match.group(1))
            names.update(NAME.findall(text, match.end())[:1])
    return names


def check(lint):
    allowed = lint.allowed("neutral.allow")
    names = connector_names(lint)
    for path in lint.files(("daemon", "include"), (".c", ".h")):
        text = common.blank(lint.read(path), strings=False)
        for match in re.finditer(r'\b(\w+)_connector\b|"((?:\\.|[^"\\\n])*)"', text):
            symbol, literal = match.groups()
            name = symbol or literal
            if name in names and f"{path} {name}" not in allowed:
                lint.say(path, common.line_of(text, match.start()), f"names the connector {name}: {match.group()}")
    allowed.report_unused()


common.main(check)
