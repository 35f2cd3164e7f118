"""From a record to a report: every rule over one index, the folding of symptoms, and the figures that readers see."""

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeVar

from whygrad.baseline import is_accepted
from whygrad.diagnosis import Coverage, Diagnosis, Fact, Picture, Report, Rule, StepKind, Test
from whygrad.errors import WhygradError
from whygrad.flow import Index
from whygrad.flow.failures import gist
from whygrad.flow.picturing import picture
from whygrad.flow.trials import judged, trial_of
from whygrad.garbage import uncollected
from whygrad.ir import Measures, Record, Site, Step
from whygrad.ranking import rank
from whygrad.rules import rule_modules, rule_of
from whygrad.suppressions import suppressed

QUOTED = 500
"""Characters of an exception's message that are quoted: Keras may tell the sizes of every array that it was given."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What all rules said of a record, and which of them failed."""

    diagnoses: tuple[Diagnosis, ...]
    coverage: Coverage
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rules there are, and which of them may speak."""

    rules: tuple[Rule, ...]
    silent: frozenset[str] = frozenset()
    """Codes that still run and absorb symptoms, but are not shown and gate nothing."""
    faults: tuple[str, ...] = ()
    """Rules of others that could not be loaded."""
    accepted: frozenset[str] = frozenset()
    """Fingerprints of the baseline: diagnoses that are known, not shown, and gate nothing."""


def fault_line(where: str, problem: BaseException) -> str:
    """A fault of ours as the record keeps it: one sentence, then the traceback."""
    lines = "".join(traceback.format_exception(problem)).rstrip()
    what = str(problem).splitlines()
    return f"{where}: {type(problem).__name__}{': ' + what[0] if what else ''}\n{lines}"


def consult(rules: Iterable[Rule], record: Record) -> Judgement:
    """Every rule over one shared index; one that fails is a fault, and the others still speak."""
    index = Index(record)
    said: list[Diagnosis] = []
    unable: dict[str, str] = {}
    faults: list[str] = []
    rules = tuple(rules)
    with uncollected():
        for rule in rules:
            try:
                said.extend(rule.check(index))
            except Exception as problem:  # noqa: BLE001 - a rule that fails must not take the others with it
                unable[rule.code] = f"it failed: {type(problem).__name__}"
                faults.append(fault_line(f"rule {rule.code} {rule.name} failed", problem))
    aside = _without_labels(rules, record)
    judged_by = tuple(rule.code for rule in rules if rule.code not in unable and rule.code not in aside)
    return Judgement(tuple(said), Coverage(judged_by, aside, unable), tuple(faults))


def _without_labels(rules: Iterable[Rule], record: Record) -> tuple[str, ...]:
    """Label rules do not apply to a program without labels."""
    if any(step.labels.values for step in record.steps):
        return ()
    return tuple(rule.code for rule in rules if rule.code.startswith("WG1"))


def tests_wanted(rules: Iterable[Rule], record: Record) -> Iterator[Test]:
    """The experiments that rules ask for on what is recorded so far."""
    return (diagnosis.test for diagnosis in consult(rules, record).diagnoses if diagnosis.test is not None)


def judge(record: Record, choice: Choice, folder: Path) -> Report:
    """The report on a record. Sites are shown relative to `folder` where they lie below it."""
    verdicts = consult(choice.rules, record)
    diagnoses = rank([_with_experiment(diagnosis, record) for diagnosis in verdicts.diagnoses], observed(record))
    hidden = {id(diagnosis) for diagnosis in diagnoses if _hidden(diagnosis, choice, folder)}
    shown = tuple(nearer(diagnosis, folder) for diagnosis in diagnoses if id(diagnosis) not in hidden)
    faults = (*record.faults, *choice.faults, *verdicts.faults)
    grave = any(diagnosis.severity != "note" for diagnosis in shown)
    reason = "" if grave else unjudged(record, failed=bool(faults))
    worst = worst_step(record, shown)
    # as the record has it: the picture is drawn of the record's own places
    leading = next((diagnosis for diagnosis in diagnoses if id(diagnosis) not in hidden), None)
    drawing, broken = _drawn(worst, leading, record)
    index = Index(record)
    trainable = [name for name, parameter in index.parameters.items() if parameter.trainable]
    return Report(
        whygrad=record.whygrad,
        program=record.program,
        arguments=record.arguments,
        frameworks=record.frameworks,
        outcome=nearer(record.outcome, folder),
        steps_recorded=tuple(step.index for step in record.steps),
        healthy=health(shown, judged=not reason),
        reason=reason,
        measures=worst.measures,
        parameters=len(trainable),
        parameters_with_gradient=sum(name in index.with_gradient for name in trainable),
        labels=worst.labels,
        label_names=tuple(dict.fromkeys(_called(worst, name) for name in worst.labels.values)),
        label_sites=tuple(nearer(site, folder) for site in _label_sites(worst)),
        kinds=tuple(_kinds(index, folder)),
        diagnoses=shown,
        suppressed=tuple(nearer(diagnosis, folder) for diagnosis in diagnoses if id(diagnosis) in hidden),
        coverage=verdicts.coverage,
        limits=record.limits,
        faults=(*faults, *broken),
        updates=max(record.outcome.updates_seen, sum(optimizer.steps for optimizer in record.optimizers)),
        updated_by_hand=not record.optimizers and any(event.kind == "update" for step in record.steps for event in step.events),
        picture=nearer(drawing, folder),
    )


def _hidden(diagnosis: Diagnosis, choice: Choice, folder: Path) -> bool:
    return diagnosis.rule in choice.silent or suppressed(diagnosis) or is_accepted(nearer(diagnosis, folder), choice.accepted)


def _drawn(step: Step, leading: Diagnosis | None, record: Record) -> tuple[Picture, tuple[str, ...]]:
    """The picture, and what failed if it could not be drawn: the diagnoses stand without it."""
    sites = (leading.site, *(other.site for other in leading.related)) if leading is not None else ()
    try:
        return picture(step, [site for site in sites if site is not None], record.courses), ()
    except Exception as problem:  # noqa: BLE001 - a report without a picture is better than none
        return Picture(), (fault_line("drawing the step failed", problem),)


def health(diagnoses: Iterable[Diagnosis], *, judged: bool) -> bool | None:
    """False with an error or a warning, None where nothing was judged; notes change nothing."""
    if any(diagnosis.severity != "note" for diagnosis in diagnoses):
        return False
    return True if judged else None


def unjudged(record: Record, *, failed: bool) -> str:
    """Why nothing could be judged; "" where something was."""
    if failed:
        return "whygrad itself failed, so silence means nothing"
    return "" if any(step.differentiated for step in record.steps) else _why_no_step(record)


def _why_no_step(record: Record) -> str:
    outcome, raised = record.outcome, record.outcome.exception
    reasons = (
        (not record.frameworks, "the program never imported a framework that whygrad watches (torch, tensorflow, jax)"),
        (bool(outcome.unwatched) and not outcome.backwards_seen, outcome.unwatched),
        (
            raised is not None and not outcome.steps_seen,
            f"the program ended with {raised.type if raised else ''} before its first training step",
        ),
        (bool(outcome.steps_seen) and not record.steps, f"the program took {outcome.steps_seen} steps, none of which was recorded"),
        (not outcome.backwards_seen, "no gradient was ever asked for: the program ran no backward pass"),
        (
            raised is None and not outcome.steps_seen,
            "gradients were asked for, and none in a way that whygrad can look at",
        ),
    )
    return next((text for holds, text in reasons if holds), "the program ended before a training step was recorded")


def observed(record: Record) -> dict[Fact, str]:
    """Facts of the run itself, with a sentence for each."""
    facts: dict[Fact, str] = {}
    raised = record.outcome.exception
    if raised is not None:
        message = gist(raised.message)
        message = message if len(message) <= QUOTED else f"{message[:QUOTED].rstrip()}…"
        facts[Fact("exception", raised.type)] = f"the program stopped with {raised.type}{': ' + message if message else ''}"
    for step in record.steps:
        if step.measures.label_sensitivity == 0.0:
            facts[Fact("insensitive", str(step.kind))] = "label sensitivity is 0: the gradient is the same with permuted labels"
    return facts


def _with_experiment(diagnosis: Diagnosis, record: Record) -> Diagnosis:
    """The diagnosis with the outcome of the experiment that it asked for, if that was done."""
    if diagnosis.test is None or diagnosis.experiment is not None:
        return diagnosis
    own_step_first = sorted(record.steps, key=lambda step: step.index != diagnosis.step)
    for step in own_step_first:
        trial = trial_of(step, diagnosis.test.intervention)
        if trial is not None:
            return replace(diagnosis, experiment=judged(diagnosis.test, trial, step.measures))
    return diagnosis


def worst_step(record: Record, diagnoses: Sequence[Diagnosis]) -> Step:
    """The step whose figures lead the report: of the kind that the first diagnosis is about, else of the least label sensitivity."""
    blamed = diagnoses[0].kind if diagnoses else None
    measured = [step for step in record.steps if step.measures != Measures()] or list(record.steps)
    candidates = [step for step in measured if step.kind == blamed] or measured
    if not candidates:
        return Step(0)
    return min(candidates, key=lambda step: (_sensitivity(step), -step.index))


def _sensitivity(step: Step) -> float:
    value = step.measures.label_sensitivity
    return value if value is not None else 3.0


def _called(step: Step, name: str) -> str:
    value = step.graph.values.get(name)
    return value.shown if value is not None else name


def _label_sites(step: Step) -> Iterator[Site]:
    """Where the labels were made or handed out, as far as the step shows it."""
    for event in step.events:
        if event.kind == "batch" and event.site is not None and set(event.targets) & set(step.labels.values):
            yield event.site
    for op in step.graph.ops:
        if op.site is not None and set(op.outputs) & set(step.labels.values):
            yield op.site


def _kinds(index: Index, folder: Path) -> Iterator[StepKind]:
    for number, steps in index.kinds.items():
        last = steps[-1].step
        trainable = sum(parameter.trainable and parameter.gradient != "none" for parameter in last.parameters)
        site = next((event.site for event in last.events if event.kind == "backward"), None)
        seen = tuple(step.step.index for step in steps)
        yield StepKind(number, trainable, seen, last.measures, nearer(site, folder) if site is not None else None)


Shown = TypeVar("Shown")


def nearer(shown: Shown, folder: Path) -> Shown:
    """The same data with every place below `folder` given relative to it."""
    return renamed(shown, _shortener(folder))


def renamed(shown: Shown, name: Callable[[str], str]) -> Shown:
    """The same data with every file called as `name` calls it."""
    return _replaced(shown, name)


def _shortener(folder: Path) -> Callable[[str], str]:
    start = str(folder).rstrip("/") + "/"
    return lambda file: file.removeprefix(start)


def _replaced(shown: Shown, short: Callable[[str], str]) -> Shown:
    changes: dict[str, object] = {}
    for name in getattr(type(shown), "__dataclass_fields__", {}):
        value = getattr(shown, name)
        if name == "file":
            changes[name] = short(value)
        elif isinstance(value, tuple) and value and hasattr(value[0], "__dataclass_fields__"):
            changes[name] = tuple(_replaced(item, short) for item in value)
        elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            changes[name] = _replaced(value, short)
    return replace(shown, **changes) if changes else shown  # type: ignore[type-var]  # a dataclass: it has fields


@cache
def foreign_rules() -> tuple[EntryPoint, ...]:
    """The rules that installed packages offer, not loaded yet."""
    return tuple(entry_points(group="whygrad.rules"))


def load_foreign_rules() -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Rules that installed packages offer under the entry-point group `whygrad.rules`, and a fault for each that could not be loaded."""
    found: list[Rule] = []
    faults: list[str] = []
    for entry in foreign_rules():
        try:
            found.append(_loaded(entry))
        except Exception as problem:  # noqa: BLE001 - somebody else's package
            faults.append(fault_line(f"the rule `{entry.name}` of another package could not be loaded", problem))
    return tuple(found), tuple(faults)


