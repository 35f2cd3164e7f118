"""Calls of recorded steps that are kept, to be run again on the data and parameters of a later step of an eager program."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.replay import RANDOM, TensorFlowReplay
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.frontends.tensorflow.values import Values
from whygrad.ir import Birth, Step

Place = tuple[str, int]
TRIES = 3
"""How often a symptom is looked into: a program that goes on with NaN shows it in every step."""
PARTS = 16
"""Entries up to which a container is taken for one batch."""
SMALL = 100_000
"""Entries of a gradient up to which it is added up at every update: below 50 µs, where an eager step takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Template:
    """The calls of one recorded step."""

    replay: TensorFlowReplay
    index: int
    names: Mapping[str, str]
    """The program's variable to the value of the step that it held."""


class Templates:
    """One for each place of a backward."""

    def __init__(self) -> None:
        self._kept: dict[Place, Template] = {}
        self._explained: dict[int, tuple[Birth, ...]] = {}
        self._tries = 0

    def keep(self, place: Place, replay: TensorFlowReplay, index: int, frame: FrameType) -> None:
        """Keep a step's calls without what they compute themselves; `frame` is that of the backward."""
        made = {name for call in replay.calls if call.tracking and any(call.watched) and call.name not in RANDOM for name in call.outputs}
        again = copy.copy(replay)
        again.calls = [
            replace(call, tensors=tuple(None if n in made else t for n, t in zip(call.inputs, call.tensors, strict=False)))
            for call in replay.calls
        ]
        again.forget()
        given = {name for call in replay.calls for name in call.inputs} - made
        self._kept[place] = Template(again, index, _names(replay.values, given, frame))

    def explain(self, place: Place, step: int, frame: FrameType) -> None:
        """Run the recorded calls on what the program's variables hold now, and note where numbers go wrong."""
        template = self._kept.get(place)
        if template is None or self._explained or self._tries >= TRIES:
            return
        self._tries += 1
        found = template.replay.born_later(dict(_substitutes(template, frame)), step)
        if found:
            self._explained[template.index] = found

    def with_births(self, step: Step) -> Step:
        """A recorded step with what was born in later ones that are like it."""
        later = self._explained.get(step.index, ())
        return replace(step, births=(*step.births, *later)) if later else step


def _names(values: Values, given: set[str], frame: FrameType) -> dict[str, str]:
    """Of values that a step was given, the variables of the backward's own function that hold them; else what another function calls it, if it is but one."""
    held = {name: values.of_object(item) for name, item in _held(frame).items()}
    known = {name: value for name, value in held.items() if value in given}
    called: dict[str, list[str]] = {}
    for value in sorted(given - set(known.values())):
        seen = values.seen.get(value)
        if seen is not None and seen.called and seen.variable is None:
            called.setdefault(seen.called, []).append(value)
    return {name: found[0] for name, found in called.items() if len(found) == 1} | known


def _held(frame: FrameType) -> dict[str, Any]:
    """The variables of the user's function, and the parts of those that are a batch: a tuple, a list, a dictionary."""
    user = source.user_frame(frame)
    found = dict(user.f_locals) if user is not None else {}
    for name, item in list(found.items()):
        if isinstance(item, tuple | list | dict) and len(item) <= PARTS:
            found.update((f"{name}[{key!r}]", part) for key, part in (item.items() if isinstance(item, dict) else enumerate(item)))
    return found


def _substitutes(template: Template, frame: FrameType) -> Iterator[tuple[str, Any]]:
    """This step's tensors, by the names of the variables that hold them."""
    held = _held(frame)
    for name, value in template.names.items():
        recorded, now = template.replay.find(value), held.get(name)
        if recorded is None or now is None:
            continue
        if isinstance(now, np.ndarray) and now.dtype.kind in "biuf":
            now = tf.convert_to_tensor(now, dtype=recorded.dtype)
        if is_tensor(now) and now.dtype == recorded.dtype and now.shape[1:] == recorded.shape[1:] and now.shape.rank == recorded.shape.rank:
            yield value, now


def bad(gradients: Any) -> bool:
    """The smallest gradient of an update, in which everything that goes wrong behind it is likely to arrive, is not finite."""
    dense = [g for g in gradients or () if is_tensor(g) and g.dtype.is_floating and int(np.prod(g.shape)) <= SMALL]
    if not dense:
        return False
    return not bool(np.isfinite(float(tf.reduce_sum(min(dense, key=lambda g: int(np.prod(g.shape)))).numpy())))
