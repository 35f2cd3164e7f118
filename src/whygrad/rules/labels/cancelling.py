"""The part of WG106 that tells of an old value which is computed anew from the same parameters, so that the two gradients cancel."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op
from whygrad.rules.phrases import listed, places, plural, typed
from whygrad.rules.remedies import operand, remedy

NOTHING = {"sub": 0.0, "div": 1.0}
"""What a comparison of a value with itself gives in every entry."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A value compared with its equal, both of the same parameters."""

    step: StepIndex
    op: Op
    parameters: tuple[str, ...]


def cancelled(index: Index) -> Iterator[Diagnosis]:
    """Comparisons that were of nothing in every recorded step, where parameters that go into both sides never had a gradient but zero."""
    still = {name for name, ending in index.record.endings.items() if not ending.changed}
    states: dict[str, set[str]] = {}
    for step in index.steps:
        for parameter in step.step.parameters if step.step.differentiated else ():
            states.setdefault(parameter.name, set()).add(parameter.gradient)
    names = frozenset(name for name, seen in states.items() if seen == {"zero"} and name in still)
    found = [one for step in index.steps if names and step.losses for one in _of_step(step, names)]
    if found:
        yield _diagnosis(index, found[0], sum(one.op.site == found[0].op.site for one in found))


def _of_step(step: StepIndex, names: frozenset[str]) -> Iterator[Cancelled]:
    for op in step.graph.ops:
        if op.kind not in NOTHING or len(op.inputs) != 2 or op.inputs[0] == op.inputs[1] or step.shapes_loss.isdisjoint(op.outputs):  # noqa: PLR2004 - two sides
            continue
        figures = step.value(op.output).statistics
        if figures is None or not figures.minimum == figures.maximum == NOTHING[op.kind] or figures.finite != 1.0:
            continue
        one, other = (names & trained_above(step, name) for name in op.inputs)
        # timid: a side that is cut off gives the other its gradient
        if one and one == other:
            yield Cancelled(step, op, tuple(p.name for p in step.step.parameters if p.name in one))


def trained_above(step: StepIndex, name: str) -> frozenset[str]:
    """Parameters that an optimizer holds and that a gradient from `name` flows back to."""
    found = {name}
    for op in reversed(step.graph.ops):
        if not found.isdisjoint(op.outputs):
            found.update(given for given, open_ in zip(op.inputs, op.carrying, strict=True) if open_)
    held = {p.value: p.name for p in step.step.parameters if p.trainable and p.optimizer}
    return frozenset(held[value] for value in found if value in held) if name in step.gets_gradient else frozenset()


def _diagnosis(index: Index, found: Cancelled, times: int) -> Diagnosis:
    step, op, names = found.step, found.op, found.parameters
    mine, old = (step.value(name) for name in op.inputs)
    what = f"{NOTHING[op.kind]:g}"
    made = step.producer[old.name][1].site if old.name in step.producer else None
    return Diagnosis(
        rule="WG106",
        name="undetached-target",
        severity="warning",
        confidence="proved",
        message=f"`{mine.shown}` and `{old.shown}` are the same, computed twice from {listed(names)}: their gradients cancel, and the parameters get none",
        site=op.site,
        label=f"is {what} in every entry, and its gradient 0",
        related=places((made, f"`{old.shown}` is computed here, with gradient")),
        evidence=(
            Evidence(
                f"{typed(step.value(op.output))} is exactly {what} in every entry, in {plural(times, 'recorded step')}", "difference", 0.0
            ),
            Evidence(
                f"the gradient of {listed(names)} is exactly 0 in every recorded step, and their values are the same at the end",
                "gradient_norm",
                0.0,
            ),
        ),
        help=f"the old value has to be one of an earlier time: keep it when it is computed first, and let no gradient into it: {idiom(index, 'no gradient target')}",
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset(Fact("unmoved", name) for name in names),
        kind=step.step.kind,
        step=step.step.index,
        names=(old.shown,),
        remedy=remedy("let no gradient into the old value", operand(op, old, spelling(index, "no gradient"))),
    )
