#!/usr/bin/env python3
"""usage: selftest.py NAME: lint_NAME.py over samples/NAME must find exactly what samples/NAME/expect says."""
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
name = sys.argv[1]
sample = os.path.join(here, "samples", name)
run = subprocess.run([sys.executable, os.path.join(here, f"lint_{name}.py"), sample], stdout=subprocess.PIPE, text=True,
                     check=False)
if run.returncode == 77:
    sys.exit(77)
with open(os.path.join(sample, "expect"), encoding="utf-8") as file:
    expected = sorted(file.read().splitlines())
found = sorted(run.stdout.splitlines())
for line in found:
    if line not in expected:
        print(f"not expected: {line}")
for line in expected:
    if line not in found:
        print(f"not found: {line}")
sys.exit(0 if found == expected and expected and run.returncode == 1 else 1)
