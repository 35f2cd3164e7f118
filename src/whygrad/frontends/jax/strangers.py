"""Parameters that an update was added to though the derivative was taken by others."""

from collections.abc import Iterable, Mapping
from typing import Any

from whygrad.frontends.arrays import dtype_name
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.assembly import digest


def strangers(given: Mapping[str, Any], known: Iterable[Any]) -> tuple[str, ...]:
    """The types of what an update is added to, where none of it is what was differentiated, nor all of it a copy of that."""
    own = [item for item in known if not _compat.is_tracer(item)]
    found = [item for item in given.values() if not _compat.is_tracer(item)]
    same = {id(item) for item in own}
    if not own or not found or len(found) != len(given) or any(id(item) in same for item in found):
        return ()
    contents = {digest(item) for item in own}
    if all(digest(item) in contents for item in found):
        return ()
    return tuple(typed(item) for item in found)


def typed(item: Any) -> str:
    """The type of an array, as reports write it."""
    return f"{dtype_name(item.dtype)}[{','.join(map(str, item.shape))}]"
