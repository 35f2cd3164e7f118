"""Numbers of the program's that a compiled step took in when it was traced, and that the program has changed since."""

import linecache
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import is_
from types import ModuleType
from typing import Any, Protocol

import jax
import numpy as np

from whygrad.frontends import source
from whygrad.frontends.codes import names_in
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.building import Builder
from whygrad.frontends.jax.derivations import user_function
from whygrad.frontends.jax.flattening import places
from whygrad.frontends.jax.tape import Bound
from whygrad.frontends.sentences import Numbers, Uses, uses
from whygrad.ir import Attribute, Event, Site, Step

MOST = 64
"""Numbers that are looked at, for each compiled step: comparing one takes about 0.05 µs."""
HELD = 16
"""Objects of the program's that an object is asked for."""
FUNCTIONS = 40
"""Functions of the program's that a step may come to by name."""
Variable = Callable[[], Any]
"""What a variable holds at the moment."""
Key = tuple[str, str]
"""The variable that a step knows something by, and the attribute or entry of it that is a number; "" for the variable itself."""


class Owner(Protocol):
    """What is asked of the recorder."""

    builder: Builder
    index: int


@dataclass(frozen=True, slots=True)
class Watched:
    """One variable, with the numbers that it held by name when the step was traced, or that it was."""

    name: str
    variable: Variable
    keys: tuple[str, ...]
    numbers: tuple[Any, ...]

    def changed(self) -> Iterator[tuple[str, float]]:
        """What is another number now. One that nobody has touched is the same object, which is asked first: this runs at every call of the step."""
        item = self.variable()
        held: Mapping[str, Any] = _held(item) if self.keys[0] else {"": item}
        if all(map(is_, map(held.get, self.keys), self.numbers)):
            return
        for key, was in zip(self.keys, self.numbers, strict=True):
            now = held.get(key)
            if now is not was and (number := _number(now)) is not None and number != float(was):
                yield key, number


@dataclass(slots=True)
class Held:
    """One traced step with the numbers that were in its reach."""

    closed: Any
    function: Any
    around: dict[str, Variable]
    """The variables by which the step knows what holds them."""
    numbers: dict[Key, float]
    """What they were when it was traced."""
    watched: tuple[Watched, ...]
    since: dict[Key, float] = field(default_factory=dict)
    """For those that were others at a call: what they were at the last one."""
    calls: dict[Key, int] = field(default_factory=dict)
    """How many such calls there were."""


