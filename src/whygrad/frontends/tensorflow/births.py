"""Where NaN and infinity are born: the recorded calls are run again, and every value and every gradient between them is looked at."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from whygrad.frontends.arrays import numbers
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.calls import Call
from whygrad.frontends.tensorflow.lowering import kind_of
from whygrad.ir import Birth, family

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.replay import TensorFlowReplay

State = Literal["", "mask", "inf", "nan"]
"""Of a value: finite; infinite on purpose, as masks of attention are; infinite; with NaN."""
BAD = ("inf", "nan")
MASKING = ("where", "write", "scatter", "create", "pad")
"""Kinds of op that put in infinities which the program gave them."""
SCALARS = 3
"""Numbers of the user's that a record may hold at an op that is itself the fault."""


@dataclass(slots=True)
class Ran:
    """One call of the replay, with what it was given and what came out."""

    call: Call
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: list[Any] = field(default_factory=list)


class Watched:
    """Listens to a replay: the state of every value, and the calls in order."""

    def __init__(self, replay: "TensorFlowReplay") -> None:
        self.replay = replay
        self.states: dict[str, State] = {}
        self.ran: list[Ran] = []
        self.given: dict[str, Any] = {}
        """Values that no call of the replay made."""

    def before(self, call: Call, environment: Mapping[str, Any]) -> None:
        """A call is about to run."""
        ran = Ran(call)
        for name, tensor in zip(call.inputs, self.replay.arguments(call, environment), strict=True):
            ran.inputs[name] = tensor
            if name not in self.states:
                self.states[name] = _masking(tensor, state(tensor))
                self.given[name] = tensor
        self.ran.append(ran)

    def after(self, call: Call, environment: Mapping[str, Any]) -> None:
        """It has run."""
        ran = self.ran[-1]
        before = {self.states.get(name, "") for name in call.inputs}
        kind = call.kind or kind_of(call.name, call.attributes)
        for name in call.outputs:
            tensor = environment[name]
            ran.outputs.append(tensor)
            found = state(tensor)
            meant = found == "inf" and before.isdisjoint(BAD) and (kind in MASKING or "mask" in before)
            self.states[name] = "mask" if meant else found

    def forward(self, losses: Iterable[str], index: int) -> Birth | None:
        """What made the loss NaN or infinite; None if it is finite."""
        bad = {name for name in losses if self.states.get(name)}
        if not bad:
            return None
        found: Ran | None = None
        for ran in reversed(self.ran):
            if bad.isdisjoint(ran.call.outputs):
                continue
            before = [name for name in ran.inputs if self.states[name] in BAD]
            bad.update(before)
            kind = ran.call.kind or kind_of(ran.call.name, ran.call.attributes)
            if not before and (self.states[ran.call.outputs[0]] in BAD or family(kind) in ("loss", "reduction")):
                found = ran
        given = [name for name in self.given if name in bad and self.states[name] in BAD]
        if given:
            return Birth("given", value=given[0], step=index, count=_count(self.given[given[0]]))
        return _birth("forward", found, found.outputs, index) if found is not None else None

    def backward(self, tape: Any, totals: list[Any], index: int) -> Birth | None:
        """The first call, seen from the loss, whose derivative is not finite though the gradient that reaches it is."""
        gradients = self._gradients(tape, totals)
        for ran in reversed(self.ran):
            reaching = [gradients.get(name) for name in ran.call.outputs]
            if all(g is None for g in reaching) or any(g is not None and state(g) for g in reaching):
                continue
            worse = [gradients[name] for name in ran.inputs if name in gradients and state(gradients[name])]
            own = self._derivative(ran, reaching) if worse else None
            if own is not None:
                return _birth("backward", ran, [own], index)
        return None

    def _gradients(self, tape: Any, totals: list[Any]) -> dict[str, Any]:
        """Value to the gradient of the loss with respect to it."""
        held: dict[str, Any] = {}
        for ran in self.ran:
            held.update(ran.inputs)
            held.update(zip(ran.call.outputs, ran.outputs, strict=False))
        wanted = {name: t for name, t in held.items() if hasattr(t, "dtype") and t.dtype.is_floating}
        with _compat.untracked():
            found = tape.gradient(totals, list(wanted.values()))
        return {name: tf.convert_to_tensor(g) for name, g in zip(wanted, found, strict=True) if g is not None}

    def _derivative(self, ran: Ran, reaching: list[Any]) -> Any:
        """The derivative of this call alone: the first input's gradient that is not finite, or None."""
        inputs = {name: tf.identity(t) if t.dtype.is_floating else t for name, t in ran.inputs.items()}
        plain = [t for t in inputs.values() if t.dtype.is_floating]
        with tf.GradientTape() as tape:
            for tensor in plain:
                tape.watch(tensor)
            from whygrad.frontends.tensorflow.replay import Change

            made = self.replay._made(ran.call, dict(inputs), Change())
        pairs = [(out, g) for out, g in zip(made, reaching, strict=False) if g is not None]
        found = tape.gradient([out for out, _ in pairs], plain, output_gradients=[g for _, g in pairs])
        return next((tf.convert_to_tensor(g) for g in found if g is not None and state(tf.convert_to_tensor(g))), None)


