"""The program behind one derivative: all equations from what the step was given to the loss, in line, with the values that are known."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.batched import Level, over_rows
from whygrad.frontends.jax.derivations import Derivation
from whygrad.frontends.jax.evaluation import Engine, concrete
from whygrad.frontends.jax.flattening import Flattening, places
from whygrad.frontends.jax.mapping import Rows, by_rows, levels_of, of_all, tags, total
from whygrad.frontends.jax.shards import Shards, off_mesh, shards_of
from whygrad.frontends.jax.tape import Atom, Bound, Constant

MOST_BEFORE = 300
"""Equations before the loss function that are looked at: preparing a batch takes few."""
MOST_BYTES = 1 << 30
"""Memory that the values of one step may take when all of them are looked at at once."""


@dataclass(slots=True)
class Program:
    """One derivative, ready to be shown and run again."""

    derivation: Derivation
    bounds: list[Bound] = field(default_factory=list)
    types: dict[int, Any] = field(default_factory=dict)
    given: dict[int, Any] = field(default_factory=dict)
    """Values that the program reads and does not make: arrays, or variables of the traced function around it."""
    limits: list[str] = field(default_factory=list)
    compiled: bool = False
    ahead: int = 0
    """How many of the equations run before the differentiated function."""
    spread: tuple[Rows, ...] = ()
    """What it is the body of, equations before the loss and all: a `shard_map`, or calls under `vmap`, the innermost first."""
    meshed: bool = False
    """It is the body of a `shard_map`."""
    leading: dict[int, int] = field(default_factory=dict)
    """Of values that members of an ensemble or devices hold: how many axes stand in front of what one of them holds."""

    @property
    def moving(self) -> list[int]:
        """What is differentiated."""
        return [argument.number for argument in self.derivation.parameters]

    def by_rows(self) -> bool:
        """Each row of a `vmap` is differentiated by what is its own alone."""
        around = any(rows.given.issuperset(self.moving) for rows in self.spread) and not self.meshed
        return bool(self.moving) and (around or by_rows(self.derivation))

    def over_devices(self) -> bool:
        """It calls a function that is mapped over devices."""
        return any(bound.mapped is not None for bound in self.derivation.bounds)

    def variables(self) -> dict[str, Any]:
        """Parameters that stand for variables of the program that the derivative belongs to."""
        given = {argument.path: self.given.get(argument.number) for argument in self.derivation.parameters}
        return {path: item for path, item in given.items() if item is not None and not _compat.is_array(item)}

    def made(self) -> list[int]:
        """Values that the program makes."""
        return [number for bound in self.bounds if not bound.failed for number in bound.outputs]

    def engine(self, arrays: Mapping[int, Any]) -> Engine:
        """It, ready to run; `arrays` holds what was given."""
        moving = [number for number in self.moving if number in arrays]
        fixed = {number: arrays[number] for number in self.external() if number in arrays and number not in moving}
        losses = [number for number in (self.derivation.loss,) if number is not None]
        return Engine(self.bounds, losses, moving, fixed, compiled=self.compiled)

    def external(self) -> list[int]:
        """What it reads and does not make."""
        made: set[int] = set()
        found: dict[int, None] = {}
        for bound in self.bounds:
            found.update((item, None) for item in bound.inputs if isinstance(item, int) and item not in made)
            made.update(bound.outputs)
        return list(found)


def eager(derivation: Derivation) -> tuple[Program, dict[int, Any]]:
    """The program of a derivative that was computed at once, with every value that is known."""
    arrays = {number: found for number, item in derivation.numbers.objects.items() if (found := concrete(item)) is not None}
    flattening = Flattening(derivation.numbers, arrays)
    program = Program(derivation, limits=flattening.limits)
    program.bounds = flattening.flat(derivation.bounds)
    # what a compiled function closes over becomes known only when it is put in line
    arrays |= {
        number: found
        for number, item in derivation.numbers.objects.items()
        if number not in arrays and (found := concrete(item)) is not None
    }
    program.types = {**_types(derivation.numbers.objects), **flattening.types}
    program = _widened(program)
    missing = [number for number in program.made() if number not in arrays]
    if missing and derivation.failed is None:
        arrays = {**arrays, **_filled(program, arrays, missing)}
    return program, arrays


def _widened(program: Program) -> Program:
    """The program of all rows, where it is that of one row under `vmap`."""
    derivation = program.derivation
    around = {rows.tag for rows in program.spread}
    levels = [rows for rows in levels_of(derivation, {*program.moving, *derivation.external()}) if rows.tag not in around]
    if not (levels or program.spread) or derivation.failed is not None:
        return program
    for rows in levels:
        ahead = program.bounds[: program.ahead]
        program.bounds, held = of_all(program.bounds[program.ahead :], rows, derivation.numbers, program.types, program.moving)
        program.bounds = [*ahead, *program.bounds]
        _summed(program, rows, held)
    program.bounds = off_mesh(program.bounds) if program.meshed else program.bounds
    for rows in program.spread:
        program.bounds, held = of_all(program.bounds, rows, derivation.numbers, program.types, program.moving)
        _summed(program, rows, held)
    program.compiled = True
    return program


def _summed(program: Program, rows: Rows, held: Collection[int]) -> None:
    """Its loss is one number again."""
    derivation = program.derivation
    if program.meshed or not rows.given.isdisjoint(program.moving):
        program.leading.update({number: program.leading.get(number, 0) + 1 for number in held})
    if derivation.loss is not None:
        whole = total(derivation.loss, derivation, program.moving, rows)
        program.bounds.append(whole)
        shape, dtype = program.types[whole.inputs[0]].shape, program.types[whole.inputs[0]].dtype  # type: ignore[index]  # an input of a total is a number
        derivation.loss = whole.outputs[0]
        derivation.losses = whole.outputs
        program.types[derivation.loss] = jax.ShapeDtypeStruct(shape[1:], dtype)  # type: ignore[no-untyped-call]  # jax has no type for it


def _filled(program: Program, arrays: Mapping[int, Any], missing: Sequence[int]) -> dict[int, Any]:
    """Values within functions of the user's that were compiled, computed again."""
    engine = program.engine(arrays)
    engine.compiled = True
    return engine.values(missing, {number: arrays[number] for number in engine.moving})


