"""One walk over the running frames: the user's place, the known library functions, the layers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType, TracebackType

from whygrad.frontends import source
from whygrad.frontends.folding import Table
from whygrad.frontends.tensorflow.library import LOUD, MADE_QUIETLY, Known

ENTERING = ("constant", "convert_to_tensor", "convert_to_tensor_v2", "convert_to_tensor_v2_with_dispatch", "constant_v1", "as_tensor")
DECORATORS = ("error_handler", "op_dispatch_handler", "wrapped", "wrapper", "patched", "_constant_impl", "_constant_eager_impl")
"""Functions that make a tensor of what the program has, and what stands around them."""


@dataclass(slots=True)
class Kind:
    """What is known of one code object."""

    code: CodeType
    user: bool
    ours: bool
    quiet: bool
    known: Known | None


@dataclass(slots=True)
class Look:
    """What one walk found."""

    user: list[FrameType] = field(default_factory=list)
    """The user's frames, the deepest first."""
    library: list[source.Point] = field(default_factory=list)
    known: list[tuple[FrameType, Known]] = field(default_factory=list)
    """Frames of known functions below the user's deepest, outermost first."""
    layers: list[FrameType] = field(default_factory=list)
    """Calls of layers, outermost first."""
    quiet: bool = False
    points: tuple[source.Point, ...] = ()

    @property
    def trace(self) -> source.Trace | None:
        """The place."""
        return source.Trace(self.points, tuple(self.library)) if self.points else None


class Frames:
    """Looks at frames; knows every code object that it has seen."""

    def __init__(self, table: Callable[[], Table[Known]]) -> None:
        self._make_table = table
        self._table = table()
        self._kinds: dict[int, Kind] = {}

    def learn(self) -> None:
        """More of the library was imported."""
        self._table = self._make_table()
        self._kinds.clear()

    def kind(self, code: CodeType) -> Kind:
        """What is known of a code object."""
        found = self._kinds.get(id(code))
        if found is None:
            quiet = any(part in code.co_filename for part in MADE_QUIETLY) and code.co_name not in LOUD
            user = source.is_user(code)
            ours = code.co_filename.startswith(source.OURS)
            found = self._kinds[id(code)] = Kind(code, user, ours, quiet and not user, self._table.get(code))
        return found

    def look(self, frame: FrameType | None, below: list[tuple[FrameType, int]] | None = None) -> Look:
        """Walk outwards from `frame`; `below`: frames of a traceback that lie deeper, outermost first."""
        found = Look()
        points: list[source.Point] = []
        for level, offset in _levels(frame, below or []):
            kind = self.kind(level.f_code)
            if kind.user:
                found.user.append(level)
                if len(points) < source.CALLERS:
                    points.append((level.f_code, offset))
                continue
            found.quiet = found.quiet or kind.quiet
            if not points and not kind.ours and len(found.library) < source.LIBRARY_FRAMES:
                found.library.append((level.f_code, offset))
            if kind.known is not None:
                self._note(found, level, kind.known)
        found.known.reverse()
        found.layers.reverse()
        found.points = tuple(points)
        return found

    @staticmethod
    def _note(found: Look, frame: FrameType, known: Known) -> None:
        if known.role == "layer":
            found.layers.append(frame)
        elif not found.user:
            found.known.append((frame, known))


def _levels(frame: FrameType | None, below: list[tuple[FrameType, int]]) -> Iterator[tuple[FrameType, int]]:
    yield from reversed(below)
    while frame is not None:
        yield frame, frame.f_lasti
        frame = frame.f_back


def of_traceback(traceback: TracebackType | None) -> list[tuple[FrameType, int]]:
    """The frames of a traceback, outermost first, each with the offset of its running instruction."""
    found: list[tuple[FrameType, int]] = []
    while traceback is not None:
        found.append((traceback.tb_frame, traceback.tb_lasti))
        traceback = traceback.tb_next
    return found


def entering(frame: FrameType) -> bool:
    """The program itself calls `tf.constant` or the like."""
    return source.user_frame(frame) is not None and called(frame) in ENTERING


def called(frame: FrameType) -> str:
    """The library's function that the program called, below which this frame runs."""
    found, below = frame.f_code.co_name, frame
    while not source.is_user(below.f_code) and below.f_back is not None:
        passing = below.f_code.co_name in DECORATORS or below.f_code.co_filename.startswith(source.OURS)
        found = found if passing else below.f_code.co_name
        below = below.f_back
    return found


def users(frame: FrameType | None) -> list[FrameType]:
    """The user's frames from here outwards."""
    found: list[FrameType] = []
    frame = source.user_frame(frame)
    while frame is not None:
        found.append(frame)
        frame = source.user_frame(frame.f_back)
    return found
