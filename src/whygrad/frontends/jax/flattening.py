"""Programs within programs: the equations of functions, branches and short loops are taken out and put in line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax.numpy as jnp
from jax import lax

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.devices import over_devices
from whygrad.frontends.jax.layers import Decided
from whygrad.frontends.jax.library import KIND_OF
from whygrad.frontends.jax.tape import Atom, Bound, Constant, Numbers

UNROLLED = 400
"""Equations that a loop may come to when it is written out: the compiler then needs about a second."""
FUNCTIONS = ("jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint", "remat", "custom_vjp_call_jaxpr", "shard_map", "call")


@dataclass(slots=True)
class Flattening:
    """Puts the equations of a tape in line."""

    numbers: Numbers
    arrays: Mapping[int, Any]
    """What is known of values by now: which branch was taken."""
    limits: list[str] = field(default_factory=list)
    types: dict[int, Any] = field(default_factory=dict)
    """Abstract value of each number that was made here."""

    def flat(self, bounds: Sequence[Bound]) -> list[Bound]:
        """The same program without functions of the user's in it."""
        return [item for bound in bounds for item in self._one(bound)]

    def _one(self, bound: Bound) -> Iterator[Bound]:
        if bound.failed or bound.primitive is None:
            yield bound
            return
        name, inner = str(bound.primitive.name), dict(_compat.inner_programs(bound.params))
        if bound.mapped is not None:
            yield from over_devices(self, bound)
        elif name in ("jit", "pjit") and is_leaf(bound, inner.get("jaxpr")):
            yield bound
        elif name in FUNCTIONS and inner:
            yield from self._inside(bound, next(iter(inner.values())), bound.inputs, bound.outputs)
        elif name == "cond":
            yield from self._branch(bound)
        elif name == "scan":
            yield from self._loop(bound)
        else:
            yield bound

    def _inside(self, bound: Bound, program: Any, inputs: Sequence[Atom], outputs: Sequence[int]) -> Iterator[Bound]:
        """The equations of a program, on these inputs, making these outputs."""
        jaxpr = program.jaxpr
        held: dict[Any, Atom] = {}
        for variable, constant in zip(jaxpr.constvars, program.consts, strict=True):
            held[variable] = self._constant(constant)
        held.update(zip(jaxpr.invars, inputs, strict=False))
        made = {variable: number for variable, number in zip(jaxpr.outvars, outputs, strict=False) if not _compat.is_literal(variable)}
        for equation in jaxpr.eqns:
            yield from self._one(self._equation(equation, held, made, bound))
        for variable, number in zip(jaxpr.outvars, outputs, strict=False):
            found = Constant(variable.val) if _compat.is_literal(variable) else held.get(variable)
            if found is not None and found != number:
                yield Bound(None, {}, (found,), (number,), bound.trace, bound.stack, scope=bound.scope, module=bound.module, native="copy")

    def _equation(self, equation: Any, held: dict[Any, Atom], made: Mapping[Any, int], outer: Bound) -> Bound:
        inputs = tuple(Constant(item.val) if _compat.is_literal(item) else held[item] for item in equation.invars)
        outputs = []
        for variable in equation.outvars:
            number = made.get(variable) if variable not in held and variable in made else None
            number = self._new(variable.aval) if number is None else number
            held[variable] = number
            outputs.append(number)
        trace, stack = places(equation, outer)
        return Bound(
            equation.primitive,
            equation.params,
            inputs,
            tuple(outputs),
            trace,
            stack,
            scope=outer.scope,
            module=outer.module,
            entry=outer.entry,
        )

    def _new(self, aval: Any) -> int:
        number = len(self.numbers.objects)
        self.numbers.objects[number] = None
        self.types[number] = aval
        return number

    def _constant(self, item: Any) -> Atom:
        return self.numbers.of(item) if getattr(item, "ndim", 0) else Constant(item)

    def _branch(self, bound: Bound) -> Iterator[Bound]:
        """The branch that was taken, where that is known."""
        which = bound.inputs[0]
        index = which.value if isinstance(which, Constant) else self.arrays.get(which)
        branches = bound.params.get("branches", ())
        if index is None or not branches:
            self.limits.append("what ran inside a `lax.cond` could not be seen")
            yield bound
            return
        chosen = branches[max(0, min(int(index), len(branches) - 1))]
        yield from self._inside(bound, chosen, bound.inputs[1:], bound.outputs)

    def _loop(self, bound: Bound) -> Iterator[Bound]:
        """A short `scan`, turn by turn."""
        body, length = bound.params["jaxpr"], int(bound.params["length"])
        if length * max(1, _size(body)) > UNROLLED or length == 0:
            self.limits.append(f"a `lax.scan` of {length} turns was looked at as a whole: what happens inside it was not seen")
            yield bound
            return
        yield from _Turns(self, bound, body, length).equations()


