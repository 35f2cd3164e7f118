"""What holds for every rule: none crashes on a well-formed record, and none depends on what values are called."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import HealthCheck, given, note, settings

from ir.networks import networks
from ir.strategies import records
from whygrad.diagnosis import Diagnosis, Rule
from whygrad.flow import Index
from whygrad.ir import Graph, Intervention, Record, Step
from whygrad.rules import load_rules

RULES = load_rules()
RANK = {"note": 0, "warning": 1, "error": 2}
ROOMY = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=100)


@pytest.mark.slow
@ROOMY
@given(record=records() | networks())
def test_no_rule_crashes_on_a_well_formed_record(record: Record):
    index = Index(record)
    for rule in RULES:
        note(rule.code)
        for diagnosis in rule.check(index):
            assert_sound(rule, diagnosis)


def assert_sound(rule: Rule, diagnosis: Diagnosis) -> None:
    assert diagnosis.rule == rule.code
    assert diagnosis.name == rule.name
    assert RANK[diagnosis.severity] <= RANK[rule.severity]
    assert diagnosis.confidence != "suspected" or diagnosis.severity != "error"
    assert diagnosis.message
    assert not diagnosis.message.endswith(".")


@pytest.mark.slow
@ROOMY
@given(record=records() | networks())
def test_renaming_values_changes_nothing(record: Record):
    named = called_as_named(record)
    before, after = Index(named), Index(renamed(named))
    for rule in RULES:
        note(rule.code)
        assert [shape(d) for d in rule.check(after)] == [shape(d) for d in rule.check(before)]


def shape(diagnosis: Diagnosis) -> tuple[object, ...]:
    """A diagnosis without the names of values, which its facts may hold."""
    return (
        diagnosis.rule,
        diagnosis.severity,
        diagnosis.confidence,
        diagnosis.message,
        diagnosis.site,
        diagnosis.kind,
        len(diagnosis.facts),
    )


def called_as_named(record: Record) -> Record:
    """The record in which the user's code knows every value by a name, as ours are never shown then."""
    return replace(record, steps=tuple(replace(step, graph=called(step.graph)) for step in record.steps))


def called(graph: Graph) -> Graph:
    return replace(graph, values={name: replace(value, called=value.called or name) for name, value in graph.values.items()})


def renamed(record: Record) -> Record:
    """Every value under a new name, wherever it is mentioned."""
    names = {name: f"%{number}" for number, name in enumerate({n: None for step in record.steps for n in step.graph.values})}
    new = names.__getitem__
    batches = tuple(replace(batch, values=tuple(map(new, batch.values))) for batch in record.batches)
    return replace(record, batches=batches, steps=tuple(renamed_step(step, new) for step in record.steps))


def renamed_step(step: Step, new: Callable[[str], str]) -> Step:
    ops = tuple(replace(op, inputs=tuple(map(new, op.inputs)), outputs=tuple(map(new, op.outputs))) for op in step.graph.ops)
    values = {new(name): replace(value, name=new(name)) for name, value in step.graph.values.items()}
    of_values = ("backward", "batch")

    def known(name: str) -> str:
        return new(name) if name in step.graph.values else name

    return replace(
        step,
        graph=Graph(ops, values),
        events=tuple(replace(e, targets=tuple(map(new, e.targets))) if e.kind in of_values else e for e in step.events),
        parameters=tuple(replace(parameter, value=new(parameter.value)) for parameter in step.parameters),
        scopes=tuple(replace(scope, arguments={key: new(name) for key, name in scope.arguments.items()}) for scope in step.scopes),
        labels=replace(step.labels, values=tuple(map(new, step.labels.values))),
        births=tuple(replace(birth, value=known(birth.value), op=known(birth.op)) for birth in step.births),
        trials=tuple(replace(trial, intervention=renamed_intervention(trial.intervention, new)) for trial in step.trials),
    )


def renamed_intervention(intervention: Intervention, new: Callable[[str], str]) -> Intervention:
    """Every name that an intervention holds is a value's; its other fields are figures."""
    fields = msgspec.structs.asdict(intervention)
    return type(intervention)(**{key: renamed_field(key, value, new) for key, value in fields.items()})


def renamed_field(key, value, new):
    if isinstance(value, str) and key in ("value", "op", "target"):
        return new(value)
    return tuple(map(new, value)) if isinstance(value, tuple) and value and isinstance(value[0], str) else value
