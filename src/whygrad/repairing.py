"""`whygrad fix`: fault after fault, a patch is made, the patched program is run whole, and what it measures decides."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import isfinite
from pathlib import Path

from whygrad.delivery import Screen, screen, stderr
from whygrad.diagnosis import Diagnosis, Remedy, Report, Scalar
from whygrad.errors import WhygradError
from whygrad.fixes import patch, undone, unified
from whygrad.fixes.refusals import Refused
from whygrad.fixes.sources import Texts, encoded, writable
from whygrad.flow import StepIndex
from whygrad.ir import Course, Trial
from whygrad.mending import stands, with_fixes
from whygrad.program import Target, prepare
from whygrad.proving import Likened, Losses, further, likened, lower, no_further, unproved_by
from whygrad.reports.figures import figure
from whygrad.reports.repairs import compared, side_by_side, summary
from whygrad.rules.labels.label_independent_gradient import join_of
from whygrad.trying import Attempt, attempt, follow

BLIND = "the gradient does not depend on the labels"
"""Why a patched program is no proof that anything is learnt from labels."""
UPDATES = frozenset(f"WG4{number:02}" for number in range(1, 21)) - {"WG413"}
"""Rules whose fixes change how parameters are updated; evaluation mode is another forward. One that changes the loss as well, as a mean for a sum, shows by the first loss."""
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


@dataclass(frozen=True, slots=True)
class Kept:
    """A fault whose fix stays."""

    diagnosis: Diagnosis
    changed: Mapping[str, tuple[str, str]]
    """Absolute path to the text before and after this fix."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the last patched run proves."""

    why: str = ""
    """Why it proves nothing; "" where it proves that the program learns now, and because of the change."""
    pair: Likened = field(default_factory=Likened)
    alone: Mapping[str, str] = field(default_factory=dict)
    """Of several faults, by message: what leaving its fix out alone does."""
    idle: frozenset[str] = frozenset()
    """Those whose fix changes nothing that could be measured."""

    apart: str = ""
    """Why the patched program, which learns, was not compared with one that took steps as well."""
    lower: bool = False
    """Its own losses end lower, under a change of the updates alone."""

    @property
    def shown(self) -> str:
        """What was measured, where the fault is gone and nothing shows that the program gets further by that; "" else."""
        if self.why or self.lower:
            return ""
        return f"learns, but was not compared with the program as it stands: {self.apart}" if self.apart else no_further(self.pair)

    def said_of(self, message: str) -> str:
        """The same of one fault of several."""
        return self.shown or ("learns as well without this change" if message in self.idle else "")


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
    kept: list[Kept] = field(default_factory=list)
    """Faults whose fix stays."""
    refused: dict[str, str] = field(default_factory=dict)
    """Faults that stay, by their message, and why."""
    left: set[str] = field(default_factory=set)
    runs: int = 0

    def keep(self, diagnosis: Diagnosis, changed: Mapping[str, tuple[str, str]]) -> None:
        """This fix stays; one that goes on where the last one was not enough takes its place, as one fix of the first fault."""
        last = self.kept[-1] if self.kept else None
        if last is not None and last.diagnosis.rule == diagnosis.rule and _goes_on(last.diagnosis, diagnosis):
            before = {path: last.changed.get(path, texts)[0] for path, texts in changed.items()}
            joined = {**last.changed, **{path: (before[path], after) for path, (_, after) in changed.items()}}
            self.kept[-1] = Kept(replace(last.diagnosis, remedy=diagnosis.remedy), joined)
        else:
            self.kept.append(Kept(diagnosis, changed))

    def run(self, texts: Mapping[str, str], limit: float | None) -> Attempt:
        """One run of the program with these texts."""
        made = attempt(self.wish.target, self.wish.options, texts, self.scratch, limit)
        self.left.update(made.left)
        return made

    def compared_step(self, before: Attempt, after: Attempt) -> int:
        """The step whose batch tells the runs apart: the first one of the kind that the faults were seen in, the one after it where they were about which examples are seen, or a later one that trains what the change set free."""
        kinds = {kept.diagnosis.kind for kept in self.kept}
        later = any(kept.diagnosis.remedy is not None and kept.diagnosis.remedy.later for kept in self.kept)
        first = [step.index for step in before.record.steps if kinds == {step.kind}]
        return widest(after, min(first, default=0) + later)

    @property
    def of_updates(self) -> bool:
        """Every fix changes the updates alone, and no loss."""
        return all(kept.diagnosis.rule in UPDATES for kept in self.kept)

    def all(self, what: Callable[[Remedy], bool]) -> bool:
        """All fixes that stay are so."""
        return all(kept.diagnosis.remedy is not None and what(kept.diagnosis.remedy) for kept in self.kept)

    def followed(self, step: int, ways: Iterable[str]) -> dict[str, Trial]:
        """The patched program's loss at this step by the parameters of these runs."""
        trials, left = follow(self.wish.target, self.texts, self.scratch, self.wish.limit, ways, step)
        self.left.update(left)
        return trials

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
            shutil.rmtree(trial.trajectory, ignore_errors=True)
            continue
        changed = {path: (repair.texts.get(path, repair.originals[path]), text) for path, text in texts.items()}
        repair.texts.update(texts)
        repair.keep(diagnosis, changed)
        now = trial
    return now


