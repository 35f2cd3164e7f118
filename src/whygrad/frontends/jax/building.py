"""From a flat program to the neutral graph of a step."""

import dis
import hashlib
import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from whygrad.frontends import source
from whygrad.frontends.arguments import LONGEST, argument_at, expression_at
from whygrad.frontends.arrays import dtype_name, statistics
from whygrad.frontends.folding import Folded, Member, folded
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.errors import with_errors
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.layers import Decided
from whygrad.frontends.jax.library import ACTIVATIONS, KERNELS, Known, function_of, kind_of, known
from whygrad.frontends.jax.scanned import walked
from whygrad.frontends.jax.tape import Bound, Constant
from whygrad.frontends.places import of_argument
from whygrad.ir import Attribute, Graph, Op, Role, Site, Value, family

SETTINGS = {"axis": "axis", "axes": "axis", "dimension": "axis", "reduction": "reduction", "delta": "delta", "rate": "p", "deterministic": "deterministic", "where": "where"}  # fmt: skip
DYING = ("relu", "leaky_relu", "hardtanh", "clamp", "maximum", "gelu", "silu", "elu", "where")
"""Activations whose units may be dead."""
AXES = ("axes", "axis", "dimension")
"""Settings of equations that say along which axes they work; the last counts most."""
MOST_AXES = 8
PICKING = ("gather", "dynamic_slice")
"""Primitives that pick of their first input by the others."""


