"""Runs the raw ops of a recorded step again, on copies, with one thing changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.arrays import distance, norm, order_of, redrawn, same_bits
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.births import Watched, told
from whygrad.frontends.tensorflow.calls import Call
from whygrad.frontends.tensorflow.descent import CopyError, Descent, standardised
from whygrad.frontends.tensorflow.layers import Owned, floating
from whygrad.frontends.tensorflow.lowering import GATHERS, OPS, attribute, kind_of
from whygrad.frontends.tensorflow.optimizers import Optimizers
from whygrad.frontends.tensorflow.probes import probed
from whygrad.frontends.tensorflow.values import Values
from whygrad.frontends.trajectories import followed
from whygrad.ir import Birth, Bypass, Descend, Follow, Intervention, Lift, Measures, Permute, Reshape, Standardise, Trial, Vary

FAILURES = (tf.errors.OpError, RuntimeError, TypeError, ValueError, IndexError, KeyError, NotImplementedError, AttributeError, LookupError)
"""What running an op again may raise."""
TRIPS = ("detach", "leave", "enter")
WITHOUT_DERIVATIVE = ("compare", "argmax", "one_hot", "sample", "integer_cast")
RANDOM = (*(name for name, (kind, _) in OPS.items() if kind in ("random", "sample")), "RandomShuffle")

Tensors = Mapping[str, Any]


class Unable(Exception):  # noqa: N818 - not an error: an answer
    """The replay can't be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a backward was asked for."""

    value: str
    tensor: Any


@dataclass(frozen=True, slots=True)
class Change:
    """An intervention in terms of values and calls."""

    substitutes: Mapping[str, Any] = field(default_factory=dict)
    lifted: frozenset[str] = frozenset()
    tracked: bool = False
    """What ran on no tape is recorded as well."""
    bypassed: frozenset[str] = frozenset()
    activated: frozenset[str] = frozenset()
    """Followed by a ReLU."""
    reshaped: tuple[str, tuple[int, ...]] | None = None


