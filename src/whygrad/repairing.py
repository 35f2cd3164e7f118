"""`whygrad fix`: fault after fault, a patch is made, the patched program is run whole, and what it measures decides."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path

from whygrad.delivery import Screen, screen, stderr
from whygrad.diagnosis import Diagnosis, Report
from whygrad.errors import WhygradError
from whygrad.fixes import patch, unified
from whygrad.fixes.sources import Texts, encoded, writable
from whygrad.mending import stands, with_fixes
from whygrad.program import Target, prepare
from whygrad.reports.repairs import compared, summary
from whygrad.trying import Attempt, attempt

MOST_RUNS = 10
"""Patched runs after which the rest is left to a person."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What `whygrad fix` was asked for."""

    target: Target
    write: bool = False
    unsafe: bool = False
    limit: float = 600.0
    """Seconds that a patched run may take, or five times what the program takes as it stands, whichever is longer."""
    options: tuple[str, ...] = ()
    """Of `whygrad run`, for each run."""


@dataclass(slots=True)
class Repair:
    """How far it has come."""

    wish: Wish
    folder: Path
    scratch: Path
    at: Screen
    originals: dict[str, str] = field(default_factory=dict)
    """Absolute path to the text that a file had when it was first patched."""
    texts: dict[str, str] = field(default_factory=dict)
    kept: list[Diagnosis] = field(default_factory=list)
    """Faults whose fix stays."""
    refused: dict[str, str] = field(default_factory=dict)
    """Faults that stay, by their message, and why."""
    left: set[str] = field(default_factory=set)
    runs: int = 0

    def run(self, texts: Mapping[str, str], limit: float | None) -> Attempt:
        """One run of the program with these texts."""
        made = attempt(self.wish.target, self.wish.options, texts, self.scratch, limit)
        self.left.update(made.left)
        return made

    def say(self, words: str) -> None:
        """One line of progress."""
        self.at.print(f"{words}\n")


def fix(wish: Wish) -> tuple[int, Report | None]:
    """Repair the program; returns the exit status, and the report on it as it stood, with what became of each fix."""
    _checked(wish.target)
    with tempfile.TemporaryDirectory(prefix="whygrad-fix-") as scratch:
        repair = Repair(wish, Path.cwd(), Path(scratch).resolve(), screen(stderr()))
        repair.say(f"running {wish.target.name} as it stands")
        before = repair.run({}, None)
        if before.report is None:
            raise WhygradError(f"the program left no report; it printed last:\n{before.tail}", help="see that `whygrad run` works on it")
        if not before.roots:
            return _nothing_to_do(repair, before.report)
        after = _repaired(repair, before)
        return _concluded(repair, before, after)


def _checked(target: Target) -> None:
    """Raises `WhygradError` where there is no program to start; a module is looked for when it runs."""
    try:
        if not target.module:
            prepare(target)
    except SyntaxError as problem:
        raise WhygradError(f"Python can't compile `{target.name}`: {problem}", help="put the syntax right first") from None


def _nothing_to_do(repair: Repair, report: Report) -> tuple[int, Report]:
    words = "no fault was found, so nothing is changed" if report.healthy else f"nothing was judged: {report.reason}"
    repair.say(words)
    return (0 if report.healthy else 1), report


def _repaired(repair: Repair, before: Attempt) -> Attempt:
    """The last run whose patch was kept; fault after fault, until none is left that has an untried fix."""
    limit = max(repair.wish.limit, 5 * before.seconds)
    now = before
    while repair.runs < MOST_RUNS:
        chosen = next(_choices(repair, now), None)
        if chosen is None:
            break
        diagnosis, texts = chosen
        repair.runs += 1
        repair.say(f"trying: {diagnosis.remedy.summary if diagnosis.remedy else ''} ({diagnosis.rule} {diagnosis.name})")
        trial = repair.run({**repair.texts, **texts}, limit)
        why = against(now, trial, diagnosis)
        if why:
            repair.refused[diagnosis.message] = why
            repair.say(f"  not kept: {why}")
            continue
        repair.texts.update(texts)
        repair.kept.append(diagnosis)
        now = trial
    return now


def _choices(repair: Repair, now: Attempt) -> Iterator[tuple[Diagnosis, Mapping[str, str]]]:
    """Faults with a fix that was not tried yet, in the order of the report, each with the texts that the fix makes."""
    for diagnosis in now.roots:
        if diagnosis.message in repair.refused:
            continue
        remedy, texts = diagnosis.remedy, Texts(repair.folder, repair.texts)
        if remedy is None or not stands(diagnosis):
            repair.refused[diagnosis.message] = "no edit of the source is known to be sound; " + diagnosis.help
        elif not remedy.safe and not repair.wish.unsafe:
            repair.refused[diagnosis.message] = f"the fix is unsafe ({remedy.changes}); `--unsafe` tries it: {remedy.summary}"
        else:
            made = patch(remedy, texts)
            if not made.texts:
                repair.refused[diagnosis.message] = f"no patch could be made: {made.reason}"
                continue
            for path in made.texts:
                repair.originals.setdefault(path, Texts(repair.folder).read(path))
            yield diagnosis, made.texts


