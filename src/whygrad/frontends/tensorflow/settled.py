"""Numbers of the program's that a compiled step took in when it was traced, and that the program has changed since."""

import linecache
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.sentences import uses
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.reach import MOST, Key, Reading, Root, present, readings
from whygrad.frontends.tensorflow.tracing import KERAS
from whygrad.ir import Attribute, Event, Site, Step

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

FIRST = 16
"""Calls after which a number is compared with every 16th call alone: what is counted afterwards is counted from then on."""
WRITES = ("Assign", "ResourceApply", "ResourceScatter", "ResourceSparseApply")
"""How the ops begin by which a step moves what it trains."""


@dataclass(slots=True)
class Number:
    """A number that a step's code reads by name."""

    reading: Reading
    key: Key
    was: float
    """What it was when the step was traced."""
    now: float = 0.0
    """What it was last seen to be."""
    calls: int = 0
    """Calls of the step that came after the change."""
    changes: int = 0
    """How often it was seen to be another than before."""
    told: "Read | None" = None
    """Where the traced program shows that it read it."""


@dataclass(frozen=True, slots=True)
class Read:
    """A place at which the traced program has such a number in it, or a condition that was decided by it."""

    written: str
    site: Site | None
    test: str = ""


@dataclass(slots=True)
class Held:
    """One compiled step."""

    traces: int
    numbers: list[Number]
    compiled: tuple[ref[Any], ...] = ()
    calls: int = 0


class Settled:
    """What is known of all compiled steps."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self._held: WeakKeyDictionary[Any, Held] = WeakKeyDictionary()
        self._found: list[Number] = []

    @guarded
    def called(self, key: Any, compiled: Sequence[Any], roots: Callable[[], Iterable[Root]]) -> None:
        """A compiled step has been called; what it reads of the program's numbers it read when it was traced last."""
        traces = sum(one.experimental_get_tracing_count() for one in compiled)
        held = self._held.get(key)
        if held is None or held.traces != traces:
            self._began(key, traces, compiled, roots)
            return
        held.calls += 1
        if held.calls > FIRST and held.calls % FIRST:
            return
        for number in held.numbers:
            self._compare(number, held, compiled, FIRST if held.calls > FIRST else 1)

    def _began(self, key: Any, traces: int, compiled: Sequence[Any], roots: Callable[[], Iterable[Root]]) -> None:
        """It was traced just now: what the numbers are after it, since what tracing itself counts is no change of the program's."""
        old = self._held.get(key)
        if old is not None:  # it may have been read anew
            self._found = [number for number in self._found if all(number is not other for other in old.numbers)]
        numbers = [Number(reading, name, number) for reading in readings(roots()) for name, number in reading.numbers()] if traces else []
        self._held[key] = Held(traces, numbers[:MOST], tuple(map(ref, compiled)))

    def _compare(self, number: Number, held: Held, compiled: Sequence[Any], calls: int) -> None:
        now = present(number.reading.holders[number.key](), number.key[1])
        if now is None or now == number.was:
            return
        number.calls += calls
        number.changes += now != number.now or not number.changes
        # reading the source takes milliseconds: of a count that each step raises, the 1st, 2nd, 4th, 8th change and so on, and what it is at the end
        due = not calls or (now != number.now and number.changes.bit_count() == 1)
        number.now = now
        if due and number.told is None:
            self._read(number, held, compiled)

    def _read(self, number: Number, held: Held, compiled: Sequence[Any]) -> None:
        """Ask the traced program, once for each thing that can be asked: looking through its ops takes some milliseconds."""
        number.told = self._condition(number, held, compiled)
        if number.told is None and number.changes <= 1:
            number.told = self._constant(number, held, compiled)
        if number.told is not None:
            self._found.append(number)

    def _constant(self, number: Number, held: Held, compiled: Sequence[Any]) -> Read | None:
        """A constant of this value in a line that makes it of the number, on its way to what the step writes."""
        lines = {line: found for line in _lines(number) if (found := self._uses(number, held, line)).values}
        values = {value for found in lines.values() for value in found.values}
        for op in _compat.operations_of(compiled) if lines else ():
            value = _scalar(op)
            if value is None or not any(_same(value, other) for other in values) or not _moves_something(op):
                continue
            line = _line_within(op, number.reading.code)
            found = (lines.get(line) or self._uses(number, held, line)) if line is not None else None
            if line is not None and found is not None and any(_same(value, other) for other in found.values):
                return Read(found.written, self._site(number, line))
        return None

    def _condition(self, number: Number, held: Held, compiled: Sequence[Any]) -> Read | None:
        """A condition on the number that comes out the other way now, in code that the traced program shows to have run."""
        for line in _lines(number):
            found = self._uses(number, held, line)
            if found.test and any(_line_within(op, number.reading.code) for op in _compat.operations_of(compiled)):
                return Read(found.written, self._site(number, line), found.test)
        return None

    @staticmethod
    def _uses(number: Number, held: Held, line: int) -> Any:
        code = number.reading.code
        others = [other for other in held.numbers if other.reading is number.reading]
        was = {other.key: other.was for other in others}
        now = {other.key: present(other.reading.holders[other.key](), other.key[1]) or 0.0 for other in others}
        return uses(linecache.getlines(code.co_filename), line, number.key, was, now)

    def _site(self, number: Number, line: int) -> Site | None:
        code = number.reading.code
        return self.recorder.builder.site(source.Trace((source.at_line(code, line),), ()))

    def told(self, steps: list[Step]) -> list[Step]:
        """The steps, the last one with what compiled ones go on reading; one number that several functions read is told once."""
        for held in list(self._held.values()):
            living = [function for reference in held.compiled if (function := reference()) is not None]
            for number in held.numbers:
                if number.calls:  # timid: what is changed once training is over is not read by any step
                    self._compare(number, held, living, 0)
        said: dict[tuple[str, float], Event] = {}
        for number in self._found if steps else ():
            if number.told is not None:
                said.setdefault((number.key[1] or number.key[0], number.was), _event(number, number.told, len(steps[-1].graph.ops)))
        return [*steps[:-1], replace(steps[-1], events=(*steps[-1].events, *said.values()))] if said else steps