def told(birth: Birth, calls: Iterable[Call], losses: Collection[str]) -> Birth:
    """Of what a loss function makes inside of it, the record shows what it hands out; of other functions each call, see `TensorFlowReplay.unfolding`."""
    calls = tuple(calls)
    made = next((call for call in calls if birth.op in call.outputs), None)
    if made is None or made.group is None or "target" not in made.group.given:
        return birth
    read = {name for call in calls if call.group is not made.group for name in call.inputs} | set(losses)
    handed = [name for call in calls if call.group is made.group and call.at >= made.at for name in call.outputs if name in read]
    return birth if not handed or birth.op in handed else replace(birth, op=handed[0], count=0, entries={})


def state(tensor: Any) -> State:
    """Whether a tensor is finite, exactly: all entries are looked at."""
    if not getattr(tensor.dtype, "is_floating", False):
        return ""
    array = numbers(tensor.numpy())
    if array is None or array.size == 0 or bool(np.isfinite(array).all()):
        return ""
    return "nan" if bool(np.isnan(array).any()) else "inf"


def _masking(tensor: Any, found: State) -> State:
    """A tensor of minus infinity and one other number is a mask to be added."""
    if found != "inf":
        return found
    array = numbers(tensor.numpy())
    rest = array[np.isfinite(array)] if array is not None else np.zeros(0)
    low = array is not None and bool((array == np.inf).any())
    return "mask" if not low and (rest.size == 0 or bool((rest == rest[0]).all())) else found


def _count(tensor: Any) -> int:
    array = numbers(tensor.numpy())
    return int((~np.isfinite(array)).sum()) if array is not None else 0


def _birth(stage: Literal["forward", "backward"], ran: Ran, bad: list[Any], index: int) -> Birth:
    tensor = next(t for t in bad if state(t))
    return Birth(stage, op=ran.call.outputs[0], step=index, count=_count(tensor), entries=_entries(ran, tensor))


def _entries(ran: Ran, tensor: Any) -> dict[str, tuple[float, ...]]:
    """What the call read at the first offending entries."""
    arrays = [np.asarray(t.numpy()) for t in ran.inputs.values() if t.dtype.is_floating]
    shape = tuple(tensor.shape)
    try:
        inputs = [np.broadcast_to(array, shape) for array in arrays]
    except ValueError:
        return {}
    if not inputs or len(inputs) > SCALARS:
        return {}
    places = np.argwhere(~np.isfinite(np.asarray(tensor.numpy())))[: SCALARS // len(inputs)]
    return {str([int(n) for n in place]): tuple(float(array[tuple(place)]) for array in inputs) for place in places}
