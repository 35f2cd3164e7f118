"""What a program handed to Keras' training loop as a whole, looked at once the loss is no number: the batch that spoilt it has gone by."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from whygrad.frontends.arrays import numbers
from whygrad.frontends.tensorflow._compat import tf
from whygrad.ir import Birth, Step


def spoilt(given: Sequence[Any], steps: Sequence[Step], index: int) -> Step | None:
    """The last recorded step that read batches of this, with the first array that is not finite as the birth of step `index`."""
    flat = [item for part in given if part is not None for item in tf.nest.flatten(part)]
    for step in reversed(steps):
        names = next((event.targets for event in step.events if event.kind == "batch" and len(event.targets) == len(flat)), ())
        for name, item in zip(names, flat, strict=False):
            rows, first, entries = broken_rows(item)
            if rows and not _harmless(step, name):
                birth = Birth("given", value=name, step=index, count=entries, rows=(rows, first))
                return replace(step, births=(*step.births, birth))
    return None


def _harmless(step: Step, name: str) -> bool:
    """A recorded batch was not finite, and its loss was: the program leaves such entries out."""
    figures = step.graph.values[name].statistics if name in step.graph.values else None
    loss = step.measures.loss
    return figures is not None and figures.finite < 1 and loss is not None and bool(np.isfinite(loss))


def broken_rows(item: Any) -> tuple[int, int, int]:
    """How many rows of an array hold NaN or infinity, which is the first, and how many entries are such."""
    array = numbers(np.asarray(item)) if hasattr(item, "__array__") else None
    if array is None or array.dtype.kind != "f" or not array.ndim:
        return 0, 0, 0
    bad = ~np.isfinite(array.reshape(len(array), -1))
    rows = np.flatnonzero(bad.any(axis=1))
    return (int(rows.size), int(rows[0]), int(bad.sum())) if rows.size else (0, 0, 0)
