"""What a program handed to Keras' training loop as a whole, looked at once the loss is no number: the batch that spoilt it has gone by."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.arrays import numbers
from whygrad.frontends.source import Sources, is_user, returning
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.ir import Birth, Step

MOST_CLASSES = 1000
"""Largest id up to which whole numbers are taken for classes."""


def spoilt(given: Sequence[Any], steps: Sequence[Step], index: int) -> Step | None:
    """The last recorded step that read batches of this, with the first array that is not finite as the birth of step `index`."""
    flat = [item for part in given if part is not None for item in tf.nest.flatten(part)]
    for step in reversed(steps):
        names = next((event.targets for event in reversed(step.events) if event.kind == "batch" and len(event.targets) == len(flat)), ())
        for name, item in zip(names, flat, strict=False):
            rows, first, entries = broken_rows(item)
            if rows and not _harmless(step, name):
                birth = Birth("given", value=name, step=index, count=entries, rows=(rows, first))
                return replace(step, births=(*step.births, birth))
    return None


def alone(data_set: Any, data: Any) -> dict[str, Any]:
    """Of an element that is no tuple of inputs and labels: its keys, and the function of the program's that returns it, as file, line, name and text."""
    if isinstance(data, tuple | list):
        return {}
    keys = tuple(sorted(map(str, data))) if isinstance(data, dict) else ()
    code = next(_returning(data_set), None)
    site = Sources(time.time()).site(returning(code)) if code is not None else None
    return {"keys": keys, **({"returned": (site.file, site.line, site.function, site.text)} if site is not None else {})}


def _returning(data_set: Any) -> Iterator[CodeType]:
    """The code of the program's own that makes an element, the last first: what a data set of TensorFlow's maps, what one of Keras' gives by number."""
    while data_set is not None:
        made = getattr(getattr(data_set, "_map_func", None), "_func", None) or getattr(type(data_set), "__getitem__", None)
        code = _compat.code_of(made)
        if code is not None and is_user(code):
            yield code
        data_set = getattr(data_set, "_input_dataset", None)


def unsound(model: Any) -> bool:
    """Something that the model trains is no number. A ReLU may make numbers of NaN again, so that its loss does not show it."""
    weights = (np.asarray(weight.numpy()) for weight in getattr(model, "trainable_variables", ()))
    return any(weight.dtype.kind == "f" and not np.isfinite(weight).all() for weight in weights)


def other_batches(given: Sequence[Any], taken: Any, rows: int) -> Iterator[Any]:
    """Batches of finite numbers of what `fit` was handed, in order, each like the one that was taken; none where those are no arrays of the same form."""
    flat = [item for part in given if part is not None for item in tf.nest.flatten(part)]
    parts = tf.nest.flatten(taken)
    arrays = [np.asarray(item) for item in flat if isinstance(item, np.ndarray) or is_tensor(item)]
    size = int(parts[0].shape[0]) if parts and is_tensor(parts[0]) and parts[0].shape.rank else 0
    if not size or len(arrays) != len(flat) or not all(_same_form(part, array) for part, array in zip(parts, arrays, strict=False)):
        return
    if len(parts) != len(arrays) or len({len(array) for array in arrays}) != 1:
        return
    for at in range(0, min(rows, len(arrays[0])) - size + 1, size):
        rows_of = [array[at : at + size] for array in arrays]
        if all(array.dtype.kind != "f" or np.isfinite(array).all() for array in rows_of):
            cut = [tf.convert_to_tensor(array, dtype=part.dtype) for part, array in zip(parts, rows_of, strict=True)]
            yield tf.nest.pack_sequence_as(taken, cut)


def _same_form(part: Any, array: NDArray[Any]) -> bool:
    """A batch's tensor is rows of this array."""
    return is_tensor(part) and array.ndim > 0 and array.dtype.kind in "biuf" and tuple(part.shape[1:]) == array.shape[1:]


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


def as_tensors(data: Any) -> Any:
    """A batch as a compiled step has it: `train_on_batch` hands arrays over, and they become tensors as they enter."""
    return tf.nest.map_structure(
        lambda item: tf.convert_to_tensor(item) if isinstance(item, np.ndarray) and item.dtype.kind in "biuf" else item, data
    )


def weightless(given: Sequence[Any]) -> dict[str, Any]:
    """Of arrays of class labels and of weights of the examples: how many classes there are, and of how many no example has a weight; nothing where each has one."""
    # nothing is given where `fit` began before it was watched
    labels, weights = (np.asarray(item) if isinstance(item, np.ndarray | list) else None for item in (*given, None, None, None)[1:3])
    ids = _class_ids(labels)
    if ids is None or weights is None or weights.dtype.kind not in "biuf" or weights.size != ids.size or not weights.any():
        return {}
    counted = np.bincount(ids, weights=np.abs(weights.ravel().astype("float64")))
    present = np.bincount(ids) > 0
    without = int((present & (counted == 0)).sum())
    whole = weights.dtype.kind in "biu" or bool((weights == np.floor(weights)).all())
    return {"classes": int(present.sum()), "weightless": without, "examples": int((weights == 0).sum()), "whole": whole} if without else {}


def _class_ids(labels: Any) -> NDArray[Any] | None:
    """Labels as class ids: whole numbers from 0 on, or rows with a single 1."""
    if labels is None or labels.dtype.kind not in "biuf" or not labels.size or labels.ndim not in (1, 2):
        return None
    if labels.ndim > 1 and labels.shape[1] > 1:
        single = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
        return np.asarray(labels.argmax(axis=1)) if single else None
    flat = labels.ravel()
    small = bool((flat >= 0).all() and (flat <= MOST_CLASSES).all() and (flat == np.floor(flat)).all())
    return flat.astype("int64") if small else None


def rows(given: Any) -> int:
    """Rows of labels, of which a model with several outputs has several."""
    flat = tf.nest.flatten(given) if given is not None else []
    shape = getattr(flat[0], "shape", None) if flat else None
    return int(shape[0]) if shape is not None and len(shape) else 0
