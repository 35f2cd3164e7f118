"""A few updates on copies of the parameters, by the rules of the commonest optimizers, written out so that no hook of the program's runs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from inspect import unwrap
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from whygrad.frontends.descents import bent
from whygrad.frontends.torch.permuting import permuted
from whygrad.ir import Descend, Trial

LARGEST = 50_000_000
"""Entries of all parameters together up to which they are copied: a copy and two moments take 600 MB in float32."""
LONGEST = 0.5
"""Seconds that the first of four descents may take: the whole experiment then stays near two."""
KNOWN = ("SGD", "Adam", "AdamW", "RMSprop")
"""Written out here."""
BORROWED = ("NAdam", "RAdam", "Adagrad", "Adadelta", "Adamax", "ASGD", "Rprop", "Adafactor", "Adam", "AdamW")
"""PyTorch's own that need one parameter and its gradient alone: their own function moves the copy, below all that counts and hooks steps."""


class CopyError(Exception):
    """The parameters can't be copied and moved; the message says why."""


class Stepping(Protocol):
    """What is asked of the replay."""

    @property
    def parameters(self) -> Mapping[str, Tensor]:
        """The trainable ones, by name."""

    known: Mapping[str, Tensor]
    """All of them, frozen ones too."""
    optimizers: tuple[Optimizer, ...]

    def find(self, name: str) -> tuple[int, Tensor] | None:
        """Number and tensor of a value, where it still lives."""

    def stepped(
        self, substitutes: dict[int, Tensor], moving: Mapping[str, Tensor], activated: frozenset[str] = frozenset(), *, still: bool = False
    ) -> tuple[float, dict[str, Tensor]]:
        """Loss and gradients with copies in the place of the parameters, ReLUs behind some ops, and perhaps no dropout."""


@dataclass(slots=True)
class Moving:
    """One parameter's copy, and what the optimizer remembers of it."""

    tensor: Tensor
    settings: Mapping[str, Any]
    native: str
    steps: int = 0
    memory: dict[str, Tensor] = field(default_factory=dict)
    own: Optimizer | None = None
    """One of the same class for this copy alone, where the rule is not written out here."""

    def update(self, gradient: Tensor, descent: Descend | None) -> None:
        """Move by one update."""
        rate = float(self.settings.get("lr", 0.0)) * (descent.factor if descent else 1.0)
        if self.own is not None:
            self._by_class(self.own, gradient, rate, descent)
            return
        self.steps += 1
        decay = float(self.settings.get("weight_decay", 0.0)) if descent is None or descent.decay is None else descent.decay
        if decay and self.native != "AdamW":
            gradient = gradient.add(self.tensor, alpha=decay)
        elif decay:
            self.tensor.mul_(1 - rate * decay)
        self.tensor.sub_(self._direction(gradient, descent) * rate)

    def _by_class(self, own: Optimizer, gradient: Tensor, rate: float, descent: Descend | None) -> None:
        group = own.param_groups[0]
        group["lr"] = rate
        if descent is not None and descent.epsilon is not None:
            group["eps"] = descent.epsilon
        if descent is not None and descent.decay is not None:
            group["weight_decay"] = descent.decay
        self.tensor.grad = gradient
        unwrap(type(own).step)(own)
        self.tensor.grad = None

    def _direction(self, gradient: Tensor, descent: Descend | None) -> Tensor:
        if self.native == "SGD":
            return self._with_momentum(gradient)
        epsilon = float(self.settings.get("eps", 1e-8)) if descent is None or descent.epsilon is None else descent.epsilon
        if self.native == "RMSprop":
            alpha = float(self.settings.get("alpha", 0.99))
            return self._with_momentum(gradient / (self._average("square", gradient.square(), alpha).sqrt() + epsilon))
        first, second = self.settings.get("betas", (0.9, 0.999))
        mean = self._average("mean", gradient, first) / (1 - first**self.steps)
        square = self._average("square", gradient.square(), second) / (1 - second**self.steps)
        direction: Tensor = mean / (square.sqrt() + epsilon)
        return direction

    def _with_momentum(self, gradient: Tensor) -> Tensor:
        momentum = float(self.settings.get("momentum", 0.0))
        if not momentum:
            return gradient
        held = self.memory.get("momentum")
        now = self.memory["momentum"] = gradient.clone() if held is None else held.mul(momentum).add(gradient)
        return gradient.add(now, alpha=momentum) if self.settings.get("nesterov") else now

    def _average(self, name: str, item: Tensor, weight: float) -> Tensor:
        held = self.memory.get(name, torch.zeros_like(item))
        self.memory[name] = held * weight + item * (1 - weight)
        return self.memory[name]