@dataclass(slots=True)
class Facts:
    """What is known of the values of a step, by number."""

    names: dict[int, str] = field(default_factory=dict)
    """Name in the record."""
    called: dict[int, str] = field(default_factory=dict)
    """Name in the user's code."""
    roles: dict[int, Role] = field(default_factory=dict)
    arrays: dict[int, Any] = field(default_factory=dict)
    types: dict[int, Any] = field(default_factory=dict)
    """Where the array is not at hand: what has a dtype and a shape."""
    moving: set[int] = field(default_factory=set)
    """What is differentiated."""
    given: set[int] = field(default_factory=set)
    """What the step's functions were given."""
    closed_over: set[int] = field(default_factory=set)
    """Of these, what is no argument: a constant that the program, or a function of a library, brings along."""

    def is_figure(self, name: str) -> bool:
        """A single number that no function was given as an argument."""
        number = next((number for number in self.closed_over if self.names.get(number) == name), None)
        return number is not None and _shape(self, number) == ()


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a gradient can flow to, as JAX sees it: to whatever is computed from what is differentiated, short of a cut."""

    live: set[str]
    floating: Collection[str]

    def carries(self, inputs: Sequence[str]) -> tuple[bool, ...]:
        """For each input of an op, whether a gradient flows back to it: whole numbers get none."""
        return tuple(name in self.live and name in self.floating for name in inputs)

    def passes(self, op: Op) -> None:
        """Take in the next op."""
        cut = not op.tracking or op.kind == "integer_cast" or family(op.kind) in ("create", "detach", "decision", "leave")
        if not cut and not self.live.isdisjoint(op.inputs):
            self.live.update(op.outputs)


class Builder:
    """Builds graphs. Keeps the places that it has decoded."""

    def __init__(self, sources: source.Sources) -> None:
        self.sources = sources
        self._decided: set[Site] = set()
        """Places where something was decided that a library computes by itself."""
        self._sites: dict[tuple[object, ...], tuple[source.Trace, Site | None]] = {}

    def site(self, trace: source.Trace | None) -> Site | None:
        """The decoded place of a trace."""
        if trace is None:
            return None
        # by identity: hashing code reads all of it
        argument = trace.argument if isinstance(trace, Decided) else None
        key = (argument, len(trace.user), *(part for code, offset in (*trace.user, *trace.library) for part in (id(code), offset)))
        if key not in self._sites:
            found = of_argument(self.sources, trace, *argument) if argument is not None else self.sources.site(trace)
            self._sites[key] = (trace, found)
            self._decided.update((found,) if found is not None and isinstance(trace, Decided) else ())
        return self._sites[key][1]

    def loop(self, trace: source.Trace | None) -> Site | None:
        """The loop around a place."""
        return self.sources.loop(trace.user[0]) if trace is not None and trace.user else None

    def graph(self, bounds: Sequence[Bound], facts: Facts, losses: Sequence[int]) -> Graph:
        """The ops of a flat program, folded, with every value that they read or make."""
        parts = folded(list(_members(bounds, facts.names)), frozenset(facts.names[number] for number in losses))
        numbers = {text: number for number, text in facts.names.items()}
        flow = Flow(
            {facts.names[number] for number in facts.moving}, {text for text, number in numbers.items() if _floating(facts, number)}
        )
        ops: list[Op] = []
        for part in parts:
            op = self._op(part, [bounds[member.at] for member in part.members], facts, flow)
            flow.passes(op)
            ops += _shuffling(op) if op.outputs or op.failed or op.kind == "leave" else ()
        ops = with_errors(ops, flow.live, {text: _shape(facts, number) for text, number in numbers.items()}) if losses else ops
        ops = [op if op.carries is not None else replace(op, carries=flow.carries(op.inputs)) for op in ops]
        return Graph(tuple(ops), self._values(ops, facts, losses, flow.live, numbers))

    # --- ops ----------------------------------------------------------------------------------------------------

    def _op(self, part: Folded, bounds: Sequence[Bound], facts: Facts, flow: Flow) -> Op:
        first = bounds[0]
        found = function_of(first) if part.group is not None else None
        kind = found.kind if found else self._kind(first, facts)
        if found is not None and found.native == "jax.random.permutation" and self._of_rows(bounds, facts):
            found = replace(found, kind="index", first="x")
            kind = found.kind
        inputs, attributes = part.inputs, settings(first)
        if found is not None:
            inputs, more = self._ordered(found, part, bounds, facts)
            attributes = {**attributes, **more}
        if family(kind) == "create" and kind in ("create", "random"):
            inputs = ()
        attributes |= walked(first, facts.names, inputs)
        if any(bound.rows for bound in bounds):
            attributes = _behind_rows(attributes)
        if first.rule is not None:
            attributes = {**attributes, "backward": self._rule(first.rule)}
        failed = any(bound.failed for bound in bounds)
        native = found.native if found else native_of(first, attributes)
        outputs = () if failed else part.outputs
        carries, site = flow.carries(inputs), self.site(first.trace)
        made = first.entry.site(self.sources) if first.entry is not None else None
        return Op(kind, inputs, outputs, native, carries, not first.outside, attributes, site, first.module, first.scope, failed, made)

    def _rule(self, code: CodeType) -> tuple[str, int, str, str]:
        """File, line, name and text of the user's own derivative rule: of its `return`, where there is one alone."""
        returns = {line for instruction, line in _returns(code) if instruction == "RETURN_VALUE"}
        line = returns.pop() if len(returns) == 1 else code.co_firstlineno
        return code.co_filename, line, code.co_qualname.replace("<locals>.", ""), self.sources.line(code.co_filename, line)

    @staticmethod
    def _of_rows(bounds: Sequence[Bound], facts: Facts) -> bool:
        """A permutation of an array's rows, not of the numbers up to some count."""
        given = next((bound.arguments for bound in bounds if bound.arguments), {})
        item = given.get("x")
        return isinstance(item, int) and len(getattr(facts.arrays.get(item, facts.types.get(item)), "shape", ())) > 0

    def _kind(self, bound: Bound, facts: Facts) -> str:
        kind = kind_of(bound.name)
        if bound.name == "integer_pow" and bound.params.get("y") == 2:  # noqa: PLR2004 - a square
            return "square"
        values = [item for item in bound.inputs if isinstance(item, int)]
        if bound.rule is not None or (bound.primitive is not None and bound.primitive.name.startswith("custom_") and kind == "opaque"):
            return "custom"
        if bound.leaves or (bound.primitive is None and bound.native not in ("copy", "stack", "index", "mean", "sum")):
            return "leave" if bound.leaves else kind
        if not values and kind not in ("random", "sample", "detach"):
            return "create"
        if kind == "cast" and values:
            return _cast(facts, values[0], bound.outputs[0] if bound.outputs else values[0])
        return kind

    def _ordered(self, found: Known, part: Folded, bounds: Sequence[Bound], facts: Facts) -> tuple[tuple[str, ...], dict[str, Attribute]]:
        """The inputs as the function's own arguments have them, and its settings."""
        given = next((bound.arguments for bound in bounds if bound.arguments), {})
        named = {key: facts.names.get(item) for key, item in given.items() if isinstance(item, int)}
        attributes: dict[str, Attribute] = {
            SETTINGS[key]: item.value
            for key, item in given.items()
            if key in SETTINGS and isinstance(item, Constant) and item.value is not None
        }
        first = named.get(found.first) if found.first else next((name for name in named.values() if name in part.inputs), None)
        target = named.get(found.target)
        inputs = [name for name in part.inputs if not (given and found.target and name not in named.values() and facts.is_figure(name))]
        if found.target and target is None and len(inputs) > 1:
            first, target = _guess(inputs, facts)
        if found.kind == "index" and not given:
            first = next((facts.names.get(b.inputs[0]) for b in bounds if b.name in PICKING and isinstance(b.inputs[0], int)), first)
        ordered = dict.fromkeys([name for name in (first, target) if name in inputs] + inputs)
        inputs = list(ordered)
        if target in inputs:
            attributes["target"] = inputs.index(target)
        if found.native in KERNELS:
            grouped = next((item for bound in bounds if isinstance(item := bound.params.get("feature_group_count"), int)), 1)
            attributes |= {**KERNELS[found.native], **({"groups": grouped} if grouped > 1 else {})}
        if found.native.startswith("jax.random.") and isinstance(given.get("key"), int):
            attributes |= _drawn_by(facts.arrays.get(given["key"]))
        if found.kind == "batch_norm":
            running = given.get("use_running_average", given.get("inference"))
            attributes |= {"training": not running.value} if isinstance(running, Constant) and running.value is not None else {}
        if found.ids is not None:
            attributes = {"axis": -1, **attributes, "ids": found.ids}
        return tuple(name for name in inputs if name is not None), attributes

    # --- values -------------------------------------------------------------------------------------------------

    def _values(
        self, ops: Sequence[Op], facts: Facts, losses: Sequence[int], live: set[str], numbers: Mapping[str, int]
    ) -> dict[str, Value]:
        makers = {name: op for op in ops for name in op.outputs}
        read = {name for op in ops if family(op.kind) == "loss" for name in op.inputs}
        orders = {op.output: op for op in ops if op.output.endswith(ORDER)}
        names = dict.fromkeys(name for op in ops for name in (*op.inputs, *op.outputs) if name not in orders)
        names.update(dict.fromkeys(facts.names[number] for number in losses))
        known_ = {facts.names[number] for number in losses}
        assigned = dict(_handed(ops)) | dict(_assigned(ops))
        facts.called.update({numbers[name]: text for name, text in assigned.items() if not facts.called.get(numbers[name])})
        found = {
            name: self.value(name, numbers[name], facts, makers.get(name), loss=name in known_, read=name in read, live=name in live)
            for name in names
        }
        found |= {
            name: replace(found[name], called=found[given].called)
            for name, given in _stretched(ops)
            if given in found and found[given].called
        }
        return found | {name: self._order(name, ops, numbers, facts) for name in orders}

    @staticmethod
    def _order(name: str, ops: Sequence[Op], numbers: Mapping[str, int], facts: Facts) -> Value:
        """The order that rows were put in: as many whole numbers as there are rows."""
        given = next(op.inputs[0] for op in ops if name in op.inputs)
        array = facts.arrays.get(numbers[given], facts.types.get(numbers[given]))
        return Value(name, "constant", "i32", tuple(getattr(array, "shape", ()))[:1])

    def value(
        self, name: str, number: int, facts: Facts, maker: Op | None = None, *, loss: bool = False, read: bool = False, live: bool = False
    ) -> Value:
        """What is known of one value."""
        array = facts.arrays.get(number)
        kind = facts.arrays.get(number, facts.types.get(number))
        dtype = getattr(kind, "dtype", None)
        figures = None
        if array is not None and dtype is not None and "key<" not in str(dtype):
            outer = maker is None
            units = maker is not None and maker.kind in DYING
            figures = statistics(
                array,
                whole=outer or loss or read,
                count_distinct=(outer or read or number in facts.given) and not live,
                rows=read or (number in facts.given and not live),
                units=units,
            )
        role = (
            "loss"
            if loss
            else facts.roles.get(number) or ("input" if maker is None else "constant" if maker.kind == "create" else "activation")
        )
        decided = maker is not None and maker.site in self._decided
        called = facts.called.get(number) or (maker.module if maker is not None and decided else expression(maker))
        shape = tuple(int(size) for size in getattr(kind, "shape", ())) if kind is not None else None
        return Value(name, role, dtype_name(dtype) if dtype is not None else "", shape, figures, called, live)