@dataclass(slots=True)
class _Turns:
    """One `scan`, written out."""

    owner: Flattening
    bound: Bound
    body: Any
    length: int

    def equations(self) -> Iterator[Bound]:
        params, inputs = self.bound.params, self.bound.inputs
        consts, carries = int(params["num_consts"]), int(params["num_carry"])
        fixed, carry, rows = inputs[:consts], list(inputs[consts : consts + carries]), inputs[consts + carries :]
        stacked: list[list[int]] = [[] for _ in self.bound.outputs[carries:]]
        order = range(self.length - 1, -1, -1) if params.get("reverse") else range(self.length)
        for turn in order:
            given: list[Atom] = []
            for row in rows:
                yield (picked := self._picked(row, turn))
                given.append(picked.outputs[0])
            results = [self.owner._new(variable.aval) for variable in self.body.jaxpr.outvars]
            yield from self.owner._inside(self.bound, self.body, (*fixed, *carry, *given), results)
            carry = list(results[:carries])
            for held, number in zip(stacked, results[carries:], strict=True):
                held.append(number)
        yield from self._results(carry, [held[::-1] if params.get("reverse") else held for held in stacked])

    def _picked(self, row: Atom, turn: int) -> Bound:
        number = self.owner._new(None)
        made = Bound(
            None,
            {},
            (row,),
            (number,),
            self.bound.trace,
            self.bound.stack,
            scope=self.bound.scope,
            module=self.bound.module,
            native="index",
        )
        made.again = lambda rows: [lax.index_in_dim(rows, turn, keepdims=False)]
        return made

    def _results(self, carry: Sequence[Atom], stacked: Sequence[Sequence[int]]) -> Iterator[Bound]:
        outputs = self.bound.outputs
        again: Callable[..., Any]
        for given, number, native, again in (
            *(((atom,), number, "copy", lambda item: [item]) for atom, number in zip(carry, outputs, strict=False)),
            *(
                (tuple(rows), number, "stack", lambda *items: [jnp.stack(items)])
                for rows, number in zip(stacked, outputs[len(carry) :], strict=True)
            ),
        ):
            made = Bound(
                None,
                {},
                tuple(given),
                (number,),
                self.bound.trace,
                self.bound.stack,
                scope=self.bound.scope,
                module=self.bound.module,
                native=native,
            )
            made.again = again
            yield made


def _size(program: Any) -> int:
    """Equations of a program, those of inner functions of the user's included."""
    found = 0
    for equation in program.jaxpr.eqns:
        inner = [item for _, item in _compat.inner_programs(equation.params)]
        bare = Bound(equation.primitive, equation.params, (), (), None)
        leaf = (
            not inner
            or (equation.primitive.name in ("jit", "pjit") and is_leaf(bare, inner[0]))
            or equation.primitive.name.startswith("custom")
        )
        found += 1 if leaf else sum(_size(item) for item in inner) * int(equation.params.get("length", 1) or 1)
    return found


def is_leaf(bound: Bound, program: Any) -> bool:
    """A jitted function of a library's whose name says what it does: looked at as a whole."""
    file = _compat.function_file(program)
    mine = bool(file) and not file.startswith(source.LIBRARIES)
    return program is None or (not mine and bound.name in KIND_OF)


def places(equation: Any, outer: Bound) -> tuple[source.Trace | None, tuple[source.Point, ...]]:
    """Where an equation of an inner program stands in the user's code, and the library's functions below."""
    library: list[source.Point] = []
    user: list[source.Point] = []
    for point in _compat.points(equation.source_info.traceback):
        if source.is_user(point[0]):
            user.append(point)
        elif not user and not point[0].co_filename.startswith(source.OURS):
            library.append(point)
        if len(user) >= source.CALLERS:
            break
    if isinstance(outer.trace, Decided):
        return replace(outer.trace, library=tuple(library[-source.LIBRARY_FRAMES :])), tuple(library)
    if not user:
        return outer.trace, outer.stack
    return source.Trace(tuple(user), tuple(library[-source.LIBRARY_FRAMES :])), tuple(library)