def _types(objects: Mapping[int, Any]) -> dict[int, Any]:
    """What has a dtype and a shape, for each value."""
    return {number: _abstract(item) for number, item in objects.items() if _compat.is_array(item)}


def _abstract(item: Any) -> Any:
    found = getattr(item, "aval", None)
    return found if found is not None else jax.ShapeDtypeStruct(item.shape, item.dtype)  # type: ignore[no-untyped-call]  # jax has no type for it


def traced(derivation: Derivation, closed: Any, shards: Shards | None = None, levels: Sequence[Level] = ()) -> Program:
    """The program of a derivative within a function that JAX traces; values are variables of that function."""
    variables = {number: found for number, item in derivation.numbers.objects.items() if (found := _compat.variable(item)) is not None}
    given = {number: found for number, item in derivation.numbers.objects.items() if (found := concrete(item)) is not None}
    program = Program(derivation, compiled=True)
    program.types = _types(derivation.numbers.objects)
    outer = _Outer(derivation, closed, variables)
    before = [bound for bound in outer.bounds() if not set(program.moving).issuperset(bound.outputs)]
    program.bounds, program.ahead = [*before, *derivation.bounds], len(before)
    program.given = {**given, **outer.given}
    program.types.update(outer.types)
    if shards is not None:
        axes = enumerate(zip(closed.jaxpr.invars, shards.axes, strict=True))
        split = {variable for at, (variable, axis) in axes if axis is not None and at not in shards.shared}
        held = (number for number, item in program.given.items() if not _compat.is_array(item) and item in split)
        program.spread, program.meshed = (Rows(shards.size, shards.name, frozenset(held)),), True
        return program
    objects = derivation.numbers.objects
    for level in levels:
        held = (
            n for n, item in program.given.items() if not _compat.is_array(item) and (item in level.held or level.tag in tags(objects[n]))
        )
        program.spread += (Rows(level.size, level.name, frozenset(held), level.tag),)
    return program


def judged(program: Program) -> bool:
    """A derivative forward is one of a loss, or of more residuals than it has parameters: filters and solvers have as many equations as unknowns."""
    derivation, types = program.derivation, program.types
    if len(derivation.losses) != 1 or any(number not in types for number in (*derivation.losses, *program.moving)):
        return False
    found = types[derivation.losses[0]]
    count = sum(int(types[number].size) for number in program.moving)
    single = found.size == 1 and not found.shape
    return bool(jnp.issubdtype(found.dtype, jnp.floating)) and (single or (derivation.kind == "jacobian" and found.size > count))


