"""Masks that a forward is given and never reads, while it takes a mean over the positions that they mark."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Value

POOLING = ("mean", "sum", "max")
MASKING = ("compare", "where", "scatter", "write")
"""Kinds of op by which a forward may find the padding itself."""
SHARE = 0.05
"""Share of positions that must be padding: below it the mean hardly changes."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A mask that nobody reads, and the op that reduces the positions."""

    step: StepIndex
    mask: Value
    argument: str
    function: str
    op: Op
    share: float
    """Of the positions, what the mask takes out."""


def unread_masks(index: Index) -> Iterator[Unread]:
    """The first recorded step that shows each."""
    seen: set[str] = set()
    for step in index.steps:
        for scope in step.step.scopes:
            for argument in scope.unread:
                name = scope.arguments.get(argument, "")
                found = _pooled(step, step.value(name)) if name and name not in step.shapes_loss else None
                if found is not None and argument not in seen:
                    seen.add(argument)
                    yield Unread(step, step.value(name), argument, scope.function, found, _padding(step.value(name)) or 0.0)


def _pooled(step: StepIndex, mask: Value) -> Op | None:
    """The op that reduces the positions of a mask's shape, without anything in sight that could leave the padding out."""
    if _padding(mask) is None or mask.shape is None or len(mask.shape) != 2:  # noqa: PLR2004 - rows and positions
        return None
    rows, positions = mask.shape
    for op in step.graph.ops:
        given = step.value(op.inputs[0]).shape if op.inputs else None
        made = step.value(op.output).shape if op.outputs else None
        pools = op.kind in POOLING and given is not None and made is not None and len(given) == 3 and given[:2] == (rows, positions)  # noqa: PLR2004 - rows, positions, features
        if (
            pools
            and made is not None
            and made[:1] == (rows,)
            and positions not in made[1:2]
            and not step.shapes_loss.isdisjoint(op.outputs)
        ):
            return op if not _masked(step, op.inputs[0], (rows, positions)) else None
    return None


def _masked(step: StepIndex, name: str, shape: tuple[int, int]) -> bool:
    """What is reduced was multiplied or filled by something of the mask's shape, or stands on an embedding that gives padding zeros."""
    above = step.upstream(name)
    for op in step.graph.ops:
        if above.isdisjoint(op.outputs):
            continue
        shapes = [step.value(item).shape for item in op.inputs]
        thin = any(s is not None and s[:2] == shape and all(size == 1 for size in s[2:]) for s in shapes)
        if op.kind in MASKING or (op.kind == "mul" and thin) or (op.kind == "embedding" and op.attributes.get("padding_idx") is not None):
            return True
    return False


def _padding(mask: Value) -> float | None:
    """Share of zeros of a tensor of zeros and ones; None for anything else, and for a mask that takes nothing out."""
    figures = mask.statistics
    if figures is None or figures.zeros is None or figures.minimum != 0 or figures.maximum != 1 or figures.whole not in (None, 1.0):
        return None
    return figures.zeros if SHARE <= figures.zeros < 1 else None
