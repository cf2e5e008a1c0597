#!/usr/bin/env python3
"""Functions of at most 60 lines, 5 parameters and 3 levels of nesting; files of at most 700 lines."""
import re

import common

FUNCTION_LINES, FILE_LINES, NESTING, PARAMETERS = 60, 700, 3, 5
TOKEN = re.compile(r'[A-Za-z_]\w*|"[^"\n]*"|\'[^\'\n]*\'|[^\s\w]|\d[\w.]*')
LOOPS = {"if", "for", "while", "switch"}


class Body:
    """Walks the statements of one function body and keeps the deepest level of control met."""

    def __init__(self, tokens):
        self.tokens, self.at, self.deepest = tokens, 0, 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else "}"

    def skip_pair(self, opening, closing):
        depth = 0
        while self.at < len(self.tokens):
            depth += self.tokens[self.at] == opening
            depth -= self.tokens[self.at] == closing
            self.at += 1
            if depth == 0:
                return

    def block(self, depth):
        self.at += 1
        while self.peek() != "}":
            before = self.at
            self.statement(depth)
            if self.at == before:
                self.at += 1
        self.at += 1

    def inner(self, depth):
        self.deepest = max(self.deepest, depth)
        if self.peek() == "{":
            self.block(depth)
        else:
            self.statement(depth)

    def simple(self, depth):
        """An expression or a declaration, or a macro that is a loop: NAME(...) {"""
        calls = False
        while self.at < len(self.tokens) and self.peek() not in (";", "}"):
            if self.peek() == "(":
                self.skip_pair("(", ")")
                calls = True
            elif self.peek() == "{" and calls and self.tokens[self.at - 1] == ")":
                return self.inner(depth + 1)
            elif self.peek() == "{":
                self.skip_pair("{", "}")
            elif self.peek() == ":" and self.tokens[self.at - 2] in (";", "{", "}"):
                break  # a label
            else:
                calls = False
                self.at += 1
        if self.peek() in (";", ":"):
            self.at += 1
        return None

    def statement(self, depth):
        word = self.peek()
        if word == "{":
            self.inner(depth + 1)
        elif word in LOOPS:
            self.at += 1
            self.skip_pair("(", ")")
            self.inner(depth + 1)
            if word == "if":
                self.otherwise(depth)
        elif word == "do":
            self.at += 1
            self.inner(depth + 1)
        elif word in ("case", "default"):
            while self.at < len(self.tokens) and self.peek() != ":":
                self.at += 1
            self.at += 1
        else:
            self.simple(depth)

    def otherwise(self, depth):
        if self.peek() != "else":
            return
        self.at += 1
        if self.peek() == "if":
            self.statement(depth)
        else:
            self.inner(depth + 1)


def parameter_count(signature):
    inside = signature[signature.index("(") + 1:signature.rindex(")")]
    depth, count = 0, 1
    for char in inside:
        depth += (char == "(") - (char == ")")
        count += char == "," and depth == 0
    # A callback and its context are one thing, and every function that can fail ends with err.
    count -= re.search(r",\s*void \*\w*context\b", inside) is not None
    count -= re.search(r",\s*struct error \*\w+$", inside.strip()) is not None
    return 0 if inside.strip() in ("", "void") else count


def functions(text):
    """(name, first line, last line, signature, body) of every function: its braces stand in the first column."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line.startswith("{") and number > 0:
            start = number
        elif line.startswith("}") and start is not None:
            first = start - 1
            while first > 0 and lines[first][:1] in ("\t", " "):
                first -= 1
            signature = " ".join(lines[first:start])
            name = re.search(r"(\w+)\s*\(", signature)
            if name and line.rstrip() == "}":
                yield name.group(1), first + 1, number + 1, signature, "\n".join(lines[start + 1:number])
            start = None


def check_file(lint, path, allowed):
    text = lint.read(path)
    lines = text.count("\n")
    if lines > FILE_LINES and path not in allowed:
        lint.say(path, lines, f"{lines} lines, at most {FILE_LINES}")
    if not path.endswith(".c"):
        return
    blanked = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", common.blank(text, strings=True), flags=re.M)
    if blanked.count("\n") != lines:  # directives of several lines: keep the numbers right
        blanked = common.blank(text, strings=True)
    for name, first, last, signature, inside in functions(blanked):
        if f"{path} {name}" in allowed:
            continue
        if last - first + 1 > FUNCTION_LINES:
            lint.say(path, first, f"{name}() has {last - first + 1} lines, at most {FUNCTION_LINES}")
        if parameter_count(signature) > PARAMETERS and not path.startswith("tests/"):
            lint.say(path, first, f"{name}() has {parameter_count(signature)} parameters, at most {PARAMETERS}")
        body = Body(["{"] + TOKEN.findall(inside) + ["}"])
        body.block(0)
        if body.deepest > NESTING:
            lint.say(path, first, f"{name}() nests {body.deepest} deep, at most {NESTING}")


def check(lint):
    allowed = lint.allowed("size.allow")
    for path in lint.files(common.C_FOLDERS, (".c", ".h")):
        check_file(lint, path, allowed)
    allowed.report_unused()


common.main(check)
