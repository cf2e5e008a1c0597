"""What the lint scripts share: files, C with its comments blanked, findings, exceptions."""
import os
import re
import sys

C_FOLDERS = ("daemon", "include", "connectors", "ctl", "tests/unit", "tests/contract", "tests/sim", "tests/fuzz")
SHIPPED = ("daemon", "include", "connectors", "ctl")
SKIPPED = {".git", "build", "node_modules", "samples", "__pycache__", "dist"}


class Lint:
    """One run over one tree; findings are printed as file:line: text."""

    def __init__(self, root):
        self.root = root
        self.findings = []
        self.seen = 0

    def files(self, folders, endings):
        for folder in folders:
            for here, inner, names in os.walk(os.path.join(self.root, folder)):
                inner[:] = sorted(name for name in inner if name not in SKIPPED)
                for name in sorted(names):
                    if name.endswith(endings):
                        self.seen += 1
                        yield os.path.relpath(os.path.join(here, name), self.root)

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def say(self, path, line, text):
        self.findings.append(f"{path}:{line}: {text}")

    def allowed(self, name):
        """Exceptions of tests/lint/NAME: `<what>  # <reason>` a line. Returns a set that remembers what was used."""
        path = f"tests/lint/{name}"
        allowed = Allowed(self, path)
        if self.exists(path):
            for number, line in enumerate(self.read(path).splitlines(), 1):
                what, _, reason = line.partition("#")
                if not what.strip():
                    continue
                if not reason.strip():
                    self.say(path, number, "an exception without a reason")
                allowed.lines[what.strip()] = number
        return allowed


class Allowed:
    def __init__(self, lint, path):
        self.lint, self.path, self.lines, self.used = lint, path, {}, set()

    def __contains__(self, what):
        if what in self.lines:
            self.used.add(what)
            return True
        return False

    def report_unused(self):
        for what, number in self.lines.items():
            file = what.split()[0]
            if what not in self.used and ("/" not in file or self.lint.exists(file)):
                self.lint.say(self.path, number, f"the exception \"{what}\" is not needed")


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text, strings):
    """C without comments, and without the inside of strings where asked; lines stay where they are."""
    def replace(match):
        token = match.group()
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        if not strings:
            return token
        return token[0] + " " * (len(token) - 2) + token[0]
    return TOKEN.sub(replace, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def main(check):
    """check(lint) over the tree of argv[1] (this source tree without it); exit code 1 on findings."""
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    lint = Lint(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else default))
    check(lint)
    if lint.seen == 0:
        lint.say(lint.root, 0, "nothing here to check")
    for finding in lint.findings:
        print(finding)
    sys.exit(1 if lint.findings else 0)
