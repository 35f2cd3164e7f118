"""Runs a derivative's program again, on the same values, with one thing changed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from whygrad.frontends.arrays import distance, norm, order_of, redrawn, same_bits
from whygrad.frontends.jax.births import births
from whygrad.frontends.jax.descent import CopyError, Descent, Rule, standardised
from whygrad.frontends.jax.evaluation import Change, Engine, run
from whygrad.frontends.jax.futures import perturbed
from whygrad.frontends.jax.noise import reseeded
from whygrad.frontends.jax.probes import against_differences
from whygrad.frontends.jax.tape import Bound
from whygrad.frontends.jax.words import reworded
from whygrad.frontends.trajectories import followed
from whygrad.ir import (
    Birth,
    Bypass,
    Descend,
    Differentiate,
    Follow,
    Graph,
    Intervention,
    Lift,
    Measures,
    Permute,
    Perturb,
    Reseed,
    Reshape,
    Reword,
    Standardise,
    Trial,
    Vary,
)

FAILURES = (
    RuntimeError,
    TypeError,
    ValueError,
    IndexError,
    KeyError,
    NotImplementedError,
    AssertionError,
    ZeroDivisionError,
    AttributeError,
)
"""What running a program again may raise."""
CLOSE = 1e-3
"""Share by which a compiled replay's gradient may differ from the program's: other fusions round otherwise, by far less."""


class Unable(Exception):  # noqa: N818 - not an error: an answer
    """The replay can't be made; the message says why."""