class Settled:
    """What is known of all compiled steps."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.held: dict[int, Held] = {}

    def called(self, jitted: Any, closed: Any, args: Sequence[Any], *, traced: bool) -> None:
        """A compiled step is called; it has just been traced, or runs as it was."""
        known = self.held.get(id(jitted.inner))
        if known is None or (traced and known.closed is not closed):
            self._finish(known)
            self.held[id(jitted.inner)] = _looked_at(jitted.inner, closed, args)
            return
        for one in known.watched:
            for name, now in one.changed():
                key = (one.name, name)
                known.calls[key] = known.calls.get(key, 0) + 1
                known.since[key] = now

    def _finish(self, known: Held | None) -> None:
        """A step that is traced anew may have read a number in between, which was no fault: what is said is said of the last program."""
        if known is not None:
            known.calls.clear()

    def told(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """The steps, the last one with what its compiled form goes on reading."""
        events = tuple(event for held in self.held.values() for event in self._events(held, len(steps[-1].graph.ops))) if steps else ()
        return (*steps[:-1], replace(steps[-1], events=(*steps[-1].events, *events))) if events else steps

    def _events(self, held: Held, at: int) -> Iterator[Event]:
        for key, calls in held.calls.items():
            found = _read(held, key)
            if found is not None:
                told: dict[str, Attribute] = {
                    "name": found.written,
                    "was": held.numbers[key],
                    "now": held.since[key],
                    "calls": calls,
                    "test": found.test,
                }
                yield Event("settled", at, (), self._site(found), told)

    def _site(self, found: "Read") -> Site | None:
        """The equation within which the number is written; where there is none, the first of its line."""
        sites = [site for point in found.points if (site := self.owner.builder.site(source.Trace((point,), ()))) is not None]
        return next((site for site in sites if site.column <= found.column < site.end_column), next(iter(sites), None))


@dataclass(frozen=True, slots=True)
class Read:
    """Where the traced program shows that it read such a number."""

    written: str
    points: tuple[source.Point, ...]
    column: int
    test: str = ""
    """The condition that was decided by it."""


def _looked_at(inner: Any, closed: Any, args: Sequence[Any]) -> Held:
    function = user_function(inner)
    around: dict[str, Variable] = {}
    for name, variable in _around(function, args):
        around.setdefault(name, variable)
    around.update(objects(around))
    found = {name: dict(_numbers(variable())) for name, variable in around.items() if not (name == "self" and is_own_object(variable()))}
    kept = dict(list({(name, key): raw for name, numbers in found.items() for key, raw in numbers.items()}.items())[:MOST])
    return Held(closed, function, around, {key: float(raw) for key, raw in kept.items()}, tuple(_watched(around, kept)))


def _watched(around: Mapping[str, Variable], kept: Mapping[Key, Any]) -> Iterator[Watched]:
    for name in {name: None for name, _ in kept}:
        numbers = {key: raw for (owner, key), raw in kept.items() if owner == name}
        yield Watched(name, around[name], tuple(numbers), tuple(numbers.values()))


def objects(around: Mapping[str, Variable]) -> dict[str, Variable]:
    """
    Objects of the program's own classes that these variables hold as attributes, by the way to them (`self.optimizer`), and each as the `self` of its class.

    Of two of one class it can't be told which one a method was called of, so that neither is looked at as that; the step's own object comes first.
    """
    ways = dict(_attributes(around))
    owners = {**around, **ways}
    claimed = dict.fromkeys(_classes(around["self"]()) if "self" in around else (), "self")
    every = {id(item): name for name, variable in reversed(owners.items()) if name != "self" and is_own_object(item := variable())}
    classes = [(name, way) for way in every.values() for name in _classes(owners[way]()) if name not in claimed]
    counted = Counter(name for name, _ in classes)
    claimed |= {name: way for name, way in classes if counted[name] == 1}
    return {**ways, **{f"{_SELF}{name}": owners[way] for name, way in claimed.items()}}


def _attributes(around: Mapping[str, Variable]) -> Iterator[tuple[str, Variable]]:
    for name, variable in around.items():
        for attribute, item in list(_held(variable()).items())[:HELD] if is_own_object(variable()) else ():
            if isinstance(attribute, str) and is_own_object(item):
                yield f"{name}.{attribute}", partial(_attribute, variable, attribute)


def _classes(item: Any) -> Collection[str]:
    """The names of an object's class and of those that it inherits from, of the program's own."""
    return [one.__qualname__ for one in type(item).__mro__ if _has_methods(one)]


_SELF = "self of "


def _attribute(variable: Variable, name: str) -> Any:
    return _held(variable()).get(name)


def is_own_object(item: Any) -> bool:
    """An object of a class of the program's, which has methods in its own files."""
    if isinstance(item, type | ModuleType | dict) or not hasattr(item, "__dict__"):
        return False
    return any(_has_methods(one) for one in type(item).__mro__)


def _has_methods(one: type) -> bool:
    """Of a class that is written in the program's own files."""
    return any(source.is_user(code) for part in vars(one).values() if (code := getattr(part, "__code__", None)) is not None)


def _held(item: Any) -> Mapping[str, Any]:
    return item if isinstance(item, dict) else getattr(item, "__dict__", {})


def _around(function: Any, args: Sequence[Any]) -> Iterator[tuple[str, Variable]]:
    """What a step may read that it is not handed: its own object, the variables around it, and those around the functions that it calls by name."""
    own = getattr(function, "__self__", None) or (args[0] if args and jax.tree_util.all_leaves([args[0]]) else None)
    if own is not None and not _compat.is_array(own):
        yield "self", lambda: own
    todo, seen = [getattr(function, "__func__", function)], set[int]()
    while todo and len(seen) < FUNCTIONS:
        code = getattr(one := todo.pop(), "__code__", None)
        if code is None or id(code) in seen or not source.is_user(code):
            continue
        seen.add(id(code))
        for name, variable in (*_globals(one, code), *_cells(one, code)):
            todo += [found] if hasattr(found := user_function(variable()), "__code__") else []
            yield name, variable
        todo += [found for name in names_in(code) if callable(found := getattr(type(own), name, None))]