def _proof(repair: Repair, before: Attempt, after: Attempt) -> Proof:
    """Whether the program learns now, further than it did, and because of each change."""
    if not repair.kept:
        return Proof("nothing could be changed")
    why = unproved(after)
    if why and not (why == BLIND and (unlabelled(before, after) or far_off(after))):
        return Proof(why)
    step = repair.compared_step(before, after)
    repair.say(f"comparing both runs by the patched loss on the {'first recorded batch' if not step else f'batch of step {step}'}")
    trials = repair.followed(step, (before.trajectory, after.trajectory))
    pair = likened(trials.get(before.trajectory), trials.get(after.trajectory), ran=before.went_at(step), first=after.losses_at(step))
    falls_further = repair.of_updates and not (pair.moments and further(pair)) and lower(before.course, after.course)
    if not pair.reason:
        why = (
            ""
            if falls_further
            else unproved_by(pair, beside=repair.all(lambda remedy: remedy.beside), closes=repair.all(lambda remedy: remedy.closes))
        )
    else:
        alone = unproved_alone(after)
        why = f"{alone}, and the two runs could not be compared: {pair.reason}" if alone else ""
    if why or len(repair.kept) == 1:
        return Proof(why, pair, apart=pair.reason if before.fell is not None else "", lower=falls_further)
    return _one_left_out(repair, step, pair, before, after)


def widest(after: Attempt, index: int) -> int:
    """The first step that trains all that the one of this number does, and more; that one itself where there is none."""
    trained = {step.index: {p.name for p in step.parameters if p.trainable and p.reached} for step in after.record.steps}
    here = trained.get(index, set())
    return next((later for later, names in sorted(trained.items()) if later > index and here and here < names), index)


def unlabelled(before: Attempt, after: Attempt) -> bool:
    """What was taken for labels never mattered, and no rule minds: a model that fits a density has none."""
    minding = [diagnosis for diagnosis in (*before.roots, *after.roots) if diagnosis.rule.startswith("WG1")]
    return not minding and before.report is not None and before.report.measures.label_sensitivity == 0.0


def far_off(after: Attempt) -> bool:
    """The labels are compared with by an absolute error or a hinge, whose derivative is the same for many labels while the predictions are far from them."""
    joins = [join_of(StepIndex(step)) for step in after.record.steps if step.labels.values]
    return bool(joins) and all(join is not None and join.stepwise for join in joins)


def unproved_alone(after: Attempt) -> str:
    """The same where the runs can't be compared: at least the patched program's own loss falls."""
    if after.fell is None:
        return "the loss was not seen at two steps, so that nothing shows that it falls"
    return "" if after.fell else "the loss does not fall"


def _one_left_out(repair: Repair, step: int, pair: Likened, before: Attempt, after: Attempt) -> Proof:
    """Each fix left out alone: without it the program must not learn as well."""
    limit = max(repair.wish.limit, 5 * after.seconds)
    runs: dict[str, Attempt] = {}
    alone: dict[str, str] = {}
    for kept in repair.kept:
        repair.say(
            f"leaving out: {kept.diagnosis.remedy.summary if kept.diagnosis.remedy else ''} ({kept.diagnosis.rule} {kept.diagnosis.name})"
        )
        try:
            texts = {path: undone(*change, repair.texts[path]) for path, change in kept.changed.items()}
        except Refused as refusal:
            alone[kept.diagnosis.message] = f"could not be left out alone: {refusal.reason}"
            continue
        runs[kept.diagnosis.message] = repair.run({**repair.texts, **texts}, limit)
    trials = repair.followed(step, (after.trajectory, *(run.trajectory for run in runs.values())))
    idle = set()
    for message, run in runs.items():
        less = likened(trials.get(run.trajectory), trials.get(after.trajectory), ran=run.went_at(step), first=after.losses_at(step))
        alone[message], needed = left_out(run, less if not pair.reason else Likened(reason=pair.reason), after)
        idle |= set() if needed else {message}
    return Proof("", pair, alone, frozenset(idle), pair.reason if before.fell is not None else "")


