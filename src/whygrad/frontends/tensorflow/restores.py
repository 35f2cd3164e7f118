"""Weights that a program puts back while `fit` runs: the same ones over and over, so that the updates in between are lost."""

import sys
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.tensorflow.calls import Happened
from whygrad.frontends.tensorflow.guard import guarded
from whygrad.frontends.tensorflow.patches import Original
from whygrad.ir import Step

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder


@dataclass(slots=True)
class Put:
    """What was put back last into one model during one call of `fit`, and how often in a row."""

    digest: bytes
    trace: source.Trace
    at: int
    """The step before which it was put back last."""
    times: int = 1
    lost: int = 0
    """Updates between one time and the next."""


class Restores:
    """Listens to `set_weights`."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self._puts: dict[tuple[int, int], Put] = {}
        self._longest: Put | None = None

    def put_back(self, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`set_weights`: the original, and then a look at what it was given."""
        result = original(*args, **kwargs)
        self.given(args[0], args[1] if len(args) > 1 else kwargs.get("weights"))
        return result

    @guarded
    def given(self, model: Any, arrays: Any) -> None:
        """These weights were put into a model; between calls of `fit` that is a beginning anew, and nobody's fault."""
        driver, trace = self.recorder.training.driver, source.trace(sys._getframe(1))
        if driver is None or trace is None:
            return
        digest, index = digest_of(arrays), self.recorder.index
        known = self._puts.get((id(model), id(driver)))
        if known is None or known.digest != digest:
            self._puts[id(model), id(driver)] = Put(digest, trace, index)
            return
        known.times, known.lost, known.at = known.times + 1, known.lost + index - known.at, index
        if self._longest is None or known.lost > self._longest.lost:
            self._longest = known

    def told(self, steps: list[Step]) -> list[Step]:
        """The steps, the last of which tells of weights that were put back again and again."""
        found = self._longest
        if found is None or not steps:
            return steps
        last = steps[-1]
        names = tuple(p.name for p in last.parameters if p.trainable)
        happened = Happened("dropped", 0, names, found.trace, {"what": "restored", "times": found.times, "updates": found.lost})
        (event,) = self.recorder.builder.events([happened], (), [])
        return [*steps[:-1], replace(last, events=(*last.events, replace(event, at=len(last.graph.ops))))]


def digest_of(arrays: Any) -> bytes:
    """One for each set of weights."""
    found = blake2b(digest_size=16)
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.digest()