def _loaded(entry: EntryPoint) -> Rule:
    rule = entry.load()
    if not isinstance(rule, Rule):
        raise TypeError(f"expected a whygrad.diagnosis.Rule, got {type(rule).__name__}")
    return rule


def without_clashes(own: tuple[Rule, ...], foreign: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """All rules; raises `WhygradError` where another package's rule takes a code that is in use."""
    taken = {rule.code for rule in own}
    for rule in foreign:
        if rule.code in taken:
            raise WhygradError(
                f"two rules have the code `{rule.code}`", help=f"rename `{rule.name}` of the installed plug-in, or uninstall it"
            )
        taken.add(rule.code)
    return (*own, *foreign)


def all_rules() -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Our rules and those of other packages, by code, with a fault for each that could not be loaded."""
    (own, broken), (foreign, faults) = load_own_rules(), load_foreign_rules()
    return tuple(sorted(without_clashes(own, foreign), key=lambda rule: rule.code)), (*broken, *faults)


def load_own_rules() -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Our rules, and a fault for each that could not be loaded: the others still judge, and the program runs."""
    found: list[Rule | None] = []
    faults: list[str] = []
    for module in rule_modules():
        try:
            found.append(rule_of(module))
        except Exception as problem:  # noqa: BLE001 - a rule that fails must not take the others with it
            faults.append(fault_line(f"the rules of `{module}` could not be loaded", problem))
    return tuple(rule for rule in found if rule is not None), tuple(faults)
