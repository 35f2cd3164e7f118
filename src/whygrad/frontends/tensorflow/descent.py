"""A few updates on copies of the parameters, by the rules of the commonest optimizers, written out so that nothing of the program's runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.descents import bent
from whygrad.frontends.keras_words import settings_of
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.optimizers import rate_of
from whygrad.ir import Attribute, Descend, Trial

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.replay import TensorFlowReplay

LONGEST = 1.0
"""Seconds that the first of four descents may take: the whole experiment then stays near four."""
LARGEST = 50_000_000
"""Entries of all parameters together up to which they are copied."""
KNOWN = ("SGD", "Adam", "AdamW", "RMSprop")

Array = NDArray[Any]


class CopyError(Exception):
    """The parameters can't be copied and moved; the message says why."""


@dataclass(slots=True)
class Moving:
    """One parameter's copy, and what the optimizer remembers of it."""

    array: Array
    settings: Mapping[str, Attribute]
    rate: float
    native: str
    steps: int = 0
    memory: dict[str, Array] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """One setting."""
        value = self.settings.get(name)
        return float(value) if isinstance(value, int | float) else default

    def update(self, gradient: Array, descent: Descend | None) -> None:
        """Move by one update."""
        dtype = self.array.dtype
        rate = self.rate * (descent.factor if descent else 1.0)
        self.steps += 1
        decay = self.number("weight_decay", 0.0) if descent is None or descent.decay is None else descent.decay
        if decay:
            self.array = (self.array - self.array * dtype.type(rate * decay)).astype(dtype)
        self.array = (self.array - self._direction(gradient.astype(dtype), descent) * dtype.type(rate)).astype(dtype)

    def _direction(self, gradient: Array, descent: Descend | None) -> Array:
        if self.native == "SGD":
            return self._with_momentum(gradient)
        epsilon = self.number("eps", 1e-7) if descent is None or descent.epsilon is None else descent.epsilon
        if self.native == "RMSprop":
            square = self._average("square", np.square(gradient), self.number("alpha", 0.9))
            scaled: Array = gradient / np.sqrt(square + gradient.dtype.type(epsilon))
            return scaled
        first, second = self.number("beta1", 0.9), self.number("beta2", 0.999)
        mean = self._average("mean", gradient, first)
        square = self._average("square", np.square(gradient), second)
        scale = np.sqrt(1 - second**self.steps) / (1 - first**self.steps)
        direction: Array = mean * gradient.dtype.type(scale) / (np.sqrt(square) + gradient.dtype.type(epsilon))
        return direction

    def _with_momentum(self, gradient: Array) -> Array:
        momentum = gradient.dtype.type(self.number("momentum", 0.0))
        if not momentum:
            return gradient
        held = self.memory.get("momentum", np.zeros_like(gradient))
        now = self.memory["momentum"] = held * momentum + gradient
        ahead: Array = gradient + now * momentum
        return ahead if self.settings.get("nesterov") else now

    def _average(self, name: str, item: Array, weight: float) -> Array:
        held = self.memory.get(name, np.zeros_like(item))
        kept = item.dtype.type(weight)
        self.memory[name] = held + (item - held) * (item.dtype.type(1) - kept)
        return self.memory[name]


