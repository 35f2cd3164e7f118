"""Runs the tests of a front end, each file in a process of its own: `python tests/apart.py tensorflow`.

Front ends patch their framework for a whole process, and a process is one program. The processes are forked from one that has imported the framework, which would
else take longer than the tests of most files.
"""

import os
import sys
from pathlib import Path

import pytest

from program_pool import import_all, keep_compilations

HERE = Path(__file__).parent
IMPORTED_ALREADY = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The plugin of whygrad's own is in the process that is forked."""
TOGETHER = 2
"""Processes at once."""


def run(framework: str) -> list[Path]:
    """The files with a test that failed."""
    keep_compilations()
    import_all(framework)
    waiting = sorted((HERE / "frontends" / framework).glob("test_*.py"))
    running, failed = dict[int, Path](), list[Path]()
    while waiting or running:
        while waiting and len(running) < TOGETHER:
            file = waiting.pop(0)
            running[_forked(file)] = file
        process, status = os.wait()
        file = running.pop(process)
        failed += [file] if status else []
    return failed


def _forked(file: Path) -> int:
    """A new process that runs the tests of a file and ends."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            status = int(pytest.main(["--quiet", *IMPORTED_ALREADY, str(file)]))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return process


if __name__ == "__main__":
    failures = [file for framework in sys.argv[1:] for file in run(framework)]
    sys.exit("\n".join(["", "these files have tests that failed:", *map(str, failures)]) if failures else 0)