class Descent:
    """Descents of one recorded step; the one without a change is made once."""

    def __init__(self, replay: Stepping) -> None:
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
            return (
                self._losses(descent.steps, None, left=descent.joined)
                if self._moving(None, descent.joined)
                else (start,) * (descent.steps + 1)
            )
        if descent.steps not in self._plain:
            self._plain[descent.steps] = self._losses(descent.steps, None)
        return self._plain[descent.steps]

    def _moving(self, change: Descend | None, left: tuple[str, ...] = ()) -> dict[str, Moving]:
        """Copies of what is moved, but for what is left where it is; raises `CopyError`."""
        others = thawed(self.replay, (*change.thaw, *change.joined)) if change else {}
        alone = (others or left) and not held(self.replay)
        moving = {} if alone else copies(self.replay.parameters, self.replay.optimizers)
        return {name: item for name, item in (moving | others).items() if name not in left}

    def _bent(self, descent: Descend) -> Trial:
        """With and without ReLUs, on the labels as they are and on permuted ones, which show what is gained by learning the batch by heart."""
        given = permuted(dict(pair for name in descent.control if (pair := self.replay.find(name))))

        def losses(change: Descend | None, permuted_: bool) -> tuple[float, ...]:  # noqa: FBT001 - one of four descents
            return self._losses(descent.steps, change, still=True, given=given if permuted_ else None)

        return bent(descent, losses, LONGEST)

    def _losses(
        self,
        steps: int,
        change: Descend | None,
        *,
        still: bool = False,
        given: Mapping[int, Tensor] | None = None,
        left: tuple[str, ...] = (),
    ) -> tuple[float, ...]:
        """The loss before the first update and after each. `still`: without dropout, whose masks stay the same and mark the examples. `left`: what is not moved."""
        moving = self._moving(change, left)
        names = change.standardise if change else ()
        substitutes = {**(given or {}), **{pair[0]: standardised(pair[1]) for name in names if (pair := self.replay.find(name))}}
        activated = frozenset(change.activate) if change else frozenset()
        losses: list[float] = []
        for step in range(steps + 1):
            loss, found = self.replay.stepped(substitutes, {name: item.tensor for name, item in moving.items()}, activated, still=still)
            losses.append(loss)
            with torch.no_grad():
                for name, gradient in found.items() if step < steps else ():
                    moving[name].update(gradient, change)
        return tuple(losses)


def held(replay: Stepping) -> bool:
    """Whether any optimizer holds a parameter of the step."""
    own = {id(tensor) for tensor in replay.parameters.values()}
    return any(id(tensor) in own for optimizer in replay.optimizers for group in optimizer.param_groups for tensor in group["params"])


def copies(parameters: Mapping[str, Tensor], optimizers: Iterable[Optimizer]) -> dict[str, Moving]:
    """A copy of each parameter that an optimizer holds; raises `CopyError` with the reason where there are none."""
    names = {id(tensor): name for name, tensor in parameters.items()}
    if sum(tensor.numel() for tensor in parameters.values()) > LARGEST:
        raise CopyError("the model is too large to be copied for an experiment")
    if any(tensor.is_complex() for tensor in parameters.values()):
        raise CopyError("parameters that are complex numbers are not followed")
    found: dict[str, Moving] = {}
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            own = [tensor for tensor in group["params"] if id(tensor) in names]
            if own and not follows(optimizer, group):
                raise CopyError(f"updates of {type(optimizer).__name__} as it is set can't be followed")
            for tensor in own:
                found[names[id(tensor)]] = _moved(tensor, optimizer, group)
    if not found:
        raise CopyError("no optimizer holds a parameter of this step")
    return found


def follows(optimizer: Optimizer, group: Mapping[str, Any]) -> bool:
    """The rule by which it moves its parameters is one that is written out here, or PyTorch's own function does it."""
    return not group.get("maximize") and (_written_out(optimizer, group) or _borrowed(optimizer))


def _written_out(optimizer: Optimizer, group: Mapping[str, Any]) -> bool:
    return type(optimizer).__name__ in KNOWN and not group.get("amsgrad")


def _borrowed(optimizer: Optimizer) -> bool:
    return type(optimizer).__name__ in BORROWED and type(optimizer).__module__.startswith("torch.optim.")


def _moved(tensor: Tensor, optimizer: Optimizer, group: Mapping[str, Any]) -> Moving:
    """A copy of a parameter, which begins without a memory."""
    copy = tensor.detach().clone().requires_grad_()
    if _written_out(optimizer, group):
        return Moving(copy, group, type(optimizer).__name__)
    own = object.__new__(type(optimizer))  # its `__init__` would be counted as one more of the program's
    own.__dict__.update(optimizer.__dict__, state=defaultdict(dict), param_groups=[{**group, "params": [copy]}])
    return Moving(copy, group, type(optimizer).__name__, own=own)


def thawed(replay: Stepping, names: Iterable[str]) -> dict[str, Moving]:
    """Copies of parameters that no optimizer moves, to be moved as the first group of the first optimizer moves its own; raises `CopyError`."""
    optimizer = next(iter(replay.optimizers), None)
    if optimizer is None or (names and not follows(optimizer, optimizer.param_groups[0])):
        raise CopyError("there is no optimizer whose updates can be followed")
    return {
        name: _moved(replay.known[name], optimizer, optimizer.param_groups[0])
        for name in names
        if name in replay.known and replay.known[name].is_floating_point()
    }


def standardised(tensor: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 in each column; constant columns become 0."""
    values = tensor.detach()
    axes = tuple(range(max(1, values.dim() - 1))) if values.dim() < 3 else (0, *range(2, values.dim()))  # noqa: PLR2004 - beyond two axes the second one holds the channels
    wide = values.double()
    mean, spread = wide.mean(axes, keepdim=True), wide.std(axes, correction=0, keepdim=True)
    return ((wide - mean) / torch.where(spread > 0, spread, 1.0)).to(values.dtype)
