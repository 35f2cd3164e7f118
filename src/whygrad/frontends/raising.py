"""The exception that ended the program, as the record keeps it."""

from types import TracebackType

from whygrad.frontends.source import LIBRARY_FRAMES, Point, Sources, Trace, is_user
from whygrad.ir import Raised

LONGEST_MESSAGE = 2000
"""Characters of an exception's message that are kept."""


def raised(problem: BaseException, sources: Sources) -> Raised:
    """Its type, its message, and the deepest line of the user's own that it came through."""
    points = _points(problem.__traceback__)
    users = [at for at, (code, _) in enumerate(points) if is_user(code)]
    site = None
    if users:
        site = sources.site(Trace(tuple(points[at] for at in users), points[: users[0]][:LIBRARY_FRAMES]))
    return Raised(type(problem).__name__, _message(problem)[:LONGEST_MESSAGE], site)


def _points(traceback: TracebackType | None) -> tuple[Point, ...]:
    """The levels of a traceback, deepest first."""
    points: list[Point] = []
    while traceback is not None:
        points.append((traceback.tb_frame.f_code, traceback.tb_lasti))
        traceback = traceback.tb_next
    return tuple(reversed(points))


def _message(problem: BaseException) -> str:
    try:
        return str(problem)
    except Exception:  # noqa: BLE001 - a `__str__` of the user's that fails must not take the report with it
        return ""
