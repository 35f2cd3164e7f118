"""Where NaN and infinity are born: the recorded calls are run again, and every value and every gradient between them is looked at."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from whygrad.frontends.torch._compat import set_random_states
from whygrad.frontends.torch.calls import Call, Slot, at_path, replaced
from whygrad.ir import Birth, family

State = Literal["", "mask", "inf", "nan"]
"""Of a value: finite; infinite on purpose, as masks of attention are; infinite; with NaN."""
BAD = ("inf", "nan")
MASKING = ("where", "write", "scatter", "create", "pad")
"""Kinds of op that put in infinities which the program gave them."""
SCALARS = 3
"""Numbers of the user's that a record may hold at an op that is itself the fault."""


class Calls(Protocol):
    """What is asked of the replay."""

    @property
    def producers(self) -> Mapping[str, Call]:
        """Value name to the call that made it."""

    def resolve(self, slot: Slot, environment: dict[int, Tensor]) -> Tensor:
        """The tensor that an argument stands for now."""


@dataclass(slots=True)
class Ran:
    """One call of the replay, with what it was given and what came out."""

    call: Call
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: list[Tensor] = field(default_factory=list)
    inputs: dict[str, Tensor] = field(default_factory=dict)


class Watched:
    """Listens to a replay: the state of every value, and the calls in order."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.states: dict[str, State] = {}
        self.ran: list[Ran] = []
        self.given: dict[str, Tensor] = {}
        """Values that no call of the replay made."""

    def before(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any], environment: dict[int, Tensor]) -> None:
        """A call is about to run."""
        ran = Ran(call, args, kwargs)
        for slot in call.slots:
            tensor = ran.inputs[slot.value] = self.calls.resolve(slot, environment)
            if slot.value not in self.states:
                self.states[slot.value] = _masking(tensor, state(tensor))
                self.given[slot.value] = tensor
        self.ran.append(ran)

    def after(self, call: Call, environment: dict[int, Tensor]) -> None:
        """It has run."""
        ran = self.ran[-1]
        before = {self.states.get(slot.value, "") for slot in call.slots}
        for name, number in zip(call.made, call.outputs, strict=False):
            tensor = environment[number]
            ran.outputs.append(tensor)
            found = state(tensor)
            meant = found == "inf" and before.isdisjoint(BAD) and (call.kind in MASKING or "mask" in before)
            self.states[name] = "mask" if meant else found

    # --- the forward --------------------------------------------------------------------------------------------

    def forward(self, losses: Iterable[str], index: int) -> Birth | None:
        """What made the loss NaN or infinite; None if it is finite."""
        bad = {name for name in losses if self.states.get(name)}
        if not bad:
            return None
        found: Ran | None = None
        for ran in reversed(self.ran):
            if bad.isdisjoint(ran.call.made):
                continue
            before = [name for name in ran.inputs if self.states[name] in BAD]
            bad.update(before)
            # infinities that were put in on purpose are no fault until something that is no mask comes of them
            if not before and (self.states[ran.call.made[0]] in BAD or family(ran.call.kind) in ("loss", "reduction")):
                found = ran
        given = [name for name in self.given if name in bad and self.states[name] in BAD]
        if given:
            return self._given(given[0], index)
        return _birth("forward", found, found.outputs, index) if found is not None else None

    def refused(self, index: int) -> Birth | None:
        """What made the numbers that the last call raised for; None if it was given none that are not finite."""
        last = self.ran[-1] if self.ran else None
        return self.forward(last.inputs, index) if last is not None and not last.outputs else None

    def _given(self, name: str, index: int) -> Birth:
        """The value was made before, by a call without a gradient or outside the step: that call, if its own inputs were finite."""
        tensor = self.given[name]
        made = self.calls.producers.get(name)
        seen: set[str] = set()
        while made is not None and name not in seen:
            seen.add(name)
            before = {slot.value: found for slot in made.slots if (found := slot.tensor()) is not None}
            worse = [value for value, found in before.items() if state(found) in BAD]
            if before and not worse and len(before) == len({slot.value for slot in made.slots}):
                return _birth("forward", Ran(made, (), {}, [tensor], before), [tensor], index)
            if not worse:
                break
            name, tensor = worse[0], before[worse[0]]
            made = self.calls.producers.get(name)
        return Birth("given", value=name, step=index, count=_count(tensor), size=tensor.numel())

    # --- the backward -------------------------------------------------------------------------------------------

    def backward(self, total: Tensor, leaves: Mapping[str, Tensor], index: int) -> Birth | None:
        """The first op, seen from the loss, whose derivative is not finite though the gradient that reaches it is."""
        gradients = self._gradients(total, leaves)
        for ran in reversed(self.ran):
            reaching = [gradients.get(name) for name in ran.call.made]
            if all(g is None for g in reaching) or any(g is not None and state(g) for g in reaching):
                continue
            if any(name in gradients and state(gradients[name]) for name in ran.inputs):
                found = self._derivative(ran, reaching)
                if found is not None:
                    return _birth("backward", ran, [found], index)
        return None

    def _gradients(self, total: Tensor, leaves: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Value to the gradient of the loss with respect to it."""
        made = {name: t for ran in self.ran for name, t in zip(ran.call.made, ran.outputs, strict=False) if t.requires_grad}
        read = {name: t for ran in self.ran for name, t in ran.inputs.items() if t.requires_grad and t.is_leaf}
        names = {**made, **read, **leaves}
        found = torch.autograd.grad(total, list(names.values()), allow_unused=True, retain_graph=True)
        return {name: gradient for name, gradient in zip(names, found, strict=True) if gradient is not None}

    @staticmethod
    def _derivative(ran: Ran, reaching: list[Tensor | None]) -> Tensor | None:
        """The derivative of this call alone: the first input's gradient that is not finite, or None."""
        copies: dict[int, Tensor] = {}

        def fresh(item: Any) -> Any:
            if not isinstance(item, Tensor):
                return item
            if id(item) not in copies:
                copy = item.detach().requires_grad_(item.requires_grad)
                copies[id(item)] = copy
            return copies[id(item)].clone() if ran.call.info.in_place else copies[id(item)]

        if ran.call.random is not None:
            set_random_states(ran.call.random)
        with torch.enable_grad():
            result = ran.call.function(*replaced(ran.args, fresh), **{key: replaced(item, fresh) for key, item in ran.kwargs.items()})
        places = [path if not path or path[0] != "argument" else () for path in ran.call.places]
        pairs = [(at_path(result, path), gradient) for path, gradient in zip(places, reaching, strict=False) if gradient is not None]
        outputs = [(out, gradient) for out, gradient in pairs if out.requires_grad]
        inputs = [copy for copy in copies.values() if copy.requires_grad]
        if not outputs or not inputs:
            return None
        found = torch.autograd.grad([o for o, _ in outputs], inputs, [g for _, g in outputs], allow_unused=True)
        return next((gradient for gradient in found if gradient is not None and state(gradient)), None)


