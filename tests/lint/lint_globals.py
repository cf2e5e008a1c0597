#!/usr/bin/env python3
"""No variable is shared between files: extern only for const tables, file scope only static or const."""
import re

import common


def top_level(text):
    """(offset, declaration) of everything outside braces; function bodies and initialisers are left out."""
    depth, start, parts, is_function = 0, 0, [], False
    for match in re.finditer(r"[{};]|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", text, re.M):
        token = match.group()
        if token == "{":
            if depth == 0:
                parts.append((start, text[start:match.start()]))
                is_function = parts[-1][1].rstrip().endswith(")")
            depth += 1
        elif token == "}":
            depth -= 1
            start = match.end()
            if depth == 0 and is_function:
                parts = []
        elif depth == 0:
            if token == ";":
                parts.append((start, text[start:match.end()]))
                yield parts[0][0], "".join(part for _, part in parts)
            start, parts = match.end(), []


def is_shared_variable(declaration):
    words = re.findall(r"\w+", declaration)
    if words and (words[0].endswith("_fn") or declaration == "extern char **environ;"):
        return False  # a function by its type; the environment as POSIX has it
    if not words or "(" in declaration.split("=")[0] or words[0] in ("static", "typedef", "_Static_assert"):
        return False
    if words[0] in ("struct", "enum", "union") and len(words) <= 2:
        return False  # a declaration or a definition of a type
    if words[0] == "enum" and "=" not in declaration and "{" not in declaration and len(words) <= 2:
        return False
    head = declaration.split("=")[0]
    return not re.search(r"\bconst\s*(\w+\s*)?(\[|$|;|\w+_connector)|\bconst\b[^*]*$", head.strip())


def check(lint):
    for path in lint.files(common.SHIPPED, (".c", ".h")):
        text = common.blank(lint.read(path), strings=True)
        for offset, declaration in top_level(text):
            stripped = declaration.strip()
            if stripped and is_shared_variable(stripped):
                line = common.line_of(text, offset + len(declaration) - len(declaration.lstrip()))
                lint.say(path, line, f"a variable that other files can write: {' '.join(stripped.split())[:60]}")


common.main(check)
