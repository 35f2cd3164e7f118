"""Running the user's program under whygrad in a process of its own, with patched sources, and reading what came of it."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from whygrad.diagnosis import Diagnosis, Report, Scalar
from whygrad.errors import WhygradError
from whygrad.ir import Course, Follow, Record, Step, Trial
from whygrad.ir.files import read_record
from whygrad.patched import CACHE, FOLLOW, FOLLOW_FROM, KEPT, PATCHED, TRAJECTORY, put_back
from whygrad.program import Target

GRACE = 5.0
"""Seconds that a program which is stopped has to end by itself."""
MOST_FILES = 20_000
"""Files of the working directory that are watched for writes past Python."""
TAIL = 4000
"""Characters of what it printed last that are kept."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of the program, patched or as it stands."""

    record: Record = field(default_factory=Record)
    report: Report | None = None
    seconds: float = 0.0
    stopped: bool = False
    """It was stopped at the limit of time."""
    tail: str = ""
    left: tuple[str, ...] = ()
    """Files that it wrote and that could not be put back."""
    trajectory: str = ""
    """Folder with its parameters at a few moments."""

    @property
    def roots(self) -> tuple[Diagnosis, ...]:
        """What counts as a fault: root causes that are no mere notes."""
        found = self.report.diagnoses if self.report is not None else ()
        return tuple(diagnosis for diagnosis in found if diagnosis.root_cause and diagnosis.severity != "note")

    @property
    def failed(self) -> bool:
        """It did not run to its end."""
        return self.stopped or self.report is None or self.report.outcome.exception is not None

    @property
    def course(self) -> Course | None:
        """How the loss went: of the kind of step that ran most."""
        return max(self.record.courses, key=lambda course: course.steps, default=None)

    def losses_at(self, index: int) -> tuple[float, ...]:
        """The loss of a step, by its number in the run, and the first one that it differentiated, of several; nothing where it was not recorded."""
        step = next((step for step in self.record.steps if step.index == index), Step(index))
        targets = (name for event in step.events if event.kind == "backward" for name in event.targets)
        first = step.graph.values.get(next(targets, ""))
        figures = first.statistics if first is not None else None
        known = (step.measures.loss, figures.mean if figures is not None and figures.count == 1 else None)
        return tuple(loss for loss in known if loss is not None)

    @property
    def fell(self) -> bool | None:
        """The loss was lower at the end than at the start; None where it was never seen twice."""
        course = self.course
        if course is None or course.steps <= 1 or course.first is None or course.last is None:
            return None
        first = course.start if course.steps <= FEW and course.start is not None else course.first
        return math.isfinite(course.last) and course.last < first and course.non_finite is None

    @property
    def stood(self) -> bool:
        """No parameter moved: each ended as it began, to the last bit, or none of them could."""
        if self.record.endings:
            return not any(ending.changed for ending in self.record.endings.values())
        seen = [parameter for step in self.record.steps for parameter in step.parameters]
        return bool(seen) and not any(parameter.trainable for parameter in seen)

    @property
    def went(self) -> bool:
        """It took steps, and parameters moved by them."""
        return self.fell is not None and not self.stood

    def went_at(self, index: int) -> bool:
        """It took steps, and parameters that the step of this number reads moved by them, as far as that is known of each."""
        step = next((step for step in self.record.steps if step.index == index), Step(index))
        read = [self.record.endings.get(parameter.name) for parameter in step.parameters if parameter.reached]
        return self.went and not (read and all(ending is not None and not ending.changed for ending in read))

    def figures(self) -> dict[str, Scalar]:
        """The few measures that tell whether a program learns."""
        measures = self.report.measures if self.report is not None else None
        course = self.course
        return {
            "loss_first": course.start if course is not None else None,
            # the curve's own end, which stands beside it: the mean of the last few losses lies before it in a short run
            "loss_last": (course.curve[-1] if course.curve else course.last) if course is not None else None,
            "label_sensitivity": measures.label_sensitivity if measures is not None else None,
            "gradient_norm": measures.gradient_norm if measures is not None else None,
        }


