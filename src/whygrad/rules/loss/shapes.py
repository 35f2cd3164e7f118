"""How the shapes of a prediction and a target go together."""

from math import prod

from whygrad.flow import StepIndex

Shape = tuple[int, ...]


def broadcast(one: Shape | None, other: Shape | None) -> Shape | None:
    """The shape that two shapes broadcast to; None if they don't, or if one is unknown."""
    if one is None or other is None:
        return None
    length = max(len(one), len(other))
    sizes = list(zip((1,) * (length - len(one)) + one, (1,) * (length - len(other)) + other, strict=True))
    if not all(a == b or 1 in (a, b) for a, b in sizes):
        return None
    return tuple(b if a == 1 else a for a, b in sizes)


def pairs_up(one: Shape | None, other: Shape | None) -> bool:
    """Broadcasting makes more entries than either side has."""
    shape = broadcast(one, other)
    return shape is not None and prod(shape) > max(prod(one or ()), prod(other or ()))


def other_rows(one: Shape | None, other: Shape | None) -> bool:
    """Both have rows, not as many, and not as many entries either: the examples differ in number."""
    return (
        bool(one and other)
        and 1 not in (one or ())[:1] + (other or ())[:1]
        and (one or ())[:1] != (other or ())[:1]
        and prod(one or ()) != prod(other or ())
    )


def widened(step: StepIndex, name: str) -> bool:
    """The op directly in front only added an axis of size 1."""
    made = step.producer.get(name)
    if made is None or made[1].kind not in ("reshape", "index") or not made[1].inputs:
        return False
    before, after = step.value(made[1].inputs[0]).shape, step.value(name).shape
    return before is not None and after is not None and len(after) == len(before) + 1 and prod(before) == prod(after)
