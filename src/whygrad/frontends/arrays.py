"""Figures of NumPy arrays, for front ends whose values can be had as such: statistics, norms, distances, permutations."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.ir import Statistics

Array = NDArray[Any]

SAMPLE = 4096
"""Entries looked at of a large array, as in the PyTorch front end."""
EXACT = 65_536
"""Inputs, labels and losses up to this many entries are looked at whole."""
UNITS = 4_000_000
"""Entries up to which units are counted that are zero on the whole batch."""
PERMUTATIONS = 8
"""Permutations tried to find the one that changes most labels."""
PLAIN = "biuf"
"""Kinds of dtype that hold plain numbers."""
NAMES: Mapping[str, str] = {
    "bool": "bool", "float64": "f64", "float32": "f32", "float16": "f16", "bfloat16": "bf16",
    "int64": "i64", "int32": "i32", "int16": "i16", "int8": "i8", "int4": "i4",
    "uint64": "u64", "uint32": "u32", "uint16": "u16", "uint8": "u8", "uint4": "u4", "complex64": "c64", "complex128": "c128",
}  # fmt: skip


@lru_cache(maxsize=1000)
def dtype_name(dtype: object) -> str:
    """`f32`, `i64`, `bf16`, …; the native name where there is no short one."""
    name = str(getattr(dtype, "name", dtype))
    return NAMES.get(name, name)


def numbers(array: object) -> Array | None:
    """The array as one that NumPy can calculate with (bfloat16 and the like become float32); None for what holds no real numbers."""
    try:
        found: Array = np.asarray(array)
    except TypeError:
        return None  # a random key of JAX's
    if found.dtype.kind in PLAIN:
        return found
    name = found.dtype.name
    if name == "bfloat16" or name.startswith("float8"):
        return found.astype(np.float32)
    return found.astype(np.int32) if name.startswith(("int", "uint")) and found.dtype.kind == "V" else None


def sample_of(array: Array, limit: int) -> Array:
    """At most about `limit` entries, evenly spread, as one flat array."""
    if array.size <= limit:
        return array.reshape(-1)
    if not array.flags.c_contiguous and array.size > 4 * limit:
        array = array[tuple(slice(None, None, max(1, size // 16)) for size in array.shape)]
    flat = array.reshape(-1)
    return flat if flat.size <= limit else flat[:: max(1, flat.size // limit)]


def statistics(
    array: object, *, whole: bool = False, count_distinct: bool = False, rows: bool = False, units: bool = False
) -> Statistics | None:
    """The figures of an array; None for what holds no numbers (strings, complex numbers, random keys)."""
    found = numbers(array)
    if found is None:
        return None
    if not found.size:
        return Statistics(0)
    sample = sample_of(found, EXACT if whole else SAMPLE)
    wide = sample.astype(np.float64)
    finite = np.isfinite(wide)
    kept = wide[finite]
    some = bool(kept.size)
    with np.errstate(all="ignore"):
        return Statistics(
            count=found.size,
            finite=float(finite.mean()),
            minimum=float(kept.min()) if some else None,
            maximum=float(kept.max()) if some else None,
            mean=float(kept.mean()) if some else None,
            std=_std(kept) if some else None,
            zeros=float((wide == 0).mean()),
            norm=_root(float(np.square(kept).mean()) * (kept.size / sample.size) * found.size) if some else None,
            whole=float((kept == np.round(kept)).sum() + (~finite).sum()) / sample.size,
            distinct=int(np.unique(sample).size) if count_distinct and sample.size == found.size else None,
            row_sums=_rows(found) if rows and found.ndim > 1 else None,
            dead=_dead(found) if units and found.ndim > 1 and found.size <= UNITS else None,
            sampled=sample.size < found.size,
        )


def _std(kept: Array) -> float:
    return math.sqrt(max(float(np.square(kept).mean()) - float(kept.mean()) ** 2, 0.0)) if np.isfinite(np.square(kept).mean()) else math.inf


def _root(value: float) -> float:
    return math.sqrt(value) if math.isfinite(value) else math.inf


def _rows(array: Array) -> tuple[float, float]:
    rows = array.reshape(-1, array.shape[-1])
    sums = rows[: max(1, SAMPLE // max(1, rows.shape[-1]))].astype(np.float64).sum(-1)
    return float(sums.min()), float(sums.max())


def _dead(array: Array) -> float:
    """Share of units that are zero everywhere; the channels come last, as in JAX and TensorFlow."""
    return 1 - float((array != 0).reshape(-1, array.shape[-1]).any(0).mean())


def order_of(size: int, arrays: Sequence[object], axis: int) -> Array:
    """The permutation, of a few, that moves most labels; always the same for the same labels."""
    generator = np.random.default_rng(0)
    orders = [np.roll(np.arange(size), size // 2 or 1), np.arange(size)[::-1]]
    orders += [generator.permutation(size) for _ in range(PERMUTATIONS)]
    found = [np.asarray(array) for array in arrays]

    def moved(order: Array) -> float:
        return sum(float((array != np.take(array, order, axis)).astype(np.float64).mean()) for array in found if array.size)

    return max(orders, key=moved)


def redrawn(shape: tuple[int, ...], classes: int) -> Array:
    """Whole numbers from 0 to `classes` - 1, each as often as any other and in no order; always the same for a shape."""
    count = math.prod(shape)
    return np.random.default_rng(0).permutation(np.arange(count) % classes).reshape(shape)


def norm(arrays: Iterable[object]) -> float | None:
    """L2 norm over several arrays; None where there is none."""
    parts = [float(np.linalg.norm(wide(array).reshape(-1))) for array in arrays]
    return float(np.linalg.norm(np.array(parts))) if parts else None


def distance(one: Mapping[str, object], other: Mapping[str, object]) -> float | None:
    """||g - g'|| / max(||g||, ||g'||); None for 0/0 and for what is not finite."""
    with np.errstate(all="ignore"):
        apart = [_against(one, other, name) - _against(other, one, name) for name in sorted(one.keys() | other.keys())]
        top, difference = max(norm(one.values()) or 0.0, norm(other.values()) or 0.0), norm(apart) or 0.0
    return difference / top if top > 0 and math.isfinite(top) and math.isfinite(difference) else None


def cosine(one: object, other: object) -> float | None:
    """Of the angle between two arrays of the same shape; None where one is zero or not finite."""
    first, second = wide(one).reshape(-1), wide(other).reshape(-1)
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(first) * np.linalg.norm(second))
        found = float(first @ second) / size if size > 0 and math.isfinite(size) and first.shape == second.shape else math.nan
    return found if math.isfinite(found) else None


def wide(array: object) -> Array:
    """In double precision; complex numbers as the pairs of real ones that they are, along a further axis."""
    found = np.asarray(array)
    return (np.stack([found.real, found.imag], -1) if found.dtype.kind == "c" else found).astype(np.float64)


def _against(this: Mapping[str, object], that: Mapping[str, object], name: str) -> Array:
    return wide(this[name]) if name in this else np.zeros_like(wide(that[name]))


def same_bits(one: object, other: object) -> bool:
    """Equal to the last bit; NaN equals NaN."""
    first, second = np.asarray(one), np.asarray(other)
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    if first.tobytes() == second.tobytes():
        return True
    one_read, other_read = numbers(first), numbers(second)
    return (
        one_read is not None and other_read is not None and bool(np.array_equal(one_read, other_read, equal_nan=one_read.dtype.kind == "f"))
    )
