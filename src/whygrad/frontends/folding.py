"""Library functions that stand for many raw calls: these are folded into one op, by the frames in which the raw calls ran.

Imports no framework. A front end has a table of the functions that it knows, and for each raw call the frames behind it; what the
functions mean, and how two runs of one function are told apart, is the front end's own knowledge.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Generic, TypeVar

Known = TypeVar("Known")
Frame = TypeVar("Frame")


class Table(Generic[Known]):
    """Code objects of library functions, and what is known of each. Looked up by identity: hashing code reads all of it."""

    def __init__(self, known: Iterable[tuple[CodeType, Known]] = ()) -> None:
        self._known: dict[int, tuple[CodeType, Known]] = {}
        for code, entry in known:
            self.add(code, entry)

    def add(self, code: CodeType, entry: Known) -> None:
        """Know one more function; the code is kept, so that its identity stays its own."""
        self._known[id(code)] = (code, entry)

    def get(self, code: CodeType) -> Known | None:
        """What is known of a function; None for any other."""
        found = self._known.get(id(code))
        return found[1] if found is not None else None

    def __len__(self) -> int:
        return len(self._known)


def outermost(
    frames: Iterable[Frame], accept: Callable[[Frame], Hashable | None], apart: Callable[[Hashable, Frame], Hashable | None]
) -> Hashable | None:
    """The group of a raw call: that of the outermost known function, or of one inside it that stays an op of its own.

    `frames`: those of known functions, outermost first, the last user's frame before all of them. `accept` gives the group that a frame
    begins, None for none; `apart` gives the group of a frame inside a group if it stays apart from it.
    """
    group: Hashable | None = None
    for frame in frames:
        found = accept(frame) if group is None else apart(group, frame)
        group = found if found is not None else group
    return group


@dataclass(frozen=True, slots=True)
class Member:
    """One raw call as folding sees it."""

    at: int
    """Its position among the raw calls."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    group: Hashable | None = None


@dataclass(frozen=True, slots=True)
class Folded:
    """One op: a raw call by itself, or those of one group."""

    members: tuple[Member, ...]
    inputs: tuple[str, ...]
    """What comes from outside the group, in the order of first use."""
    outputs: tuple[str, ...]
    """What is read outside the group, else what its last call made."""

    @property
    def group(self) -> Hashable | None:
        """The group that it stands for."""
        return self.members[0].group


def folded(members: Sequence[Member], wanted: frozenset[str] = frozenset()) -> tuple[Folded, ...]:
    """The ops of some raw calls, in an order in which everything is made before it is read. `wanted` counts as read outside."""
    parts = list(_parts(members))
    readers = _readers(parts)
    return tuple(_folded(part, number, readers, wanted) for number, part in enumerate(parts))


def _parts(members: Sequence[Member]) -> Iterator[tuple[Member, ...]]:
    """Runs of calls that become one op. A group is ended where something outside it reads what it made: the rest is another part."""
    open_: dict[Hashable, list[Member]] = {}
    maker: dict[str, Hashable] = {}
    for member in members:
        for group in dict.fromkeys(maker[name] for name in member.inputs if name in maker and maker[name] != member.group):
            if group in open_:
                yield tuple(open_.pop(group))
        if member.group is None:
            yield (member,)
        else:
            open_.setdefault(member.group, []).append(member)
            maker.update((name, member.group) for name in member.outputs)
    yield from (tuple(part) for part in open_.values())


def _readers(parts: Sequence[tuple[Member, ...]]) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = {}
    for number, part in enumerate(parts):
        for member in part:
            for name in member.inputs:
                found.setdefault(name, set()).add(number)
    return found


def _folded(part: tuple[Member, ...], number: int, readers: Mapping[str, set[int]], wanted: frozenset[str]) -> Folded:
    if part[0].group is None:
        return Folded(part, part[0].inputs, part[0].outputs)
    made = {name for member in part for name in member.outputs}
    inputs = dict.fromkeys(name for member in part for name in member.inputs if name not in made)
    outside = [name for member in part for name in member.outputs if name in wanted or readers.get(name, set()) - {number}]
    last = next((member.outputs for member in reversed(part) if member.outputs), ())
    return Folded(part, tuple(inputs), tuple(dict.fromkeys(outside)) or last[:1])
