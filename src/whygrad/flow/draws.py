"""Draws between two sets of parameters: one set is trained through the draw by intent, and gets nothing back through it."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from whygrad.flow.index import Index, StepIndex
from whygrad.ir import Op, Parameter, family, passing

_ADDING = frozenset(("add", "sub"))
_SHARING = frozenset(("mean", "sum", "neg", "mul", "div", "reshape", *_ADDING))
"""What a program does with the terms of its loss: adds, weighs and averages them."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw whose distribution some parameters make, and whose outcome others read on the way to the loss."""

    step: StepIndex
    op: Op
    behind: tuple[Parameter, ...]
    """They make the distribution, and have a gradient from other terms of the loss alone."""
    readers: tuple[Parameter, ...]
    """They read what was drawn."""


def draws(index: Index) -> tuple[Draw, ...]:
    """Each place of the source once, in the first step that shows it."""
    found: dict[object, Draw] = {}
    for step in index.steps:
        for op in step.graph.ops:
            draw = _draw(step, op) if op.kind == "sample" and op.outputs else None
            if draw is not None:
                found.setdefault((op.site.file, op.site.line) if op.site else op.output, draw)
    return tuple(found.values())


def _draw(step: StepIndex, op: Op) -> Draw | None:
    """Nothing where the outcome is an id, is never read on the way to the loss, or where the gradient has a way beside the draw."""
    # timid: a model that reads ids it picked itself is trained by what it says of each
    if not step.value(op.output).dtype.startswith(("f", "bf")) or op.output not in step.shapes_loss:
        return None
    above, below = _above(step, op), _below(step, (op.output,), ())
    behind = tuple(p for p in _trained(step) if p.value in above)
    reads = {name for other in step.graph.ops if not below.isdisjoint(other.inputs) for name in other.inputs}
    if not behind or below.isdisjoint(step.losses):
        return None
    readers = tuple(p for p in _trained(step) if p.value in reads)
    beside = _below(step, tuple(p.value for p in behind), (op.output,))
    return Draw(step, op, behind, readers) if readers and not _meet(step, below, beside) else None


def _trained(step: StepIndex) -> Iterator[Parameter]:
    """Held by an optimizer, and reached by a gradient of this loss."""
    return (p for p in step.step.parameters if p.trainable and p.optimizer and p.value in step.gets_gradient)


def _above(step: StepIndex, draw: Op) -> frozenset[str]:
    """What the distribution was computed from with a derivative; what was detached was cut off on purpose."""
    found = set(draw.inputs)
    for op in reversed(step.graph.ops):
        if not found.isdisjoint(op.outputs) and (op.tracking or family(op.kind) == "layout") and passing(op.kind) not in ("cut", "zero"):
            found.update(op.inputs)
    return frozenset(found)


def _below(step: StepIndex, names: tuple[str, ...], without: Container[str]) -> frozenset[str]:
    """What is computed from these through ops with a derivative, save what is made of `without`."""
    found = set(names)
    for op in step.graph.ops:
        if not found.isdisjoint(op.inputs) and passing(op.kind) not in ("cut", "zero"):
            found.update(name for name in op.outputs if name not in without)
    return frozenset(found)


def _meet(step: StepIndex, below: frozenset[str], beside: frozenset[str]) -> bool:
    """Outcome and distribution meet before the terms of the loss are added.

    So they do in the log-probability of the draw, in noise scaled by hand, in a straight-through estimator, and where a model goes on from its own draws.
    """
    terms = _terms(step)
    for op in step.graph.ops:
        if below.isdisjoint(op.inputs) or beside.isdisjoint(op.inputs) or step.shapes_loss.isdisjoint(op.outputs):
            continue
        added = op.kind in _ADDING and not terms.isdisjoint(op.outputs)
        alone = any(name in below and name in beside for name in op.inputs) and not terms.isdisjoint(op.outputs)
        if not (added or alone):
            return True
    return False


def _terms(step: StepIndex) -> frozenset[str]:
    """The loss and the terms that it is the sum of; a product of two things that are trained is one term."""
    found = set(step.losses)
    for op in reversed(step.graph.ops):
        trained = sum(name in step.depends_on_parameters for name in op.inputs)
        if not found.isdisjoint(op.outputs) and op.kind in _SHARING and (op.kind in _ADDING or trained <= 1):
            found.update(op.inputs)
    return frozenset(found)