def _stretched(ops: Sequence[Op]) -> Iterator[tuple[str, str]]:
    """What an operator stretched to the other side's shape, and what it was given: nobody wrote a name for the one but that of the other."""
    operators = {op.site for op in ops if family(op.kind) == "arithmetic" and op.site is not None}
    yield from ((op.output, op.inputs[0]) for op in ops if family(op.kind) == "layout" and op.inputs and op.site in operators)


def _members(bounds: Sequence[Bound], names: Mapping[int, str]) -> Iterator[Member]:
    """The primitives as folding sees them."""
    for at, (bound, group) in enumerate(zip(bounds, groups(bounds), strict=True)):
        yield Member(at, tuple([names[i] for i in bound.inputs if isinstance(i, int)]), tuple([names[n] for n in bound.outputs]), group)


def _returns(code: CodeType) -> Iterator[tuple[str, int]]:
    """Every instruction with its line."""
    for instruction in dis.get_instructions(code):
        if instruction.positions is not None and instruction.positions.lineno is not None:
            yield instruction.opname, instruction.positions.lineno


ORDER = ".order"
"""End of the name of an order that a function drew by itself."""


def _shuffling(op: Op) -> tuple[Op, ...]:
    """Rows in another order are two ops: an order that is drawn, and rows picked by it."""
    if op.native != "jax.random.permutation" or op.kind != "index":
        return (op,)
    order = op.output + ORDER
    key: dict[str, Attribute] = {"key": op.attributes["key"]} if "key" in op.attributes else {}
    drawn = Op("random", (), (order,), op.native, attributes=key, site=op.site, module=op.module, scope=op.scope)
    return (
        drawn,
        Op("index", (op.inputs[0], order), op.outputs, op.native, None, op.tracking, op.attributes, op.site, op.module, op.scope),
    )


