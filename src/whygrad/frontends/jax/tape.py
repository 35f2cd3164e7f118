"""The tape: what the user's loss function asks of JAX, primitive by primitive, while JAX differentiates it.

A trace of our own stands between the function and the transformation that JAX runs it under. It notes each primitive and hands it on unchanged,
so that the transformation sees the very calls that it would see without us.
"""

import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, Protocol

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.library import known
from whygrad.frontends.jax.listed import Entry

DEPTH = 60
"""Library frames below the user's own that are looked through for a known function."""
SCALING = ("div", "mul", "neg", "convert_element_type", "copy")
"""Primitives that an average over several batches takes behind its sum."""


@dataclass(frozen=True, slots=True)
class Constant:
    """An input that is a plain number of the program's."""

    value: Any


Atom = int | Constant


@dataclass(slots=True)
class Bound:
    """One primitive that was called, or one equation of a program within it."""

    primitive: Any
    params: Mapping[str, Any]
    inputs: tuple[Atom, ...]
    outputs: tuple[int, ...]
    trace: source.Trace | None
    stack: tuple[source.Point, ...] = ()
    """All library frames from the primitive outwards to the user's own."""
    group: Hashable | None = None
    """What tells one call of the known library function from the next; None where that is not known."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What that function was given, as far as it is a value or a setting; held by its first primitive."""
    scope: int | None = None
    module: str = ""
    entry: Entry | None = None
    again: Callable[..., Any] | None = None
    """For functions with a derivative of their own: how to call them on flat values."""
    rule: CodeType | None = None
    """The user's own derivative rule."""
    failed: bool = False
    outside: bool = False
    """It read what is differentiated, and ran outside of the differentiated function."""
    leaves: bool = False
    """A value was to leave JAX here."""
    rows: bool = False
    """Its values hold one row for each example of a `vmap`, while its settings are those of one example."""
    native: str = ""
    """Set where no primitive stands behind it: a value that left or came back."""
    mapped: "Mapped | None" = None
    """What each device does, of a function that is mapped over devices."""

    @property
    def name(self) -> str:
        """The primitive's name, or that of the jitted function."""
        if self.native:
            return self.native
        name = str(self.primitive.name)
        if name in ("custom_jvp_call", "custom_vjp_call") and "name" not in self.params:
            return _compat.library_function(self.params.get("call_jaxpr"), source.LIBRARIES) or name
        return str(self.params.get("name", name)) if name in ("jit", "pjit", "custom_jvp_call", "custom_vjp_call") else name


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a function that is mapped over devices asks of JAX on each of them."""

    bounds: list[Bound]
    inputs: tuple[int, ...]
    outputs: tuple[Atom, ...]
    specs: tuple[Any, ...]
    """How each output is laid out over the devices."""


@dataclass(frozen=True, slots=True)
class Custom:
    """A function with a derivative of its own that is being called."""

    again: Callable[..., Any]
    """Calls it on other flat values."""
    flat: tuple[Any, ...]
    """Those that it was given."""
    name: str
    rule: CodeType | None
    """Its derivative rule."""


@dataclass(slots=True)
class Numbers:
    """Which object is which value. Objects are held while the table lives, since an id may be given to another one afterwards."""

    known: dict[int, int] = field(default_factory=dict)
    held: list[Any] = field(default_factory=list)
    objects: dict[int, Any] = field(default_factory=dict)
    """Number to the first object that stood for it."""
    arrays: dict[int, list[tuple[int, Any]]] = field(default_factory=dict)
    called: dict[int, str] = field(default_factory=dict)
    """Number to the user's variable, for arrays that a function reads past its arguments."""

    def of(self, item: Any) -> int:
        """The number of a value, new ones included."""
        found = self.known.get(id(item))
        if found is None:
            found = self._of_copy(item)
        if found is None:
            found = len(self.objects)
            self.objects[found] = item
            if isinstance(item, np.ndarray) and item.size > 1:
                self.remember(item, found)
        self.same(item, found)
        return found

    def made(self, item: Any) -> int:
        """The number of what a primitive made: known by identity alone, since equal entries come of many a calculation."""
        found = self.known.get(id(item))
        if found is None:
            found = len(self.objects)
            self.objects[found] = item
            self.same(item, found)
        return found

    def converted(self, given: Any, result: Any) -> bool:
        """The result is a NumPy array of the program's as one of JAX's own: the same value."""
        inner = _compat.plain(given)
        if not isinstance(inner, np.ndarray) or inner.shape != getattr(result, "shape", None):
            return False
        self.same(result, self.of(given))
        return True

    def same(self, item: Any, number: int) -> None:
        """This object stands for that value too."""
        if id(item) not in self.known:
            self.known[id(item)] = number
            self.held.append(item)

    def apart(self, item: Any) -> None:
        """From now on this object is a value of its own: the function reads it past its argument, and no gradient comes back to it."""
        number = len(self.objects)
        self.objects[number] = item
        self.known[id(item)] = number

    def seen(self, item: Any) -> int | None:
        """The number of a value, if it has one."""
        return self.known.get(id(item))

    def of_primal(self, item: Any, known: Atom) -> Atom:
        """The value whose tracer holds this object: going forward, JAX stops the gradient of what stands behind a tracer."""
        found = (number for number, other in reversed(self.objects.items()) if getattr(other, "primal", None) is item)
        return next(found, known) if _compat.is_array(item) else known

    def _of_copy(self, item: Any) -> int | None:
        """NumPy arrays are handed on in wrappers and in other dtypes: known by their contents."""
        inner = _compat.plain(item)
        if isinstance(inner, np.ndarray):
            found = self.by_contents(inner) if inner.size > 1 else None
            return self._converted(inner) if found is None and inner.size > 1 else found
        known = not _compat.is_tracer(inner) and _compat.is_array(inner) and 1 < inner.size <= COMPARED and inner.size in self.arrays
        contents = _contents(inner) if known else None
        return self.by_contents(contents) if contents is not None else None

    def _converted(self, inner: Any) -> int | None:
        """What JAX made of a NumPy array before it was seen: entries that differ, and are the same."""
        if inner.size > COMPARED or inner.dtype.kind not in "biuf" or (inner == inner.flat[0]).all():
            return None
        for number, other in self.objects.items():
            alike = not isinstance(other, np.ndarray) and not _compat.is_tracer(other) and getattr(other, "shape", None) == inner.shape
            contents = _contents(other) if alike else None
            if contents is not None and np.array_equal(contents, inner):
                return number
        return None

    def by_contents(self, inner: Any) -> int | None:
        """A known NumPy array with the same entries."""
        for number, other in self.arrays.get(inner.size, ()):
            if other.shape == inner.shape and (np.may_share_memory(other, inner) or np.array_equal(other, inner)):
                return number
        return None

    def remember(self, item: Any, number: int) -> None:
        """A NumPy array that may come again as a copy."""
        self.arrays.setdefault(item.size, []).append((number, item))


