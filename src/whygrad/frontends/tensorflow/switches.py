"""Switches of `trainable` that switched no variable: on layers that hold none."""

from collections import deque
from collections.abc import Iterator
from typing import Any
from weakref import ReferenceType

from whygrad.frontends import source
from whygrad.frontends.tensorflow.calls import Happened

Switch = tuple["ReferenceType[Any]", source.Trace, bool]


def empty(switched: deque[Switch]) -> Iterator[Happened]:
    """One event for each place that made layers trainable of which none has a variable, if nothing else in the run made any trainable."""
    if len(switched) == switched.maxlen:
        return  # earlier ones are forgotten
    thawed = [(reference(), trace) for reference, trace, on in switched if on]
    living = [(layer, trace) for layer, trace in thawed if layer is not None]
    if len(living) < len(thawed) or any(getattr(layer, "weights", True) for layer, _ in living):
        return
    places = {trace.user: trace for _, trace in living}
    for user, trace in places.items():
        count = len({id(layer) for layer, at in living if at.user == user})
        yield Happened("unfreeze", 0, (), trace, {"empty": count})
