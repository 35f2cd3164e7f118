"""Runs the recorded calls of a step again, on copies, with one thing changed."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from whygrad.frontends.torch._compat import is_leaf, random_states, seed_anew, set_random_states
from whygrad.frontends.torch.births import Watched
from whygrad.frontends.torch.calls import Call, Drawn, Slot, as_recorded, at_path, replaced
from whygrad.frontends.torch.changes import Change
from whygrad.frontends.torch.descent import CopyError, Descent, standardised
from whygrad.frontends.torch.distances import distance, norm, same_bits
from whygrad.frontends.torch.identity import Identity, address_of
from whygrad.frontends.torch.permuting import Unable, drawn, permuted
from whygrad.frontends.torch.special import special
from whygrad.ir import Birth, Bypass, Intervention, Lift, Measures, Permute, Reshape, Standardise, Trial, Vary

FAILURES = (RuntimeError, TypeError, ValueError, IndexError, KeyError, NotImplementedError)
"""What running a call again may raise."""
UNKNOWN = ("opaque", "custom")
"""Kinds of call that may write to their arguments without a trace: they get copies."""
_TRIPS = ("detach", "leave", "enter")


@dataclass(frozen=True, slots=True)
class Loss:
    """What a backward was asked for."""

    value: str
    number: int
    tensor: Tensor
    weight: Tensor | None = None


class TorchReplay:
    """The calls behind one backward. Parameters are still those of the forward; nothing of the user's is written to."""

    def __init__(
        self,
        calls: tuple[Call, ...],
        losses: tuple[Loss, ...],
        parameters: Mapping[str, Tensor],
        identity: Identity | None,
        *,
        recorded: Mapping[int, Tensor],
    ) -> None:
        self.calls = calls
        self.losses = losses
        self.known, self.parameters = parameters, {name: tensor for name, tensor in parameters.items() if tensor.requires_grad}
        self.alive = identity.alive() if identity is not None else {}
        held = {id(tensor) for tensor in parameters.values() if is_leaf(tensor)}
        self._settled = {number for number, tensor in self.alive.items() if id(tensor) in held}
        """Parameters hold what they were set to, and what set them is not run again."""
        self.recorded = recorded
        """Id of a parameter to the gradient that this backward alone gave it."""
        self._producer = {name: call for call in calls for name in call.made}
        self.optimizers: tuple[Optimizer, ...] = ()
        """Those of the program, whose settings a descent follows."""
        self._descent = Descent(self)
        self._slices: dict[frozenset[int], list[Call]] = {}
        """Which calls are run, by the tensors that are replaced: a descent asks again and again."""
        self._foreign: set[int] = set()
        """Memory that is not this run's own: no call may write to it, not through a view either."""
        self._rewritten: set[int] = set()
        """Tensors that this run writes to through views: these have to be views of a copy."""
        self.watched: Watched | None = None
        """Looks at every value while set."""
        self._base: tuple[Tensor | None, dict[str, Tensor]] | None = None

    # --- the protocol -------------------------------------------------------------------------------------------

    def baseline(self) -> Measures:
        """The step unchanged, twice."""
        try:
            loss, first = self._unchanged()
            _, second = self._gradients(Change({}))
        except (Unable, *FAILURES) as problem:
            return Measures(sensitivity_reason=f"the step could not be run again: {problem}")
        return Measures(
            loss=_number(loss),
            gradient_norm=norm(first.values()),
            noise_floor=distance(first, second),
            reproduced=self._reproduced(first),
        )

    def run(self, intervention: Intervention) -> Trial:
        """The step with one thing changed."""
        try:
            if (trial := special(self, self._descent, intervention)) is not None:
                return trial
            loss, found = self._gradients(self._change(intervention))
            base = (
                self._unchanged()[1] if any(isinstance(item.tensor, Tensor) and item.tensor.requires_grad for item in self.losses) else {}
            )
        except (Unable, CopyError) as reason:
            return Trial(intervention, reason=str(reason))
        except FAILURES as problem:
            return Trial(intervention, reason=f"the changed step could not be run: {problem}")
        norms = {name: size for name, gradient in found.items() if (size := norm([gradient])) is not None}
        return Trial(intervention, _number(loss), norm(found.values()), norms, distance(base, found))

    def births(self, index: int) -> tuple[Birth, ...]:
        """Where numbers that are not finite are born in the unchanged step."""
        return self.births_with({}, index)

    def births_with(self, substitutes: dict[int, Tensor], index: int) -> tuple[Birth, ...]:
        """The same with other data in the place of some tensors, by number."""
        self.watched, states = Watched(self), random_states()
        try:
            with torch.enable_grad():
                environment = self._forward(Change(dict(substitutes)))
                total = self._total(environment)
                number = _number(total)
                found = self.watched.forward([loss.value for loss in self.losses], index)
                if found is None and total is not None and total.requires_grad:
                    found = self.watched.backward(total, {}, index)
            return () if found is None else (replace(found, loss=number),)
        except (Unable, *FAILURES):
            found = self.watched.refused(index)
            return (found,) if found is not None else ()
        finally:
            self.watched = None
            set_random_states(states)

    def unchanged(self) -> dict[str, Tensor]:
        """The gradients of the unchanged step."""
        return self._unchanged()[1]

    def reseeded(self, ops: tuple[str, ...], seed: int) -> dict[str, Tensor]:
        """The gradients with other random numbers at these ops."""
        return self._gradients(Change({}, reseeded=(frozenset(ops), seed)))[1]

    def forward(self, substitutes: dict[int, Tensor]) -> dict[int, Tensor]:
        """Every value that depends on other data in the place of some tensors, by number."""
        states = random_states()
        try:
            with torch.enable_grad():
                return self._forward(Change(dict(substitutes)))
        finally:
            set_random_states(states)

    def arguments(self, call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call as the unchanged step computes them."""
        states = random_states()
        try:
            with torch.enable_grad():
                return self._arguments(call, self._forward(Change({})), Change({}))
        finally:
            set_random_states(states)

    @property
    def producers(self) -> Mapping[str, Call]:
        """Value name to the call that made it."""
        return self._producer

    def find(self, name: str) -> tuple[int, Tensor] | None:
        """Number and tensor of a value, where it still lives."""
        return self._find(name)

    def stepped(
        self, substitutes: dict[int, Tensor], moving: Mapping[str, Tensor], activated: frozenset[str] = frozenset(), *, still: bool = False
    ) -> tuple[float, dict[str, Tensor]]:
        """Loss and gradients with copies in the place of the parameters, ReLUs behind some ops, and perhaps no dropout."""
        numbers = {id(tensor): number for number, tensor in self.alive.items()}
        held = {numbers[id(self.known[name])]: item for name, item in moving.items() if id(self.known[name]) in numbers}
        quiet = frozenset(call.made[0] for call in self.calls if call.kind == "dropout" and call.made) if still else frozenset()
        total, found = self._gradients(Change({**substitutes, **held}, bypassed=quiet, activated=activated), moving)
        number = _number(total)
        if number is None:
            raise Unable("the loss is no single number")
        return number, found

    # --- changes ------------------------------------------------------------------------------------------------

    def _change(self, intervention: Intervention) -> Change:
        match intervention:
            case Permute(values, held):
                still, moving = (dict(pair for name in names if (pair := self._find(name))) for names in (held, values))
                return Change(still | permuted(moving))
            case Lift(ops):
                return self._lift(ops)
            case Bypass(ops):
                return Change({}, bypassed=frozenset(ops))
            case Reshape(value, shape):
                return Change({}, reshaped=(value, shape))
            case Vary(values, classes):
                return Change({pair[0]: drawn(pair[1], classes) for name in values if (pair := self._find(name))})
            case Standardise(values):
                return Change({pair[0]: standardised(pair[1]) for name in values if (pair := self._find(name))})
        raise Unable("it is no single change")

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
        names = {name for call in calls for name in _read(call)}
        for call in reversed(self.calls):
            if call.at in chain or (call.kind in _TRIPS and not names.isdisjoint(call.made)):
                chain[call.at] = call
                names.update(_read(call))
        made = {name for call in chain.values() for name in call.made}
        for call in self.calls:
            if call.kind in _TRIPS and not made.isdisjoint(_read(call)):
                chain[call.at] = call
                made.update(call.made)
        return list(chain.values())

    # --- running ------------------------------------------------------------------------------------------------

    def _unchanged(self) -> tuple[Tensor | None, dict[str, Tensor]]:
        if self._base is None:
            self._base = self._gradients(Change({}))
        return self._base

    def _gradients(self, change: Change, parameters: Mapping[str, Tensor] | None = None) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Loss and gradient by parameter name; parameters that no gradient reaches are missing."""
        states = random_states()
        try:
            with torch.enable_grad():
                environment = self._forward(change)
                return self._differentiate(environment, parameters)
        finally:
            set_random_states(states)

    def _differentiate(
        self, environment: dict[int, Tensor], parameters: Mapping[str, Tensor] | None
    ) -> tuple[Tensor | None, dict[str, Tensor]]:
        total = self._total(environment)
        if total is None or not total.requires_grad:
            return total, {}
        wanted = self.parameters if parameters is None else parameters
        found = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
        return total, {name: gradient for name, gradient in zip(wanted, found, strict=True) if gradient is not None}

    def _total(self, environment: dict[int, Tensor]) -> Tensor | None:
        """What was differentiated, as one number."""
        total: Tensor | None = None
        for loss in self.losses:
            value = environment.get(loss.number, loss.tensor)
            part = value.sum() if loss.weight is None else (value * loss.weight).sum()
            total = part if total is None else total + part
        return total

    def _forward(self, change: Change) -> dict[int, Tensor]:
        environment = dict(change.substitutes)
        self._foreign = {address_of(tensor) for tensor in environment.values()}
        key = frozenset(change.substitutes)
        wanted = self._slices[key] if change.plain and key in self._slices else self._slice(change)
        if change.plain:
            self._slices[key] = wanted
        self._rewritten = {number for call in wanted if call.info.base == "alias" and call.kind == "write" for number in call.outputs}
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
            if not made.isdisjoint(change.reseeded[0]):
                seed_anew(change.reseeded[1] + call.at)
        tracking = call.tracking or call.region in change.regions
        with torch.set_grad_enabled(tracking), self._nested_autocast(call):
            args, kwargs = self._arguments(call, environment, change)
            if self.watched is not None:
                self.watched.before(call, args, kwargs, environment)
            self._keep(call, call.function(*args, **kwargs), environment)
            if not made.isdisjoint(change.activated):
                environment[call.outputs[0]] = environment[call.outputs[0]].relu()
            if self.watched is not None:
                self.watched.after(call, environment)

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
        tensor = self.resolve(sources[0], environment)
        for number in call.outputs:
            environment[number] = as_recorded(tensor, self.alive.get(number))

    def _sources(self, call: Call) -> tuple[Slot, ...]:
        """The tensors that a call was made from; for a copy made outside the framework, those that had left."""
        left = [self._producer[name] for name in call.came_back if name in self._producer]
        return (*call.slots, *(slot for other in left for slot in other.slots))

    def _keep(self, call: Call, result: Any, environment: dict[int, Tensor]) -> None:
        for number, path in zip(call.outputs, call.places, strict=True):
            if path and path[0] == "argument":
                slot = next(slot for slot in call.slots if slot.number == path[1])
                environment.setdefault(number, self.resolve(slot, environment))
            else:
                environment[number] = at_path(result, path)

    def _arguments(self, call: Call, environment: dict[int, Tensor], change: Change) -> tuple[tuple[Any, ...], dict[str, Any]]:
        writes, unknown = bool(call.storages), call.kind in UNKNOWN

        def fill(item: Any) -> Any:
            if not isinstance(item, Slot):
                return self._drawn(item, call, change) if isinstance(item, Drawn) else item
            tensor = self.resolve(item, environment)
            where = address_of(tensor)
            own = item.number in environment and where not in self._foreign
            written = writes or item.number in self._rewritten or (unknown and not tensor.requires_grad)
            if written and not own:
                tensor = environment[item.number] = tensor.clone() if is_leaf(tensor) and tensor.requires_grad else tensor.detach().clone()
            elif not own:
                self._foreign.add(where)
            if change.reshaped is not None and change.reshaped[0] == item.value:
                tensor = tensor.reshape(change.reshaped[1])
            return tensor

        return replaced(call.args, fill), {key: replaced(value, fill) for key, value in call.kwargs.items()}

    @staticmethod
    def _drawn(item: Drawn, call: Call, change: Change) -> torch.Generator:
        """A generator as the call met it, or seeded anew where the change asks for other numbers."""
        generator = item.generator()
        return generator if change.reseeded[0].isdisjoint(call.made) else generator.manual_seed(change.reseeded[1] + call.at)

    def resolve(self, slot: Slot, environment: dict[int, Tensor]) -> Tensor:
        """The tensor that an argument stands for now; raises `Unable` where it is gone."""
        found = environment.get(slot.number)
        if found is None:
            found = slot.tensor()
        if found is None:
            found = self.alive.get(slot.number)
        if found is None:
            raise Unable("a value that the step needs is gone")
        return found if is_leaf(found) or slot.number in environment else found.detach()

    def needed(self, change: Change) -> list[Call]:
        """The calls that are run for the unchanged step, and those that a change makes necessary."""
        kept = {call.at for call in (*self._slice(Change({})), *self._slice(change))} | self._moving(change)
        return [call for call in self.calls if call.at in kept]

    def without_graph(self, calls: list[Call]) -> "TorchReplay":
        """These calls alone, holding neither the graph of the recorded step nor what has no part in them."""
        losses = tuple(replace(loss, tensor=loss.tensor.detach()) for loss in self.losses)
        return TorchReplay(tuple(calls), losses, self.parameters, None, recorded={})

    # --- which calls --------------------------------------------------------------------------------------------

    def _slice(self, change: Change) -> list[Call]:
        """Calls that the losses need again: of the differentiated part, under a lifted cut, behind a changed value, or for what is gone."""
        moving, settled = self._moving(change), self._settled | set(change.substitutes)
        needed = {loss.number for loss in self.losses}
        storages: set[int] = set()
        gone: set[int] = set()
        kept: list[Call] = []
        for call in reversed(self.calls):
            made = not needed.isdisjoint(call.outputs) or not storages.isdisjoint(call.storages)
            if call.failed or not made or not set(call.outputs) - settled:
                continue
            if call.full or call.at in moving or not gone.isdisjoint(call.outputs):
                kept.append(call)
                needed.update(slot.number for slot in self._sources(call))
                gone.update(slot.number for slot in call.slots if slot.tensor() is None and slot.number not in self.alive)
                storages.update(call.storages)
        return kept[::-1]

    def _moving(self, change: Change) -> set[int]:
        """Positions of calls that compute something else than they did, through cuts as well."""
        numbers, lifted = set(change.substitutes), change.lifted | change.bypassed | change.activated | change.reseeded[0]
        found: set[int] = set()
        for call in self.calls:
            lifts = not lifted.isdisjoint(call.made) or (call.region in change.regions and not call.tracking)
            reshapes = change.reshaped is not None and any(slot.value == change.reshaped[0] for slot in call.slots)
            if lifts or reshapes or any(slot.number in numbers for slot in self._sources(call)):
                found.add(call.at)
                numbers.update(call.outputs)
        return found

    def _reproduced(self, found: Mapping[str, Tensor]) -> bool | None:
        pairs = [(gradient, self.recorded.get(id(self.parameters[name]))) for name, gradient in found.items()]
        held = [(gradient, grad) for gradient, grad in pairs if grad is not None and grad.layout is torch.strided]
        return all(same_bits(gradient, grad) for gradient, grad in held) if held else None


def _read(call: Call) -> tuple[str, ...]:
    """Names of what a call was made from, outside the framework too."""
    return (*call.came_back, *(slot.value for slot in call.slots))


def _number(loss: Tensor | None) -> float | None:
    return float(loss.detach()) if loss is not None and loss.numel() == 1 else None