def against(before: Attempt, trial: Attempt, diagnosis: Diagnosis) -> str:
    """Why a patch is not kept: the fault is still there, or what came instead is worse; "" where it is kept."""
    if trial.stopped:
        return "the patched program did not end within the limit"
    if trial.report is None:
        return "the patched program left no report"
    same = [other for other in trial.roots if other.rule == diagnosis.rule]
    if len(same) >= len([other for other in before.roots if other.rule == diagnosis.rule]):
        return "the fault is still there"
    known = {other.rule for other in before.roots}
    fresh = [other for other in trial.roots if other.severity == "error" and other.rule not in known]
    raised = trial.report.outcome.exception
    if raised is not None and not (before.failed and trial.roots):
        return f"the patched program stops with {raised.type}: {raised.message.splitlines()[0] if raised.message else ''}"
    # timid: behind an exception other faults may have been hidden; they are judged in their turn
    return f"it brings another fault: {fresh[0].message}" if fresh and not before.failed else ""


def unproved(after: Attempt) -> str:
    """Why the last run does not prove that the program learns now; "" where it does."""
    report = after.report
    if after.failed or report is None:
        raised = report.outcome.exception if report is not None else None
        return f"the patched program stops with {raised.type}" if raised is not None else "the patched program did not end"
    errors = [diagnosis for diagnosis in after.roots if diagnosis.severity == "error"]
    if errors:
        return f"a fault is left: {errors[0].message}"
    measures = report.measures
    floor = measures.noise_floor if measures.noise_floor is not None and isfinite(measures.noise_floor) else 0.0
    if measures.label_sensitivity is not None and not measures.label_sensitivity > floor:
        return "the gradient does not depend on the labels"
    fell = after.fell
    if fell is None:
        return "the loss was not seen at two steps, so that nothing shows that it falls"
    return "" if fell else "the loss does not fall"


def _concluded(repair: Repair, before: Attempt, after: Attempt) -> tuple[int, Report | None]:
    """Show what was done; write it, if that was asked for and proved."""
    why = unproved(after) if repair.kept else "nothing could be changed"
    if repair.kept:
        _say_diff(repair)
        repair.say(compared(before.figures(), after.figures()))
    remaining = {diagnosis.message: repair.refused.get(diagnosis.message, "") for diagnosis in after.roots}
    repair.say(summary(tuple(repair.kept), why, remaining, tuple(sorted(repair.left))))
    if repair.wish.write and not why:
        _write(repair)
    elif not why:
        repair.say("nothing was written; `--write` keeps the change")
    report = before.report
    if report is not None:
        report = _told(with_fixes(report, repair.folder), repair, before, after, verified=not why)
    return (0 if not why and not after.roots else 1), report


def _say_diff(repair: Repair) -> None:
    for path, text in repair.texts.items():
        shown = os.path.relpath(path, repair.folder)
        repair.say("\n" + unified(repair.originals[path], text, shown))


def _told(report: Report, repair: Repair, before: Attempt, after: Attempt, *, verified: bool) -> Report:
    """The report on the program as it stood, with what trying the fixes showed."""
    messages = {diagnosis.message for diagnosis in repair.kept}
    found = [
        replace(diagnosis, fix=replace(diagnosis.fix, verified=verified, before=before.figures(), after=after.figures()))
        if diagnosis.fix is not None and diagnosis.message in messages
        else diagnosis
        for diagnosis in report.diagnoses
    ]
    return replace(report, diagnoses=tuple(found))


def _write(repair: Repair) -> None:
    """Each file as a whole, with its old content beside it; nothing where one of them can't be written or has changed meanwhile."""
    for path, original in repair.originals.items():
        if path in repair.texts:
            locked = writable(path)
            if locked or Texts(repair.folder).read(path) != original:
                raise WhygradError(locked or f"`{path}` was changed meanwhile", help="nothing was written; run `whygrad fix` again")
    for path, text in repair.texts.items():
        backup = written(Path(os.path.realpath(path)), text)
        repair.say(f"wrote {os.path.relpath(path, repair.folder)}; what it was is kept in {os.path.relpath(backup, repair.folder)}")


def written(path: Path, text: str) -> Path:
    """Put the text into the file, by renaming; returns where its old content is kept."""
    backup = next(name for number in range(10_000) if not (name := path.with_name(f"{path.name}.orig{number or ''}")).exists())
    shutil.copy2(path, backup)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(encoded(text, path))
        shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return backup
