"""What the program computes at once, outside every derivative: preparing data before it, updating by hand after it."""

from collections import deque
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any, Protocol

import jax
import numpy as np

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.flattening import is_leaf
from whygrad.frontends.jax.library import function_of, kind_of
from whygrad.frontends.jax.tape import COMPARED, CONVERTING, SCALING, Bound, Numbers, Tape
from whygrad.frontends.jax.trips import trips
from whygrad.ir import family

KEPT = 3000
"""Primitives that are remembered: making a model and its data takes hundreds, each step few."""
MOST_BYTES = 256 << 20
"""Memory of arrays that may be held for it; beyond that everything is forgotten."""
MOST_LEFT = 24
"""Arrays that are tried for what NumPy made something of, the latest first."""
MOST_SHOWN = 120
"""Primitives before a step that become part of its record."""


class Owner(Protocol):
    """What is asked of the recorder."""

    def broken(self, where: str, problem: BaseException) -> None:
        """A fault of ours."""


class _Quiet:
    """Listens to primitives outside every function of interest."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.stopped = False

    def broken(self, where: str, problem: BaseException) -> None:
        """A fault of ours."""
        self.owner.broken(where, problem)

    def custom(self) -> None:
        """Of no interest here."""
        return

    def scope(self, callers: Sequence[FrameType], numbers: Numbers) -> int | None:
        """Of no interest here."""
        _ = callers, numbers
        return None

    def place(self, found: source.Trace | None, frame: FrameType | None) -> source.Trace | None:
        """Where it is computed."""
        _ = frame
        return found

    def entry(self, frame: FrameType | None) -> None:
        """Of no interest here."""
        _ = frame

    def module(self, frame: FrameType | None) -> str:
        """Of no interest here."""
        _ = frame
        return ""


@dataclass(frozen=True, slots=True)
class Around:
    """Primitives before or after a derivative, in the numbers of its program; those of their own are negative."""

    bounds: tuple[Bound, ...] = ()
    arrays: Mapping[int, Any] = field(default_factory=dict)
    types: Mapping[int, Any] = field(default_factory=dict)
    """Of arrays whose memory the program has handed on since: what is left to know of them."""


class Surroundings:
    """The last primitives that were computed at once."""

    def __init__(self, owner: Owner) -> None:
        self.listener = _Quiet(owner)
        self.first = 0
        self.numbers = Numbers()
        self.forget()

    def forget(self) -> None:
        """Forget everything; numbers are not used twice."""
        self.first += len(self.numbers.objects)
        self.numbers = Numbers()
        self.tape = Tape(_compat.current_trace(), self.numbers, self.listener)
        self.bounds: deque[Bound] = deque(maxlen=KEPT)
        self.calls: deque[tuple[tuple[int, ...], source.Trace | None]] = deque(maxlen=KEPT)
        """What functions that the program compiled made, and where they are called."""
        self.bytes = 0
        self.count = 0

    def note(self, primitive: Any, args: Sequence[Any], params: Mapping[str, Any], result: Any, frame: FrameType | None) -> None:
        """A primitive was computed."""
        outputs = result if primitive.multiple_results else (result,)
        if any(self.numbers.seen(item) is not None for item in outputs):
            return  # handed on as it was
        if primitive.name in CONVERTING and self.numbers.converted(args[0], outputs[0]):
            return
        inputs = tuple(self.tape.atom(item) for item in args)
        bound = Bound(primitive, params, inputs, tuple(self.numbers.made(item) for item in outputs), None)
        placed = self.tape.placed(bound, frame)
        if _is_step(placed):
            self.calls.append((placed.outputs, placed.trace))
            return
        self.bounds.append(placed)
        self.count += 1
        self.bytes += sum(int(getattr(item, "nbytes", 0) or 0) for item in outputs)
        if self.bytes > MOST_BYTES or self.count > KEPT:
            self.forget()

    def maker(self, item: Any) -> source.Trace | None:
        """Where this array was computed; None where that is forgotten, or happened within a compiled function."""
        number = self.numbers.seen(item)
        if number is not None:
            return next((bound.trace for bound in reversed(self.bounds) if number in bound.outputs), None)
        return next((bound.trace for bound in self.bounds if any(self._same(item, other) for other in bound.outputs)), None)

    def known_maker(self, item: Any) -> source.Trace | None:
        """Where this very array was computed, or the function that computes it was called; of a multiple, where that which it is a multiple of was."""
        number, found = self.numbers.seen(item), None
        if number is not None:
            found = next((trace for outputs, trace in reversed(self.calls) if number in outputs), None)
        for bound in reversed(self.bounds):
            if number is not None and number in bound.outputs:
                found = bound.trace
                whole = [one for one in bound.inputs if isinstance(one, int) and np.shape(self.numbers.objects[one]) == np.shape(item)]
                number = whole[0] if bound.primitive.name in SCALING and len(whole) == 1 else None
        return found

    def _same(self, item: Any, number: int) -> bool:
        """An array that a loop handed on is known by its contents."""
        other = self.numbers.objects.get(number)
        alike = (
            getattr(item, "shape", ()) != () and getattr(other, "shape", None) == item.shape and getattr(other, "dtype", None) == item.dtype
        )
        return alike and item.size <= COMPARED and not deleted(other) and np.array_equal(np.asarray(item), np.asarray(other))

    def before(self, given: Mapping[int, Any], moving: Container[int], unread: Container[int] = ()) -> Around:
        """
        What made these arrays, by the numbers that a program has for them, but not what made those that are differentiated.

        `unread`: those of them that the differentiated function never reads; what was made of one may have gone through NumPy.
        """
        known = {number: mine for number, item in given.items() if (mine := self.numbers.seen(item)) is not None}
        wanted = {mine for number, mine in known.items() if number not in moving}
        from_moving = self._from({mine for number, mine in known.items() if number in moving})
        found: list[Bound] = []
        if left := {mine for number, mine in known.items() if number in unread}:
            found = self._returned(self._from(set(left)) - left, {n: item for n, item in given.items() if n not in moving}, known)
            wanted.update(item for bound in found for item in bound.inputs if isinstance(item, int))
        returned = {number for bound in found for number in bound.outputs}
        for bound in reversed(self.bounds):
            made = not wanted.isdisjoint(bound.outputs) and len(found) < MOST_SHOWN and returned.isdisjoint(bound.outputs)
            if made and (not from_moving.isdisjoint(bound.outputs) or _rearranges(bound)):
                found.append(bound)
                wanted.update(item for item in bound.inputs if isinstance(item, int))
        around = self._translated(found[::-1], {mine: number for number, mine in known.items()})
        cut = {number for number in known if number in moving}
        for bound in around.bounds:
            bound.outside = not cut.isdisjoint(item for item in bound.inputs if isinstance(item, int))
            cut.update(bound.outputs if bound.outside else ())
        return around

    def _returned(self, made: Collection[int], given: Mapping[int, Any], known: dict[int, int]) -> list[Bound]:
        """What left for NumPy and came back changed, among what a program is given, as calls that made the one of the other."""
        new = {n: item for n, item in given.items() if known.get(n) not in made and isinstance(item, jax.Array | np.ndarray)}
        latest = sorted(made, reverse=True)[:MOST_LEFT]
        found = []
        for number, of, way in trips({n: self.numbers.objects[n] for n in latest}, new):
            mine = known.setdefault(number, self.numbers.of(given[number]))
            maker, back = (next((b for b in reversed(self.bounds) if n in b.outputs), None) for n in (of, mine))
            place = back.trace if back is not None else _caller(maker.trace) if maker is not None else None
            call = Bound(None, {}, (of,), (mine,), place, native="asarray")
            call.again = way.again
            found.append(call)
        return found

    def _from(self, numbers: set[int]) -> set[int]:
        """Everything that was computed from these."""
        for bound in self.bounds:
            if not numbers.isdisjoint(item for item in bound.inputs if isinstance(item, int)):
                numbers.update(bound.outputs)
        return numbers

    def after(self, since: int, given: Mapping[int, Any]) -> Around:
        """What was computed from these arrays since then."""
        known = {mine: number for number, item in given.items() if (mine := self.numbers.seen(item)) is not None}
        reached = set(known)
        found = list[Bound]()
        new = list(self.bounds)[-(self.count - since) :] if self.count > since else []
        for bound in new:
            if not reached.isdisjoint(item for item in bound.inputs if isinstance(item, int)) and len(found) < MOST_SHOWN:
                found.append(bound)
                reached.update(bound.outputs)
        return self._translated(found, known)

    def _translated(self, bounds: Iterable[Bound], known: Mapping[int, int]) -> Around:
        arrays: dict[int, Any] = {}
        types: dict[int, Any] = {}
        found = []
        for bound in bounds:
            own = {key: item for key, item in bound.arguments.items() if not self._traced(item)}
            every = {*bound.outputs, *(item for item in (*bound.inputs, *own.values()) if isinstance(item, int))}
            names = {number: known.get(number, -(self.first + number) - 1) for number in every}
            for number in every:
                item = self.numbers.objects[number]
                (types if deleted(item) else arrays)[names[number]] = item
            inputs = tuple(names[item] if isinstance(item, int) else item for item in bound.inputs)
            given = {key: names[item] if isinstance(item, int) else item for key, item in own.items()}
            outputs = tuple(names[number] for number in bound.outputs)
            found.append(replace(bound, inputs=inputs, outputs=outputs, arguments=given, scope=None))
        return Around(tuple(found), arrays, types)

    def _traced(self, item: Any) -> bool:
        """What a function of a library was handed within a `vmap` stands for one row, and for nothing once that is over."""
        return isinstance(item, int) and _compat.is_tracer(self.numbers.objects[item])


def _caller(trace: source.Trace | None) -> source.Trace | None:
    """Where the function is called that computes something; where it is computed, at the top level of a file."""
    return source.Trace(trace.user[1:], ()) if trace is not None and len(trace.user) > 1 else trace


def _rearranges(bound: Bound) -> bool:
    """It picks, orders, reshapes or casts what it is given, or draws at random: data that were calculated are data from there on."""
    found = function_of(bound)
    kind = found.kind if found is not None else kind_of(bound.name)
    return family(kind) in ("layout", "cast", "select", "create") or kind == "argmax"


def _is_step(bound: Bound) -> bool:
    """A whole function that was compiled: its inside is looked at elsewhere. Known functions of libraries may consist of such."""
    inner = next((program for _, program in _compat.inner_programs(bound.params)), None)
    return bound.primitive.name in ("jit", "pjit") and not is_leaf(bound, inner) and function_of(bound) is None
