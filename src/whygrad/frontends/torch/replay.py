"""Runs the recorded calls of a step again, on copies, with one thing changed."""

import math
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from whygrad.frontends.torch._compat import is_leaf, random_states, set_random_states
from whygrad.frontends.torch.calls import Call, Slot, at_path, replaced
from whygrad.frontends.torch.identity import Identity
from whygrad.ir import Bypass, Intervention, Lift, Measures, Permute, Reshape, Trial

PERMUTATIONS = 8
"""Permutations tried to find the one that changes most labels: with two equally common classes one alone leaves half of them."""


_TRIPS = ("detach", "leave", "enter")


class Unable(Exception):  # noqa: N818 - not an error: an answer
    """The replay can't be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a backward was asked for."""

    value: str
    number: int
    tensor: Tensor
    weight: Tensor | None = None


@dataclass(slots=True)
class Change:
    """An intervention in terms of calls and tensors."""

    substitutes: dict[int, Tensor]
    lifted: frozenset[str] = frozenset()
    regions: frozenset[int] = frozenset()
    bypassed: frozenset[str] = frozenset()
    reshaped: tuple[str, tuple[int, ...]] | None = None


class TorchReplay:
    """The calls behind one backward. Parameters are still those of the forward; nothing of the user's is written to."""

    def __init__(
        self, calls: tuple[Call, ...], losses: tuple[Loss, ...], parameters: Mapping[str, Tensor], identity: Identity, *, fresh: bool
    ) -> None:
        self.calls = calls
        self.losses = losses
        self.parameters = {name: tensor for name, tensor in parameters.items() if tensor.requires_grad}
        self.alive = identity.alive()
        self.fresh = fresh
        """No gradient had been accumulated before this backward, so that the parameters' gradients are this backward's own."""
        self._producer = {name: call for call in calls for name in call.made}
        self._base: tuple[Tensor | None, dict[str, Tensor]] | None = None

    # --- the protocol -------------------------------------------------------------------------------------------

    def baseline(self) -> Measures:
        """The step unchanged, twice."""
        try:
            loss, first = self._unchanged()
            _, second = self._gradients(Change({}))
        except (Unable, RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as problem:
            return Measures(sensitivity_reason=f"the step could not be run again: {problem}")
        return Measures(
            loss=_number(loss),
            gradient_norm=_norm(first.values()),
            noise_floor=_distance(first, second),
            reproduced=self._reproduced(first),
        )

    def run(self, intervention: Intervention) -> Trial:
        """The step with one thing changed."""
        try:
            loss, found = self._gradients(self._change(intervention))
            base = (
                self._unchanged()[1] if any(isinstance(item.tensor, Tensor) and item.tensor.requires_grad for item in self.losses) else {}
            )
        except Unable as reason:
            return Trial(intervention, reason=str(reason))
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as problem:
            return Trial(intervention, reason=f"the changed step could not be run: {problem}")
        norms = {name: norm for name, gradient in found.items() if (norm := _norm([gradient])) is not None}
        return Trial(intervention, _number(loss), _norm(found.values()), norms, _distance(base, found))

    # --- changes ------------------------------------------------------------------------------------------------

    def _change(self, intervention: Intervention) -> Change:
        match intervention:
            case Permute(values):
                return Change(self._permuted(values))
            case Lift(ops):
                return self._lift(ops)
            case Bypass(ops):
                return Change({}, bypassed=frozenset(ops))
            case Reshape(value, shape):
                return Change({}, reshaped=(value, shape))

    def _permuted(self, values: tuple[str, ...]) -> dict[int, Tensor]:
        found = {number: tensor for name in values if (pair := self._find(name)) for number, tensor in [pair]}
        if not found:
            raise Unable("the labels are gone")
        rows = {tensor.shape[0] if tensor.dim() else 1 for tensor in found.values()}
        axis = 0 if rows != {1} else 1
        sizes = {tensor.shape[axis] if tensor.dim() > axis else 1 for tensor in found.values()}
        if sizes == {1}:
            raise Unable("there is one label alone, nothing to permute")
        order = {size: _order(size, [t for t in found.values() if t.dim() > axis and t.shape[axis] == size], axis) for size in sizes}
        changed = {
            number: tensor.detach().index_select(axis, order[tensor.shape[axis]].to(tensor.device))
            for number, tensor in found.items()
            if tensor.dim() > axis
        }
        if all(torch.equal(changed[number], found[number]) for number in changed):
            raise Unable("all labels of the batch are equal, nothing to permute")
        return changed

    def _find(self, name: str) -> tuple[int, Tensor] | None:
        for call in self.calls:
            for slot in call.slots:
                if slot.value == name and (tensor := slot.tensor()) is not None:
                    return slot.number, tensor
            if name in call.made:
                at = call.made.index(name)
                if at < len(call.outputs) and call.outputs[at] in self.alive:
                    return call.outputs[at], self.alive[call.outputs[at]]
        number = int(name.lstrip("t").split(".")[0]) if name.startswith("t") else -1
        return (number, self.alive[number]) if number in self.alive else self._find_later(name)

    def _find_later(self, name: str) -> tuple[int, Tensor] | None:
        """What a value that is gone was turned into by a cast or another shape."""
        made = (call.made[0] for call in self.calls if not call.full and call.made and any(slot.value == name for slot in call.slots))
        return next((found for other in made if other != name and (found := self._find(other)) is not None), None)

    def _lift(self, ops: tuple[str, ...]) -> Change:
        calls = [self._producer[name] for name in ops if name in self._producer]
        if not calls:
            raise Unable("the op is not part of the replayed step")
        if {call.kind for call in calls} & {"compare", "argmax", "one_hot", "sample", "integer_cast"}:
            raise Unable("the op has no derivative that could be restored")
        chain = self._chain(calls)
        regions = frozenset(call.region for call in chain if not call.tracking)
        named = frozenset(name for call in chain if call.tracking or call.kind in _TRIPS for name in call.made)
        return Change({}, lifted=named, regions=regions)

    def _chain(self, calls: list[Call]) -> list[Call]:
        """The cuts and those directly in front of and behind them: `.detach().cpu().numpy()` and the copy back are one cut."""
        chain = {call.at: call for call in calls}
        names = {slot.value for call in calls for slot in call.slots}
        for call in reversed(self.calls):
            if call.at in chain or (call.kind in _TRIPS and not names.isdisjoint(call.made)):
                chain[call.at] = call
                names.update(slot.value for slot in call.slots)
        made = {name for call in chain.values() for name in call.made}
        for call in self.calls:
            if call.kind in _TRIPS and not made.isdisjoint((*call.came_back, *(slot.value for slot in call.slots))):
                chain[call.at] = call
                made.update(call.made)
        return list(chain.values())

    # --- running ------------------------------------------------------------------------------------------------

    def _unchanged(self) -> tuple[Tensor | None, dict[str, Tensor]]:
        if self._base is None:
            self._base = self._gradients(Change({}))
        return self._base

    def _gradients(self, change: Change) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Loss and gradient by parameter name; parameters that no gradient reaches are missing."""
        states = random_states()
        try:
            with torch.enable_grad():
                environment = self._forward(change)
                return self._differentiate(environment)
        finally:
            set_random_states(states)

    def _differentiate(self, environment: dict[int, Tensor]) -> tuple[Tensor | None, dict[str, Tensor]]:
        total: Tensor | None = None
        for loss in self.losses:
            value = environment.get(loss.number, loss.tensor)
            part = value.sum() if loss.weight is None else (value * loss.weight).sum()
            total = part if total is None else total + part
        if total is None or not total.requires_grad:
            return total, {}
        names = list(self.parameters)
        found = torch.autograd.grad(total, [self.parameters[name] for name in names], allow_unused=True)
        return total, {name: gradient for name, gradient in zip(names, found, strict=True) if gradient is not None}

    def _forward(self, change: Change) -> dict[int, Tensor]:
        environment = dict(change.substitutes)
        wanted = self._slice(change)
        with ExitStack() as stack:
            blocks: list[int | None] = [None]
            for call in wanted:
                self._enter_block(call, blocks, stack)
                self._run(call, environment, change)
        return environment

    @staticmethod
    def _enter_block(call: Call, blocks: list[int | None], stack: ExitStack) -> None:
        """Leave and enter autocast where the recorded step did: its cache of cast weights lives as long as the block."""
        block = call.autocast.block if call.autocast else None
        if block != blocks[0]:
            stack.close()
            blocks[0] = block
            if call.autocast is not None:
                device, enabled, dtype = call.autocast.state
                stack.enter_context(torch.autocast(device, dtype=dtype, enabled=enabled))

    def _run(self, call: Call, environment: dict[int, Tensor], change: Change) -> None:
        made = frozenset(call.made)
        if (not made.isdisjoint(change.lifted) and call.tracking) or not made.isdisjoint(change.bypassed):
            self._pass_through(call, environment)
            return
        if call.info.base == "alias":
            return
        if call.random is not None:
            set_random_states(call.random)
        tracking = call.tracking or call.region in change.regions
        with torch.set_grad_enabled(tracking), self._nested_autocast(call):
            args, kwargs = self._arguments(call, environment, change)
            self._keep(call, call.function(*args, **kwargs), environment)

    @staticmethod
    def _nested_autocast(call: Call) -> AbstractContextManager[None]:
        if call.autocast is None:
            return nullcontext()
        device, enabled, dtype = call.autocast.state
        if torch.is_autocast_enabled(device) == enabled and torch.get_autocast_dtype(device) == dtype:
            return nullcontext()
        return torch.autocast(device, dtype=dtype, enabled=enabled)

    def _pass_through(self, call: Call, environment: dict[int, Tensor]) -> None:
        """The call as the identity on what came in; a trip out of the framework as if it had not left."""
        sources = self._sources(call)
        if not sources:
            raise Unable("what the op was made from is gone")
        tensor = self._resolve(sources[0], environment)
        for number in call.outputs:
            environment[number] = _as_recorded(tensor, self.alive.get(number))

    def _sources(self, call: Call) -> tuple[Slot, ...]:
        """The tensors that a call was made from; for a copy made outside the framework, those that had left."""
        left = [self._producer[name] for name in call.came_back if name in self._producer]
        return (*call.slots, *(slot for other in left for slot in other.slots))

    def _keep(self, call: Call, result: Any, environment: dict[int, Tensor]) -> None:
        for number, path in zip(call.outputs, call.places, strict=True):
            if path and path[0] == "argument":
                slot = next(slot for slot in call.slots if slot.number == path[1])
                environment.setdefault(number, self._resolve(slot, environment))
            else:
                environment[number] = at_path(result, path)

    def _arguments(self, call: Call, environment: dict[int, Tensor], change: Change) -> tuple[tuple[Any, ...], dict[str, Any]]:
        writes = bool(call.storages)

        def fill(item: Any) -> Any:
            if not isinstance(item, Slot):
                return item
            tensor = self._resolve(item, environment)
            if writes and item.number not in environment:
                tensor = environment[item.number] = tensor.detach().clone() if not (is_leaf(tensor) and tensor.requires_grad) else tensor
            if change.reshaped is not None and change.reshaped[0] == item.value:
                tensor = tensor.reshape(change.reshaped[1])
            return tensor

        return replaced(call.args, fill), {key: replaced(value, fill) for key, value in call.kwargs.items()}

    def _resolve(self, slot: Slot, environment: dict[int, Tensor]) -> Tensor:
        found = environment.get(slot.number)
        if found is None:
            found = slot.tensor()
        if found is None:
            found = self.alive.get(slot.number)
        if found is None:
            raise Unable("a value that the step needs is gone")
        return found if is_leaf(found) or slot.number in environment else found.detach()

    # --- which calls --------------------------------------------------------------------------------------------

    def _slice(self, change: Change) -> list[Call]:
        """Calls that the losses need again: those of the differentiated part, those under a lifted cut, those behind a changed value."""
        moving = self._moving(change)
        needed = {loss.number for loss in self.losses}
        storages: set[int] = set()
        kept: list[Call] = []
        for call in reversed(self.calls):
            made = not needed.isdisjoint(call.outputs) or not storages.isdisjoint(call.storages)
            if call.failed or not made or not set(call.outputs) - set(change.substitutes):
                continue
            if call.full or call.at in moving:
                kept.append(call)
                needed.update(slot.number for slot in self._sources(call))
                storages.update(call.storages)
        return kept[::-1]

    def _moving(self, change: Change) -> set[int]:
        """Positions of calls that compute something else than they did, through cuts as well."""
        numbers, lifted = set(change.substitutes), change.lifted | change.bypassed
        found: set[int] = set()
        for call in self.calls:
            lifts = not lifted.isdisjoint(call.made) or (call.region in change.regions and not call.tracking)
            reshapes = change.reshaped is not None and any(slot.value == change.reshaped[0] for slot in call.slots)
            if lifts or reshapes or any(slot.number in numbers for slot in self._sources(call)):
                found.add(call.at)
                numbers.update(call.outputs)
        return found

    def _reproduced(self, found: Mapping[str, Tensor]) -> bool | None:
        if not self.fresh:
            return None
        pairs = [(gradient, self.parameters[name].grad) for name, gradient in found.items()]
        held = [(gradient, grad) for gradient, grad in pairs if grad is not None and grad.layout is torch.strided]
        return all(_same_bits(gradient, grad) for gradient, grad in held) if held else None


def _same_bits(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(torch.equal(torch.nan_to_num(one), torch.nan_to_num(other)))


def _as_recorded(tensor: Tensor, recorded: Tensor | None) -> Tensor:
    """The tensor in the shape and dtype of what the call had made."""
    if recorded is None:
        return tensor
    if tensor.dtype != recorded.dtype and recorded.dtype.is_floating_point:
        tensor = tensor.to(recorded.dtype)
    return tensor.reshape(recorded.shape) if tensor.shape != recorded.shape and tensor.numel() == recorded.numel() else tensor


def _order(size: int, tensors: list[Tensor], axis: int) -> Tensor:
    """The permutation, of a few, that moves most labels; always the same for the same labels."""
    generator = torch.Generator().manual_seed(0)
    orders = [torch.arange(size).roll(size // 2 or 1), torch.arange(size).flip(0)]
    orders += [torch.randperm(size, generator=generator) for _ in range(PERMUTATIONS)]

    def moved(order: Tensor) -> float:
        return sum(float((tensor != tensor.index_select(axis, order.to(tensor.device))).double().mean()) for tensor in tensors)

    return max(orders, key=moved)


def _norm(gradients: Iterable[Tensor]) -> float | None:
    """L2 norm over several tensors; None where there is none."""
    parts = [
        gradient.detach().double().norm() if gradient.layout is torch.strided else gradient.detach().coalesce().values().double().norm()
        for gradient in gradients
    ]
    return float(torch.stack(parts).norm()) if parts else None


def _distance(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float | None:
    """||g - g'|| / max(||g||, ||g'||); None for 0/0 and for what is not finite."""
    names = one.keys() | other.keys()
    apart = [_dense(one, other, name) - _dense(other, one, name) for name in sorted(names)]
    top, difference = max(_norm(one.values()) or 0.0, _norm(other.values()) or 0.0), _norm(apart) or 0.0
    return difference / top if top > 0 and math.isfinite(top) and math.isfinite(difference) else None


def _dense(this: Mapping[str, Tensor], that: Mapping[str, Tensor], name: str) -> Tensor:
    found = this[name] if name in this else torch.zeros_like(that[name])
    return (found if found.layout is torch.strided else found.to_dense()).double()


def _number(loss: Tensor | None) -> float | None:
    return float(loss.detach()) if loss is not None and loss.numel() == 1 else None
