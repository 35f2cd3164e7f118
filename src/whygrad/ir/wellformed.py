"""Whether a record holds together: a table of checks, so that rules need not ask."""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import get_args

from whygrad.ir.kinds import KINDS
from whygrad.ir.ops import Attribute, Graph
from whygrad.ir.record import Record
from whygrad.ir.steps import EventKind, GradientState, Step
from whygrad.ir.trials import (
    Bypass,
    Descend,
    Differentiate,
    Follow,
    Lift,
    Permute,
    Perturb,
    Reseed,
    Reshape,
    Reword,
    Standardise,
    Unhook,
    Vary,
)
from whygrad.ir.values import ROLES


def problems(record: Record) -> tuple[str, ...]:
    """What is wrong with a record, in sentences; empty for a well-formed one."""
    of_steps = (f"step {step.index}: {problem}" for step in record.steps for check in STEP_CHECKS for problem in check(step))
    return (*(problem for check in RECORD_CHECKS for problem in check(record)), *of_steps)


def _produced(graph: Graph) -> frozenset[str]:
    return frozenset(name for op in graph.ops for name in op.outputs)


def values_are_declared(step: Step) -> Iterator[str]:
    """Every value that an op reads or makes stands in the table of values, under its own name."""
    for at, op in enumerate(step.graph.ops):
        yield from (f"op {at} ({op.kind}): `{n}` is not declared" for n in (*op.inputs, *op.outputs) if n not in step.graph.values)
    yield from (f"value `{value.name}` stands under `{name}`" for name, value in step.graph.values.items() if value.name != name)


def inputs_come_first(step: Step) -> Iterator[str]:
    """A value that an op makes is not read before."""
    later = set(_produced(step.graph))
    for at, op in enumerate(step.graph.ops):
        yield from (f"op {at} ({op.kind}): reads `{name}` before it is made" for name in op.inputs if name in later)
        later.difference_update(op.outputs)


def one_producer(step: Step) -> Iterator[str]:
    """No value is made twice."""
    made: set[str] = set()
    for at, op in enumerate(step.graph.ops):
        for name in op.outputs:
            if name in made:
                yield f"op {at} ({op.kind}): `{name}` is made a second time"
            made.add(name)


def kinds_and_roles(step: Step) -> Iterator[str]:
    """Kinds, roles, events and gradient states are those of the tables."""
    yield from (f"op {at}: unknown kind `{op.kind}`" for at, op in enumerate(step.graph.ops) if op.kind not in KINDS)
    yield from (f"value `{v.name}`: unknown role `{v.role}`" for v in step.graph.values.values() if v.role not in ROLES)
    yield from (f"event {at}: unknown kind `{e.kind}`" for at, e in enumerate(step.events) if e.kind not in get_args(EventKind))
    states = (*get_args(GradientState), None)
    yield from (f"parameter `{p.name}`: unknown gradient `{p.gradient}`" for p in step.parameters if p.gradient not in states[:-1])
    yield from (
        f"parameter `{p.name}`: unknown gradient `{p.gradient_at_update}`" for p in step.parameters if p.gradient_at_update not in states
    )


def carries_fit(step: Step) -> Iterator[str]:
    """`carries` has one entry for each input."""
    for at, op in enumerate(step.graph.ops):
        if op.carries is not None and len(op.carries) != len(op.inputs):
            yield f"op {at} ({op.kind}): {len(op.carries)} entries in `carries` for {len(op.inputs)} inputs"


def attributes_are_plain(step: Step) -> Iterator[str]:
    """Attributes of ops and events are scalars, or tuples of scalars: what a file can hold and give back."""
    for at, op in enumerate(step.graph.ops):
        yield from (f"op {at} ({op.kind}): the attribute `{key}` is no scalar and no tuple of scalars" for key in _odd(op.attributes))
    for at, event in enumerate(step.events):
        yield from (
            f"event {at} ({event.kind}): the attribute `{key}` is no scalar and no tuple of scalars" for key in _odd(event.attributes)
        )


def _odd(attributes: Mapping[str, Attribute]) -> Iterator[str]:
    for key, value in attributes.items():
        entries = value if type(value) is tuple else (value,)
        if not all(entry is None or type(entry) in (bool, int, float, str) for entry in entries):
            yield key


def shapes_are_sizes(step: Step) -> Iterator[str]:
    """No axis is shorter than nothing, and statistics speak of at least no entry."""
    for value in step.graph.values.values():
        if value.shape is not None and any(size < 0 for size in value.shape):
            yield f"value `{value.name}`: the shape {value.shape} has a negative size"
        if value.statistics and value.statistics.count < 0:
            yield f"value `{value.name}`: statistics of {value.statistics.count} entries"


def events_are_placed(step: Step) -> Iterator[str]:
    """Events stand between ops, in order."""
    before = 0
    for at, event in enumerate(step.events):
        if not 0 <= event.at <= len(step.graph.ops):
            yield f"event {at} ({event.kind}): stands at op {event.at} of {len(step.graph.ops)}"
        if event.at < before:
            yield f"event {at} ({event.kind}): stands before the event above it"
        before = event.at


