"""What a loss is made of, read from its graph now and then: a step that is made otherwise than the recorded ones is worth recording.

Only what the graph keeps anyway is read: the terms of the sum at its top, the factors before them, and the targets that losses hold for their
derivative. Nothing is computed but whether a small target is the same everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from whygrad.frontends.courses import CourseWatch

EVERY = 8
"""Losses of one place between two looks, each of which takes about 50 µs where the loss has one term."""
MOST = 24
"""Nodes of the graph that a look reads at most."""
SMALL = 65_536
"""Entries of a target up to which it is looked at."""
TIMES = 10.0
"""How much larger or smaller a factor becomes before the loss counts as another one."""
LONG = 4
"""Looks in a row that must find one and the same target everywhere; after twice as many another step is recorded, since few labels prove nothing."""
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a loss."""

    name: str
    factor: float
    constant: bool | None = None
    """Its target is the same everywhere; None where that is not known."""


@dataclass(slots=True)
class Watched:
    """The loss of one place."""

    seen: set[tuple[str, ...]] = field(default_factory=set)
    """The names of its terms, in every form that was met."""
    terms: tuple[Term, ...] = ()
    """When it was last found to be another one."""
    last: tuple[Term, ...] = ()
    constant: int = 0
    """Looks in a row at which every target was the same everywhere, though they had not been at first."""
    varied: bool = False


@dataclass(slots=True)
class TermsWatch:
    """All losses, by the place where they are differentiated."""

    places: dict[Place, Watched] = field(default_factory=dict)

    def changed(self, loss: object, place: Place, course: CourseWatch | None, *, judge: bool) -> bool:
        """The loss is another one than it was; while a step is recorded it is looked at and not judged."""
        if course is None or not isinstance(loss, Tensor) or (course.steps % EVERY and place in self.places):
            return False
        watched = self.places.setdefault(place, Watched())
        found = tuple(terms(loss))
        if not judge or not watched.seen:
            watched.varied = watched.varied or any(term.constant is False for term in found)
            watched.seen.add(tuple(term.name for term in found))
            watched.terms = watched.last = found
            return False
        another = self._terms(watched, found)
        return self._targets(watched, found) or another

    def _terms(self, watched: Watched, found: tuple[Term, ...]) -> bool:
        names, before, watched.last = tuple(term.name for term in found), watched.last, found
        known = names in watched.seen
        watched.seen.add(names)
        alike = known and names == tuple(term.name for term in watched.terms)
        another = not known or (alike and _apart(watched.terms, found) and _settled(before, found))
        if another:
            watched.terms = found
        return another

    def _targets(self, watched: Watched, found: tuple[Term, ...]) -> bool:
        known = [term.constant for term in found if term.constant is not None]
        watched.constant = watched.constant + 1 if known and all(known) and watched.varied else 0
        return watched.constant in (LONG, 2 * LONG)


def _apart(one: tuple[Term, ...], other: tuple[Term, ...]) -> bool:
    """A factor has come or gone, or is TIMES what it was."""
    pairs = [(abs(a.factor), abs(b.factor)) for a, b in zip(one, other, strict=True)]
    return any((a == 0) != (b == 0) or (a > 0 and b > 0 and not 1 / TIMES < a / b < TIMES) for a, b in pairs)


def _settled(before: tuple[Term, ...], found: tuple[Term, ...]) -> bool:
    """The factors stand still, or run so fast that waiting for them would be too long."""
    return [term.factor for term in before] == [term.factor for term in found] or _apart(before, found)


def terms(loss: Tensor) -> Iterator[Term]:
    """The terms of the sum at the top of a loss's graph; none where the graph can't be read."""
    waiting: list[tuple[Any, float]] = [(loss.grad_fn, 1.0)]
    for _ in range(MOST):
        if not waiting:
            return
        node, factor = waiting.pop()
        if node is None:
            continue
        name = node.name()
        further = [one for one, _ in node.next_functions if one is not None]
        inner = [one for one in further if _is_number(one)]
        if name in _LINEAR and inner:
            waiting += [(one, factor * _factor(node, name)) for one in reversed(inner)]
        else:
            yield Term(name, factor, _constant(node, further))


_LINEAR = frozenset(("AddBackward0", "SubBackward0", "MulBackward0", "DivBackward0", "NegBackward0", "ToCopyBackward0", "MeanBackward0"))


def _is_number(node: Any) -> bool:
    """The node's result is one number."""
    return all(not any(size != 1 for size in made.shape) for made in getattr(node, "_input_metadata", ())) and not _is_leaf(node)


def _is_leaf(node: Any) -> bool:
    return bool(node.name() == "torch::autograd::AccumulateGrad")


def _factor(node: Any, name: str) -> float:
    """The number that a product or quotient multiplies its one term by; 1 where it is not known, or is itself a term."""
    if name not in ("MulBackward0", "DivBackward0"):
        return 1.0
    one, other = _saved(node, "_saved_self"), _saved(node, "_saved_other")
    if name == "DivBackward0":
        return 1 / other if other else 1.0
    if one is not None and other is not None and len(node.next_functions) > 1 and all(item for item, _ in node.next_functions):
        return 1.0
    return other if other is not None else one if one is not None else 1.0


def _saved(node: Any, name: str) -> float | None:
    """A number that a node keeps for its derivative, where reading it waits for no device."""
    try:
        kept = getattr(node, name, None)
    except RuntimeError:  # the graph was freed
        return None
    if not isinstance(kept, Tensor) or kept.numel() != 1 or kept.device.type != "cpu":
        return None
    return float(kept.detach().item())


def _constant(node: Any, further: list[Any]) -> bool | None:
    """Whether the target that a loss keeps is the same everywhere."""
    for one in (node, *further[:1]):
        try:
            target = getattr(one, "_saved_target", None)
        except RuntimeError:  # the graph was freed
            return None
        if isinstance(target, Tensor) and 1 < target.numel() <= SMALL and target.device.type == "cpu" and target.layout is torch.strided:
            flat = target.detach().reshape(-1)
            return bool((flat == flat[0]).all())
    return None