class Descent:
    """Descents of one recorded step; the one without a change is made once."""

    def __init__(self, replay: "TensorFlowReplay") -> None:
        self.replay = replay
        self._plain: dict[int, tuple[float, ...]] = {}

    def run(self, descent: Descend) -> Trial:
        """A few updates with the change, and as many without; raises `CopyError`."""
        if descent.activate:
            return self._bent(descent)
        changed = self._losses(descent.steps, descent)
        return Trial(descent, loss=changed[-1], losses=changed, plain=self._without(descent, changed[0]))

    def _without(self, descent: Descend, start: float) -> tuple[float, ...]:
        """The descent without the change: what joined stays where it is, and with it the loss where nothing else moves."""
        if descent.joined:
            moves = self._copies(descent.joined).keys() - set(descent.joined)
            return self._losses(descent.steps, None, left=descent.joined) if moves else (start,) * (descent.steps + 1)
        if descent.steps not in self._plain:
            self._plain[descent.steps] = self._losses(descent.steps, None)
        return self._plain[descent.steps]

    def _bent(self, descent: Descend) -> Trial:
        """With and without ReLUs, on the labels as they are and on permuted ones, which show what is gained by learning the batch by heart."""
        given = self.replay.permuted(descent.control)

        def losses(change: Descend | None, permuted_: bool) -> tuple[float, ...]:  # noqa: FBT001 - one of four descents
            return self._losses(descent.steps, change, still=True, given=given if permuted_ else None)

        return bent(descent, losses, LONGEST)

    def _losses(
        self, steps: int, change: Descend | None, *, still: bool = False, given: Mapping[str, Any] | None = None, left: tuple[str, ...] = ()
    ) -> tuple[float, ...]:
        """The loss before the first update and after each. `still`: without dropout, whose masks stay the same and mark the examples. `left`: what is not moved."""
        moving = {name: item for name, item in self._copies(change.joined if change else left).items() if name not in left}
        thawed = self._thawed(change.thaw) if change and change.thaw else {}
        moving |= thawed
        names = change.standardise if change else ()
        given = {**(given or {}), **{name: standardised(t) for name in names if (t := self.replay.find(name)) is not None}}
        activated = frozenset(change.activate) if change else frozenset()
        losses: list[float] = []
        for step in range(steps + 1):
            copies = {name: tf.constant(item.array) for name, item in moving.items()}
            loss, found = self.replay.stepped({**given, **self._instead(copies, thawed)}, copies, activated, still=still)
            losses.append(loss)
            with np.errstate(all="ignore"):
                for name, gradient in found.items() if step < steps else ():
                    moving[name].update(gradient, change)
        return tuple(losses)

    def _copies(self, joined: Iterable[str] = ()) -> dict[str, Moving]:
        """A copy of each parameter that an optimizer holds, and of those that join; raises `CopyError` with the reason where there are none."""
        replay = self.replay
        if sum(int(np.prod(t.shape)) for t in replay.parameters.values()) > LARGEST:
            raise CopyError("the model is too large to be copied for an experiment")
        if any(t.dtype.is_complex for t in replay.parameters.values()):
            raise CopyError("parameters that are complex numbers are not followed")
        held = replay.optimizers.held(replay.values)
        by_name = {
            replay.optimizers.name(entry): optimizer for entry in replay.optimizers.all() if (optimizer := entry.reference()) is not None
        }
        found: dict[str, Moving] = {}
        only = next(iter(by_name.values())) if len(by_name) == 1 else None
        for name, owned in replay.owned.items():
            optimizer = by_name.get(held.get(owned.entry.number, ""), only if not held else None)
            if optimizer is not None:
                found[name] = self._copy(name, optimizer)
        first = next(iter(by_name.values()), None)
        found |= {name: self._copy(name, first) for name in joined if first is not None and name in replay.owned and name not in found}
        if not found:
            raise CopyError("no optimizer holds a parameter of this step")
        return found

    def _thawed(self, names: Iterable[str]) -> dict[str, Moving]:
        """Copies of frozen parameters, to be moved by the settings of the first optimizer; raises `CopyError`."""
        optimizer = next((found for entry in self.replay.optimizers.all() if (found := entry.reference()) is not None), None)
        if optimizer is None:
            raise CopyError("there is no optimizer whose updates can be followed")
        return {name: self._copy(name, optimizer) for name in names if name in self.replay.frozen}

    def _instead(self, copies: Mapping[str, Any], thawed: Iterable[str]) -> dict[str, Any]:
        """Frozen parameters by value: whatever reads them is run again."""
        replay = self.replay
        return {replay.values.of_variable(replay.frozen[name].entry).name: copies[name] for name in thawed}

    def _copy(self, name: str, optimizer: Any) -> Moving:
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        native, settings, rate = type(inner).__name__, settings_of(inner), rate_of(inner)
        if native not in KNOWN or settings.get("amsgrad") or settings.get("centered") or rate is None:
            raise CopyError(f"updates of {native} as it is set can't be followed")
        parameters, frozen = self.replay.parameters, self.replay.frozen
        array = parameters[name].numpy() if name in parameters else tf.convert_to_tensor(frozen[name].variable).numpy()
        return Moving(np.asarray(array).copy(), settings, rate, native)


def standardised(tensor: Any) -> Any:
    """Mean 0 and standard deviation 1 in each column; constant columns become 0."""
    values = np.asarray(tensor.numpy())
    wide = values.astype(np.float64)
    axes = tuple(range(max(1, wide.ndim - 1)))
    mean, spread = wide.mean(axes, keepdims=True), wide.std(axes, keepdims=True)
    return tf.constant(((wide - mean) / np.where(spread > 0, spread, 1.0)).astype(values.dtype))