def losses_exist(step: Step) -> Iterator[str]:
    """What was differentiated is a value of the step."""
    yield from (f"the loss `{name}` is not declared" for name in step.differentiated if name not in step.graph.values)


def scopes_exist(step: Step) -> Iterator[str]:
    """Ops run in scopes of the step, and scopes are given values of the step."""
    for at, op in enumerate(step.graph.ops):
        if op.scope is not None and not 0 <= op.scope < len(step.scopes):
            yield f"op {at} ({op.kind}): there is no scope {op.scope}"
    for at, scope in enumerate(step.scopes):
        given = scope.arguments.items()
        yield from (
            f"scope {at} ({scope.function}): `{arg}` is `{name}`, not declared" for arg, name in given if name not in step.graph.values
        )


def parameters_have_values(step: Step) -> Iterator[str]:
    """Every parameter names a value of the step, and stands once."""
    names = [parameter.name for parameter in step.parameters]
    yield from (f"parameter `{p.name}`: its value `{p.value}` is not declared" for p in step.parameters if p.value not in step.graph.values)
    if len(names) != len(set(names)):
        yield "a parameter is listed twice"


def labels_are_values(step: Step) -> Iterator[str]:
    """Labels are values of the step, and whoever found some says how."""
    yield from (f"the label `{name}` is not declared" for name in step.labels.values if name not in step.graph.values)
    if step.labels.values and not step.labels.how:
        yield "labels were found, but not how"


def trials_name_the_step(step: Step) -> Iterator[str]:
    """Experiments change ops and values that the step has."""
    produced = _produced(step.graph)
    for trial in step.trials:
        match trial.intervention:
            case Permute(values=names) | Standardise(values=names) | Vary(values=names) | Unhook(values=names):
                known: tuple[str, ...] = names if all(name in step.graph.values for name in names) else ()
            case Follow():
                names = known = ()
            case Descend():
                names = (*trial.intervention.standardise, *trial.intervention.activate, *trial.intervention.control)
                known = (
                    names if all(name in step.graph.values for name in names) and produced.issuperset(trial.intervention.activate) else ()
                )
            case Perturb():
                names = (trial.intervention.value, trial.intervention.op, trial.intervention.target)
                known = names if all(name in step.graph.values for name in names) else ()
            case Reword():
                names = (trial.intervention.value, trial.intervention.op)
                known = names if all(name in step.graph.values for name in names) else ()
            case Lift(ops=names) | Bypass(ops=names) | Differentiate(ops=names) | Reseed(ops=names):
                known = names if produced.issuperset(names) else ()
            case Reshape(value=name):
                names = (name,)
                known = names if name in step.graph.values else ()
        if names != known:
            yield f"a trial changes {', '.join(f'`{name}`' for name in names)}, which the step does not have"


def births_name_the_step(step: Step) -> Iterator[str]:
    """Numbers that are not finite were born at ops and in values that the step has, in this step or later."""
    produced = _produced(step.graph)
    for birth in step.births:
        if any(op and op not in produced for op in (birth.op, birth.reader)) or (birth.value and birth.value not in step.graph.values):
            yield f"a birth names `{birth.op or birth.value}`, which the step does not have"
        if birth.step < step.index:
            yield f"a birth at step {birth.step} stands in step {step.index}"


def steps_in_order(record: Record) -> Iterator[str]:
    """Steps are numbered from 0 and in order."""
    numbers = [step.index for step in record.steps]
    if any(number < 0 for number in numbers) or any(a >= b for a, b in pairwise(numbers)):
        yield f"steps are numbered {', '.join(map(str, numbers))}"


def optimizers_are_known(record: Record) -> Iterator[str]:
    """Optimizers have different names, and those that parameters name exist."""
    names = [optimizer.name for optimizer in record.optimizers]
    if len(names) != len(set(names)):
        yield "two optimizers have the same name"
    named = {(p.name, p.optimizer) for step in record.steps for p in step.parameters if p.optimizer}
    yield from (f"parameter `{name}` is held by `{holder}`, which is not listed" for name, holder in sorted(named) if holder not in names)


def collations_count_rows(record: Record) -> Iterator[str]:
    """No more rows are elsewhere than there are, and none is fewer than nothing."""
    for item in record.collations:
        if not 0 <= item.moved <= item.rows:
            yield f"a collation of {item.rows} rows has {item.moved} elsewhere"
    yield from (f"a fit of {fit.rows} rows" for fit in record.fits if fit.rows < 0)


STEP_CHECKS: tuple[Callable[[Step], Iterator[str]], ...] = (
    values_are_declared,
    inputs_come_first,
    one_producer,
    kinds_and_roles,
    carries_fit,
    attributes_are_plain,
    shapes_are_sizes,
    events_are_placed,
    losses_exist,
    scopes_exist,
    parameters_have_values,
    labels_are_values,
    trials_name_the_step,
    births_name_the_step,
)
RECORD_CHECKS: tuple[Callable[[Record], Iterator[str]], ...] = (steps_in_order, optimizers_are_known, collations_count_rows)
