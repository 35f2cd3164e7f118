"""Where NaN and infinity are born: every value of the program, and every gradient between, is looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from whygrad.frontends.arrays import numbers
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.evaluation import Engine, call
from whygrad.frontends.jax.library import kind_of
from whygrad.frontends.jax.tape import Bound, Constant
from whygrad.ir import Birth, Graph, family

State = Literal["", "mask", "inf", "nan"]
BAD = ("inf", "nan")
MASKING = ("where", "scatter", "create", "pad", "expand")
"""Kinds of op that put in infinities which the program gave them."""
SCALARS = 3
"""Numbers of the user's that a record may hold at an op that is itself the fault."""


class Replayed(Protocol):
    """What is asked of the replay."""

    engine: Engine
    arrays: Mapping[int, Any]
    numbers: Mapping[str, int]
    graph: Graph
    parameters: Mapping[int, str]


@dataclass(slots=True)
class Watched:
    """All values of one forward."""

    replay: Replayed
    environment: dict[int, Any]
    states: dict[int, State]
    seen: bool = False
    """The values are those of the compiled step, as far as they were handed out."""


def births(replay: Replayed, index: int) -> tuple[Birth, ...]:
    """The first birth on the way to the loss, else the first in the backward.

    Primitive by primitive at first. A compiled step rounds otherwise, and may meet the very point at which a derivative is infinite where this does not.
    """
    for seen in (False, True) if replay.engine.compiled else (False,):
        watched = forward(replay, seen=seen)
        found = _forward_birth(watched, index) or _backward_birth(watched, index)
        if found is not None:
            return (found,)
    return ()


def forward(replay: Replayed, *, seen: bool = False) -> Watched:
    """Run the program primitive by primitive; `seen`: take what the compiled step made of each value, where that is known."""
    environment: dict[int, Any] = {**replay.engine.fixed, **{number: replay.arrays[number] for number in replay.engine.moving}}
    states: dict[int, State] = {number: _masking(item, state(item)) for number, item in environment.items()}
    known = replay.arrays if seen else {}
    for bound in replay.engine.bounds:
        if bound.failed:
            continue
        at_hand = all(number in known for number in bound.outputs)
        made = [known[number] for number in bound.outputs] if at_hand else call(bound, _read(bound, environment))
        before = {states.get(item, "") for item in bound.inputs if isinstance(item, int)}
        for number, item in zip(bound.outputs, made, strict=False):
            environment[number] = item
            found = state(item)
            masks = kind_of(bound.name) in MASKING or "mask" in before or all(isinstance(i, Constant) for i in bound.inputs)
            states[number] = "mask" if found == "inf" and before.isdisjoint(BAD) and masks else found
    return Watched(replay, environment, states, seen)


def _read(bound: Bound, environment: Mapping[int, Any]) -> list[Any]:
    return [item.value if isinstance(item, Constant) else environment[item] for item in bound.inputs]


def _forward_birth(watched: Watched, index: int) -> Birth | None:
    """What made the loss NaN or infinite."""
    bad = {number for number in watched.replay.engine.losses if watched.states.get(number)}
    if not bad:
        return None
    found = _first(watched, bad)
    given = [number for number in watched.replay.engine.fixed if number in bad] + [n for n in watched.replay.engine.moving if n in bad]
    if given:
        return Birth("given", value=_name(watched, given[0]), step=index, count=_count(watched.environment[given[0]]), loss=_loss(watched))
    return _birth("forward", watched, found, [watched.environment[n] for n in found.outputs], index) if found is not None else None


def _first(watched: Watched, bad: set[int]) -> Bound | None:
    """The first op that made some of what is not finite; `bad` becomes all that it came by."""
    found: Bound | None = None
    for bound in reversed(watched.replay.engine.bounds):
        if bad.isdisjoint(bound.outputs):
            continue
        inputs = [item for item in bound.inputs if isinstance(item, int)]
        before = [number for number in inputs if watched.states.get(number) in BAD]
        bad.update(before)
        if not before and (watched.states[bound.outputs[0]] in BAD or family(kind_of(bound.name)) in ("loss", "reduction")):
            found = bound
    return found


def _hidden(watched: Watched, reader: Bound) -> Bound | None:
    """What made the numbers that are not finite among those that this op reads; None where they are finite, or were given to the step."""
    bad = {item for item in reader.inputs if isinstance(item, int) and watched.states.get(item) in BAD}
    made = _first(watched, bad) if bad else None
    return made if bad.isdisjoint((*watched.replay.engine.fixed, *watched.replay.engine.moving)) else None


def _backward_birth(watched: Watched, index: int) -> Birth | None:
    """The first op, seen from the loss, whose derivative is not finite though the gradient that reaches it is."""
    gradients = _backwards(watched) if watched.seen else _gradients(watched)
    for bound in reversed(watched.replay.engine.bounds):
        reaching = [gradients[number] for number in bound.outputs if number in gradients]
        if bound.failed or not reaching or any(state(item) for item in reaching):
            continue
        broken = [gradients[item] for item in bound.inputs if isinstance(item, int) and item in gradients and state(gradients[item])]
        given = [
            item for item in bound.inputs if isinstance(item, int) and item in watched.replay.engine.fixed and watched.states[item] in BAD
        ]
        if broken and given:
            return Birth(
                "given", value=_name(watched, given[0]), step=index, count=_count(watched.environment[given[0]]), loss=_loss(watched)
            )
        if broken and _makes_it(watched, bound, gradients):
            made = _hidden(watched, bound)
            if made is None:
                return _birth("backward", watched, bound, broken[:1], index)
            names = {number: name for name, number in watched.replay.numbers.items()}
            born = _birth("backward", watched, made, [watched.environment[n] for n in made.outputs], index)
            reader = _op_of(watched, bound, names)
            return replace(born, reader=reader if reader != born.op else "")
    return None