def left_out(run: Attempt, less: Likened, whole: Attempt) -> tuple[str, bool]:
    """What becomes of the program without one of the fixes, in words, and whether that fix is needed."""
    raised = run.report.outcome.exception if run.report is not None else None
    if raised is not None:
        return f"without it the program stops with {raised.type}", True
    if run.failed:
        return "without it the program does not end within the limit", True
    if not less.reason:
        one, both = less.last
        ends = f"the patched loss on the recorded batch ends at {figure(one)}, with it at {figure(both)}"
        return (f"without it {ends}", True) if further(less) else (f"without it the program learns as well: {ends}", False)
    if not run.fell and whole.fell:
        return "without it the loss does not fall", True
    return "without it the loss falls as well", False


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
                repair.refused[diagnosis.message] = f"no patch could be made, since {made.reason}; {diagnosis.help}"
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
    if len(same) >= len([other for other in before.roots if other.rule == diagnosis.rule]) and not stops_elsewhere(
        before, trial, diagnosis
    ):
        return "the fault is still there"
    known = {other.rule for other in before.roots}
    fresh = [other for other in trial.roots if other.severity == "error" and other.rule not in known]
    raised = trial.report.outcome.exception
    if raised is not None and not (before.failed and trial.roots):
        return f"the patched program stops with {raised.type}: {raised.message.splitlines()[0] if raised.message else ''}"
    # timid: behind an exception other faults may have been hidden; they are judged in their turn
    return f"it brings another fault: {fresh[0].message}" if fresh and not before.failed else ""


def stops_elsewhere(before: Attempt, trial: Attempt, diagnosis: Diagnosis) -> bool:
    """Both runs were ended by an exception, each by its own, and what a rule says of the later one is about something else, or more of the same line: the first fault hid a second one of its kind."""
    ends = [run.report.outcome.exception for run in (before, trial) if run.report is not None]
    if None in ends or len({end.message for end in ends if end is not None}) == 1:
        return False
    known = {other.names or other.message for other in before.roots if other.rule == diagnosis.rule}
    same = [other for other in trial.roots if other.rule == diagnosis.rule and (other.names or other.message) in known]
    return all(_goes_on(diagnosis, other) for other in same)


def _goes_on(before: Diagnosis, after: Diagnosis) -> bool:
    """The edited line was still not enough, as where a later batch holds a class id that is larger still."""
    one, other = before.site, after.site
    return one is not None and other is not None and (one.file, one.line) == (other.file, other.line) and before.message != after.message


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
        return BLIND
    course = after.course
    return "the loss is no number at some steps" if course is not None and course.non_finite is not None else ""


def _concluded(repair: Repair, before: Attempt, after: Attempt) -> tuple[int, Report | None]:
    """Show what was done; write it, if that was asked for and proved."""
    proof = _proof(repair, before, after)
    why = proof.why
    if repair.kept:
        _say_diff(repair)
        repair.say(compared(figures(before, proof.pair, proof.pair.before), figures(after, proof.pair, proof.pair.after)))
        repair.say(side_by_side(before.course, after.course))
    remaining = {diagnosis.message: repair.refused.get(diagnosis.message, "") for diagnosis in after.roots}
    repair.say(
        summary(
            tuple(kept.diagnosis for kept in repair.kept),
            why,
            remaining,
            tuple(sorted(repair.left)),
            proof.alone,
            shown=proof.shown,
        )
    )
    report = before.report
    if report is not None:  # before the source changes: its diffs are against what was run
        report = _told(with_fixes(report, repair.folder), repair, before, after, proof)
    if repair.wish.write and not why:
        _write(repair)
    elif not why:
        repair.say("nothing was written; `--write` keeps the change")
    return (0 if not why and not after.roots else 1), report


def _say_diff(repair: Repair) -> None:
    for path, text in repair.texts.items():
        shown = os.path.relpath(path, repair.folder)
        repair.say("\n" + unified(repair.originals[path], text, shown))


def _told(report: Report, repair: Repair, before: Attempt, after: Attempt, proof: Proof) -> Report:
    """The report on the program as it stood, with what trying the fixes showed."""
    kept = {kept.diagnosis.message for kept in repair.kept}
    one, other = figures(before, proof.pair, proof.pair.before), figures(after, proof.pair, proof.pair.after)
    course = after.course or Course()
    tried = partial(replace, tried=not proof.why, before=one, after=other, curve=course.curve, curve_width=course.curve_width)
    shown = {message: proof.said_of(message) for message in kept}
    found = [
        replace(
            diagnosis, fix=tried(diagnosis.fix, verified=not proof.why and not shown[diagnosis.message], shown=shown[diagnosis.message])
        )
        if diagnosis.fix is not None and diagnosis.message in kept
        else diagnosis
        for diagnosis in report.diagnoses
    ]
    return replace(report, diagnoses=tuple(found))


def figures(run: Attempt, pair: Likened, losses: Losses) -> dict[str, Scalar]:
    """What tells whether a program learns, and the patched loss by its parameters."""
    known = {"patched_loss_first": pair.start, "patched_loss_last": pair.at(losses, pair.moments[-1])} if pair.moments else {}
    return {**run.figures(), **known}


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
