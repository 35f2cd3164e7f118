"""Records written by hand: the text form, with everything filled in that a short sketch leaves out.

What a text says explicitly stays as it is: a step with `parameter` lines keeps just those, one with events keeps just those, and so on.
"""

from collections.abc import Iterator
from dataclasses import replace
from textwrap import dedent

from whygrad.diagnosis import Diagnosis, Rule
from whygrad.flow import Index, StepIndex
from whygrad.ir import Ending, Event, Group, Optimizer, Outcome, Parameter, Step, Value
from whygrad.ir.text import loads


def sketch(text: str, *, steps: int = 1) -> Index:
    """The index of the record that `text` describes, completed; `steps=2` runs a single step twice."""
    record = loads(dedent(text))
    drawn = tuple(_with_losses(step) for step in record.steps or (Step(0),))
    if steps > 1 and len(drawn) == 1:
        drawn = tuple(replace(drawn[0], index=number) for number in range(steps))
    optimizers = record.optimizers or (_optimizer(drawn),)
    holders = {name: optimizer.name for optimizer in optimizers for group in optimizer.groups for name in group.parameters}
    whole = tuple(_complete(step, holders) for step in drawn)
    endings = record.endings or _endings(whole, holders)
    return Index(replace(record, steps=whole, optimizers=optimizers, endings=endings, outcome=_counted(record.outcome, whole)))


def said(rule: Rule, text: str, *, steps: int = 1) -> list[Diagnosis]:
    """What `rule` says about a sketch."""
    return list(rule.check(sketch(text, steps=steps)))


def _with_losses(step: Step) -> Step:
    """The step in which values called `loss` are losses."""
    values = {name: _as_loss(value) for name, value in step.graph.values.items()}
    return replace(step, graph=replace(step.graph, values=values))


def _as_loss(value: Value) -> Value:
    return replace(value, role="loss") if value.name == "loss" and value.role == "activation" else value


def _parameters(step: Step) -> tuple[Parameter, ...]:
    """The step's own parameters, or one for each value of that role."""
    return step.parameters or tuple(Parameter(v.name, v.name) for v in step.graph.values.values() if v.role == "parameter")


def _optimizer(steps: tuple[Step, ...]) -> Optimizer:
    """Plain SGD over all trainable parameters."""
    names = dict.fromkeys(p.name for step in steps for p in _parameters(step) if p.trainable)
    return Optimizer("opt", native="SGD", steps=2, rates=(0.1, 0.1), groups=(Group(rate=0.1, parameters=tuple(names)),))


def _complete(step: Step, holders: dict[str, str]) -> Step:
    """The step with events, and with parameters as a run of its ops would leave them, where it had none."""
    if not step.events:
        step = replace(step, events=tuple(_events(step)))
    if not step.parameters:
        index = StepIndex(replace(step, parameters=_parameters(step)))
        step = replace(step, parameters=tuple(_judged(p, index, holders.get(p.name, "")) for p in index.step.parameters))
    return replace(step, updated=step.updated or _updates(step))


def _events(step: Step) -> Iterator[Event]:
    """What a plain training step does after its forward."""
    end = len(step.graph.ops)
    losses = tuple(name for name, value in step.graph.values.items() if value.role == "loss")
    if losses:
        yield Event("backward", end, losses)
    yield Event("optimizer_step", end, ("opt",))


def _updates(step: Step) -> bool:
    return any(event.kind in ("optimizer_step", "update") for event in step.events)


def _judged(parameter: Parameter, index: StepIndex, optimizer: str) -> Parameter:
    """The parameter as the sketched step finds and leaves it."""
    has = bool(index.step.differentiated) and parameter.value in index.gets_gradient
    updated = _updates(index.step)
    return replace(
        parameter,
        optimizer=optimizer,
        reached=parameter.value in index.consumers,
        gradient="finite" if has else "none",
        gradient_norm=1.0 if has else None,
        gradient_at_update=None if not updated else "finite" if has else "none",
        update_norm=0.1 if updated and has and optimizer else None,
    )


def _endings(steps: tuple[Step, ...], holders: dict[str, str]) -> dict[str, Ending]:
    """A parameter changed if an update found a gradient on it and an optimizer holds it."""
    names = dict.fromkeys(p.name for step in steps for p in step.parameters)
    seen = {p.name for step in steps for p in step.parameters if p.gradient != "none"}
    moved = {p.name for step in steps if step.updated for p in step.parameters if p.gradient != "none" and p.name in holders}
    return {name: Ending(changed=name in moved, gradient_seen=name in seen) for name in names}


def _counted(outcome: Outcome, steps: tuple[Step, ...]) -> Outcome:
    """Steps and backwards seen are at least those recorded."""
    backwards = sum(event.kind == "backward" for step in steps for event in step.events)
    return replace(outcome, steps_seen=max(outcome.steps_seen, len(steps)), backwards_seen=max(outcome.backwards_seen, backwards))