@dataclass(slots=True)
class JaxReplay:
    """One recorded derivative. Nothing of the program's is written to: arrays of JAX can't be."""

    engine: Engine
    arrays: Mapping[int, Any]
    numbers: Mapping[str, int]
    """Value name to number."""
    graph: Graph
    parameters: Mapping[int, str]
    """Number to name of what is differentiated."""
    recorded: Mapping[str, Any]
    """The gradients that the program got, where they are at hand."""
    fused: bool = False
    """The program compiles what is run here primitive by primitive, or the reverse: the last digits may differ."""
    before: Sequence[Bound] = ()
    """What was computed before the program, of what it reads."""
    rule: Rule | None = None
    base: tuple[Any, dict[str, Any]] | None = None
    leading: Mapping[int, int] = field(default_factory=dict)
    """Of values that members of an ensemble or devices hold: how many axes stand in front of what one of them holds."""

    def baseline(self) -> Measures:
        """The step unchanged, twice."""
        try:
            loss, first = self.unchanged()
            _, second = self.gradients(Change())
        except FAILURES as problem:
            return Measures(sensitivity_reason=f"the step could not be run again: {_first_line(problem)}")
        return Measures(
            loss=_number(loss), gradient_norm=norm(first.values()), noise_floor=distance(first, second), reproduced=self._reproduced(first)
        )

    def unchanged(self) -> tuple[Any, dict[str, Any]]:
        """Loss and gradients of the unchanged step, computed once."""
        if self.base is None:
            self.base = self.gradients(Change())
        return self.base

    def gradients(self, change: Change, moving: Mapping[int, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Loss and gradients by parameter name."""
        values = {number: self.arrays[number] for number in self.engine.moving} if moving is None else moving
        loss, _, found = self.engine.gradients(values, change)
        return loss, {self.parameters[number]: item for number, item in found.items()}

    def _loss_with(self, given: Mapping[str, Any]) -> float:
        """The loss with other numbers in some of the parameters."""
        own = {number: self.arrays[number] for number in self.parameters}
        moving = {
            number: jnp.asarray(given[name], own[number].dtype) if (name := self.parameters[number]) in given else own[number]
            for number in own
        }
        number = _number(self.gradients(Change(), moving)[0])
        if number is None:
            raise Unable("the loss is no single number")
        return number

    def _reproduced(self, found: Mapping[str, Any]) -> bool | None:
        known = {name: item for name, item in self.recorded.items() if name in found}
        if not known:
            return None
        if all(same_bits(item, found[name]) for name, item in known.items()):
            return True
        apart = distance(known, {name: found[name] for name in known})
        return apart is None or (self.fused and apart < CLOSE)

    def run(self, intervention: Intervention) -> Trial:
        """The step with one thing changed."""
        try:
            if (trial := self._special(intervention)) is not None:
                return trial
            loss, found = self._with_outside(intervention).gradients(self._change(intervention))
            base = self.unchanged()[1]
        except (Unable, CopyError) as reason:
            return Trial(intervention, reason=str(reason))
        except FAILURES as problem:
            return Trial(intervention, reason=f"the changed step could not be run: {_first_line(problem)}")
        norms = {name: size for name, gradient in found.items() if (size := norm([gradient])) is not None}
        return Trial(intervention, _number(loss), norm(found.values()), norms, distance(base, found))

    def _special(self, intervention: Intervention) -> Trial | None:
        """The trial of an intervention that is more than one changed replay; None for any other."""
        if isinstance(intervention, Descend):
            return Descent(self).run(intervention)
        if isinstance(intervention, Follow):
            shapes = {name: np.shape(self.arrays[number]) for number, name in self.parameters.items()}
            return followed(intervention, shapes, self._loss_with)
        own = _OWN.get(type(intervention))
        return own(self, intervention) if own is not None else None

    def births(self, index: int) -> tuple[Birth, ...]:
        """Where numbers that are not finite are born."""
        try:
            return births(self, index)
        except FAILURES:
            return ()

    def once_compiled(self) -> "JaxReplay":
        """The same step as one compiled function: for what is run many times."""
        return with_engine(self, self.engine.once_compiled())

    # --- changes ------------------------------------------------------------------------------------------------

    def _change(self, intervention: Intervention) -> Change:
        match intervention:
            case Permute(values):
                return Change(self.forwarded(self.permuted(values)))
            case Vary(values, classes):
                arrays = {number: self.arrays[number] for number in self._numbers(values)}
                drawn = {number: jnp.asarray(redrawn(np.shape(array), classes), jnp.result_type(array)) for number, array in arrays.items()}
                return Change(self.forwarded(drawn))
            case Standardise(values):
                return Change(self.forwarded({number: standardised(self.arrays[number]) for number in self._numbers(values)}))
            case Lift(ops) | Bypass(ops):
                outside = {number for bound in self.before if bound.outside for number in bound.outputs}
                return Change(through=frozenset(self._numbers(ops)) - outside)
            case Reshape(value, shape):
                return Change(reshaped={self.numbers[value]: tuple(shape)})
        raise Unable("this experiment is not made for JAX programs")

    def forwarded(self, given: dict[int, Any]) -> dict[int, Any]:
        """The same change where the program reads it: values that were made before it are taken through what was computed from them."""
        if all(number >= 0 for number in given):
            return given
        environment = dict(self.arrays)
        run(self.before, environment, Change(given))
        made = {number for bound in self.before for number in bound.outputs if number >= 0}
        return {number: environment[number] for number in (*made, *(n for n in given if n >= 0))}

    def _numbers(self, names: Sequence[str]) -> list[int]:
        found = [self.numbers[name] for name in names if name in self.numbers]
        if not found or any(number not in self.arrays for number in found):
            raise Unable("the value is not part of the replayed step")
        return found

    def _with_outside(self, intervention: Intervention) -> "JaxReplay":
        """The replay of a program that also makes what the lifted calls make, where they ran before it.

        Raises `Unable` where they read earlier values of the parameters: no derivative by today's can come of them.
        """
        lifted = self._numbers(intervention.ops) if isinstance(intervention, Lift) else []
        made = {number: bound.inputs for bound in self.before for number in bound.outputs if number not in self.parameters}
        needed, left = set[int](), [number for number in lifted if number in made]
        while left:
            number = left.pop()
            if number not in needed:
                needed.add(number)
                left.extend(atom for atom in made.get(number, ()) if isinstance(atom, int))
        if needed and needed.isdisjoint(self.parameters):
            raise Unable("it was made of earlier values of the parameters")
        own = needed - set(self.parameters)
        cone = [bound for bound in self.before if any(number in own for number in bound.outputs)]
        fixed = {number: self.arrays[number] for number in own if number in self.arrays}
        return with_engine(self, self.engine.beginning_with(cone, fixed)) if cone else self

    def permuted(self, names: Sequence[str]) -> dict[int, Any]:
        """The labels in another order, all in the same one: in that order within each member of an ensemble, who may share them."""
        axes = {number: self._examples(number) for number in self._numbers(names)}
        sizes = {np.shape(self.arrays[number])[axis] for number, axis in axes.items() if axis is not None}
        if not sizes or None in axes.values():
            raise Unable("a label is a single number")
        if len(sizes) > 1:
            raise Unable("the labels differ in their number of rows")
        rows = [np.moveaxis(np.asarray(self.arrays[number]), axis or 0, 0) for number, axis in axes.items()]
        order = order_of(sizes.pop(), rows, 0)
        return {number: _in_order(self.arrays[number], order, axis or 0) for number, axis in axes.items()}

    def _examples(self, number: int) -> int | None:
        """The axis along which an array's examples lie; None where it has none."""
        shape, leading = np.shape(self.arrays[number]), self.leading.get(number, 0)
        if leading < len(shape) and shape[leading] > 1:
            return leading
        return 0 if shape else None


_OWN: Mapping[type[Intervention], Callable[[Any, Any], Trial]] = {
    Differentiate: against_differences,
    Perturb: perturbed,
    Reseed: reseeded,
    Reword: reworded,
}
"""Interventions with an experiment of their own."""


def _in_order(array: Any, order: Any, axis: int) -> Any:
    """An array's rows in another order, laid out over the devices as before: to pick rows of a sharded array by JAX asks for the layout of the result."""
    if isinstance(array, jax.Array) and array.is_fully_addressable and not jnp.issubdtype(array.dtype, jax.dtypes.extended):
        return jax.device_put(np.take(np.asarray(array), np.asarray(order), axis), array.sharding)
    return jnp.take(jnp.asarray(array), jnp.asarray(order), axis=axis)


def _number(loss: Any) -> float | None:
    try:
        return float(np.asarray(loss).astype(np.float64).sum()) if loss is not None else None
    except (TypeError, ValueError):
        return None


def _first_line(problem: BaseException) -> str:
    return str(problem).partition("\n")[0][:200]


def with_engine(replay: JaxReplay, engine: Engine) -> JaxReplay:
    """The same replay on another engine."""
    return replace(replay, engine=engine, base=None)


def finite(value: object) -> bool:
    """A number that is neither NaN nor infinite."""
    return isinstance(value, float) and math.isfinite(value)


def backend() -> str:
    """Where the program computes."""
    return str(jax.default_backend())
