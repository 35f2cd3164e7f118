"""Runs PyTorch programs in processes of their own, plain and under whygrad."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from programs_run import SOURCES, TESTS, environment, report_of
from whygrad.ir import Record
from whygrad.ir.files import read_record

PROGRAMS = TESTS / "programs" / "torch"
PATIENCE = 240
"""Seconds: several processes import large libraries at once."""


@dataclass(frozen=True)
class Run:
    """What came of a program."""

    process: subprocess.CompletedProcess[str]
    folder: Path

    @cached_property
    def report(self) -> dict[str, Any]:
        return report_of(self.folder / "report.json")

    @cached_property
    def record(self) -> Record:
        return read_record(self.folder / "run.whygrad").record

    @property
    def rules(self) -> list[str]:
        return [found["rule"] for found in self.report["diagnoses"]]


def started(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A Python process with the sources importable, on one thread as bit-for-bit comparison needs."""
    paths = os.pathsep.join([str(SOURCES), str(PROGRAMS)])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment(), "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def plain(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Plain Python."""
    return started([str(program), *arguments], program.parent)


def whygrad(program: Path, folder: Path, *arguments: str, options: tuple[str, ...] = ()) -> Run:
    """The same under `whygrad run`; the report and the record are written to `folder`."""
    files = ["--json", str(folder / "report.json"), "--record", str(folder / "run.whygrad")]
    return Run(started(["-m", "whygrad", "run", *files, *options, str(program), *arguments], program.parent), folder)
