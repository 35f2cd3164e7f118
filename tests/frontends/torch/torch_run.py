"""Runs PyTorch programs, each in a process of its own that is forked from one with PyTorch in it, plain and under whygrad."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from program_pool import Pool
from programs_run import TESTS, report_of
from whygrad.ir import Record
from whygrad.ir.files import read_record

PROGRAMS = TESTS / "programs" / "torch"


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


@cache
def pool() -> Pool:
    """The process with PyTorch in it, of which the programs are forked."""
    return Pool("torch")


def finished(program: Path, arguments: Sequence[str], answer: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """What the pool says of a program."""
    return subprocess.CompletedProcess([str(program), *arguments], answer["status"], answer["stdout"], answer["stderr"])


def plain(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Plain Python."""
    return finished(program, arguments, pool().plain(program, *arguments))


def whygrad(program: Path, folder: Path, *arguments: str, options: tuple[str, ...] = ()) -> Run:
    """The same under `whygrad run`; the report and the record are written to `folder`."""
    answer = pool().run(program, folder / "report.json", "--record", str(folder / "run.whygrad"), *options, arguments=arguments)
    return Run(finished(program, arguments, answer), folder)