def _drawn_by(key: Any) -> dict[str, Attribute]:
    """A short digest of a random key: numbers drawn by equal keys are equal."""
    if key is None or deleted(key):
        return {}
    words = np.asarray(jax.random.key_data(key) if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else key)
    return {"key": hashlib.blake2b(words.tobytes(), digest_size=8).hexdigest()}


def _shape(facts: Facts, number: int) -> tuple[int, ...] | None:
    kind = facts.arrays.get(number, facts.types.get(number))
    return tuple(getattr(kind, "shape", ())) if kind is not None else None


def _floating(facts: Facts, number: int | None) -> bool:
    kind = facts.arrays.get(number, facts.types.get(number)) if number is not None else None
    name = dtype_name(getattr(kind, "dtype", "f32"))
    return name.startswith(("f", "bf", "c"))


def _cast(facts: Facts, before: int, after: int) -> str:
    kinds = [dtype_name(getattr(facts.arrays.get(number, facts.types.get(number)), "dtype", "")) for number in (before, after)]
    if kinds[0] == kinds[1]:
        return "copy"
    return (
        "integer_cast"
        if kinds[0].startswith(("f", "bf")) and kinds[1].startswith(("i", "u", "b")) and not kinds[1].startswith("bf")
        else "cast"
    )


def _guess(inputs: Sequence[str], facts: Facts) -> tuple[str, str]:
    """Which of two inputs of a loss is the target, where its arguments are not known: whole numbers, else the second."""
    numbers = {text: number for number, text in facts.names.items()}
    whole = [name for name in inputs if not _floating(facts, numbers.get(name))]
    return (next(name for name in inputs if name != whole[0]), whole[0]) if whole and len(inputs) > 1 else (inputs[0], inputs[1])


