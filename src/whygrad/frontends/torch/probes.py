"""Two experiments on single values: the gradient without a parameter's hooks, and a custom backward against finite differences."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from whygrad.frontends.torch._compat import random_states, set_random_states
from whygrad.frontends.torch.calls import Call, tensors_in
from whygrad.frontends.torch.distances import distance, norm, wide
from whygrad.ir import Differentiate, Trial, Unhook

ENTRIES = 6
"""Entries of each input that are moved: a wrong formula is wrong almost everywhere."""
SECONDS = 0.5
"""Time after which no further entry is moved."""
SMALL, SMALLER = 1e-4, 5e-5
"""Relative moves, in double precision: of the two estimates that they give the difference says whether the function is smooth there."""
AGREE = 0.02
"""Share by which the two estimates may differ at a point where the function is smooth."""
WRONG = 0.1
"""Share by which the custom gradient must differ to be wrong: approximations of functions are closer."""


class Probed(Protocol):
    """What the probes need of a replay."""

    parameters: dict[str, Tensor]

    @property
    def producers(self) -> Mapping[str, Call]:
        """Value name to the call that made it."""

    def find(self, name: str) -> tuple[int, Tensor] | None:
        """Number and tensor of a value, where it still lives."""

    def unchanged(self) -> dict[str, Tensor]:
        """The gradients of the unchanged step."""

    def stepped(self, substitutes: dict[int, Tensor], moving: Mapping[str, Tensor]) -> tuple[float, dict[str, Tensor]]:
        """Loss and gradients with copies in the place of the parameters."""

    def arguments(self, call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call as the unchanged step computes them."""


def without_hooks(replay: Probed, intervention: Unhook) -> Trial:
    """The step with copies of the parameters, which carry no hooks."""
    copies = {name: tensor.detach().clone().requires_grad_() for name, tensor in replay.parameters.items()}
    loss, bare = replay.stepped({}, copies)
    base = replay.unchanged()
    found = [pair[1] for value in intervention.values if (pair := replay.find(value)) is not None]
    hooked = [name for name, tensor in replay.parameters.items() if any(tensor is item for item in found)]
    norms = {name: size for name, gradient in bare.items() if (size := norm([gradient])) is not None}
    return Trial(intervention, loss, norm(bare.values()), norms, distance(base, bare), figures=_compared(base, bare, hooked))


def _compared(base: Mapping[str, Tensor], bare: Mapping[str, Tensor], names: list[str]) -> dict[str, float]:
    """How the hooked gradient lies to the bare one: share of its norm taken, of its entries zeroed, and the cosine."""
    pairs = [(wide(base[name]), wide(bare[name])) for name in names if name in base and name in bare]
    if not pairs:
        return {}
    hooked, plain = (torch.cat([pair[at].reshape(-1) for pair in pairs]) for at in (0, 1))
    top = float(plain.norm())
    alive = plain != 0
    zeroed = float(((hooked == 0) & alive).sum()) / max(1, int(alive.sum()))
    cosine = float(hooked @ plain) / (top * float(hooked.norm())) if top > 0 and float(hooked.norm()) > 0 else 0.0
    return {"zeroed": zeroed, "cosine": cosine, "hooked": float(hooked.norm()), "bare": top}


def against_differences(replay: Probed, intervention: Differentiate) -> Trial:
    """A custom function's own gradient beside finite differences of its forward."""
    call = replay.producers.get(intervention.ops[0]) if intervention.ops else None
    if call is None:
        return Trial(intervention, reason="the op is not part of the replayed step")
    args, kwargs = replay.arguments(call)
    states = random_states()
    try:
        for widen in (True, False):
            try:
                return Trial(intervention, figures=_figures(_Function(call, args, kwargs, widen=widen, states=states)))
            except (RuntimeError, TypeError, ValueError):
                if not widen:
                    raise
    finally:
        set_random_states(states)
    return Trial(intervention, reason="the function could not be run by itself")