def _gradients(watched: Watched) -> dict[int, Any]:
    """Value to the gradient of the loss with respect to it: that of a zero that is added to it."""
    replay = watched.replay
    floating = [number for number, item in watched.environment.items() if _floats(item)]

    def total(added: dict[int, Any]) -> Any:
        environment = {**replay.engine.fixed, **{number: replay.arrays[number] for number in replay.engine.moving}}
        environment = {number: item + added[number] if number in added else item for number, item in environment.items()}
        for bound in replay.engine.bounds:
            if not bound.failed:
                made = call(bound, _read(bound, environment))
                pairs = zip(bound.outputs, made, strict=False)
                environment.update((number, item + added[number] if number in added else item) for number, item in pairs)
        return sum(jnp.sum(environment[number]) for number in replay.engine.losses)

    zeros = {number: jnp.zeros_like(watched.environment[number]) for number in floating}
    found: dict[int, Any] = _compat.ORIGINALS.grad(total)(zeros)
    return found


def _backwards(watched: Watched) -> dict[int, Any]:
    """The same, op by op, each at the values that the compiled step had there."""
    gradients = {number: jnp.ones_like(watched.environment[number]) for number in watched.replay.engine.losses}
    for bound in reversed(watched.replay.engine.bounds):
        if bound.failed or gradients.keys().isdisjoint(bound.outputs):
            continue
        places, found = _derived(watched, bound, gradients)
        for at, gradient in zip(places, found, strict=True):
            number = bound.inputs[at]
            assert isinstance(number, int)
            gradients[number] = gradients[number] + gradient if number in gradients else gradient
    return gradients


def _makes_it(watched: Watched, bound: Bound, gradients: Mapping[int, Any]) -> bool:
    """Whether the derivative of this op alone is not finite for the gradient that reaches it."""
    return any(state(item) for item in _derived(watched, bound, gradients)[1])


def _derived(watched: Watched, bound: Bound, gradients: Mapping[int, Any]) -> tuple[list[int], list[Any]]:
    """The places of an op's inputs that have a gradient, and the gradients that its derivative makes of those that reach it."""
    read = _read(bound, watched.environment)
    places = [at for at, item in enumerate(bound.inputs) if isinstance(item, int) and _floats(read[at])]

    def alone(moving: list[Any]) -> list[Any]:
        given = list(read)
        for at, item in zip(places, moving, strict=True):
            given[at] = item
        return call(bound, given)

    outputs, back = _compat.ORIGINALS.vjp(alone, [read[at] for at in places])
    reaching = [
        gradients.get(number, jnp.zeros_like(item)) if _floats(item) else _nothing(item)
        for number, item in zip(bound.outputs, outputs, strict=False)
    ]
    return places, list(back(reaching)[0])


def _nothing(item: Any) -> Any:
    return np.zeros(np.shape(item), jax.dtypes.float0)


def _floats(item: Any) -> bool:
    return jnp.issubdtype(getattr(item, "dtype", np.int32), jnp.floating)


def _birth(stage: Literal["forward", "backward"], watched: Watched, bound: Bound, broken: Sequence[Any], index: int) -> Birth:
    """The birth, with what the op read at one of the entries."""
    offending = next((item for item in broken if state(item)), broken[0])
    names = {number: name for name, number in watched.replay.numbers.items()}
    op = _op_of(watched, bound, names)
    return Birth(stage, op=op, step=index, count=_count(offending), entries=_entries(watched, bound, offending), loss=_loss(watched))


def _op_of(watched: Watched, bound: Bound, names: Mapping[int, str]) -> str:
    """The op of the graph that this primitive is, or is folded into: the first one at or after it whose output is known."""
    made = {name for op in watched.replay.graph.ops for name in op.outputs}
    known = [names[number] for number in bound.outputs if names.get(number) in made]
    if known:
        return known[0]
    bounds = watched.replay.engine.bounds
    later = bounds[bounds.index(bound) :]
    return next((names[number] for item in later for number in item.outputs if names.get(number) in made), "")


def _entries(watched: Watched, bound: Bound, offending: Any) -> dict[str, tuple[float, ...]]:
    """One offending entry: its place, and what the op read there."""
    wide = numbers(offending)
    if wide is None or wide.ndim == 0:
        return {}
    place = np.argwhere(~np.isfinite(wide))[0]
    read = [numbers(item) for item in _read(bound, watched.environment) if np.ndim(item)]
    found = [float(item[tuple(place)]) for item in read[:SCALARS] if item is not None and item.shape == wide.shape]
    return {f"[{','.join(map(str, place.tolist()))}]": tuple(found)} if found else {}


def _name(watched: Watched, number: int) -> str:
    return next((name for name, known in watched.replay.numbers.items() if known == number), "")


def _loss(watched: Watched) -> float | None:
    found = [watched.environment[number] for number in watched.replay.engine.losses]
    return float(np.asarray(found[0]).astype(np.float64).sum()) if found else None


def state(item: Any) -> State:
    """Whether NaN or infinity is in an array."""
    if not _floats(item):
        return ""
    wide = numbers(item)
    if wide is None or np.isfinite(wide).all():
        return ""
    return "nan" if np.isnan(wide).any() else "inf"


def _masking(item: Any, found: State) -> State:
    """Infinities that a program hands in on purpose: a mask of nothing else than 0 and minus infinity."""
    wide = numbers(item) if found == "inf" else None
    if wide is None:
        return found
    return "mask" if bool(((wide == 0) | np.isneginf(wide)).all()) else found


def _count(item: Any) -> int:
    wide = numbers(item)
    return int((~np.isfinite(wide)).sum()) if wide is not None else 0