def _globals(function: Any, code: Any) -> list[tuple[str, Variable]]:
    """Global variables that a function and those within it name."""
    known = getattr(function, "__globals__", {})
    return [(name, partial(known.get, name)) for name in names_in(code) if name in known]


def _cells(function: Any, code: Any) -> list[tuple[str, Variable]]:
    pairs = zip(code.co_freevars, getattr(function, "__closure__", None) or (), strict=False)
    return [(name, partial(_content, cell)) for name, cell in pairs]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _numbers(item: Any) -> Iterator[tuple[str, Any]]:
    """The numbers that something holds by name, or that it is, as they are."""
    if _number(item) is not None:
        yield "", item
        return
    held = _held(item) if isinstance(item, dict) or _own(item) else {}
    for name in list(held)[:MOST]:
        if isinstance(name, str) and _number(held[name]) is not None:
            yield name, held[name]


def _own(item: Any) -> bool:
    """No module of a library's."""
    return not isinstance(item, ModuleType) or source.is_own_file(getattr(item, "__file__", None) or "")


def _number(item: Any) -> float | None:
    if not isinstance(item, bool | int | float | np.integer | np.floating | np.bool_):
        return None
    number = float(item)
    return number if abs(number) < 1e15 else None  # noqa: PLR2004 - beyond, a float is no exact count


def _now(item: Any, key: str) -> float | None:
    return _number(_held(item).get(key)) if key else _number(item)


def _read(held: Held, key: Key) -> Read | None:
    """The equation that has the number in it, or the condition that would be decided otherwise now; None where the program does not show it."""
    now, codes, shown = _present(held), dict[Any, None](), dict[source.Point, Uses]()
    for points, literals in _equations(held):
        for point in points:
            codes[point[0]] = None
            found = _uses(point[0], source.line_of(point), key, held.numbers, now)
            if any(_same(number, literal) for number in found.values for literal in literals):
                shown[point] = found
    if shown:
        first = next(iter(shown.values()))
        return Read(first.written, tuple(shown), first.column)
    for code in codes:
        for line in sorted({line for _, _, line in code.co_lines() if line}):
            found = _uses(code, line, key, held.numbers, now)
            if found.test:
                return Read(found.written, (source.at_line(code, line),), found.column, found.test)
    return None


def _uses(code: Any, line: int, key: Key, was: Numbers, now: Numbers) -> Uses:
    """What a line makes of the number; nothing where the name is the function's own."""
    here = _spelled(code, key)
    variable = here[0].partition(".")[0] if here is not None else ""
    if here is None or (variable != "self" and variable in (*code.co_varnames, *code.co_cellvars)):
        return Uses()
    return uses(linecache.getlines(code.co_filename), line, here, _translated(code, was), _translated(code, now))


def _spelled(code: Any, key: Key) -> Key | None:
    """How a function names something: within the methods of a class whose object is known, `self` is that one. None where it has no name for it."""
    if key[0].startswith(_SELF):
        return ("self", key[1]) if code.co_qualname.startswith(f"{key[0].removeprefix(_SELF)}.") else None
    return key


def _translated(code: Any, numbers: Numbers) -> Numbers:
    return {here: number for key, number in numbers.items() if (here := _spelled(code, key)) is not None}


def _present(held: Held) -> dict[Key, float]:
    return {key: number if (now := _now(held.around[key[0]](), key[1])) is None else now for key, number in held.numbers.items()}


def _equations(held: Held, jaxpr: Any = None) -> Iterator[tuple[tuple[source.Point, ...], list[float]]]:
    """The places of every equation within the compiled function, with the numbers that are written into it."""
    outer = getattr(held.function, "__code__", None)
    for equation in (held.closed.jaxpr if jaxpr is None else jaxpr).eqns:
        trace = places(equation, Bound(None, {}, (), (), None))[0]
        codes = [point[0] for point in trace.user] if trace is not None else []
        # what called the compiled function is not compiled
        inside = trace.user[: codes.index(outer) + 1] if trace is not None and outer in codes else ()
        literals = [float(item.val) for item in equation.invars if _compat.is_literal(item) and _real(item.val)]
        yield inside, literals
        for _, inner in _compat.inner_programs(equation.params):
            yield from _equations(held, inner.jaxpr)


def _real(item: Any) -> bool:
    return np.ndim(item) == 0 and (np.asarray(item).dtype.kind in "fiu" or "float" in str(np.asarray(item).dtype))


def _same(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-6, atol=0.0))