class TensorFlowReplay:
    """The calls behind one backward. Parameters are still those of the forward; nothing of the program's is written to."""

    def __init__(
        self,
        calls: list[Call],
        losses: list[Loss],
        parameters: Mapping[str, Owned],
        values: Values,
        *,
        recorded: Mapping[str, NDArray[Any]],
        optimizers: Optimizers,
    ) -> None:
        self.calls = calls
        self.losses = losses
        self.owned = {name: owned for name, owned in parameters.items() if owned.trainable and floating(owned.variable)}
        self.frozen = {name: owned for name, owned in parameters.items() if not owned.trainable and floating(owned.variable)}
        self.values = values
        self.recorded = recorded
        self.optimizers = optimizers
        self.value_of = {name: values.of_variable(owned.entry).name for name, owned in self.owned.items()}
        self.parameters = {name: tf.convert_to_tensor(owned.variable) for name, owned in self.owned.items()}
        self.producer = {name: call for call in calls for name in call.outputs}
        self.watched: Watched | None = None
        """Looks at every value while set."""
        self._descent = Descent(self)
        self._slices: dict[frozenset[str], list[Call]] = {}
        self._base: tuple[Any, dict[str, NDArray[Any]]] | None = None
        self._born: tuple[Birth, ...] | None = None

    # --- the protocol -------------------------------------------------------------------------------------------

    def baseline(self) -> Measures:
        """The step unchanged, twice."""
        try:
            loss, first = self.unchanged()
            _, second = self._gradients(Change())
        except (Unable, *FAILURES) as problem:
            return Measures(sensitivity_reason=f"the step could not be run again: {_first_line(problem)}")
        return Measures(
            loss=_number(loss),
            gradient_norm=norm(first.values()),
            noise_floor=distance(first, second),
            reproduced=self._reproduced(first),
        )

    def run(self, intervention: Intervention) -> Trial:
        """The step with one thing changed."""
        try:
            if isinstance(intervention, Descend):
                return self._descent.run(intervention)
            if isinstance(intervention, Follow):
                return followed(intervention, {name: tuple(t.shape) for name, t in self.parameters.items()}, self._loss_with)
            if (probe := probed(self, intervention)) is not None:
                return probe
            loss, found = self._gradients(self._change(intervention))
            base = self.unchanged()[1]
        except (Unable, CopyError) as reason:
            return Trial(intervention, reason=str(reason))
        except FAILURES as problem:
            return Trial(intervention, reason=f"the changed step could not be run: {_first_line(problem)}")
        norms = {name: size for name, gradient in found.items() if (size := norm([gradient])) is not None}
        return Trial(intervention, _number(loss), norm(found.values()), norms, distance(base, found))

    def births(self, index: int) -> tuple[Birth, ...]:
        """Where numbers that are not finite are born in the unchanged step."""
        if self._born is None:
            self._born = self._births(index)
        return self._born

    def unfolding(self, index: int) -> set[int]:
        """Numbers of the groups inside of which something is born: they are to be seen call by call."""
        born = [self.producer.get(birth.op) for birth in self.births(index)]
        groups = [call.group for call in born if call is not None]
        return {group.number for group in groups if group is not None and "target" not in group.given}

    @property
    def loss_finite(self) -> bool:
        """What was differentiated is finite."""
        return all(bool(np.isfinite(np.asarray(loss.tensor.numpy(), dtype=np.float64)).all()) for loss in self.losses)

    def forget(self) -> None:
        """Nothing that was computed of the recorded step's own data holds any longer."""
        self.losses = [Loss(loss.value, None) for loss in self.losses]
        self._slices, self._base, self._born, self._descent = {}, None, None, Descent(self)

    def born_later(self, substitutes: Tensors, index: int) -> tuple[Birth, ...]:
        """Where numbers go wrong on other data, with the parameters as they are now."""
        self.parameters = {name: tf.convert_to_tensor(owned.variable) for name, owned in self.owned.items()}
        return self._births(index, Change(substitutes))

    def _births(self, index: int, change: Change = Change()) -> tuple[Birth, ...]:
        self.watched = Watched(self)
        try:
            with tf.GradientTape(persistent=True) as tape:
                for tensor in self.parameters.values():
                    tape.watch(tensor)
                environment = self._forward(change, self._held(self.parameters))
            found = self.watched.forward([loss.value for loss in self.losses], index)
            totals = [environment[loss.value] for loss in self.losses if loss.value in environment]
            if found is None and totals:
                found = self.watched.backward(tape, totals, index)
            loss = _number(totals[0]) if len(totals) == 1 else None
            return () if found is None else (replace(told(found, self.calls, {item.value for item in self.losses}), loss=loss),)
        except (Unable, *FAILURES):
            return ()
        finally:
            self.watched = None

    # --- changes ------------------------------------------------------------------------------------------------

    def _change(self, intervention: Intervention) -> Change:
        match intervention:
            case Permute(values):
                return Change(self.permuted(values))
            case Lift(ops):
                return self._lift(ops)
            case Bypass(ops):
                return Change(bypassed=frozenset(ops))
            case Reshape(value, shape):
                return Change(reshaped=(value, shape))
            case Vary(values, classes):
                found = {name: tensor for name in values if (tensor := self.find(name)) is not None}
                return Change({name: tf.cast(redrawn(tuple(tensor.shape), classes), tensor.dtype) for name, tensor in found.items()})
            case Standardise(values):
                return Change({name: standardised(tensor) for name in values if (tensor := self.find(name)) is not None})
            case _:
                raise Unable("this experiment is not made in TensorFlow")

    def find(self, name: str) -> Any:
        """The tensor of a value, where it still lives; None else."""
        seen = self.values.seen.get(name)
        found = seen.tensor() if seen is not None else None
        if found is None:
            found = next(
                (t for call in self.calls for n, t in zip(call.inputs, call.tensors, strict=False) if n == name and t is not None), None
            )
        return found

    def permuted(self, names: tuple[str, ...]) -> dict[str, Any]:
        """The labels along their batch axis in another order, the same for all; raises `Unable`."""
        found = {name: tensor for name in names if (tensor := self.find(name)) is not None}
        if not found:
            raise Unable("the labels are gone")
        sizes = {int(t.shape[0]) if t.shape.rank else 1 for t in found.values()}
        axis = 0 if sizes != {1} else 1
        sized = {name: t for name, t in found.items() if t.shape.rank > axis}
        orders = {
            size: order_of(size, [t.numpy() for t in sized.values() if int(t.shape[axis]) == size], axis)
            for size in {int(t.shape[axis]) for t in sized.values()}
        }
        if not orders or set(orders) == {1}:
            raise Unable("there is one label alone, nothing to permute")
        changed = {name: tf.gather(t, orders[int(t.shape[axis])], axis=axis) for name, t in sized.items()}
        if all(same_bits(changed[name].numpy(), t.numpy()) for name, t in sized.items()):
            raise Unable("all labels of the batch are equal, nothing to permute")
        return changed

    def _lift(self, ops: tuple[str, ...]) -> Change:
        calls = [self.producer[name] for name in ops if name in self.producer]
        if not calls:
            raise Unable("the op is not part of the replayed step")
        if {_kind(call) for call in calls} & set(WITHOUT_DERIVATIVE):
            raise Unable("the op has no derivative that could be restored")
        chain = self._chain(calls)
        tracked = any(not call.tracking and _kind(call) not in TRIPS for call in chain)
        lifted = [call for call in chain if call.tracking or _kind(call) in TRIPS]
        return Change(lifted=frozenset(name for call in lifted for name in call.outputs), tracked=tracked)

    def _chain(self, calls: list[Call]) -> list[Call]:
        """The cuts and the trips directly in front of and behind them."""
        chain = {call.at: call for call in calls}
        names = {name for call in calls for name in call.inputs}
        for call in reversed(self.calls):
            if call.at in chain or (_kind(call) in TRIPS and not names.isdisjoint(call.outputs)):
                chain[call.at] = call
                names.update(call.inputs)
        made = {name for call in chain.values() for name in call.outputs}
        for call in self.calls:
            if _kind(call) in TRIPS and not made.isdisjoint(call.inputs):
                chain[call.at] = call
                made.update(call.outputs)
        return list(chain.values())

    # --- running ------------------------------------------------------------------------------------------------

    def unchanged(self) -> tuple[Any, dict[str, NDArray[Any]]]:
        """Loss and gradients of the unchanged step."""
        if self._base is None:
            self._base = self._gradients(Change())
        return self._base

    def all_gradients(self) -> dict[str, NDArray[Any]]:
        """The gradients of the unchanged step; nothing where it can't be run again."""
        try:
            return self.unchanged()[1]
        except (Unable, *FAILURES):
            return {}

    def stepped(
        self, substitutes: Tensors, moving: Tensors, activated: frozenset[str] = frozenset(), *, still: bool = False
    ) -> tuple[float, dict[str, NDArray[Any]]]:
        """Loss and gradients with copies in the place of the parameters, ReLUs behind some ops, and perhaps no dropout."""
        quiet = self._made_by("dropout") if still else frozenset()
        loss, found = self._gradients(Change(dict(substitutes), bypassed=quiet, activated=activated), moving)
        number = _number(loss)
        if number is None:
            raise Unable("the loss is no single number")
        return number, found

    def _made_by(self, kind: str) -> frozenset[str]:
        """What library functions of a kind hand out: of their values those that others read."""
        group_of = {name: call.group for call in self.calls for name in call.outputs}
        read = {(name, call.group) for call in self.calls for name in call.inputs}
        found = {name for name, group in read if (made := group_of.get(name)) is not None and made.kind == kind and made is not group}
        return frozenset(found)

    def _loss_with(self, given: Mapping[str, NDArray[Any]]) -> float:
        """The loss with other numbers in some of the parameters."""
        return self.stepped(
            {}, {**self.parameters, **{name: tf.cast(array, self.parameters[name].dtype) for name, array in given.items()}}
        )[0]

    def _held(self, parameters: Tensors) -> dict[str, Any]:
        return {self.value_of[name]: tensor for name, tensor in parameters.items() if name in self.value_of}

    def _gradients(self, change: Change, parameters: Tensors | None = None) -> tuple[Any, dict[str, NDArray[Any]]]:
        """Loss and gradient by parameter name; parameters that no gradient reaches are missing."""
        wanted = dict(self.parameters if parameters is None else parameters)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for tensor in wanted.values():
                tape.watch(tensor)
            environment = self._forward(change, {**self._held(wanted)})
        targets = [environment.get(loss.value, loss.tensor) for loss in self.losses]
        found = tape.gradient(targets if len(targets) != 1 else targets[0], list(wanted.values()))
        gradients = {name: np.asarray(tf.convert_to_tensor(g).numpy()) for name, g in zip(wanted, found, strict=True) if g is not None}
        return (targets[0] if len(targets) == 1 else tf.add_n([tf.reduce_sum(t) for t in targets])), gradients

    def forwarded(self, substitutes: Tensors) -> Tensors:
        """Every value that depends on other data in the place of some tensors."""
        return self._forward(Change(substitutes), self._held(self.parameters))

    def substituted(self, substitutes: Tensors) -> dict[str, NDArray[Any]]:
        """The gradients with other tensors in the place of some."""
        return self._gradients(Change(dict(substitutes)))[1]

    def _forward(self, change: Change, held: dict[str, Any]) -> dict[str, Any]:
        environment = {**held, **change.substitutes}
        for call in self._slice(change):
            self._run(call, environment, change)
        return environment

    def _run(self, call: Call, environment: dict[str, Any], change: Change) -> None:
        names = frozenset(call.outputs)
        if not names.isdisjoint(change.lifted) or not names.isdisjoint(change.bypassed):
            self._pass_through(call, environment)
            return
        if self.watched is not None:
            self.watched.before(call, environment)
        if call.tracking or change.tracked:
            found = self._made(call, environment, change)
        else:
            with _compat.untracked():
                found = self._made(call, environment, change)
        found = [tf.nn.relu(tensor) if name in change.activated else tensor for name, tensor in zip(call.outputs, found, strict=False)]
        environment.update((name, tensor) for name, tensor in zip(call.outputs, found, strict=False) if name not in change.substitutes)
        if self.watched is not None:
            self.watched.after(call, environment)

    def _made(self, call: Call, environment: dict[str, Any], change: Change) -> list[Any]:
        inputs = self.arguments(call, environment)
        if change.reshaped is not None:
            inputs = [tf.reshape(t, change.reshaped[1]) if n == change.reshaped[0] else t for n, t in zip(call.inputs, inputs, strict=True)]
        if call.function is not None:
            return call.function(inputs)  # type: ignore[no-any-return]  # the list of its tensors
        if call.kind:
            raise Unable(f"`{call.name}` can't be run again")
        if call.name in GATHERS and call.inputs[0] in environment:
            return [_gathered(call, inputs)]
        return _compat.run_op(call.name, len(call.outputs), inputs, call.attributes)

    def arguments(self, call: Call, environment: Tensors) -> list[Any]:
        """What a call is given now."""
        return [self.resolve(call, at, environment) for at in range(len(call.inputs))]

    def resolve(self, call: Call, at: int, environment: Tensors) -> Any:
        """One input of a call; raises `Unable` where it is gone."""
        name = call.inputs[at]
        found = environment.get(name)
        if found is None and at < len(call.tensors):
            found = call.tensors[at]
        if found is None:
            found = self.find(name)
        if found is None:
            raise Unable("a value that the step needs is gone")
        return found

    def _pass_through(self, call: Call, environment: dict[str, Any]) -> None:
        """The call as the identity on what came in; a trip out of the framework as if it had not left."""
        if call.group is not None:
            inside = {name for other in self.calls if other.group is call.group for name in other.outputs}
            outer = [
                (other, at)
                for other in self.calls
                if other.group is call.group
                for at, name in enumerate(other.inputs)
                if name not in inside
            ]
            pairs = [pair for pair in outer if self._varies(pair)]
            given = self.resolve(*pairs[0], environment) if pairs else None
        else:
            given = self.resolve(call, 0, environment) if call.inputs else None
        if given is None:
            raise Unable("what the op was made from is gone")
        for name in call.outputs:
            environment[name] = self._as_recorded(given, name)

    def _varies(self, pair: tuple[Call, int]) -> bool:
        """The input is data: no parameter and no constant."""
        call, at = pair
        seen = self.values.seen.get(call.inputs[at])
        return seen is not None and seen.variable is None and seen.shape != ()

    def _as_recorded(self, tensor: Any, name: str) -> Any:
        """The tensor in the shape and dtype of what the call had made."""
        seen = self.values.seen.get(name)
        recorded = seen.tensor() if seen is not None else None
        if recorded is None:
            return tf.identity(tensor)
        tensor = tf.cast(tensor, recorded.dtype) if tensor.dtype != recorded.dtype and recorded.dtype.is_floating else tensor
        return tf.reshape(tensor, recorded.shape) if tensor.shape != recorded.shape else tf.identity(tensor)

    # --- which calls --------------------------------------------------------------------------------------------

    def _slice(self, change: Change) -> list[Call]:
        """Calls that the losses need again: of what follows parameters, under a lifted cut, behind a changed value."""
        plain = not (change.lifted or change.tracked or change.bypassed or change.reshaped)
        key = frozenset(change.substitutes)
        if plain and key in self._slices:
            return self._slices[key]
        moving = self._moving(change)
        needed = {loss.value for loss in self.losses}
        kept: list[Call] = []
        for call in reversed(self.calls):
            if call.failed or needed.isdisjoint(call.outputs) or not set(call.outputs) - set(change.substitutes):
                continue
            follows = call.tracking and any(call.watched)
            if follows or call.at in moving or (self.watched is not None and call.tracking and call.name not in RANDOM and not call.kind):
                kept.append(call)
                needed.update(call.inputs)
        found = kept[::-1]
        if plain and self.watched is None:
            self._slices[key] = found
        return found

    def _moving(self, change: Change) -> set[int]:
        """Positions of calls that compute something else than they did, through cuts as well."""
        changed, lifted = set(change.substitutes), change.lifted | change.bypassed
        reaches = set(self.value_of.values()) if change.tracked else set()
        found: set[int] = set()
        for call in self.calls:
            if call.name in RANDOM:
                continue
            lifts = not lifted.isdisjoint(call.outputs)
            reshapes = change.reshaped is not None and change.reshaped[0] in call.inputs
            if lifts or reshapes or not changed.isdisjoint(call.inputs) or not reaches.isdisjoint(call.inputs):
                found.add(call.at)
                changed.update(call.outputs)
        return found

    def _reproduced(self, found: Mapping[str, NDArray[Any]]) -> bool | None:
        pairs = [(gradient, self.recorded[name]) for name, gradient in found.items() if name in self.recorded]
        return all(same_bits(one, other) for one, other in pairs) if pairs else None


def _kind(call: Call) -> str:
    return call.kind or kind_of(call.name, call.attributes)


def _gathered(call: Call, inputs: list[Any]) -> Any:
    if call.name == "ResourceGatherNd":
        return tf.gather_nd(inputs[0], inputs[1])
    return tf.gather(inputs[0], inputs[1], batch_dims=int(attribute(call.attributes, "batch_dims") or 0))


def _number(loss: Any) -> float | None:
    return float(np.asarray(loss.numpy()).reshape(-1)[0]) if loss is not None and int(np.prod(loss.shape)) == 1 else None


def _first_line(problem: BaseException) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]