def _squared(program: Program) -> None:
    """Of residuals the mean of their squares is what a step by their matrix of slopes makes smaller."""
    derivation = program.derivation
    if not derivation.forward or derivation.loss is None or not program.types[derivation.loss].shape:
        return
    for native, again in (("square", jnp.square), ("mean", jnp.mean)):
        number, given = len(derivation.numbers.objects), derivation.loss
        derivation.numbers.objects[number] = None
        made = Bound(None, {}, (given,), (number,), derivation.trace, native=native)
        made.again = lambda item, again=again: [again(item)]
        program.bounds.append(made)
        kind = program.types[given]
        program.types[number] = jax.ShapeDtypeStruct(kind.shape if native == "square" else (), kind.dtype)  # type: ignore[no-untyped-call]  # jax has no type for it
        derivation.loss, derivation.losses = number, (number,)


@dataclass(slots=True)
class _Outer:
    """The equations of the traced function that stand before the loss."""

    derivation: Derivation
    closed: Any
    variables: Mapping[int, Any]
    given: dict[int, Any] = field(default_factory=dict)
    types: dict[int, Any] = field(default_factory=dict)

    def bounds(self) -> list[Bound]:
        """Those that what the loss function was given comes from."""
        jaxpr = self.closed.jaxpr
        made = {number for bound in self.derivation.bounds for number in bound.outputs}
        # a compiled function hands some of its inputs on: what comes out within the loss is then the variable that went in
        numbers = {variable: number for number, variable in sorted(self.variables.items(), key=lambda item: (item[0] not in made, item[0]))}
        read = {*self.derivation.external(), *(argument.number for argument in self.derivation.arguments)} - made
        wanted = [variable for number, variable in self.variables.items() if number in read]
        equations = _compat.needed(jaxpr, wanted)
        equations = equations if len(equations) <= MOST_BEFORE else []
        found = [self._bound(equation, numbers) for equation in equations]
        found += self._copies(numbers, {number for bound in found for number in bound.outputs}, read)
        constants = dict(zip(jaxpr.constvars, self.closed.consts, strict=True))
        ours = {number for bound in found for number in bound.outputs}
        every = {**{number: variable for variable, number in numbers.items()}, **self.variables}
        self.given = {number: constants.get(variable, variable) for number, variable in every.items() if number not in made | ours}
        return found

    def _copies(self, numbers: Mapping[Any, int], known: set[int], read: set[int]) -> list[Bound]:
        """Variables that the loss function met as two objects: the second is a copy of the first, which the equations make."""
        doubled = [(numbers[variable], number) for number, variable in self.variables.items() if number in read - known]
        return [Bound(None, {}, (first,), (second,), None, native="copy") for first, second in doubled if first in known]

    def _bound(self, equation: Any, numbers: dict[Any, int]) -> Bound:
        inputs: tuple[Atom, ...] = tuple(
            Constant(item.val) if _compat.is_literal(item) else self._number(item, numbers) for item in equation.invars
        )
        outputs = tuple(self._number(item, numbers) for item in equation.outvars)
        nothing = Bound(None, {}, (), (), None)
        trace, stack = places(equation, nothing)
        return Bound(equation.primitive, equation.params, inputs, outputs, trace, stack)

    def _number(self, variable: Any, numbers: dict[Any, int]) -> int:
        if variable not in numbers:
            number = len(self.derivation.numbers.objects)
            self.derivation.numbers.objects[number] = None
            numbers[variable] = number
            self.types[number] = variable.aval
        return numbers[variable]


def resolved(given: Mapping[int, Any], values: Mapping[Any, Any]) -> dict[int, Any]:
    """What was given, in arrays: variables are looked up among the values of this call."""
    found = {}
    for number, item in given.items():
        array = item if _compat.is_array(item) else values.get(item)
        if array is not None:
            found[number] = array
    return found