CONVERTING = ("stage", "device_put", "copy", "convert_element_type")
"""Primitives by which a NumPy array becomes one of JAX's."""
COMPARED = 1_000_000
"""Entries up to which arrays are compared by their contents: a millisecond."""


def _contents(item: Any) -> Any:
    """The entries of one of JAX's own arrays; None for what holds no numbers, or holds them no longer."""
    try:
        found = np.asarray(item)
    except (TypeError, ValueError, RuntimeError):
        return None
    return found if found.dtype.kind in "biuf" else None


class Tape(_compat.Trace):
    """Notes every primitive that reaches it, and hands it on to the transformation below."""

    def __init__(self, parent: Any, numbers: Numbers, listener: "Listener") -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # jax has no type for it
        self.parent = parent
        self.numbers = numbers
        self.listener = listener
        self.bounds: list[Bound] = []
        self.requires_low = getattr(parent, "requires_low", True)
        self.base: FrameType | None = None
        """The frame from which the function is called; what is outside of it stays as it is while the function runs."""
        self.outside: list[FrameType] = []
        """The user's frames outside of that one."""

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "parent"), name)

    def is_valid(self) -> bool:
        """As the transformation below says."""
        return bool(self.parent.is_valid())

    def stage_value(self, val: Any) -> Any:
        """A value is taken in as it is."""
        result = self.parent.stage_value(val)
        self.guarded(self._staged, val, result)
        return result

    def _staged(self, val: Any, result: Any) -> None:
        if _compat.is_array(_compat.plain(val)):
            self.numbers.same(result, self.numbers.of(val))

    def cur_qdd(self, x: Any) -> Any:
        """Of mutable arrays."""
        return self.parent.cur_qdd(x)

    def process_primitive(self, primitive: Any, tracers: Any, params: Any, /) -> Any:
        """One primitive."""
        try:
            result = self.parent.process_primitive(primitive, tracers, params)
        except Exception:
            self.guarded(self._note, primitive, tracers, params, (), failed=True)
            raise
        self.guarded(self._note, primitive, tracers, params, result if primitive.multiple_results else (result,))
        return result

    def process_call(self, call_primitive: Any, f: Any, tracers: Any, params: Any, /) -> Any:
        """A call whose function is run by the transformation below."""
        result = self.parent.process_call(call_primitive, f, tracers, params)
        self.guarded(self._note, call_primitive, tracers, params, result)
        return result

    def process_custom_jvp_call(self, primitive: Any, fun: Any, jvp: Any, tracers: Any, /, **settings: Any) -> Any:
        """A function with a derivative rule of its own."""
        result = self.parent.process_custom_jvp_call(primitive, fun, jvp, tracers, **settings)
        self.guarded(self._note_custom, primitive, fun, tracers, settings, result)
        return result

    def process_custom_vjp_call(self, primitive: Any, fun: Any, fwd: Any, bwd: Any, tracers: Any, /, **settings: Any) -> Any:
        """A function with a backward of its own."""
        result = self.parent.process_custom_vjp_call(primitive, fun, fwd, bwd, tracers, **settings)
        self.guarded(self._note_custom, primitive, fun, tracers, settings, result)
        return result

    def process_shard_map(self, primitive: Any, fun: Any, tracers: Any, **settings: Any) -> Any:
        """A function that is mapped over devices; what it does on each is noted by a tape of its own."""
        found: list[Mapped] = []

        def each(*inner: Any) -> Any:
            tape = Tape(_compat.current_trace(), self.numbers, self.listener)
            with _compat.under(tape):
                result = fun(*inner)
            self.guarded(self._each, found, tape, inner, result)
            return result

        result = self.parent.process_shard_map(primitive, each, tracers, **settings)
        count = len(self.bounds)
        self.guarded(self._note, primitive, tracers, settings, result)
        if len(found) == 1 and len(self.bounds) > count:
            self.bounds[-1].mapped = found[0]
        return result

    def _each(self, found: list[Mapped], tape: "Tape", inner: Sequence[Any], result: Any) -> None:
        outputs, specs = _compat.handed_out(result)
        found.append(Mapped(tape.bounds, tuple(self.numbers.of(item) for item in inner), tuple(self.atom(item) for item in outputs), specs))

    def guarded(self, method: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """A fault of ours ends the recording, never the program."""
        if not self.listener.stopped:
            try:
                method(*args, **kwargs)
            except Exception as problem:  # noqa: BLE001 - the program must not notice
                self.listener.broken("tape", problem)

    def _note_custom(self, primitive: Any, fun: Any, tracers: Any, settings: Any, result: Any) -> None:
        name = getattr(fun, "__name__", "") or getattr(getattr(fun, "debug_info", None), "func_name", "")
        running = self.listener.custom()
        count = len(self.bounds)
        self._note(primitive, tracers, {**settings, "name": name}, result)
        if len(self.bounds) == count:
            return
        bound = self.bounds[-1]
        if running is not None and len(running.flat) == len(bound.inputs):
            bound.again = running.again
            if running.rule is not None and source.is_user(running.rule):
                bound.rule, bound.params = running.rule, {**bound.params, "name": running.name}

    def _note(self, primitive: Any, tracers: Any, params: Any, result: Any, *, failed: bool = False) -> None:
        inputs = tuple(self.atom(item) for item in tracers)
        if primitive.name == "stop_gradient":
            inputs = tuple(self.numbers.of_primal(item, known) for item, known in zip(tracers, inputs, strict=True))
        if primitive.name in CONVERTING and self.numbers.converted(tracers[0], result[0]):
            return
        if primitive.name != "stop_gradient" and any(self.numbers.seen(item) is not None for item in result):
            return  # handed on as it was
        outputs = tuple(self.numbers.made(item) for item in result)
        frame = sys._getframe(4)
        if primitive.name == "stop_gradient" and inputs and inputs[0] in outputs:
            outputs = (self._fresh(result[0]),)
        self.bounds.append(self.placed(Bound(primitive, params, inputs, outputs, None, failed=failed), frame))

    def _fresh(self, item: Any) -> int:
        number = len(self.numbers.objects)
        self.numbers.objects[number] = item
        self.numbers.known[id(item)] = number
        self.numbers.held.append(item)
        return number

    def placed(self, bound: Bound, frame: FrameType | None) -> Bound:
        """With its place, the functions around it and the scope that it runs in."""
        stack: list[source.Point] = []
        inside: FrameType | None = None
        user = frame
        while user is not None and not source.is_user(user.f_code):
            if len(stack) < DEPTH and not user.f_code.co_filename.startswith(source.OURS):
                stack.append((user.f_code, user.f_lasti))
                inside = user if known(user.f_code) is not None else inside
            user = user.f_back
        callers = self._callers(user)
        library = tuple(stack[-source.LIBRARY_FRAMES :])
        bound.trace = source.Trace(tuple((caller.f_code, caller.f_lasti) for caller in callers), library) if callers else None
        bound.trace = self.listener.place(bound.trace, frame)
        bound.stack = tuple(stack)
        self._call(bound, user)
        bound.scope = self.listener.scope(callers, self.numbers)
        bound.module, bound.entry = self.listener.module(frame), self.listener.entry(frame)
        if inside is not None:
            self._grouped(bound, inside)
        return bound

    @contextmanager
    def within(self, base: FrameType) -> Iterator[None]:
        """While the function runs that is called from this frame: the way outwards is walked once, not for each primitive."""
        self.base, self.outside = base, list(source.user_frames(base.f_back))
        try:
            yield
        finally:
            self.base, self.outside = None, []

    def _callers(self, user: FrameType | None) -> list[FrameType]:
        """The user's frames from this one outwards."""
        found: list[FrameType] = []
        while user is not None and user is not self.base and len(found) < source.CALLERS:
            if source.is_user(user.f_code):
                found.append(user)
            user = user.f_back
        return [*found, *self.outside][: source.CALLERS] if user is not None and user is self.base else found

    def _call(self, bound: Bound, user: FrameType | None) -> None:
        """Give arrays that come from outside the names of the variables that hold them."""
        for number in bound.inputs if user is not None else ():
            item = self.numbers.objects.get(number) if isinstance(number, int) and number not in self.numbers.called else None
            if user is not None and isinstance(number, int) and item is not None and not _compat.is_tracer(item):
                held = {**user.f_globals, **user.f_locals}
                self.numbers.called[number] = next((name for name, value in held.items() if value is item and name[0] != "_"), "")

    def _grouped(self, bound: Bound, frame: FrameType) -> None:
        """It belongs to a call of a known function; the frame is held, so that no later one gets its identity."""
        bound.group = id(frame)
        if id(frame) not in self.numbers.known:
            self.numbers.known[id(frame)] = -1
            self.numbers.held.append(frame)
            bound.arguments = dict(self._arguments(frame))

    def _arguments(self, frame: FrameType) -> Iterator[tuple[str, Any]]:
        for name in source.parameters_of(frame.f_code):
            item = frame.f_locals.get(name)
            if _compat.is_array(item):
                yield name, self.atom(item)
            elif isinstance(item, bool | int | float | str | type(None)):
                yield name, Constant(item)
        layer, called = frame.f_locals.get("self"), known(frame.f_code)
        rate = getattr(layer, "rate", getattr(layer, "p", None))
        if called is not None and called.kind == "dropout" and isinstance(rate, float):
            yield "rate", Constant(rate)

    def atom(self, item: Any) -> Atom:
        """An input as the tape knows it: a value, or a plain number."""
        number = self.numbers.seen(item)
        if number is not None:
            return number
        inner = _compat.plain(item)
        if _compat.is_tracer(inner) or getattr(inner, "ndim", 0) > 0 or is_key(inner):
            return self.numbers.of(item)
        return Constant(inner)


def is_key(item: Any) -> bool:
    """A random key of the new kind."""
    return "key<" in str(getattr(item, "dtype", ""))


class Listener(Protocol):
    """What the tape asks of the recorder."""

    stopped: bool

    def broken(self, where: str, problem: BaseException) -> None:
        """A fault of ours."""

    def custom(self) -> Custom | None:
        """The function with a derivative of its own that is being called."""

    def scope(self, callers: Sequence[FrameType], numbers: Numbers) -> int | None:
        """The number of the user's function that runs, of the user's frames from the deepest outwards."""

    def place(self, found: source.Trace | None, frame: FrameType | None) -> source.Trace | None:
        """Where the user decided that this is computed: where it is computed, as a rule."""

    def entry(self, frame: FrameType | None) -> Entry | None:
        """The entry of a list that runs."""

    def module(self, frame: FrameType | None) -> str:
        """The path of the library module that runs."""