class _Function:
    """One call as a function of its differentiable inputs, summed with fixed weights to a number."""

    def __init__(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any], *, widen: bool, states: tuple[Tensor, ...]) -> None:
        self.call, self.args, self.kwargs, self.widen, self.states = call, args, kwargs, widen, states
        self.inputs = [self._own(tensor) for tensor in args if isinstance(tensor, Tensor) and tensor.requires_grad]
        self.places = [at for at, item in enumerate(args) if isinstance(item, Tensor) and item.requires_grad]
        self.weights: list[Tensor] = []

    def _own(self, tensor: Tensor) -> Tensor:
        copy = tensor.detach().clone()
        return (copy.double() if self.widen and copy.is_floating_point() else copy).requires_grad_()

    def outputs(self) -> list[Tensor]:
        """What the call returns for the present inputs."""
        set_random_states(self.states)
        mine = iter(self.inputs)
        filled = [next(mine) if at in self.places else self._plain(item) for at, item in enumerate(self.args)]
        result = self.call.function(*filled, **self.kwargs)
        return [tensor for _, tensor in tensors_in(result) if tensor.is_floating_point()]

    def _plain(self, item: Any) -> Any:
        if not isinstance(item, Tensor):
            return item
        copy = item.detach().clone()
        return copy.double() if self.widen and copy.is_floating_point() else copy

    def total(self) -> Tensor:
        """The weighted sum of the outputs."""
        found = self.outputs()
        if not self.weights:
            generator = torch.Generator().manual_seed(0)
            self.weights = [torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor) for tensor in found]
        return torch.stack([wide(weight * tensor).sum() for weight, tensor in zip(self.weights, found, strict=True)]).sum()

    def gradients(self) -> list[Tensor | None]:
        """What the custom backward says."""
        total = self.total()
        if not total.requires_grad:
            return [None for _ in self.inputs]
        return list(torch.autograd.grad(total, self.inputs, allow_unused=True))

    def deaf(self, given: list[Tensor | None]) -> list[bool]:
        """For each input whether the backward says the same of twice the outputs: it does not use the gradient that it is given."""
        self.weights = [2 * weight for weight in self.weights]
        twice = self.gradients()
        self.weights = [weight / 2 for weight in self.weights]
        pairs = zip(given, twice, strict=True)
        return [one is not None and other is not None and bool(one.any()) and torch.equal(one, other) for one, other in pairs]

    def slope(self, entry: Tensor, move: float) -> float:
        """The central difference quotient at one entry of one input, given as a view."""
        with torch.no_grad():
            before = entry.item()
            entry.fill_(before + move)
            high = float(self.total())
            entry.fill_(before - move)
            low = float(self.total())
            entry.fill_(before)
        return (high - low) / (2 * move)


def _figures(function: _Function) -> dict[str, float]:
    """Entries checked, and of those how many are wrong, point the other way, or are zero; for the input that is worst."""
    began = time.perf_counter()
    given = function.gradients()
    if any(tensor.shape == own.shape and torch.equal(tensor, own) for tensor in function.outputs() for own in function.inputs[:1]):
        return {"identity": 1.0}
    worst: dict[str, float] = {}
    deaf = function.deaf(given)
    for at, (own, gradient) in enumerate(zip(function.inputs, given, strict=True)):
        found = [(mine, slope) for mine, slope in _entries(function, own, gradient) if time.perf_counter() - began < SECONDS]
        figures = {"input": float(function.places[at]), **_counted(found), **({"deaf": 1.0} if deaf[at] else {})}
        if not worst or figures["wrong"] > worst["wrong"]:
            worst = figures
    return worst


def _entries(function: _Function, own: Tensor, gradient: Tensor | None) -> Iterator[tuple[float, float]]:
    """The custom derivative and the measured one, at entries where the function is smooth and depends on the entry."""
    flat = own.detach().reshape(-1) if own.is_contiguous() else own.detach().view(-1)
    mine = gradient.detach().reshape(-1) if gradient is not None else torch.zeros_like(flat)
    scale = float(flat.abs().mean()) or 1.0
    order = torch.randperm(flat.numel(), generator=torch.Generator().manual_seed(0))[:ENTRIES]
    widened = 1.0 if own.dtype == torch.float64 else 100.0
    for position in order.tolist():
        entry = flat[position]
        size = max(abs(float(entry)), scale) * widened
        wide, narrow = function.slope(entry, SMALL * size), function.slope(entry, SMALLER * size)
        if narrow != 0 and abs(wide - narrow) <= AGREE * abs(narrow):
            yield float(mine[position]), narrow


def _counted(found: list[tuple[float, float]]) -> dict[str, float]:
    wrong = [(mine, slope) for mine, slope in found if abs(mine - slope) > WRONG * max(abs(mine), abs(slope))]
    return {
        "checked": float(len(found)),
        "wrong": float(len(wrong)),
        "opposed": float(sum(mine * slope < 0 for mine, slope in wrong)),
        "zero": float(sum(mine == 0 for mine, _ in wrong)),
    }