def state(tensor: Tensor) -> State:
    """Whether a tensor is finite, exactly: all entries are looked at."""
    if not (tensor.is_floating_point() or tensor.is_complex()) or tensor.layout is not torch.strided or tensor.is_meta:
        return ""
    flat = tensor.detach()
    if flat.numel() == 0 or bool(torch.isfinite(flat).all()):
        return ""
    return "nan" if bool(torch.isnan(flat).any()) else "inf"


def _masking(tensor: Tensor, found: State) -> State:
    """A tensor of minus infinity and one other number is a mask to be added."""
    if found != "inf" or tensor.is_complex():
        return found
    rest = tensor.detach()[torch.isfinite(tensor.detach())]
    low = bool((tensor.detach() == math.inf).any())
    return "mask" if not low and (rest.numel() == 0 or bool((rest == rest[0]).all())) else found


def _count(tensor: Tensor) -> int:
    return int((~torch.isfinite(tensor.detach())).sum())


def _birth(stage: Literal["forward", "backward"], ran: Ran, bad: list[Tensor], index: int) -> Birth:
    tensor = next(t for t in bad if state(t))
    return Birth(stage, op=ran.call.made[0], step=index, count=_count(tensor), entries=_entries(ran, tensor))


def _entries(ran: Ran, tensor: Tensor) -> dict[str, tuple[float, ...]]:
    """What the op read at the first offending entries."""
    inputs = [found for t in ran.inputs.values() if t.is_floating_point() and (found := _as_wide(t.detach(), tensor)) is not None]
    if not inputs or len(inputs) > SCALARS or len(inputs) < sum(t.is_floating_point() for t in ran.inputs.values()):
        return {}
    places = (~torch.isfinite(tensor.detach())).nonzero()[: SCALARS // len(inputs)].tolist()
    return {str(list(place)): tuple(float(t[tuple(place)]) for t in inputs) for place in places}


def _as_wide(tensor: Tensor, other: Tensor) -> Tensor | None:
    try:
        return tensor.expand(other.shape)
    except RuntimeError:
        return None
