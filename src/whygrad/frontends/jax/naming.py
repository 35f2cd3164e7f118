"""What the user calls a thing: the variable, or the attribute of one, that holds it where a function is called."""

from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from whygrad.frontends import source

SEARCHED = 200
"""Variables of a frame that are looked at."""
BETWEEN = 30
"""Library frames between the user's call and JAX's function."""


def variables_for(frame: FrameType | None, args: tuple[Any, ...], places: tuple[int, ...]) -> dict[int, str]:
    """For each differentiated argument, by position, the user's own name for it where the derivative is asked for."""
    candidates: dict[int, list[Any]] = {at: [args[at]] for at in places if at < len(args)}
    user, depth = frame, 0
    while user is not None and not source.is_user(user.f_code) and depth < BETWEEN:
        handed = user.f_locals.get("args")
        for at, items in candidates.items():
            if isinstance(handed, tuple) and at < len(handed):
                items.append(handed[at])
        user, depth = user.f_back, depth + 1
    if user is None:
        return {}
    held = {**user.f_globals, **user.f_locals} if user.f_code.co_name != "<module>" else user.f_locals
    names = {at: next((name for item in items for name in _holding(held, item)), "") for at, items in candidates.items()}
    return {at: name for at, name in names.items() if name}


def _holding(held: Mapping[str, Any], item: Any) -> Iterator[str]:
    """Variables that hold the very object, then attributes of variables that do."""
    if isinstance(item, int | float | str | type(None)):
        return
    own = list(held.items())[-SEARCHED:]
    yield from (name for name, value in own if value is item and not name.startswith("_"))
    for name, value in own:
        if not name.startswith("_") and not isinstance(value, type):
            yield from (f"{name}.{key}" for key, part in _parts(value) if part is item)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What an object of a library's or the user's holds: fields of named tuples, attributes."""
    fields = getattr(type(value), "_fields", None)
    if isinstance(value, tuple) and fields:
        yield from zip(fields, value, strict=False)
    elif hasattr(type(value), "__dataclass_fields__"):
        yield from ((name, getattr(value, name, None)) for name in type(value).__dataclass_fields__)