def begun(program: Program, owner: Any, values: Mapping[Any, Any], levels: Sequence[Level] = ()) -> dict[int, Any]:
    """What is differentiated and is made within the traced function, of what that is given."""
    objects = program.derivation.numbers.objects
    made = {number: variable for number in program.moving if (variable := _compat.variable(objects[number])) is not None}
    missing = {number: variable for number, variable in made.items() if variable not in values}
    if not missing:
        return {}
    wanted = list(missing.values())
    run = _compat.ORIGINALS.jit(over_rows(_compat.sliced(owner, wanted), levels, owner.jaxpr.invars, wanted))
    return dict(zip(missing, run(*(values.get(item) for item in owner.jaxpr.invars)), strict=True))


def variables_of(derivation: Derivation) -> list[Any]:
    """The variables of the traced function that the derivative reads: its arguments, and what its function closes over."""
    made = {number for bound in derivation.bounds for number in bound.outputs}
    read = {item for bound in derivation.bounds for item in bound.inputs if isinstance(item, int)} - made
    numbers = [*(argument.number for argument in derivation.parameters), *sorted(read)]
    found = (_compat.variable(derivation.numbers.objects[number]) for number in dict.fromkeys(numbers))
    return [variable for variable in found if variable is not None]


def reachable(derivation: Derivation) -> bool:
    """What the function reads can be had, as it lies under nothing but `vmap`; and so can what it calls."""
    if any(closed_off(bound) for bound in derivation.bounds):
        return False
    numbers = {*(argument.number for argument in derivation.parameters), *derivation.external()}
    objects = [derivation.numbers.objects[number] for number in numbers]
    if any(level.axis != 0 for item in objects if concrete(item) is None for level in _compat.mapped(item)):
        return False  # timid: rows that do not come first are rare
    return all(_compat.variable(item) is not None or concrete(item) is not None for item in objects)


def closed_off(bound: Bound) -> bool:
    """A function that is mapped over devices within what is differentiated: JAX tells of it only that it was called."""
    name = bound.primitive.name if bound.primitive is not None and not bound.failed else ""
    open_ = bound.mapped is not None and shards_of(bound) is not None
    return name == "shard_map" and not open_ and not list(_compat.inner_programs(bound.params))


def failed(derivation: Derivation) -> Program:
    """The program of a derivative whose function raised while it was traced: types alone are known."""
    return Program(derivation, list(derivation.bounds), _types(derivation.numbers.objects))


def affordable(program: Program) -> list[int]:
    """Values that are looked at, as far as memory allows, small ones first."""
    sizes = sorted((_size(program.types.get(number)), number) for number in program.made())
    found, total = [], 0
    for size, number in sizes:
        total += size
        if total <= MOST_BYTES:
            found.append(number)
    return sorted(found)


def bytes_of(types: Iterable[Any]) -> int:
    """Memory that values of these types take."""
    return sum(_size(kind) for kind in types)


def _size(kind: Any) -> int:
    try:
        return int(kind.size) * int(kind.dtype.itemsize)
    except (AttributeError, TypeError):
        return 0


def flattened(program: Program, arrays: Mapping[int, Any]) -> Program:
    """The same program with everything in line, now that it is known which branches are taken."""
    flattening = Flattening(program.derivation.numbers, _choices(program, arrays))
    before, inside = (flattening.flat(part) for part in (program.bounds[: program.ahead], program.bounds[program.ahead :]))
    types = {**program.types, **{number: kind for number, kind in flattening.types.items() if kind is not None}}
    limits = [*program.limits, *flattening.limits]
    flat = Program(program.derivation, [*before, *inside], types, program.given, limits, program.compiled, len(before))
    flat.spread, flat.meshed = program.spread, program.meshed
    _squared(flat)
    return _widened(flat)


def _choices(program: Program, arrays: Mapping[int, Any]) -> dict[int, Any]:
    """Which way each `cond` goes."""
    if program.spread or levels_of(program.derivation, {*program.moving, *program.derivation.external()}):
        return {}  # each row goes its own way
    asked = [b.inputs[0] for b in program.bounds if b.primitive is not None and b.primitive.name == "cond" and isinstance(b.inputs[0], int)]
    if not asked:
        return {}
    known = {number: arrays[number] for number in asked if number in arrays}
    missing = [number for number in asked if number not in known]
    engine = program.engine(arrays)
    return {**known, **(engine.values(missing, {number: arrays[number] for number in engine.moving}) if missing else {})}
