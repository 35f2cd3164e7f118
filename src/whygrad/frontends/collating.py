"""Which item each row of a batch is, so that a collate function that pairs the rows of different items is found. On NumPy arrays; keeps nothing."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from whygrad.ir import Collation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = Any

MOST_ROWS = 128
"""Rows of a batch up to which each is compared with each item."""
MOST_ENTRIES = 100_000
"""Entries of one row up to which rows are compared."""


def mispaired(items: Sequence[Mapping[str, Array]], batch: Mapping[str, Array]) -> tuple[Collation, ...]:
    """Pairs of elements of a batch whose rows come from the same items in different orders; empty where an element tells of the order."""
    import numpy as np

    rows = len(items)
    parts = {path: array for path, array in batch.items() if array.ndim and array.shape[0] == rows and array.size <= rows * MOST_ENTRIES}
    if not 1 < rows <= MOST_ROWS or any(set(items[0]) != set(item) for item in items):
        return ()
    # timid: an order that is handed out with the batch may be undone later
    if any(is_order(part) for part in parts.values()):
        return ()
    tables = {path: {key: table([item[key] for item in items], part) for key in items[0]} for path, part in parts.items()}
    orders = {path: order for path, by_key in tables.items() if (order := order_of(by_key.values())) is not None}
    return tuple(
        Collation(path, other, rows, moved, kept=bool((order == np.arange(rows)).all()))
        for path, order in orders.items()
        for other, by_key in tables.items()
        if other != path and (moved := moved_rows(by_key.values(), order)) and not partnered(other, by_key, orders, parts)
    )


def partnered(other: str, by_key: Mapping[str, Array], orders: Mapping[str, Array], parts: Mapping[str, Array]) -> bool:
    """Another element goes with this one row by row: the batch holds pairs that are meant to differ. Numbers of rows tell nothing."""
    import numpy as np

    data = [path for path in orders if path != other and not (parts[path].ndim == 1 and parts[path].dtype.kind in "iu")]
    known = [found for found in by_key.values() if found.size and complete(found)]
    return any(bool(found[np.arange(len(found)), orders[path]].all()) for path in data for found in known)


def is_order(part: Array) -> bool:
    """Each of 0, 1, 2, … once."""
    import numpy as np

    return part.ndim == 1 and part.dtype.kind in "iu" and bool((np.sort(part) == np.arange(part.size)).all())


def table(items: Sequence[Array], part: Array) -> Array:
    """Whether row i of the batch can be item j, for all i and j."""
    import numpy as np

    return np.array([[same(row, item) for item in items] for row in part])


def same(row: Array, item: Array) -> bool:
    """A row is an item, but for its dtype and for what it was padded with at the end."""
    if row.ndim != item.ndim or row.dtype.kind not in "biuf" or item.dtype.kind not in "biuf":
        return row.size == item.size == 1 and same(row.reshape(1), item.reshape(1)) if row.ndim != item.ndim else False
    if any(long < short for long, short in zip(row.shape, item.shape, strict=True)):
        return False
    head = row[tuple(slice(size) for size in item.shape)]
    rest = row[item.shape[0] :] if row.ndim else row[None][1:]
    padded = row.shape == item.shape or (row.shape[1:] == item.shape[1:] and bool((rest == rest.reshape(-1)[:1]).all()))
    return padded and bool((head == item.astype(row.dtype)).all())


def order_of(tables: Any) -> Array | None:
    """Which item each row is, where no row could be two of them."""
    for found in tables:
        if found.size and bool((found.sum(0) == 1).all()) and bool((found.sum(1) == 1).all()):
            order: Array = found.argmax(1)
            return order
    return None


def moved_rows(tables: Any, order: Array) -> int:
    """Rows that belong to other items than `order` says; 0 where they fit it in some way, or are not the items at all."""
    import numpy as np

    known = [found for found in tables if found.size and complete(found)]
    fitting = [int((~found[np.arange(order.size), order]).sum()) for found in known]
    return min(fitting, default=0)


def complete(found: Array) -> bool:
    """Rows and items are the same things, each as often: equal ones form blocks, and a block has as many rows as items."""
    rows, items = found.sum(1), found.sum(0)
    return (
        bool(rows.all())
        and bool(items.all())
        and bool((found @ items == rows * rows).all())
        and bool((found.T @ rows == items * items).all())
    )