def _event(number: Number, read: Read, at: int) -> Event:
    told: dict[str, Attribute] = {
        "name": read.written,
        "was": number.was,
        "now": number.now,
        "calls": number.calls,
        "test": read.test,
    }
    return Event("settled", at, (), read.site, told)


def of_function(function: Any, args: Sequence[Any]) -> Iterator[Root]:
    """What a compiled function of the program's runs: its own code, on the object that it is a method of."""
    plain, own = getattr(function, "python_function", None), None
    if args and getattr(plain, "__self__", None) is None and "self" in getattr(_compat.code_of(plain), "co_varnames", ())[:1]:
        own = args[0]
    yield plain, own


def of_model(model: Any) -> Iterator[Root]:
    """What a step of a Keras model runs of the program's: its step, its layers, its loss."""
    for layer in (model, *(layer for layer in model._flatten_layers() if layer is not model)):
        for name in ("train_step", "compute_loss", "call"):
            if hasattr(layer, name):
                yield getattr(layer, name), layer
    loss = getattr(model, "loss", None)
    for one in loss if isinstance(loss, list | tuple) else loss.values() if isinstance(loss, dict) else [loss]:
        yield (one, None) if hasattr(one, "__code__") else (getattr(type(one), "call", None), one)


def compiled_in(function: Any) -> tuple[Any, ...]:
    """The compiled functions that Keras' own function of a step holds."""
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    inner = [cell.cell_contents for item in cells for cell in getattr(item, "__closure__", None) or ()]
    return tuple(item for item in (*cells, *inner) if getattr(item, "_name", "") in KERAS and _compat.is_compiled(item))


def _lines(number: Number) -> list[int]:
    """The lines of a function, without those of functions within it, that have the number's name in them: what is said of one takes a look at the whole file."""
    code, name = number.reading.code, number.key[1] or number.key[0]
    lines = linecache.getlines(code.co_filename)
    return sorted({line for _, _, line in code.co_lines() if line and line <= len(lines) and name in lines[line - 1]})


def _scalar(op: Any) -> float | None:
    """The one number that a constant is."""
    if op.type != "Const" or op.outputs[0].shape.rank != 0 or not (op.outputs[0].dtype.is_floating or op.outputs[0].dtype.is_integer):
        return None
    return float(np.asarray(_compat.tf.get_static_value(op.outputs[0]), dtype=np.float64))


def _moves_something(op: Any) -> bool:
    """What comes of it is written to a variable: what is printed or logged alone harms nothing."""
    todo, seen = [op], {op}
    while todo:
        one = todo.pop()
        if one.type.startswith(WRITES):
            return True
        following = {user for output in one.outputs for user in output.consumers()} - seen
        # what a call of another compiled function makes of it is not followed: it counts
        if any(user.type.endswith("PartitionedCall") for user in following):
            return True
        seen |= following
        todo.extend(following)
    return any(output in op.graph.outputs for one in seen for output in one.outputs) if _within(op) else False


def _within(op: Any) -> bool:
    """It stands in the body of a loop or a branch, whose results are used outside."""
    return getattr(op.graph, "outer_graph", None) is not None and getattr(op.graph.outer_graph, "outer_graph", None) is not None


def _line_within(op: Any, code: Any) -> int | None:
    """The line of a piece of code that made an op."""
    last = code.co_firstlineno + max((line - code.co_firstlineno for _, _, line in code.co_lines() if line), default=0)
    return next(
        (
            frame.lineno
            for frame in reversed(op.traceback)
            if frame.filename == code.co_filename and frame.name == code.co_name and code.co_firstlineno <= frame.lineno <= last
        ),
        None,
    )


def _same(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-6, atol=0.0))
