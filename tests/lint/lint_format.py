#!/usr/bin/env python3
"""clang-format has nothing to change. Exit code 77 (skipped) where there is no clang-format."""
import os
import re
import shutil
import subprocess
import sys

import common


def check(lint):
    paths = list(lint.files(common.C_FOLDERS, (".c", ".h")))
    if not paths:
        return
    run = subprocess.run(["clang-format", "--dry-run", "--style=file"] + paths, cwd=lint.root, text=True,
                         stderr=subprocess.PIPE, check=False)
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error):", run.stderr, re.M):
        finding = f"{os.path.normpath(path)}:{line}: clang-format would change this line"
        if finding not in lint.findings:
            lint.findings.append(finding)


if shutil.which("clang-format") is None:
    sys.exit(77)
common.main(check)