def groups(bounds: Sequence[Bound]) -> Iterator[Hashable | None]:
    """For each primitive the call of a known library function that it belongs to."""
    open_: tuple[Any, ...] = ()
    first: tuple[Any, ...] = ()
    serial = 0
    for bound in bounds:
        at = next((at for at in range(len(bound.stack) - 1, -1, -1) if known(bound.stack[at][0]) is not None), None)
        if bound.group is not None:
            yield ("frame", bound.group)
        elif at is None:
            yield None
        else:
            outer = (bound.stack[at + 1 :], bound.stack[at][0], bound.trace.user if bound.trace else ())
            mine = (bound.stack, bound.name)
            if outer != open_ or mine == first:
                serial, open_, first = serial + 1, outer, mine
            yield ("run", serial)


def settings(bound: Bound) -> dict[str, Attribute]:
    """The settings of an equation that rules ask for."""
    found: dict[str, Attribute] = {}
    inner = _inner(bound)
    for name in AXES:
        item = bound.params[name] if name in bound.params else inner.get(name)
        if isinstance(item, int) and not isinstance(item, bool):
            found["axis"] = item
        elif isinstance(item, tuple) and len(item) <= MOST_AXES and all(isinstance(part, int) for part in item):
            found["axis"] = tuple(int(part) for part in item) if len(item) != 1 else int(item[0])
    return found


def _behind_rows(attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    """Axes of one example, counted from the front, are one further where the rows of all examples come first."""
    axis = attributes.get("axis")
    if isinstance(axis, tuple):
        return {**attributes, "axis": tuple(part + 1 if isinstance(part, int) and part >= 0 else part for part in axis)}
    return {**attributes, "axis": axis + 1} if isinstance(axis, int) and axis >= 0 else attributes


def _inner(bound: Bound) -> dict[str, Any]:
    """The axes of the equations within a function of the library's, each of the first that has it."""
    found: dict[str, Any] = {}
    for _, program in _compat.inner_programs(bound.params):
        for equation in program.jaxpr.eqns:
            for name in AXES:
                if name in equation.params:
                    found.setdefault(name, equation.params[name])
    return found


def native_of(bound: Bound, attributes: Mapping[str, Attribute]) -> str:
    """The name that the user would know: `jax.numpy.where`; arithmetic with a number in front is turned round."""
    _ = attributes
    if bound.rule is not None:
        return bound.name
    name = bound.name.strip("_")
    if name in ("sub", "subtract", "div", "divide", "true_divide") and bound.inputs and isinstance(bound.inputs[0], Constant):
        return f"jax.numpy.r{'sub' if name.startswith('sub') else 'div'}"
    module = "jax.lax" if name == "stop_gradient" or bound.primitive is None else "jax.nn" if name in ACTIVATIONS else "jax.numpy"
    return f"{module}.{name}"


ASSIGNED = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*")


def _assigned(ops: Sequence[Op]) -> Iterator[tuple[str, str]]:
    """Values that are the whole right side of an assignment, with the name that they are assigned to."""
    last = {(op.site.file, op.site.line, op.site.column, op.scope): op for op in ops if op.site is not None and len(op.outputs) == 1}
    for op in last.values():
        site = op.site
        if site is None or site.line != site.end_line or not 0 < site.column < site.end_column:
            continue
        name = ASSIGNED.fullmatch(site.text[: site.column - 1])
        if name is not None and site.text[site.end_column - 1 :].partition("#")[0].strip() == "":
            yield op.output, name[1]


def _handed(ops: Sequence[Op]) -> Iterator[tuple[str, str]]:
    """What a loss is called with, by the expression that is written there."""
    for op in ops:
        if family(op.kind) == "loss" and op.attributes.get("target") == 1 and len(op.inputs) > 1:
            yield from ((name, text) for at, name in enumerate(op.inputs[:2]) if (text := argument_at(op.site, at)))


def expression(maker: Op | None) -> str:
    """The expression that made a value, where the user gave it no name."""
    text = expression_at(maker.site) if maker is not None else ""
    return text if len(text) <= LONGEST else ""
