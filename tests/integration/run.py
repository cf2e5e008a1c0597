#!/usr/bin/python3
"""Runs the integration tests: one process per module, two more at once than there are cores.

usage: run.py [--full] [MODULE...]     (test_webhook, test_mail ...)

The last line is "counts PASSED FAILED SKIPPED". Standard library only.
"""
import concurrent.futures
import io
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
MODULE_SECONDS = 600


def run_here(module):
    """One module in this process; its counts go to the last line."""
    sys.path.insert(0, str(HERE))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(
        unittest.defaultTestLoader.loadTestsFromName(module))
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped) + len(result.expectedFailures)
    # An error outside a test (setUpClass, import) is a failure that testsRun does not count.
    passed = max(0, result.testsRun - failed - skipped)
    print("counts", passed, failed, skipped)
    return 1 if failed else 0


def run_apart(module):
    """One module in a process of its own; returns its text and counts."""
    try:
        done = subprocess.run([sys.executable, __file__, "--here", module], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=MODULE_SECONDS)
        text = done.stdout
    except subprocess.TimeoutExpired as late:
        partial = late.stdout or b""
        text = partial.decode(errors="replace") if isinstance(partial, bytes) else partial
        return text + f"FAIL: {module} took longer than {MODULE_SECONDS} s\n", (0, 1, 0)
    for line in reversed(text.splitlines()):
        if line.startswith("counts "):
            return text, tuple(int(word) for word in line.split()[1:])
    return text + f"FAIL: {module} ended with status {done.returncode}\n", (0, 1, 0)


def main(arguments):
    if arguments[:1] == ["--here"]:
        return run_here(arguments[1])
    if "--full" in arguments:
        os.environ["CONVERGE_FULL"] = "1"
    modules = [word for word in arguments if not word.startswith("-")]
    modules = modules or sorted(path.stem for path in HERE.glob("test_*.py"))
    total = [0, 0, 0]
    # Many modules mostly wait, for a provider's patience or a retry.
    with concurrent.futures.ThreadPoolExecutor((os.cpu_count() or 2) + 2) as pool:
        for module, (text, counts) in zip(modules, pool.map(run_apart, modules)):
            out = io.StringIO()
            print(f"== {module}", file=out)
            print("\n".join(line for line in text.splitlines() if not line.startswith("counts ")), file=out)
            print(out.getvalue(), end="", flush=True)
            total = [a + b for a, b in zip(total, counts)]
    print("counts", *total)
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