FEW = 8
"""Steps up to which the means at both ends of a run are over the same losses."""


def attempt(target: Target, options: tuple[str, ...], patched: Mapping[str, str], scratch: Path, limit: float | None) -> Attempt:
    """Run it to its end, or to the limit in seconds. Files that it writes are put back afterwards."""
    way = tempfile.mkdtemp(prefix="way-", dir=scratch)
    return _attempted(_command("run", target, options, scratch), patched, scratch, limit, {TRAJECTORY: way})


def follow(
    target: Target, patched: Mapping[str, str], scratch: Path, limit: float | None, ways: Iterable[str], index: int = 0
) -> tuple[dict[str, Trial], tuple[str, ...]]:
    """The loss of the patched program's step of this number by the parameters of other runs, by folder; and files that could not be put back."""
    asked = {FOLLOW: os.pathsep.join(ways), FOLLOW_FROM: str(index)}
    # a compiled step is taken apart when it is first called, so that a recording which begins behind that may see none
    steps = ("--steps", str(index + 1)) if 0 < index <= FEW else ("--at-step", str(index)) if index else ()
    made = _attempted(_command("check", target, steps, scratch), patched, scratch, limit, asked)
    trials = {
        trial.intervention.folder: trial for step in made.record.steps for trial in step.trials if isinstance(trial.intervention, Follow)
    }
    return trials, made.left


def _attempted(command: list[str], patched: Mapping[str, str], scratch: Path, limit: float | None, asked: Mapping[str, str]) -> Attempt:
    for name in ("record", "output", "sources.json"):
        (scratch / name).unlink(missing_ok=True)
    kept = scratch / "kept"
    kept.mkdir(exist_ok=True)
    (scratch / "sources.json").write_text(json.dumps(dict(patched)), encoding="utf-8")
    before, began = files_below(Path.cwd()), time.monotonic()
    try:
        stopped = _run(command, scratch, limit, asked)
    finally:
        left = put_back(kept)
    seconds = time.monotonic() - began
    record, report = _results(scratch / "record")
    after = files_below(Path.cwd())
    past = (path for path, state in after.items() if before.get(path) != state)
    written = tuple(dict.fromkeys((*left, *past)))
    return Attempt(record, report, seconds, stopped, _tail(scratch / "output"), written, asked.get(TRAJECTORY, ""))


def files_below(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of the files below a folder, as far as MOST_FILES; caches of Python's are nobody's work."""
    found: dict[str, tuple[int, int]] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in (CACHE, ".git", "node_modules") and not name.startswith(".venv")]
        for name in names:
            with suppress(OSError):
                facts = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118 - thousands of them
                found[os.path.relpath(os.path.join(place, name), folder)] = (facts.st_size, facts.st_mtime_ns)  # noqa: PTH118
        if len(found) > MOST_FILES:
            break
    return found


def _command(name: str, target: Target, options: tuple[str, ...], scratch: Path) -> list[str]:
    module = ["-m"] if target.module else []
    own = ["--record", str(scratch / "record"), "--fail-on", "never", *options]
    return [sys.executable, "-m", "whygrad", name, *own, *module, target.name, *target.arguments]


def _run(command: list[str], scratch: Path, limit: float | None, asked: Mapping[str, str]) -> bool:
    """Whether it had to be stopped at the limit."""
    environment = {"PYTHONHASHSEED": "0", **os.environ, PATCHED: str(scratch / "sources.json"), KEPT: str(scratch / "kept"), **asked}
    with (scratch / "output").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the very program that the user asks to run
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            return True
        finally:
            _end(process)
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and its children, if they still run."""
    if process.poll() is not None:
        return
    for sign, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def _results(path: Path) -> tuple[Record, Report | None]:
    try:
        file = read_record(path)
        report = msgspec.msgpack.decode(file.report_bytes, type=Report) if file.report_bytes is not None else None
    except (WhygradError, msgspec.DecodeError):
        return Record(), None
    return file.record, report


def _tail(path: Path) -> str:
    content = path.read_bytes() if path.exists() else b""
    return content[-TAIL:].decode("utf-8", "replace")
