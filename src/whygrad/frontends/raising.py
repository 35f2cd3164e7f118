"""The exception that ended the program, as the record keeps it."""

import linecache
import re
from types import TracebackType

from whygrad.frontends.source import LIBRARY_FRAMES, Point, Sources, Trace, is_own_file, is_user
from whygrad.ir import Raised, Site

LONGEST_MESSAGE = 2000
"""Characters of an exception's message that are kept."""


_PLACE = re.compile(r'File "([^"]+)", line (\d+), in (\w+)')


def raised(problem: BaseException, sources: Sources) -> Raised:
    """Its type, its message, and the deepest line of the user's own that it came through."""
    points = _points(problem.__traceback__)
    users = [at for at, (code, _) in enumerate(points) if is_user(code)]
    site = None
    if users:
        site = sources.site(Trace(tuple(points[at] for at in users), points[: users[0]][:LIBRARY_FRAMES]))
    message = _message(problem)
    if site is not None and not site.text:
        site = _named(message, site) or site
    return Raised(type(problem).__name__, _without_frames(message)[:LONGEST_MESSAGE], site)


def _named(message: str, site: Site) -> Site | None:
    """The line of the user's own that a message names, where it was raised in a source that cannot be read: autograph rewrites functions, and says what they were."""
    for file, line, function in reversed(_PLACE.findall(message)):
        text = linecache.getline(file, int(line)).rstrip("\n")
        if text and is_own_file(file):
            return Site(file, int(line), function=function, text=text, callers=site.callers)
    return None


def _without_frames(message: str) -> str:
    """A message of TensorFlow's without the frames that made the node, which would leave no room for what went wrong in it."""
    if not message.startswith("Graph execution error"):
        return message
    return "\n".join(line for line in message.splitlines() if line.strip() and not line.lstrip().startswith('File "'))


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
