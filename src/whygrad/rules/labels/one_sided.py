"""The part of WG103 that asks whether all binary losses of a step compare with one and the same constant."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op
from whygrad.loss_contracts import target_of
from whygrad.rules.phrases import figure, listed, places

BINARY = frozenset(("binary_cross_entropy", "bce_with_logits"))


def one_sided(index: Index) -> Iterator[Diagnosis]:
    """What is said of a kind of step, all of whose recorded steps are so."""
    for kind, steps in index.kinds.items():
        found = [told(step) for step in steps]
        levels = {level for item in found if item is not None for level in (item[1],)}
        if found and None not in found and len(levels) == 1 and found[0] is not None:
            yield _about(kind, steps[0], found[0][0], levels.pop())


def told(step: StepIndex) -> tuple[list[Op], float] | None:
    """The losses of a step and the one number that they compare with, where a constant output would be the best answer to all of them."""
    ops = [op for op in step.loss_ops() if not op.failed]
    levels = {_constant(step, op) for op in ops}
    if len(ops) < 2 or not all(op.kind in BINARY for op in ops) or len(levels) != 1:  # noqa: PLR2004 - a generator's step has one such loss
        return None
    level = levels.pop()
    return (ops, level) if level is not None and _nothing_else(step, ops) and _own(step) else None


def _constant(step: StepIndex, op: Op) -> float | None:
    """The one entry of a target that the program made itself, outside of its data."""
    target = target_of(op)
    figures = step.value(target).statistics if target is not None else None
    if target is None or figures is None or target in step.from_data or target in step.depends_on_parameters:
        return None
    return figures.minimum if figures.minimum in (0.0, 1.0) and figures.minimum == figures.maximum and not figures.sampled else None


def _nothing_else(step: StepIndex, ops: list[Op]) -> bool:
    """No other term, such as a penalty, is added to them on the way to what is differentiated."""
    above = frozenset(name for op in ops for name in step.upstream(op.output))
    below = step.downstream(frozenset(op.output for op in ops))
    after = (op for op in step.graph.ops if not step.shapes_loss.isdisjoint(op.outputs) and above.isdisjoint(op.outputs))
    return all(name in below or name not in step.depends_on_parameters for op in after for name in op.inputs)


def _own(step: StepIndex) -> bool:
    """Whatever gets a gradient is updated by this step: a generator is told one number too, through a model that another step teaches two."""
    stepping = {name for event in step.events("optimizer_step") for name in event.targets}
    reached = [p for p in step.step.parameters if p.trainable and p.value in step.gets_gradient]
    return bool(reached) and all(p.optimizer in stepping for p in reached)


def _about(kind: int, step: StepIndex, ops: list[Op], level: float) -> Diagnosis:
    last, name = ops[-1], step.value(target_of(ops[-1]) or "").shown
    reached = [p.name for p in step.step.parameters if p.trainable and p.value in step.gets_gradient]
    return Diagnosis(
        rule="WG103",
        name="constant-labels",
        severity="warning",
        confidence="proved",
        message=f"all {len(ops)} losses of this step compare with {figure(level)} alone: there is nothing to tell apart",
        site=last.site,
        label=f"`{name}` is {figure(level)} here as well",
        related=places(*((op.site, f"compares with {figure(level)}") for op in ops[:-1] if op.site != last.site)),
        evidence=(
            Evidence(f"{listed(reached)} learn from {len(ops)} binary losses and nothing else, and every entry of every target is {figure(level)}", "losses", len(ops)),
        ),
        help=f"give one of the losses the other target, {figure(1 - level)}: what is to be told apart from the rest, such as a generator's outputs",
        facts=frozenset({Fact("constant", target_of(op) or "") for op in ops}),
        explains=frozenset({Fact("insensitive", str(kind)), Fact("stands", str(kind))}),
        kind=kind,
        step=step.step.index,
        names=(name,),
    )  # fmt: skip
